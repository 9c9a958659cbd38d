//! More time to prove or to claim: asked for by the partner, granted or declined by whom the guide names.

use actix_web::web::Path;
use askama::Template;
use domain::deadlines::Item;
use domain::machine::{Act, Command, Situation, moves_of};
use domain::policy::{Extendable, Policy};
use domain::steps::s7_execution::{self as rules, Extension, ExtensionState};

use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::Typed;
use crate::posted::Posted;
use crate::shell::Shell;
use crate::steps::{look, objections};
use crate::view::{Badge, Choice, Field, Form, HeaderStrip, Hub, Tone, capital, count, date_words};

#[derive(Template)]
#[template(path = "s7_execution/extension.html")]
struct ExtensionPage {
    shell: Shell,
    strip: HeaderStrip,
    number: String,
    href: String,
    name: String,
    /// What the guide gives, in a sentence.
    rule: String,
    clocks: Hub,
    wishes: Vec<Wish>,
    ask: Option<Form>,
    /// Why no more time can be asked for now, and the way out.
    closed: Option<String>,
    decide: Option<Decide>,
    barred: Option<String>,
}

/// A wish and what became of it.
struct Wish {
    what: String,
    reason: String,
    asked: String,
    state: Badge,
    answer: String,
}

struct Decide {
    no: u16,
    what: String,
    reason: String,
    grant: Form,
    decline: Form,
}

/// Which of the page's forms was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Ask,
    Grant,
    Decline,
}

fn href(number: &str, campaign: u16) -> String {
    format!("/cycles/{number}/execution/campaigns/{campaign}/extension")
}

/// The way to the page of a campaign, with the words of what its reader can do there; none where the guide gives no
/// more time and nobody ever asked.
pub(super) fn link(s: &Situation, campaign: u16, moves: &[Act]) -> Option<(String, &'static str)> {
    let open = s.cycle.open_extensions().any(|open| open.campaign == campaign);
    let asked = s.cycle.extensions.iter().any(|extension| extension.campaign == campaign);
    let gives = Extendable::ALL.into_iter().any(|window| rules::ask_by(s, campaign, window).is_some());
    let words = match (open, gives) {
        (true, _) if moves.contains(&Act::GrantExtension) => "Grant or decline more time",
        (false, true) if moves.contains(&Act::AskExtension) => "Ask for more time",
        _ if asked => "See what more time was asked for",
        _ => return None,
    };
    Some((href(&s.cycle.number, campaign), words))
}

/// GET /cycles/{no}/execution/campaigns/{campaign}/extension
pub async fn show_page(who: Who, at: Path<(String, u16)>) -> Answer {
    let (no, campaign) = at.into_inner();
    show(&page(&who, &no, campaign, Sent::Nothing, Typed::default()).await?)
}

/// POST .../extension
pub async fn ask(who: Who, at: Path<(String, u16)>, posted: Posted) -> Answer {
    let (no, campaign) = at.into_inner();
    let done = async {
        let (window, days, reason) = posted.read(who.marks(), |f| {
            let (window, days) = (f.choice("window", Extendable::from_code), f.whole("days", 1..=999));
            let reason = f.long_text("reason");
            Some((window?, u16::try_from(days?).ok()?, reason?))
        })?;
        let command = rules::Command::AskExtension { campaign, window, days, reason };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    let (done, to) = (done.await, href(&no, campaign));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, campaign, Sent::Ask, typed).await).await
}

/// POST .../extension/{extension}/grant
pub async fn grant(who: Who, at: Path<(String, u16, u16)>, posted: Posted) -> Answer {
    let (no, campaign, extension) = at.into_inner();
    let done = async {
        let (days, reason) = posted.read(who.marks(), |f| {
            let (days, reason) = (f.whole("days", 1..=999), f.optional_long_text("reason"));
            Some((u16::try_from(days?).ok()?, reason?.unwrap_or_default()))
        })?;
        let command = rules::Command::GrantExtension { extension, days, reason };
        who.advance(&no, Command::Execution(command), &posted).await
    };
    let (done, to) = (done.await, href(&no, campaign));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, campaign, Sent::Grant, typed).await).await
}

/// POST .../extension/{extension}/refusal
pub async fn decline(who: Who, at: Path<(String, u16, u16)>, posted: Posted) -> Answer {
    let (no, campaign, extension) = at.into_inner();
    let done = async {
        let reason = posted.read(who.marks(), |f| f.long_text("reason"))?;
        who.advance(&no, Command::Execution(rules::Command::DeclineExtension { extension, reason }), &posted).await
    };
    let (done, to) = (done.await, href(&no, campaign));
    who.settle(done, &to, &posted, async |typed| page(&who, &no, campaign, Sent::Decline, typed).await).await
}

