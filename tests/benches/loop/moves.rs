//! Transitions a second: requests are saved, submitted, asked about, answered and approved through `Engine::advance`;
//! then the very statements that took are run bare, in the same transactions, on a copy of the database as it was.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use domain::machine::Command;
use domain::people::Actor;
use domain::steps::s5_request::{RequestDraft, RequestLine, most_for};
use domain::steps::{s5_request, s6_approval};
use engine::{Engine, Submission, WhichCycle};
use kit::people::ANA;
use kit::story::approval_in_full;
use kit::{Database, World};
use mailer::Post;
use sea_orm::metric::Info;
use sea_orm::{DatabaseConnection, Statement};
use storage::{Db, Options};

use crate::bare;
use crate::figures::{Round, Rounds};
use crate::hands::Hands;
use crate::multiply::{Asker, Crowd, count};

/// Moves a request makes: save, submit, ask, answer, approve.
const MOVES: usize = 5;

tokio::task_local! {
    /// The statements of the transaction that is under way in this task.
    static HEARD: RefCell<Vec<Statement>>;
}

/// A transaction that was lost to a race is run again from its first statement; only the last run counts. What the
/// engine says outside a move, nobody listens to.
fn listen(info: &Info<'_>) {
    let keep = |heard: &RefCell<Vec<Statement>>| {
        let mut heard = heard.borrow_mut();
        if info.statement.sql.starts_with("INSERT INTO submission") {
            heard.clear();
        }
        heard.push(info.statement.clone());
    };
    HEARD.try_with(keep).unwrap_or_default();
}

/// One database for the engine, a copy of it for the bare statements.
pub struct Arena {
    engine: Engine,
    bare: DatabaseConnection,
    copy: Database,
    /// A list for every task: who asks, and the numbers of the requests left.
    left: Vec<(Asker, Vec<String>)>,
    commands: Vec<(By, Command)>,
}

#[derive(Clone, Copy)]
enum By {
    Asker,
    Approver,
}

/// One task's share of a round.
struct Share {
    engine: Engine,
    asker: Actor,
    numbers: Vec<String>,
    commands: Vec<(By, Command)>,
}

/// What a task did: how long each move took, and what it said to the database.
type Done = (Vec<Duration>, Vec<Vec<Statement>>);

impl Arena {
    /// The world's own connections are closed: its database is copied.
    pub async fn new(world: &World, crowd: &Crowd, copy: Database) -> Self {
        let db = Db::connect(&world.url, &Options::default()).await.expect("the database opens").watched(listen);
        let (post, _) = Post::memory(&world.sender).expect("a letterbox");
        let files = world.folder.path().join("files");
        let engine = Engine::new(db, world.clock.clone(), world.sender.clone(), post, &files).expect("an engine");
        let numbers = |own: &[crate::multiply::Copied]| own.iter().map(|copied| copied.number.clone()).collect();
        let left: Vec<(Asker, Vec<String>)> =
            crowd.prepared.iter().map(|(asker, own)| (asker.clone(), numbers(own))).collect();
        let commands = commands(&engine, &left[0].1[0]).await;
        let bare = bare::writer(&copy.url).await;
        Self { engine, bare, copy, left, commands }
    }

    /// Every task takes `each` requests from draft to approval; then their statements run bare. Engine first.
    pub async fn round(&mut self, hands: &Hands, each: usize) -> (Round, Round) {
        let share = |(asker, numbers): &mut (Asker, Vec<String>)| Share {
            engine: self.engine.clone(),
            asker: Actor::person(asker.user.standing()),
            numbers: numbers.drain(..each).collect(),
            commands: self.commands.clone(),
        };
        let shares: Vec<Share> = self.left.iter_mut().map(share).collect();
        let begun = Instant::now();
        let done = hands.all(shares, decided).await;
        let elapsed = begun.elapsed();
        let (times, said): (Vec<Vec<Duration>>, Vec<Vec<Vec<Statement>>>) = done.into_iter().unzip();
        let engine = Round { elapsed, each: times.concat() };

        let bare = self.bare.clone();
        let begun = Instant::now();
        let times = hands.all(said, move |transactions| repeated(bare.clone(), transactions)).await;
        let bare = Round { elapsed: begun.elapsed(), each: times.concat() };
        assert_eq!(bare.each.len(), engine.each.len());
        (engine, bare)
    }

    /// Both databases have come to the same: otherwise the bare side has done something else.
    pub async fn compare(&self, world: &World) {
        for what in ["cycle WHERE stage = 'execution.live'", "event", "posting", "outbox", "submission", "account"] {
            assert_eq!(count(world, what).await, count(&self.copy, what).await, "{what}");
        }
    }
}

/// The same for every request, since all are copies of one.
async fn commands(engine: &Engine, number: &str) -> Vec<(By, Command)> {
    let s = engine.look(&storage::Viewer::system(), WhichCycle::Number(number)).await.expect("a prepared request");
    let lines = s.cycle.activities.iter().flat_map(|a| a.draft.costs.iter().map(|cost| (a.no, cost.no)));
    let asked = |(activity, line)| Some(RequestLine { activity, line, asked: most_for(&s, activity, line)? });
    let draft = RequestDraft {
        fund: s.funds.first().expect("a fund").id,
        lines: lines.filter_map(asked).collect(),
        justification: "The audience is ours by name and sales follows up within two days.".to_owned(),
        late_reason: String::new(),
        terms_accepted: true,
    };
    let mut submitted = s.clone();
    submitted.cycle.request.lines.clone_from(&draft.lines);
    let question = "Which list did you use last time?".to_owned();
    let text = "Our own customers and the attendees of the spring briefing.".to_owned();
    let commands: [(By, Command); MOVES] = [
        (By::Asker, s5_request::Command::Save { draft: draft.clone() }.into()),
        (By::Asker, s5_request::Command::Submit { draft }.into()),
        (By::Approver, s6_approval::Command::Ask { question }.into()),
        (By::Asker, s6_approval::Command::Answer { text }.into()),
        (By::Approver, approval_in_full(&submitted).into()),
    ];
    commands.into()
}

async fn decided(share: Share) -> Done {
    let approver = ANA.actor();
    let (mut times, mut said) = (Vec::new(), Vec::new());
    for number in &share.numbers {
        for (by, command) in &share.commands {
            let actor = match by {
                By::Asker => &share.asker,
                By::Approver => &approver,
            };
            let begun = Instant::now();
            let (done, heard) = HEARD
                .scope(RefCell::default(), async {
                    let once = Submission::own();
                    let done = share.engine.advance(actor, WhichCycle::Number(number), command, &once).await;
                    (done, HEARD.with(RefCell::take))
                })
                .await;
            times.push(begun.elapsed());
            done.unwrap_or_else(|error| panic!("{number}: {command:?}: {error:?}"));
            said.push(heard);
        }
    }
    (times, said)
}

async fn repeated(db: DatabaseConnection, transactions: Vec<Vec<Statement>>) -> Vec<Duration> {
    let mut times = Vec::new();
    for statements in transactions {
        let begun = Instant::now();
        bare::run(&db, statements).await;
        times.push(begun.elapsed());
    }
    times
}

/// Rounds of both sides.
#[derive(Default)]
pub struct Moves {
    pub engine: Rounds,
    pub bare: Rounds,
}
