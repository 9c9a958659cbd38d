//! /profile: how a person likes their pages, their password, sessions, stand-ins and tokens.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use domain::ids::UserId;
use domain::money::Marks;
use domain::rhythm::{MailKind, Rhythm};
use engine::signin::{Preferences, Scope};
use storage::rows::{ApiToken, Session, StandIn, User};
use uuid::Uuid;

use crate::error::{Answer, Error};
use crate::extract::{Who, again, show, show_as};
use crate::fields::Typed;
use crate::pages::sign_in::forget_passwords;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Field, Form, date_words};

const THEMES: [(&str, &str); 3] = [("auto", "As the device has it"), ("light", "Light"), ("dark", "Dark")];
const MARKS: [(&str, &str, Marks); 2] = [("point", "12,000.50", Marks::Point), ("comma", "12.000,50", Marks::Comma)];

#[derive(Template)]
#[template(path = "pages/profile.html")]
struct ProfilePage {
    shell: Shell,
    email: String,
    preferences: Form,
    password: Form,
    sessions: Vec<SessionLine>,
    stand_ins: Vec<StandInLine>,
    stand_in: Form,
    has_colleagues: bool,
    tokens: Vec<TokenLine>,
    token: Form,
    rhythms: Form,
    /// When the calendar's address was made and when a calendar last fetched it.
    calendar: Option<String>,
    /// A token or a calendar's address just made, shown this once.
    made: Option<Made>,
}

/// A secret shown on the page that answers the form, and never again.
struct Made {
    title: &'static str,
    text: String,
}

struct SessionLine {
    name: String,
    seen: String,
    since: String,
    place: String,
    is_this: bool,
    /// Whether the last request was long enough ago to wonder.
    hash: String,
}

struct StandInLine {
    id: Uuid,
    name: String,
    days: String,
}

struct TokenLine {
    id: Uuid,
    name: String,
    scopes: String,
    used: String,
    ends: String,
    is_live: bool,
}

/// Which of the page's forms was sent, so that only that one shows what was typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Preferences,
    Password,
    StandIn,
    Token,
    Rhythms,
}

async fn page(who: &Who, sent: Option<Sent>, typed: Typed, made: Option<Made>) -> Result<ProfilePage, Error> {
    let (signed, door) = (who.signed(), &who.site().door);
    let colleagues = door.colleagues(who.viewer(), who.actor()).await?;
    let sessions = door.sessions(signed).await?;
    let stand_ins = door.stand_ins(who.viewer(), who.actor()).await?;
    let tokens = door.tokens(signed).await?;
    let put = |form: Form, which: Sent| if sent == Some(which) { forget_passwords(typed.onto(form)) } else { form };
    Ok(ProfilePage {
        shell: who.shell("Profile"),
        email: signed.user.email.clone(),
        preferences: put(preferences_form(who), Sent::Preferences),
        password: put(password_form(who), Sent::Password),
        sessions: sessions.iter().map(|session| session_line(session, &signed.session)).collect(),
        stand_ins: stand_ins.iter().map(|row| stand_in_line(row, &colleagues)).collect(),
        stand_in: put(stand_in_form(who, &colleagues), Sent::StandIn),
        has_colleagues: !colleagues.is_empty(),
        tokens: tokens.iter().map(|token| token_line(token, who)).collect(),
        token: put(token_form(who), Sent::Token),
        rhythms: put(rhythms_form(who, &door.rhythms(signed).await?), Sent::Rhythms),
        calendar: door.calendar_feed(signed).await?.map(|feed| {
            let read = feed.read_at.map_or("no calendar has read it yet".to_owned(), |at| {
                format!("last read {}", date_words(at.date_naive()))
            });
            format!("Made {}, {read}.", date_words(feed.created_at.date_naive()))
        }),
        made,
    })
}

fn preferences_form(who: &Who) -> Form {
    let user = &who.signed().user;
    let marks = MARKS.iter().find(|(_, _, marks)| *marks == user.marks).map_or("point", |(code, _, _)| code);
    who.form()
        .with(Field::text("name", "Name").value_is(&user.name).autocomplete("name"))
        .with(
            Field::radios(
                "marks",
                "How you write amounts",
                MARKS.iter().map(|(code, label, _)| Choice::new(*code, *label)).collect(),
            )
            .value_is(marks),
        )
        .with(
            Field::radios("theme", "Colours", THEMES.iter().map(|(code, label)| Choice::new(*code, *label)).collect())
                .value_is(&user.theme),
        )
}