async fn page(who: &Who, no: &str, campaign: u16, sent: Sent, typed: Typed) -> Result<ExtensionPage, Error> {
    let s = look(who, no).await?;
    let found = s.cycle.campaign(campaign).ok_or(Error::NotFound)?;
    let moves = moves_of(&s, who.actor());
    let of = |wanted: Sent| if sent == wanted { typed.clone() } else { Typed::default() };
    let open = s.cycle.open_extensions().find(|open| open.campaign == campaign);
    let may_decide = open.filter(|_| moves.contains(&Act::GrantExtension));
    let refused = may_decide.and_then(|open| {
        let command = rules::Command::GrantExtension { extension: open.no, days: open.days, reason: String::new() };
        let found = objections(who, &s, &Command::Execution(command)).into_iter().next()?;
        ["not_the_decider", "own_extension"]
            .contains(&found.code.as_str())
            .then(|| format!("{} {}", found.why, found.remedy))
    });
    let (windows, why) =
        if moves.contains(&Act::AskExtension) { askable(who, &s, campaign) } else { Default::default() };
    Ok(ExtensionPage {
        shell: who.shell(&format!("More time, {}", s.cycle.number)),
        strip: HeaderStrip::of(&s, who.today()),
        number: s.cycle.number.clone(),
        href: href(&s.cycle.number, campaign),
        name: found.draft.name.clone(),
        rule: rule(&s.policy),
        clocks: Hub::clocks(&s, who.today(), |deadline| match deadline.item {
            Item::Campaign(no) => no == campaign,
            Item::Activity(no) => s.cycle.activity(no).is_some_and(|activity| activity.draft.campaign == campaign),
            _ => false,
        }),
        wishes: s.cycle.extensions.iter().rev().filter(|wish| wish.campaign == campaign).map(wish).collect(),
        closed: why.filter(|_| windows.is_empty()),
        ask: (!windows.is_empty()).then(|| of(Sent::Ask).onto(ask_form(who, &s, campaign, &windows))),
        decide: may_decide
            .filter(|_| refused.is_none())
            .map(|open| decide(who, &s, open, of(Sent::Grant), of(Sent::Decline))),
        barred: refused,
    })
}

/// The guide's own sentence on more time.
fn rule(policy: &Policy) -> String {
    let Some(rules) = &policy.extension else { return "The program gives no more time.".to_owned() };
    let windows: Vec<&str> = rules.windows.iter().map(|window| window.purpose()).collect();
    format!(
        "The program gives {} more at most {}, {} on each campaign. {} answers within {}.",
        count(u64::from(rules.days), "day", "days"),
        windows.join(" or "),
        if rules.times == 1 { "once".to_owned() } else { format!("{} times", rules.times) },
        capital(rules.decided_by.words()),
        count(u64::from(rules.answer_days), "day", "days"),
    )
}

/// The windows for which a wish would pass now; where there is none, why.
fn askable(who: &Who, s: &Situation, campaign: u16) -> (Vec<Extendable>, Option<String>) {
    let mut why = None;
    let passes = |window: &Extendable| {
        let command = Command::Execution(Extension::wish(campaign, *window, 1));
        let refused = objections(who, s, &command).into_iter().next();
        let passes = refused.is_none();
        why = why.take().or_else(|| refused.map(|reason| format!("{} {}", reason.why, reason.remedy)));
        passes
    };
    let windows: Vec<Extendable> = Extendable::ALL.into_iter().filter(passes).collect();
    (windows, why)
}

fn ask_form(who: &Who, s: &Situation, campaign: u16, windows: &[Extendable]) -> Form {
    let most = s.policy.extension.as_ref().map_or(0, |rules| rules.days);
    let choice = |window: &Extendable| {
        let last = rules::extended_day(s, campaign, *window).map(date_words).unwrap_or_default();
        let by = rules::ask_by(s, campaign, *window).map(date_words).unwrap_or_default();
        let hint = format!("It ends {last}; more time can be asked for until {by}.");
        Choice::new(window.code(), capital(window.purpose().trim_start_matches("to "))).hint(hint)
    };
    let first = windows.first().map_or("", |window| window.code());
    who.form_at(s.cycle.version)
        .with(
            Field::radios("window", "What you need more time for", windows.iter().map(choice).collect())
                .value_is(first),
        )
        .with(Field::number("days", "How many days more").hint(format!("{most} at most.")))
        .with(Field::area("reason", "Why", 3))
}

fn decide(who: &Who, s: &Situation, open: &Extension, granted: Typed, declined: Typed) -> Decide {
    let area = |id: &str, label: &str| {
        let mut field = Field::area("reason", label, 2);
        id.clone_into(&mut field.id);
        field
    };
    let days = Field::number("days", "Days to grant")
        .value_is(open.days.to_string())
        .hint(format!("{} at most; fewer than asked needs a reason.", open.days));
    Decide {
        no: open.no,
        what: what(open),
        reason: open.reason.clone(),
        grant: granted
            .onto(who.form_at(s.cycle.version).with(days).with(area("grant-reason", "What to say with it").optional())),
        decline: declined.onto(who.form_at(s.cycle.version).with(area("decline-reason", "Why not"))),
    }
}

/// "5 days more to claim"
fn what(extension: &Extension) -> String {
    format!("{} more {}", count(u64::from(extension.days), "day", "days"), extension.window.purpose())
}

fn wish(extension: &Extension) -> Wish {
    let tone = match extension.state {
        ExtensionState::Asked => Tone::Wait,
        ExtensionState::Granted => Tone::Ok,
        ExtensionState::Declined => Tone::Bad,
        ExtensionState::Lapsed => Tone::Off,
    };
    let state = match extension.state {
        ExtensionState::Granted => format!("{} granted", count(u64::from(extension.granted), "day", "days")),
        state => capital(state.label()),
    };
    Wish {
        what: what(extension),
        reason: extension.reason.clone(),
        asked: date_words(extension.asked_at.date_naive()),
        state: Badge::new(tone, state),
        answer: extension.answer.clone(),
    }
}
