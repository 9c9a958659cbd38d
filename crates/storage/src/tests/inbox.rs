//! The approver's inbox: whose it is, in which order, page by page, and from which index.

use super::kit::{Fresh, at, on_both, partner, user};
use super::world::World;
use crate::read::{InboxFilter, InboxSort, Paging, inbox};
use crate::sql::statement;
use crate::{Error, Viewer};
use domain::people::{Actor, Role};
use sea_orm::ConnectionTrait;
use serde_json::json;

on_both!(the_inbox_holds_what_waits_page_by_page);

fn viewer(user: &crate::rows::User) -> Viewer {
    Viewer::from(&Actor::person(user.standing()))
}

/// The numbers of every page, one after another.
async fn leaf(fresh: &Fresh, who: &Viewer, filter: &InboxFilter, size: u16) -> Vec<String> {
    let (mut seen, mut paging) = (Vec::new(), Paging::first(size));
    loop {
        let page = fresh.db.reader().in_approval(who, filter, &paging).await.unwrap();
        assert!(page.rows.len() <= usize::from(size));
        seen.extend(page.rows.into_iter().map(|waiting| waiting.cycle.number));
        let Some(next) = page.next else { return seen };
        paging.after = Some(next);
    }
}

async fn the_inbox_holds_what_waits_page_by_page(fresh: &Fresh) {
    let world = World::new(fresh).await;
    let mut asked = Vec::new();
    for title in ["Spring", "Summer", "Autumn"] {
        asked.push(world.until_requested(title).await.unwrap());
    }
    world.open("Draft").await.unwrap();
    let (mine, all) = (InboxFilter { mine: true, ..InboxFilter::default() }, InboxFilter::default());
    let manager = viewer(&world.manager);
    for size in [1, 2, 3, 50] {
        for (filter, who) in [(&mine, &manager), (&all, &manager), (&all, &Viewer::system())] {
            assert_eq!(leaf(fresh, who, filter, size).await, asked, "opened in this order, due on the same day");
        }
    }
    let mut second = user(9, "Ines", &[Role::Approver]);
    second.approves_level = 2;
    assert!(leaf(fresh, &viewer(&second), &mine, 2).await.is_empty(), "none has come to level 2");
    assert_eq!(leaf(fresh, &viewer(&second), &all, 2).await, asked);
    let mut far = world.manager.clone();
    far.territory = vec!["NORDICS".into(), "IBERIA".into()];
    let nobody = viewer(&user(7, "Nob", &[Role::Executive]));
    assert!(leaf(fresh, &nobody, &mine, 2).await.is_empty(), "an executive decides nothing");
    assert!(leaf(fresh, &viewer(&far), &all, 2).await.is_empty());
    let standing_in = Actor { me: far.standing(), stands_in_for: vec![world.manager.standing()] };
    assert_eq!(leaf(fresh, &Viewer::from(&standing_in), &mine, 2).await, asked);

    let question = json!({ "step": "approval", "do": "ask", "question": "Which list do you use?" });
    world.advance(&world.manager, &asked[0], question, at("2026-03-03T09:00:00Z")).await.unwrap();
    assert_eq!(leaf(fresh, &manager, &mine, 2).await, asked[1..], "the partner is to answer");
    let by_day = [&asked[1..], &asked[..1]].concat();
    assert_eq!(leaf(fresh, &manager, &all, 2).await, by_day, "a question has a day of its own, a day later here");
    let narrow = [
        (InboxFilter { text: Some("summer".into()), ..all.clone() }, &asked[1..2]),
        (InboxFilter { text: Some("nordwind".into()), ..mine.clone() }, &asked[1..]),
        (InboxFilter { partner: Some(world.partner.id), ..all.clone() }, &by_day[..]),
        (InboxFilter { partner: Some(partner(2, "", "").id), ..all.clone() }, &[]),
        (InboxFilter { due_before: "2026-03-02".parse().ok(), ..all.clone() }, &[]),
        (InboxFilter { due_before: "2026-12-31".parse().ok(), ..all.clone() }, &by_day[..]),
    ];
    for (filter, found) in narrow {
        assert_eq!(leaf(fresh, &manager, &filter, 2).await, found, "{filter:?}");
    }
    let by_roi = |filter: &InboxFilter| InboxFilter { sort: InboxSort::Roi, ..filter.clone() };
    for size in [1, 2, 50] {
        let mut found = leaf(fresh, &manager, &by_roi(&all), size).await;
        found.sort();
        assert_eq!(found, asked, "each of them once, whatever they promise");
    }
    let mixed = Paging { after: by_due_cursor(fresh, &manager, &all).await, size: 2 };
    assert!(matches!(fresh.db.reader().in_approval(&manager, &by_roi(&all), &mixed).await, Err(Error::NotFound)));
    let broken = Paging { after: Some("00".into()), size: 2 };
    assert!(matches!(fresh.db.reader().in_approval(&manager, &all, &broken).await, Err(Error::NotFound)));
}