fn password_form(who: &Who) -> Form {
    who.form().with(Field::password("old_password", "Present password")).with(
        Field::password("password", "New password")
            .hint("At least 12 characters. Your other sessions end with the old one.")
            .autocomplete("new-password"),
    )
}

fn stand_in_form(who: &Who, colleagues: &[User]) -> Form {
    let choices = colleagues.iter().map(|user| Choice::new(user.id.to_string(), &user.name)).collect();
    who.form()
        .with(Field::select("stand_in", "Colleague", choices))
        .with(Field::date("from", "First day").value_is(who.today().to_string()))
        .with(Field::date("to", "Last day"))
}

fn token_form(who: &Who) -> Form {
    let scopes = vec![
        Choice::new(Scope::Read.code(), "Look at what I may look at"),
        Choice::new(Scope::Write.code(), "Do what I may do"),
    ];
    who.form()
        .with(Field::text("token_name", "What it is for").hint("The program or colleague who gets it."))
        .with(Field::ticks("scopes", "It may", scopes).value_is(Scope::Read.code()).required())
        .with(Field::number("days", "Days until it ends").value_is("90"))
}

fn rhythms_form(who: &Who, chosen: &[(MailKind, Rhythm)]) -> Form {
    let field = |form: Form, (kind, rhythm): &(MailKind, Rhythm)| {
        let choices = kind.rhythms().iter().map(|rhythm| Choice::new(rhythm.code(), rhythm.label())).collect();
        form.with(Field::select(kind.code(), kind.label(), choices).value_is(rhythm.code()).hint(kind.hint()))
    };
    chosen.iter().fold(who.form(), field)
}

fn session_line(session: &Session, own: &str) -> SessionLine {
    SessionLine {
        name: browser(&session.agent),
        seen: session.seen_at.format("%d %b %Y, %H:%M UTC").to_string(),
        since: date_words(session.created_at.date_naive()),
        place: session.ip.clone(),
        is_this: session.token_hash == own,
        hash: session.token_hash.clone(),
    }
}

/// The browser and the system, from what the browser said of itself; enough to know one's own by.
fn browser(agent: &str) -> String {
    let first = |known: &[(&str, &str)]| {
        known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| (*name).to_owned())
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "Another program".to_owned(),
    }
}

fn stand_in_line(row: &StandIn, colleagues: &[User]) -> StandInLine {
    let name =
        colleagues.iter().find(|user| user.id == row.stand_in_id).map_or("A former colleague", |user| &user.name);
    let days = format!("{} to {}", date_words(row.from_day), date_words(row.to_day));
    StandInLine { id: row.id, name: name.to_owned(), days }
}

fn token_line(token: &ApiToken, who: &Who) -> TokenLine {
    let is_live = token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > who.now());
    TokenLine {
        id: token.id,
        name: token.name.clone(),
        scopes: token.scopes.join(", "),
        used: token.last_used_at.map_or("never".to_owned(), |at| date_words(at.date_naive())),
        ends: match (token.revoked_at, token.expires_at) {
            (Some(at), _) => format!("revoked {}", date_words(at.date_naive())),
            (None, Some(at)) => date_words(at.date_naive()),
            (None, None) => "never".to_owned(),
        },
        is_live,
    }
}

/// GET /profile
pub async fn show_page(who: Who) -> Answer {
    show(&page(&who, None, Typed::default(), None).await?)
}

/// POST /profile
pub async fn submit(who: Who, posted: Posted) -> Answer {
    let done = async {
        let wanted = posted.read(who.marks(), |form| {
            let name = form.text("name");
            let marks = form.choice("marks", |code| MARKS.iter().find(|line| line.0 == code).map(|line| line.2));
            let theme = form.choice("theme", |code| THEMES.iter().find(|line| line.0 == code).map(|line| line.0));
            Some(Preferences { name: name?, marks: marks?, theme: theme?.to_owned() })
        })?;
        who.site().door.set_preferences(who.signed(), wanted).await?;
        Ok("Saved.")
    };
    who.settle(done.await, "/profile", &posted, async |typed| page(&who, Some(Sent::Preferences), typed, None).await)
        .await
}

/// POST /profile/password
pub async fn change_password(who: Who, posted: Posted) -> Answer {
    let done = async {
        let (old, new) = posted.read(who.marks(), |form| {
            let (old, new) = (form.secret("old_password"), form.secret("password"));
            Some((old?, new?))
        })?;
        who.site().door.change_password(who.signed(), &old, &new).await?;
        Ok("Your password is changed, and your other sessions have ended.")
    };
    who.settle(done.await, "/profile", &posted, async |typed| page(&who, Some(Sent::Password), typed, None).await).await
}

