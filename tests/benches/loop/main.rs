//! How fast the loop turns, with few cycles in the database and with many: `bench/loop`.
//!
//! Absolute figures belong to the machine. What is promised are ratios, each between neighbours in time:
//!
//! - moves through the engine are at least half as many a second as the very statements they made, run bare, are;
//! - a page costs at most half as much again with a hundred thousand cycles in the database as with a thousand.
//!
//! The other ratios are there to be read. A page stands beside a page of one query under the same wraps. A move grows
//! with the database as its statements do: that is the depth of the indexes, and no promise.

mod bare;
mod client;
mod figures;
mod hands;
mod models;
mod moves;
mod multiply;
mod pages;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use client::Visit;
use figures::{Round, Rounds, Table, thousands};
use hands::Hands;
use kit::{Database, Kind, World};
use moves::{Arena, Moves};
use pages::{PAGES, Served};

const SIZES: [usize; 2] = [1_000, 100_000];
/// Tasks that advance cycles at the same time, on as many threads as the server has workers here.
const TASKS: usize = 8;
/// Requests a task takes from draft to approval in a round.
const EACH: usize = 10;
/// The first round of each warms up and is not counted.
const ROUNDS: usize = 6;
const CONNECTIONS: usize = 16;
const SLICE: Duration = Duration::from_millis(900);

/// Moves: at least half of what the bare side does.
const LEAST_RATIO: f64 = 0.5;
/// Pages: at most half as much again for a database a hundred times as full.
const MOST_GROWTH: f64 = 1.5;

/// Which ratio of a line is promised.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    Ratio,
    Growth,
    Nothing,
}

fn main() -> ExitCode {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    kit::runtime().block_on(async {
        let (mut moves, mut pages) = (Outcome::moves(), Outcome::pages());
        for kind in [Kind::Sqlite, Kind::Postgres] {
            Box::pin(measure(kind, &sizes, &mut moves, &mut pages)).await;
        }
        moves.table.print();
        pages.table.print();
        match moves.missed + pages.missed {
            0 => {
                println!("\nEvery target is met.");
                ExitCode::SUCCESS
            }
            missed => {
                println!("\nMissed: {missed} (marked with an exclamation mark).");
                ExitCode::FAILURE
            }
        }
    })
}

/// A table on its way, and how many of its targets were missed.
struct Outcome {
    table: Table,
    missed: usize,
}

impl Outcome {
    fn moves() -> Self {
        let title =
            "Moves through Engine::advance beside their own SQL run bare, eight tasks; promised: ratio at least 0.5";
        let heads =
            ["database", "", "cycles", "moves/s", "p50 ms", "p99 ms", "bare/s", "p50 ms", "p99 ms", "ratio", "growth"];
        Self { table: Table::new(title, &heads), missed: 0 }
    }

    fn pages() -> Self {
        let title = "Pages over HTTP beside a page of one query of twenty rows, sixteen connections; promised: growth at most 1.5";
        let heads = [
            "database",
            "page",
            "cycles",
            "pages/s",
            "p50 ms",
            "p99 ms",
            "yardstick/s",
            "p50 ms",
            "p99 ms",
            "ratio",
            "growth",
        ];
        Self { table: Table::new(title, &heads), missed: 0 }
    }

    /// One line: what was measured, what it stands beside, and how much dearer it has become since the first size.
    fn line(&mut self, name: [&str; 3], own: &Rounds, beside: &Rounds, growth: Option<f64>, promise: Promise) {
        let ratio = own.over(beside);
        let slow = promise == Promise::Ratio && ratio < LEAST_RATIO;
        let dear = promise == Promise::Growth && growth.is_some_and(|growth| growth > MOST_GROWTH);
        self.missed += usize::from(slow) + usize::from(dear);
        let mark = |missed: bool| if missed { "!" } else { "" };
        let three = |rounds: &Rounds| {
            [thousands(rounds.rate()), format!("{:.1}", rounds.percentile(50)), format!("{:.1}", rounds.percentile(99))]
        };
        let growth = growth.map_or_else(String::new, |growth| format!("{growth:.2}{}", mark(dear)));
        let mut cells: Vec<String> = name.map(str::to_owned).into();
        cells.extend(three(own).into_iter().chain(three(beside)));
        cells.extend([format!("{ratio:.2}{}", mark(slow)), growth]);
        self.table.line(cells);
    }
}

