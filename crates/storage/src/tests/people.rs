//! People sign in, are invited, stand in for each other.

use super::kit::{Fresh, at, id, noon, on_both, partner, user};
use crate::Admission;
use crate::read::UserFilter;
use crate::rows::{Invitation, Purpose, Session, SignInAttempt, StandIn};
use crate::{Error, Tx, Viewer};
use domain::notice::Audience;
use domain::people::{Actor, Role};

on_both!(
    a_user_is_kept_as_written,
    a_session_is_found_with_its_user,
    a_mailed_link_works_once,
    guesses_are_counted,
    a_stand_in_acts_on_the_days_named,
    a_notice_finds_its_people,
    a_partner_sees_colleagues_only
);

async fn with<T>(fresh: &Fresh, work: impl AsyncFnOnce(&Tx) -> Result<T, Error>) -> T {
    fresh.db.write(work).await.expect("the write succeeds")
}

async fn a_user_is_kept_as_written(fresh: &Fresh) {
    let mut anna = user(1, "Anna", &[Role::ChannelManager, Role::Approver]);
    anna.territory = vec!["DACH".into()];
    anna.approves_level = 2;
    with(fresh, async |tx| tx.insert_user(&anna).await).await;
    let door = fresh.db.reader();
    assert!(door.door().any_user().await.unwrap());
    assert_eq!(door.door().user_by_email("anna@example.com").await.unwrap().as_ref(), Some(&anna));
    anna.disabled_at = Some(noon());
    with(fresh, async |tx| tx.update_user(&anna).await).await;
    assert_eq!(door.door().standing(anna.id).await.unwrap(), None);
    let again = user(2, "Anna", &[]);
    let taken = fresh.db.write(async |tx| tx.insert_user(&again).await).await;
    assert!(matches!(taken, Err(Error::Duplicate(_))), "{taken:?}");
}

async fn a_session_is_found_with_its_user(fresh: &Fresh) {
    let anna = user(1, "Anna", &[Role::Finance]);
    let session = Session {
        token_hash: "aa".into(),
        user_id: anna.id,
        csrf: "secret".into(),
        created_at: noon(),
        seen_at: noon(),
        expires_at: at("2026-03-02T13:00:00Z"),
        ip: "192.0.2.1".into(),
        agent: "a browser".into(),
    };
    with(fresh, async |tx| {
        tx.insert_user(&anna).await?;
        tx.insert_session(&session).await
    })
    .await;
    let reader = fresh.db.reader();
    let found = reader.door().session("aa", noon()).await.unwrap();
    assert_eq!(found, Some((session, anna.clone())));
    assert_eq!(reader.door().session("aa", at("2026-03-02T13:00:00Z")).await.unwrap(), None);
    with(fresh, async |tx| tx.end_sessions_of(anna.id, None).await).await;
    assert_eq!(reader.door().session("aa", noon()).await.unwrap(), None);
}

async fn a_mailed_link_works_once(fresh: &Fresh) {
    let anna = user(1, "Anna", &[]);
    let invitation = Invitation {
        token_hash: "bb".into(),
        purpose: Purpose::Invitation,
        email: anna.email.clone(),
        user_id: anna.id,
        created_at: noon(),
        expires_at: at("2026-03-09T12:00:00Z"),
        used_at: None,
    };
    with(fresh, async |tx| {
        tx.insert_user(&anna).await?;
        tx.insert_invitation(&invitation).await
    })
    .await;
    let used = with(fresh, async |tx| tx.use_invitation("bb", noon()).await).await;
    assert_eq!(used.user_id, anna.id);
    let again = fresh.db.write(async |tx| tx.use_invitation("bb", noon()).await).await;
    assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
}

async fn guesses_are_counted(fresh: &Fresh) {
    let (since, abandoned) = (at("2026-03-02T11:45:00Z"), at("2026-03-02T11:59:30Z"));
    let knock = async |n: u128, email: &str| {
        let try_at = SignInAttempt { id: id(n), email: email.into(), ip: "192.0.2.1".into(), at: noon(), passed: None };
        with(fresh, async |tx| tx.admit_attempt(&try_at, since, abandoned, 2).await).await
    };
    let settle = async |n: u128, right| with(fresh, async |tx| tx.settle_attempt(id(n), right).await).await;
    assert_eq!(knock(1, "anna@example.com").await, Admission::Counted);
    assert_eq!(knock(2, "anna@example.com").await, Admission::Counted);
    assert_eq!(knock(3, "anna@example.com").await, Admission::Undecided, "either may still be right");
    assert_eq!(knock(3, "ben@example.com").await, Admission::Counted, "another account");
    settle(1, true).await;
    settle(2, false).await;
    assert_eq!(knock(4, "anna@example.com").await, Admission::Counted, "a right one gave its place back");
    settle(4, false).await;
    assert_eq!(knock(5, "anna@example.com").await, Admission::Full);
    let (since, abandoned) = (at("2026-03-02T12:00:00Z"), at("2026-03-02T12:10:00Z"));
    let later = SignInAttempt {
        id: id(6),
        email: "ben@example.com".into(),
        ip: String::new(),
        at: at("2026-03-02T12:11:00Z"),
        passed: None,
    };
    let full = with(fresh, async |tx| tx.admit_attempt(&later, since, abandoned, 1).await).await;
    assert_eq!(full, Admission::Full, "a try that never got an answer counts as wrong");
}