async fn by_due_cursor(fresh: &Fresh, who: &Viewer, filter: &InboxFilter) -> Option<String> {
    fresh.db.reader().in_approval(who, filter, &Paging::first(1)).await.unwrap().next
}

/// What SQLite would do for a page: every clause finds its own first rows in an index, in order. PostgreSQL decides by what
/// is in the tables; `bench/loop` shows what comes of it.
#[tokio::test]
async fn the_inbox_goes_by_an_index_in_order() {
    let fresh = &Fresh::sqlite().await;
    let mut two_regions = user(2, "Max", &[Role::ChannelManager, Role::Approver]);
    two_regions.territory = vec!["DACH".into(), "NORDICS".into()];
    two_regions.approves_level = 2;
    let everywhere = user(3, "Eva", &[Role::ChannelManager]);
    let all = InboxFilter::default();
    let mine = InboxFilter { mine: true, ..all.clone() };
    let overdue = InboxFilter { due_before: "2026-03-02".parse().ok(), ..all.clone() };
    let roi = |filter: &InboxFilter| InboxFilter { sort: InboxSort::Roi, ..filter.clone() };
    let (mine_by_roi, all_by_roi) = (roi(&mine), roi(&all));
    for (who, filter, index, arms) in [
        (&two_regions, &mine_by_roi, "cycle_desk_by_region_roi", 4),
        (&everywhere, &mine_by_roi, "cycle_desk_too_roi", 1),
        (&two_regions, &all_by_roi, "cycle_in_approval_by_region_roi", 2),
        (&everywhere, &all_by_roi, "cycle_in_approval_roi", 1),
        (&two_regions, &mine, "cycle_desk_by_region", 4),
        (&two_regions, &mine, "cycle_desk_too_by_region", 4),
        (&everywhere, &mine, "cycle_desk", 1),
        (&everywhere, &mine, "cycle_desk_too", 1),
        (&two_regions, &all, "cycle_by_stage_region_due", 2),
        (&two_regions, &overdue, "cycle_by_stage_region_due", 2),
        (&everywhere, &all, "cycle_by_stage_due", 1),
    ] {
        let list = inbox(&viewer(who), filter, &Paging::default()).unwrap().expect("a list");
        let (sql, values) = list.statement();
        let plan = explained(fresh, &sql, values).await;
        let by_index = plan.iter().filter(|line| line.split([' ', '(']).any(|word| word == index)).count();
        assert_eq!(by_index, arms, "{filter:?}:\n{}", plan.join("\n"));
        assert!(!plan.iter().any(|line| line.contains("SCAN cycle")), "{plan:#?}");
    }
}

async fn explained(fresh: &Fresh, sql: &str, values: Vec<sea_orm::Value>) -> Vec<String> {
    let db = fresh.behind().await;
    let rows = db.query_all_raw(statement(&db, &format!("EXPLAIN QUERY PLAN {sql}"), values)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect()
}