/// A database of one size, twice: one for the program, its copy for the bare statements.
struct Stand {
    size: String,
    served: Served,
    arena: Arena,
    /// Last: the database goes with it.
    world: World,
}

impl Stand {
    async fn build(kind: Kind, size: usize) -> Option<Self> {
        let begun = Instant::now();
        let world = World::at(Database::fresh(kind).await?, "http://fundloop.example").await;
        let models = models::tell(&world).await;
        let crowd = multiply::multiply(&world, &models, size, (TASKS, ROUNDS * EACH)).await;
        let copy = world.copy().await;
        let (events, seconds) = (multiply::count(&world, "event").await, begun.elapsed().as_secs());
        eprintln!("{kind:?}: {size} cycles with {events} events made and copied in {seconds} s");
        let served = Served::start(&world, &crowd).await;
        let arena = Arena::new(&world, &crowd, copy).await;
        Some(Self { size: thousands(f64::from(u32::try_from(size).expect("a count"))), served, arena, world })
    }
}

async fn measure(kind: Kind, sizes: &[usize], moves: &mut Outcome, pages: &mut Outcome) {
    let mut stands = Vec::new();
    for size in sizes {
        let Some(stand) = Box::pin(Stand::build(kind, *size)).await else { return };
        stands.push(stand);
    }
    let name = if kind == Kind::Sqlite { "SQLite" } else { "PostgreSQL" };
    let (yardsticks, visited) = visit(&stands).await;
    for (page, label) in PAGES.into_iter().enumerate() {
        for (index, stand) in stands.iter().enumerate() {
            let own = &visited[index][page];
            let growth = (index > 0).then(|| visited[0][page].over(own));
            let promise = if label.starts_with("yardstick") { Promise::Nothing } else { Promise::Growth };
            pages.line([name, label, &stand.size], own, &yardsticks[index], growth, promise);
        }
    }
    let advanced = advance(&mut stands).await;
    for (index, (stand, both)) in stands.iter().zip(&advanced).enumerate() {
        let growth = (index > 0).then(|| advanced[0].engine.over(&both.engine));
        moves.line([name, "", &stand.size], &both.engine, &both.bare, growth, Promise::Ratio);
    }
    for stand in stands {
        stand.arena.compare(&stand.world).await;
        stand.served.stop().await;
    }
}

/// Yardstick and pages by turns, on every database by turns: for each database the yardstick's rounds, and each page's.
async fn visit(stands: &[Stand]) -> (Vec<Rounds>, Vec<Vec<Rounds>>) {
    let browser = Hands::new(1);
    let mut yardsticks = vec![Rounds::default(); stands.len()];
    let mut visited = vec![vec![Rounds::default(); PAGES.len()]; stands.len()];
    for round in 0..ROUNDS {
        for (index, stand) in stands.iter().enumerate() {
            let took = ask(&browser, &stand.served.yardstick).await;
            if round > 0 {
                yardsticks[index].0.push(took);
            }
        }
        for page in 0..PAGES.len() {
            for (stand, visited) in stands.iter().zip(&mut visited) {
                let took = ask(&browser, &stand.served.pages[page]).await;
                if round > 0 {
                    visited[page].0.push(took);
                }
            }
        }
    }
    (yardsticks, visited)
}

/// One round, from a thread that does nothing else.
async fn ask(browser: &Hands, visit: &Visit) -> Round {
    let mut rounds = browser.all(vec![visit.clone()], |visit| client::ask(visit, CONNECTIONS, SLICE)).await;
    rounds.remove(0)
}

async fn advance(stands: &mut [Stand]) -> Vec<Moves> {
    let hands = Hands::new(std::thread::available_parallelism().map_or(2, usize::from));
    let mut moved: Vec<Moves> = stands.iter().map(|_| Moves::default()).collect();
    for round in 0..ROUNDS {
        for (stand, both) in stands.iter_mut().zip(&mut moved) {
            let (engine, bare) = stand.arena.round(&hands, EACH).await;
            if round > 0 {
                both.engine.0.push(engine);
                both.bare.0.push(bare);
            }
        }
    }
    moved
}
