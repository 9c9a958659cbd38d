//! The co-op program of the story: American partners earn credit on what they buy. Finance imports the purchases of each
//! month on the fifth of the next, and closes each quarter on the twelfth day after it.

use super::cast::World;
use super::{first_day_of_quarter, morning};
use chrono::{Datelike, Days, Months};
use domain::Date;
use domain::fund::{FundCommand, FundKind};
use domain::money::Currency;
use engine::files::Upload;
use engine::imports::fields::Kind;
use engine::imports::run::Said;
use engine::programs::NewProgram;
use engine::{Engine, NewFund, Submission, WhichFund};
use std::fmt::Write;
use storage::Viewer;

const FUNDS: [(&str, &str); 2] = [("COOP-DEMAND", "Demand"), ("COOP-BRAND", "Brand")];
/// Who buys, for how much a month, and how many appliances.
const BUYERS: [(&str, u32, u32); 3] =
    [("cascade.example", 126_000, 40), ("bluemesa.example", 88_000, 12), ("harborpine.example", 214_000, 25)];

/// What finance does with it on a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Work {
    /// The purchases of the month before.
    Import,
    /// The quarter before.
    Close,
}

/// What is still ahead, the soonest first.
pub struct Coop {
    ahead: Vec<(Date, Work)>,
}

impl Coop {
    /// Starts the program and opens its funds, on the story's first day.
    pub async fn open(engine: &Engine, world: &World, start: Date, today: Date) -> anyhow::Result<Self> {
        let new = NewProgram { code: "COOP".to_owned(), name: "Aurelia Co-op US".to_owned(), guide: guide(start) };
        engine.open_program(world.person("sam")?, &new, &Submission::own()).await?;
        let programs = engine.reader().programs(&Viewer::system()).await?;
        let program = programs.iter().find(|program| program.code == "COOP").map(|program| program.id);
        let program = program.ok_or_else(|| anyhow::anyhow!("the story has no co-op program"))?;
        for (code, name) in FUNDS {
            let (kind, currency) = (FundKind::Accrual, Currency::USD);
            let new = NewFund { code: code.to_owned(), name: name.to_owned(), program, parent: None, kind, currency };
            engine.open_fund(world.person("tomas")?, &new, &Submission::own()).await?;
        }
        let mut ahead = Vec::new();
        let mut month = start;
        while month < today {
            let next = month + Months::new(1);
            ahead.push((next + Days::new(4), Work::Import));
            if first_day_of_quarter(next) == next {
                ahead.push((next + Days::new(11), Work::Close));
            }
            month = next;
        }
        ahead.retain(|(day, _)| *day < today);
        ahead.sort_unstable();
        Ok(Self { ahead })
    }

    /// Does everything whose day has come before another day.
    pub async fn until(&mut self, engine: &Engine, world: &World, day: Date) -> anyhow::Result<()> {
        while let Some((due, work)) = self.ahead.first().copied().filter(|(due, _)| *due < day) {
            self.ahead.remove(0);
            engine.clock.set(morning(due, 420));
            match work {
                Work::Import => import(engine, world, due - Months::new(1)).await?,
                Work::Close => close(engine, world).await?,
            }
        }
        Ok(())
    }
}

/// The shipped co-op guide, told of Aurelia and from the story's first day on.
fn guide(start: Date) -> String {
    let (_, shipped) = engine::catalog::GUIDES[2];
    let names = [
        ("Ferrite Computers", "Aurelia Systems"),
        ("Ferrite", "Aurelia"),
        ("workstation", "appliance"),
        ("titanium", "gold"),
    ];
    let told = names.iter().fold(shipped.to_owned(), |text, (old, new)| text.replace(old, new));
    let lines = told.lines().filter(|line| *line != "to = \"2026-12-31\"").map(|line| match line {
        "from = \"2026-01-01\"" => format!("from = \"{start}\""),
        line if line.starts_with("effective_from") => format!("effective_from = \"{start}\""),
        line => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The distributor's file of a month: two purchases and some appliances a partner, more towards the year's end.
async fn import(engine: &Engine, world: &World, month: Date) -> anyhow::Result<()> {
    let mut file = "Invoice number,Reseller,Invoice date,Product,Quantity,Amount,Currency\n".to_owned();
    for (index, (partner, units, appliances)) in (1..).zip(BUYERS) {
        let number = |line: u32| format!("D-{}{:02}-{index}{line}", month.year(), month.month());
        let growth = 100 + 2 * month.month0();
        let (first, second) = (units * growth / 100 * 3 / 5, units * growth / 100 * 2 / 5);
        for (line, day, product, quantity, amount) in [
            (1, 9, "endpoint suite", String::new(), format!("{first}.00")),
            (2, 21, "cloud suite", String::new(), format!("{second}.50")),
            (3, 24, "appliance", appliances.to_string(), String::new()),
        ] {
            let day = month.with_day(day).unwrap_or(month);
            writeln!(file, "{},{partner},{day},{product},{quantity},{amount},USD", number(line))?;
        }
    }
    let file = Upload { name: format!("purchases-{}.csv", month.format("%Y-%m")), bytes: file.into_bytes() };
    let said = Said { program: Some("COOP".to_owned()), ..Said::default() };
    let (done, _) = engine.import_file(world.person("tomas")?, Kind::Sales, &file, &said, false).await?;
    anyhow::ensure!(done.refused == 0, "purchases of {month} were refused: {:?}", done.errors);
    Ok(())
}

async fn close(engine: &Engine, world: &World) -> anyhow::Result<()> {
    let finance = world.person("tomas")?;
    for (code, _) in FUNDS {
        loop {
            let ahead = engine.period_ahead(&Viewer::from(finance), code).await?;
            if engine.clock.now() < ahead.closable_from {
                break;
            }
            let command = FundCommand::ClosePeriod { until: ahead.closing.last };
            engine.fund(finance, WhichFund::Code(code), &command, &Submission::own()).await?;
        }
    }
    Ok(())
}
