//! More time is asked for where something is still to be proven or claimed: one wish waits for its answer, one was
//! granted in part.

use super::cast::World;
use chrono::TimeDelta;
use domain::Instant;
use domain::policy::Extendable;
use domain::rhythm::{MailKind, Rhythm};
use domain::steps::s7_execution::{self, ask_by};
use engine::{Engine, Submission, WhichCycle};
use storage::read::{CycleFilter, CycleSort, Paging};
use storage::rows::MailChoice;
use storage::{Db, Viewer};

/// Partners under the guide that gives more time.
const PARTNERS: [&str; 5] = ["nordwind", "kestrel", "baltic", "vistula", "fjordlys"];

/// Told in the last hour of the story, which ends at `end`.
pub async fn tell(engine: &Engine, db: &Db, world: &World, end: Instant) -> anyhow::Result<()> {
    engine.clock.set(end - TimeDelta::minutes(50));
    // Ana reads decisions and deadlines once a day.
    let daily = |kind| Ok(MailChoice { user_id: world.person("ana")?.user(), kind, rhythm: Rhythm::Daily });
    let choices: Vec<MailChoice> =
        [MailKind::Decisions, MailKind::Deadlines].into_iter().map(daily).collect::<anyhow::Result<_>>()?;
    db.write(async |tx| tx.set_mail_choices(&choices).await).await?;
    let mut wishes = 0_u16;
    for key in PARTNERS {
        let running = CycleFilter { partner: Some(world.partner(key)?), ended: Some(false), ..CycleFilter::default() };
        let page = engine.reader().cycles(&Viewer::system(), &running, CycleSort::Oldest, &Paging::first(50)).await?;
        for line in page.rows {
            if wishes < 2 && ask(engine, world, key, &line.number, wishes == 1).await? {
                wishes += 1;
            }
        }
    }
    engine.clock.set(end);
    Ok(())
}

/// Asks for more time on the first window of a cycle that still can be made longer; says whether there was one.
async fn ask(engine: &Engine, world: &World, partner: &str, no: &str, is_granted: bool) -> anyhow::Result<bool> {
    let s = engine.look(&Viewer::system(), WhichCycle::Number(no)).await?;
    let today = engine.clock.today();
    if !s.cycle.stage.is_after_approval() {
        return Ok(false);
    }
    let open = s.cycle.campaigns.iter().flat_map(|campaign| Extendable::ALL.map(|window| (campaign.no, window)));
    let in_time = |(campaign, window): &(u16, Extendable)| {
        let begun = s7_execution::extended_day(&s, *campaign, *window);
        begun.is_some() && ask_by(&s, *campaign, *window).is_some_and(|day| day >= today)
    };
    let Some((campaign, window)) = open.into_iter().find(in_time) else { return Ok(false) };
    let reason = "The organiser sends the list of attendees a week later than agreed.".to_owned();
    let wish = s7_execution::Command::AskExtension { campaign, window, days: 10, reason };
    let which = WhichCycle::Number(no);
    engine.advance(world.marketer(partner)?, which, &wish.into(), &Submission::own()).await?;
    if is_granted {
        let reason = "A week is enough for a list.".to_owned();
        let answer = s7_execution::Command::GrantExtension { extension: 1, days: 7, reason };
        engine.clock.advance(TimeDelta::minutes(20));
        engine.advance(world.manager(partner)?, WhichCycle::Number(no), &answer.into(), &Submission::own()).await?;
    }
    Ok(true)
}