async fn a_stand_in_acts_on_the_days_named(fresh: &Fresh) {
    let (anna, ben) = (user(1, "Anna", &[Role::Approver]), user(2, "Ben", &[Role::ChannelManager]));
    let days = StandIn {
        id: id(9),
        absent_id: anna.id,
        stand_in_id: ben.id,
        from_day: "2026-03-02".parse().unwrap(),
        to_day: "2026-03-06".parse().unwrap(),
        created_at: noon(),
    };
    with(fresh, async |tx| {
        tx.insert_user(&anna).await?;
        tx.insert_user(&ben).await?;
        tx.insert_stand_in(&days).await
    })
    .await;
    let reader = fresh.db.reader();
    let actor = reader.door().actor(ben.id, "2026-03-06".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(actor.stands_in_for, [anna.standing()]);
    let actor = reader.door().actor(ben.id, "2026-03-07".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(actor, Actor::person(ben.standing()));
}

async fn a_notice_finds_its_people(fresh: &Fresh) {
    let nordwind = partner(1, "Nordwind", "DACH");
    let mut north = user(1, "Nora", &[Role::Approver]);
    north.approves_level = 1;
    north.territory = vec!["NORDICS".into()];
    let mut dach = user(2, "Dora", &[Role::Approver]);
    dach.approves_level = 1;
    let mut marketer = user(3, "Mia", &[Role::PartnerUser]);
    marketer.partner_id = Some(nordwind.id);
    with(fresh, async |tx| {
        tx.insert_partner(&nordwind).await?;
        for user in [&north, &dach, &marketer] {
            tx.insert_user(user).await?;
        }
        let names = |users: Vec<crate::rows::User>| users.into_iter().map(|user| user.name).collect::<Vec<_>>();
        let approvers = Audience::Approvers { level: 1, partner: nordwind.id };
        let (before, absent) = ("2026-03-01".parse().unwrap(), "2026-03-06".parse().unwrap());
        assert_eq!(names(tx.audience(&approvers, before).await?), ["Dora"]);
        assert_eq!(names(tx.audience(&Audience::Partner(nordwind.id), before).await?), ["Mia"]);
        assert!(tx.audience(&Audience::Finance, before).await?.is_empty());
        let days = StandIn {
            id: id(9),
            absent_id: dach.id,
            stand_in_id: north.id,
            from_day: "2026-03-02".parse().unwrap(),
            to_day: absent,
            created_at: noon(),
        };
        tx.insert_stand_in(&days).await?;
        assert_eq!(names(tx.audience(&approvers, before).await?), ["Dora"]);
        assert_eq!(names(tx.audience(&approvers, absent).await?), ["Dora", "Nora"], "and who stands in for her");
        Ok(())
    })
    .await;
}

async fn a_partner_sees_colleagues_only(fresh: &Fresh) {
    let nordwind = partner(1, "Nordwind", "DACH");
    let mut mia = user(3, "Mia", &[Role::PartnerAdmin]);
    mia.partner_id = Some(nordwind.id);
    let root = user(4, "Root", &[Role::Administrator]);
    with(fresh, async |tx| {
        tx.insert_partner(&nordwind).await?;
        tx.insert_user(&mia).await?;
        tx.insert_user(&root).await
    })
    .await;
    let reader = fresh.db.reader();
    let own = Viewer::from(&Actor::person(mia.standing()));
    let seen = reader.users(&own, &UserFilter::default()).await.unwrap();
    assert_eq!(seen, [mia.clone()]);
    assert!(matches!(reader.user(&own, root.id).await, Err(Error::NotFound)));
    let all = Viewer::from(&Actor::person(root.standing()));
    let filter = UserFilter { text: Some("MI".into()), role: Some(Role::PartnerAdmin), ..UserFilter::default() };
    assert_eq!(reader.users(&all, &filter).await.unwrap(), [mia]);
}