/// POST /profile/sessions/{session}/end
pub async fn end_session(who: Who, session: Path<String>, _posted: Posted) -> Answer {
    who.site().door.end_session(who.signed(), &session).await?;
    who.redirect("/profile", "That session has ended.")
}

/// POST /profile/sessions/others/end
pub async fn end_others(who: Who, _posted: Posted) -> Answer {
    who.site().door.end_other_sessions(who.signed()).await?;
    who.redirect("/profile", "Every other session has ended.")
}

/// POST /profile/stand-ins
pub async fn add_stand_in(who: Who, posted: Posted) -> Answer {
    let done = async {
        let (stand_in, from, to) = posted.read(who.marks(), |form| {
            let (stand_in, from, to) = (form.id::<UserId>("stand_in"), form.date("from"), form.date("to"));
            Some((stand_in?, from?, to?))
        })?;
        who.site().door.add_stand_in(who.viewer(), who.actor(), stand_in, (from, to)).await?;
        Ok("Your colleague stands in for you on those days.")
    };
    who.settle(done.await, "/profile", &posted, async |typed| page(&who, Some(Sent::StandIn), typed, None).await).await
}

/// POST /profile/stand-ins/{id}/removal
pub async fn remove_stand_in(who: Who, id: Path<Uuid>, _posted: Posted) -> Answer {
    who.site().door.remove_stand_in(who.actor(), *id).await?;
    who.redirect("/profile", "Nobody stands in for you on those days any more.")
}

/// POST /profile/tokens: answered with the page itself, since the token is shown this once and must not travel on.
pub async fn make_token(who: Who, posted: Posted) -> Answer {
    let made = async {
        let (name, scopes, days) = posted.read(who.marks(), |form| {
            let (name, days) = (form.text("token_name"), form.whole("days", 1..=365));
            let scopes = form.ticks("scopes", Scope::from_code);
            Some((name?, scopes?, days?))
        })?;
        Ok::<_, Error>(who.site().door.make_token(who.signed(), &name, &scopes, days).await?)
    };
    match made.await {
        Ok(made) => {
            let made = Made { title: "Your new token", text: made.text };
            show_as(StatusCode::CREATED, &page(&who, None, Typed::default(), Some(made)).await?)
        }
        Err(error) => again(error, &posted, async |typed| page(&who, Some(Sent::Token), typed, None).await).await,
    }
}

/// POST /profile/mails
pub async fn set_rhythms(who: Who, posted: Posted) -> Answer {
    let done = async {
        let wanted = posted.read(who.marks(), |form| {
            let chosen = MailKind::ALL.map(|kind| Some((kind, form.choice(kind.code(), Rhythm::from_code)?)));
            chosen.into_iter().collect::<Option<Vec<_>>>()
        })?;
        who.site().door.set_rhythms(who.signed(), &wanted).await?;
        Ok("Saved. Mails come as you chose from now on.")
    };
    who.settle(done.await, "/profile", &posted, async |typed| page(&who, Some(Sent::Rhythms), typed, None).await).await
}

/// POST /profile/calendar: answered with the page itself, as a token is.
pub async fn make_calendar(who: Who, _posted: Posted) -> Answer {
    let secret = who.site().door.make_calendar_feed(who.signed()).await?;
    let text = format!("{}/calendar/{secret}.ics", who.site().base_url.as_str().trim_end_matches('/'));
    let made = Made { title: "Your calendar’s address", text };
    show_as(StatusCode::CREATED, &page(&who, None, Typed::default(), Some(made)).await?)
}

/// POST /profile/calendar/removal
pub async fn drop_calendar(who: Who, _posted: Posted) -> Answer {
    who.site().door.drop_calendar_feed(who.signed()).await?;
    who.redirect("/profile", "The calendar’s address no longer answers.")
}

/// POST /profile/tokens/{id}/revocation
pub async fn revoke_token(who: Who, id: Path<Uuid>, _posted: Posted) -> Answer {
    who.site().door.revoke_token(who.signed(), *id).await?;
    who.redirect("/profile", "The token no longer works.")
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn one_knows_ones_own_browser() {
        let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36";
        assert_eq!(browser(agent), "Chrome on Linux");
        assert_eq!(browser("curl/8.5"), "Another program");
    }
}
