//! Coming in: right and wrong passwords, guessing, sessions, mailed links, tokens.

use chrono::TimeDelta;
use engine::signin::{Door, Limits, Try, Visit};
use kit::http::{Page, Visitor};
use kit::people::{ANA, CLAIRE, JONAS, MARA, PASSWORD, RUTH, SAM, TOMAS};
use kit::{App, on_both};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};

const NEW_PASSWORD: &str = "velvet harbour sings twice";

on_both! {
    async fn a_wrong_password_and_an_unknown_address_are_one_answer(app: &App) {
        let visitor = app.visitor();
        let wrong = app.try_sign_in(&visitor, MARA.email, "not her password").await;
        let unknown = app.try_sign_in(&visitor, "nobody@nordwind.example", "not her password").await;
        for page in [&wrong, &unknown] {
            assert_eq!(page.status, 422);
            assert!(page.text().contains("do not belong together"), "{}", page.text());
            assert!(!page.raw().contains("not her password"), "a password is never written back");
        }
        assert_eq!(wrong.text(), unknown.text());
    }

    /// Forty tries at once from forty addresses are ten guesses; the owner's session lives, and so does her own browser.
    async fn guessing_ends_after_ten_and_the_owner_is_not_locked_out(app: &App) {
        let owner = app.sign_in(MARA).await;
        let answers = at_once(app, 40, "a guess of a password").await;
        let looked_at = answers.iter().filter(|answer| matches!(answer, Err(engine::Error::Invalid(_)))).count();
        let refused = answers.iter().filter(|answer| matches!(answer, Err(engine::Error::Refused(_)))).count();
        assert_eq!((looked_at, refused), (10, 30), "passwords that were looked at, and those that were not");

        let stranger = app.visitor();
        let page = app.try_sign_in(&stranger, MARA.email, PASSWORD).await;
        assert_eq!(page.status, 429, "a right password from elsewhere waits too: {}", page.text());
        assert_eq!(owner.open("/profile").await.status, 200, "her session lives");

        sign_out(&owner).await;
        let page = app.try_sign_in(&owner, MARA.email, PASSWORD).await;
        assert_ne!(page.path, "/sign-in", "her own browser is known: {}", page.text());

        app.clock.advance(TimeDelta::minutes(16));
        let page = app.try_sign_in(&app.visitor(), MARA.email, PASSWORD).await;
        assert_ne!(page.path, "/sign-in", "a quarter of an hour later: {}", page.text());
    }

    /// Forty at once with the right password all come in: none of them is a guess.
    async fn a_right_password_is_no_guess(app: &App) {
        let answers = at_once(app, 40, PASSWORD).await;
        let shut_out: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(shut_out.is_empty(), "{shut_out:?}");
        let wrong = at_once(app, 20, "a guess of a password").await;
        let looked_at = wrong.iter().filter(|answer| matches!(answer, Err(engine::Error::Invalid(_)))).count();
        assert_eq!(looked_at, 10, "and they use none of the ten up");
    }

    async fn a_session_ends_where_its_owner_ends_it(app: &App) {
        let (here, there) = (app.sign_in(MARA).await, app.sign_in(MARA).await);
        let page = here.open("/profile").await;
        assert_eq!(page.raw().matches("End this session").count(), 1, "the other one: {}", page.text());
        here.press(&page, "End this session", &[]).await;
        assert_eq!(there.get("/profile").await.status, 303);
        assert_eq!(here.get("/profile").await.status, 200);

        let copied = here.clone();
        sign_out(&here).await;
        assert_eq!(copied.get("/profile").await.status, 303, "a copied cookie is worth nothing after signing out");
    }

    async fn a_session_ends_by_itself(app: &App) {
        let door = door(app, Limits::default());
        let visit = Visit::default();
        let tried = Try { email: ANA.email, password: PASSWORD, device: None, visit: &visit };
        let opened = door.sign_in(tried).await.expect("Ana signs in");
        for _ in 0..15 {
            app.clock.advance(TimeDelta::hours(11));
            assert!(door.whoami(&opened.token).await.expect("the door answers").is_some(), "in use");
        }
        app.clock.advance(TimeDelta::hours(11));
        assert!(door.whoami(&opened.token).await.expect("the door answers").is_none(), "a week is the longest");

        let tried = Try { email: ANA.email, password: PASSWORD, device: None, visit: &visit };
        let opened = door.sign_in(tried).await.expect("Ana signs in");
        app.clock.advance(TimeDelta::hours(13));
        assert!(door.whoami(&opened.token).await.expect("the door answers").is_none(), "idle over night");
    }

    async fn an_administrator_invites_and_the_link_works_once(app: &App) {
        let sam = app.sign_in(SAM).await;
        let form = sam.open("/admin/users/new").await;
        let fields = [("name", "Nele Vogt"), ("email", "Nele.Vogt@aurelia.example"), ("roles", "finance")];
        let page = sam.press(&form, "Send the invitation", &fields).await;
        assert!(page.text().contains("Nele Vogt is invited"), "{}", page.text());

        let link = mailed_link(app, "nele.vogt@aurelia.example", "/invitation/").await;
        let guest = app.visitor();
        let page = guest.open(&link).await;
        let scanned = guest.open(&link).await;
        assert_eq!((page.status, scanned.status), (200, 200), "a scanner that opens the link uses nothing up");
        let weak = guest.press(&page, "Accept and sign in", &[("password", "Password1234")]).await;
        assert_eq!(weak.status, 422);
        let home = guest.press(&weak, "Accept and sign in", &[("password", NEW_PASSWORD)]).await;
        assert_eq!(home.path, "/", "{}", home.text());
        assert_eq!(guest.open("/profile").await.status, 200);
        assert_eq!(app.visitor().open(&link).await.status, 404, "used up");
        let again = app.try_sign_in(&app.visitor(), "nele.vogt@aurelia.example", NEW_PASSWORD).await;
        assert_ne!(again.path, "/sign-in");
    }

    async fn a_partners_administrator_invites_colleagues_only(app: &App) {
        let mara = app.sign_in(MARA).await;
        let form = mara.open("/admin/users/new").await;
        assert!(!form.raw().contains("value=\"finance\""), "vendor roles are not on offer");
        let mut filled = form.form("Send the invitation");
        filled.fill_all(&[("name", "Tim Haas"), ("email", "tim@nordwind.example"), ("roles", "partner_user")]);
        let page = mara.submit(&form, &filled, "Send the invitation").await;
        assert!(page.text().contains("Tim Haas is invited"), "{}", page.text());
        assert!(!page.text().contains(JONAS.name), "Kestrel's people are not listed: {}", page.text());
        let stranger = format!("/admin/users/{}", JONAS.id());
        assert_eq!(mara.get(&stranger).await.status, 404);
        assert_eq!(mara.get(&format!("/admin/users/{}", SAM.id())).await.status, 404);
    }

    async fn what_is_taken_away_is_gone_at_once(app: &App) {
        let (sam, tomas) = (app.sign_in(SAM).await, app.sign_in(TOMAS).await);
        let page = sam.open(&format!("/admin/users/{}", TOMAS.id())).await;
        let page = sam.press(&page, &format!("Shut {} out", TOMAS.name), &[]).await;
        assert!(page.text().contains("can no longer sign in"), "{}", page.text());
        assert_eq!(tomas.get("/profile").await.status, 303);
        assert_eq!(app.try_sign_in(&tomas, TOMAS.email, PASSWORD).await.status, 422);
        let own = sam.open(&format!("/admin/users/{}", SAM.id())).await;
        assert!(own.text().contains("Nobody changes what they may do themselves"), "{}", own.text());
        let log = app.sign_in(RUTH).await.open("/admin/audit?kind=user.access").await;
        log.assert_says("Sam Okafor shut out Tomáš Novák.").assert_says("Administration");
    }

    async fn a_forgotten_password_is_chosen_anew_once(app: &App) {
        let (thief, visitor) = (app.sign_in(CLAIRE).await, app.visitor());
        let known = ask_reset(&visitor, CLAIRE.email).await;
        let unknown = ask_reset(&visitor, "nobody@aurelia.example").await;
        let told = |page: &Page, email: &str| page.text().replace(email, "");
        assert_eq!(told(&known, CLAIRE.email), told(&unknown, "nobody@aurelia.example"));

        let link = mailed_link(app, CLAIRE.email, "/password/").await;
        let page = visitor.open(&link).await;
        visitor.press(&page, "Save and sign in", &[("password", NEW_PASSWORD)]).await;
        assert_eq!(visitor.open("/profile").await.status, 200);
        assert_eq!(thief.get("/profile").await.status, 303, "every older session ends");
        assert_eq!(app.visitor().open(&link).await.status, 404, "the link is used up");
        let page = app.visitor().open("/password/0000").await;
        assert_eq!(page.status, 404);
    }

    /// Whoever looks after the outbox must not come into other people's accounts by it.
    async fn a_mailed_link_is_readable_in_the_mail_alone(app: &App) {
        app.deliver().await;
        let sam = app.sign_in(SAM).await;
        ask_reset(&app.visitor(), CLAIRE.email).await;
        let form = sam.open("/admin/users/new").await;
        let fields = [("name", "Nele Vogt"), ("email", "nele.vogt@aurelia.example"), ("roles", "finance")];
        sam.press(&form, "Send the invitation", &fields).await.assert_status(200);
        let claire = app.sign_in(CLAIRE).await;
        for state in ["Waiting", "Sent"] {
            if state == "Sent" {
                app.deliver().await;
            }
            let list = sam.open("/admin/outbox").await;
            for subject in ["Sam Okafor invites you", "Choose a new password"] {
                let page = sam.open(&list.link(subject)).await;
                page.assert_says(state).assert_says("holds a personal link");
                page.assert_silent_on("/password/").assert_silent_on("/invitation/");
            }
            let own = claire.open("/notifications").await;
            own.assert_says("holds a personal link").assert_silent_on("/password/");
        }
        let db = app.connect().await;
        let kept = "SELECT CAST(COUNT(*) AS bigint) AS n FROM outbox
                    WHERE text_body LIKE '%/password/%' OR text_body LIKE '%/invitation/%'
                       OR html_body LIKE '%/password/%' OR html_body LIKE '%/invitation/%'";
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), kept)).await.expect("counted");
        assert_eq!(row.expect("a row").try_get::<i64>("", "n").expect("a number"), 0, "nothing of it is kept");

        let link = mailed_link(app, CLAIRE.email, "/password/").await;
        let page = app.visitor().open(&link).await;
        assert!(page.has_button("Save and sign in"), "the mail itself holds it: {}", page.text());
    }

    async fn nothing_typed_is_lost_when_the_session_ends_meanwhile(app: &App) {
        let visitor = app.sign_in(MARA).await;
        let profile = visitor.open("/profile").await;
        let mut form = profile.form("Save the preferences");
        form.fill_all(&[("name", "Mara L. Lindqvist"), ("marks", "comma")]);
        sign_out(&visitor).await;

        let page = visitor.submit(&profile, &form, "Save the preferences").await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("What you typed is kept"), "{}", page.text());
        let page = visitor.press(&page, "Sign in", &[("email", MARA.email), ("password", PASSWORD)]).await;
        assert!(page.text().contains("Nothing you typed was lost"), "{}", page.text());
        let page = visitor.press(&page, "Send it now", &[]).await;
        assert!(page.raw().contains("Mara L. Lindqvist"), "{}", page.text());
    }

    async fn a_form_of_another_session_is_shown_and_not_obeyed(app: &App) {
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let foreign = ana.open("/profile").await;
        let mut form = foreign.form("Save the preferences");
        form.fill_all(&[("name", "Somebody else")]);
        let page = mara.submit(&foreign, &form, "Save the preferences").await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains("Nothing was changed"), "{}", page.text());
        assert!(!mara.open("/profile").await.raw().contains("Somebody else"));
    }

    async fn a_field_nobody_asked_for_is_refused(app: &App) {
        let mara = app.sign_in(MARA).await;
        let page = mara.open("/profile").await;
        let mut pairs = page.form("Save the preferences").pairs(None);
        pairs.push(("roles".to_owned(), "administrator".to_owned()));
        let answer = mara.request(Method::POST, "/profile", |r| r.header("Origin", &app.base).form(&pairs)).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(mara.get("/admin").await.status, 404, "a partner's person learns nothing of the vendor's pages");
        let ana = app.sign_in(ANA).await;
        let refused = ana.get("/admin").await;
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains("Administrator"), "the page says who can: {}", refused.text());
    }

    async fn a_token_acts_as_its_owner_inside_its_scopes(app: &App) {
        let mara = app.sign_in(MARA).await;
        let token = mara.make_token(&["read"]).await;
        assert!(!mara.open("/profile").await.raw().contains(&token));

        let machine = app.visitor();
        let call = async |method: Method, path: &str| {
            machine.request(method, path, |r| r.bearer_auth(&token).header("Content-Type", "application/json")).await
        };
        let partners = call(Method::GET, "/api/v1/partners").await;
        assert_eq!(partners.status, 200);
        assert!(partners.raw().contains("Nordwind") && !partners.raw().contains("Kestrel"), "{}", partners.raw());
        assert_eq!(call(Method::POST, "/api/v1/cycles").await.status, 409, "made for reading only");
        assert_eq!(machine.get("/api/v1/partners").await.status, 401);
        assert_eq!(mara.get("/api/v1/partners").await.status, 401, "a session is no token");

        let page = mara.open("/profile").await;
        mara.press(&page, "Revoke", &[]).await;
        assert_eq!(call(Method::GET, "/api/v1/partners").await.status, 401);
    }
}

