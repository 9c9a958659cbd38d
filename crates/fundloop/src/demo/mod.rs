//! The demo: a told story. Aurelia Systems sells security software through eight partners in three regions and two
//! currencies; fifteen months of cycles, in every stage, with results that differ from the forecasts.
//!
//! Nothing here writes what the engine writes: the story is told through the same commands, by the same people, on a
//! clock that starts fifteen months back. So every balance, mail and timeline of the demo is a real one.

mod cast;
mod coop;
mod more_time;
mod payments;
mod results;
mod script;
mod tell;
mod views;

pub use cast::{PASSWORD, sign_ins};

use chrono::{Datelike, Days, Months};
use domain::Date;
use engine::Engine;
use storage::Db;

/// Tells the story up to the clock's `today`. The engine's clock must be one that can be moved; it ends where it
/// began. The database must be empty.
pub async fn seed(engine: &Engine, db: &Db, password_hash: &str) -> anyhow::Result<()> {
    let end = engine.clock.now();
    let today = end.date_naive();
    let start = first_day_of_quarter(today) - Months::new(15);
    engine.clock.set(morning(start - Days::new(60), 0));
    let world = cast::move_in(engine, db, password_hash, start, today).await?;
    let coop = coop::Coop::open(engine, &world, start, today).await?;
    payments::name_accounts(engine, &world).await?;
    Box::pin(tell::tell(engine, db, (&world, coop), script::cycles(start, today), start, today)).await?;
    payments::send_some(engine, &world, today).await?;
    payments::one_came_back(engine, &world).await?;
    more_time::tell(engine, db, &world, end).await?;
    engine.tick().await?;
    cast::wants_back(engine, db, &world, today).await?;
    views::keep(engine, &world).await?;
    cast::next_guide(engine, &world, first_day_of_quarter(today) + Months::new(3)).await?;
    engine.deliver().await?;
    Ok(())
}

/// A moment of a working day: nine o'clock and some minutes, in UTC.
fn morning(day: Date, minutes: i64) -> domain::Instant {
    day.and_hms_opt(9, 0, 0).unwrap_or_default().and_utc() + chrono::TimeDelta::minutes(minutes)
}

fn first_day_of_quarter(day: Date) -> Date {
    Date::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1).unwrap_or(day)
}

fn last_day_of_quarter(first: Date) -> Date {
    first + Months::new(3) - Days::new(1)
}