fn door(app: &App, limits: Limits) -> Door {
    Door::new(app.db.clone(), app.clock.clone(), app.sender.clone(), limits)
}

/// Mara's account, tried so many times at the same moment, each from an address of its own.
async fn at_once(app: &App, tries: usize, password: &'static str) -> Vec<engine::error::Result<()>> {
    let door = door(app, Limits::default());
    let mut running = tokio::task::JoinSet::new();
    for n in 0..tries {
        let door = door.clone();
        running.spawn(async move {
            let visit = Visit { ip: format!("203.0.113.{n}"), agent: "curl".to_owned() };
            let tried = Try { email: MARA.email, password, device: None, visit: &visit };
            door.sign_in(tried).await.map(|_| ())
        });
    }
    running.join_all().await
}

async fn sign_out(visitor: &Visitor) {
    let page = visitor.open("/profile").await;
    let page = visitor.press(&page, "Sign out", &[]).await;
    assert_eq!(page.path, "/sign-in");
}

async fn ask_reset(visitor: &Visitor, email: &str) -> Page {
    let page = visitor.open("/password").await;
    visitor.press(&page, "Send the link", &[("email", email)]).await
}

/// The path of the link in the latest mail to somebody.
async fn mailed_link(app: &App, email: &str, path: &str) -> String {
    app.deliver().await;
    let mails = app.letters().to(email);
    let mail = mails.last().unwrap_or_else(|| panic!("{email} got no mail"));
    let text = mail.text.split_whitespace().find(|word| word.contains(path));
    let link = text.unwrap_or_else(|| panic!("no link to {path} in:\n{}", mail.text));
    link.trim_start_matches(app.base.as_str()).to_owned()
}
