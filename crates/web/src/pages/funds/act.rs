//! What finance does with a fund by hand: put in, take out, allocate, take back, transfer, adjust, reinstate, place.
//!
//! Each is a form and a check page that shows the money before and after, decided on the very path that will do it.

use actix_web::web::Path;
use askama::Template;
use domain::fund::{Fund, FundCommand, FundDecision, FundKind, FundSituation};
use domain::ids::{FundId, PartnerId};
use domain::ledger::{Account, AccountKind, Book};
use domain::money::Money;
use engine::WhichFund;

use super::href;
use crate::error::{Answer, Error};
use crate::extract::{Who, show};
use crate::fields::{Fields, Typed};
use crate::posted::Posted;
use crate::shell::Shell;
use crate::view::{Choice, Fact, Facts, Field, Form, Value};

/// What can be done with a fund by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    Allocate,
    Budget,
    Lower,
    Transfer,
    MoveBack,
    TransferCredit,
    RaiseCredit,
    LowerCredit,
    Reinstate,
    RecordReturn,
    Place,
}

impl Act {
    /// The ones done every day first.
    pub const ALL: [Act; 11] = [
        Act::Allocate,
        Act::Budget,
        Act::Lower,
        Act::Transfer,
        Act::MoveBack,
        Act::TransferCredit,
        Act::RaiseCredit,
        Act::LowerCredit,
        Act::Reinstate,
        Act::RecordReturn,
        Act::Place,
    ];

    pub fn path(self) -> &'static str {
        match self {
            Act::Allocate => "allocation",
            Act::Budget => "budget",
            Act::Lower => "reduction",
            Act::Transfer => "transfer",
            Act::MoveBack => "recall",
            Act::TransferCredit => "credit-transfer",
            Act::RaiseCredit => "credit-raise",
            Act::LowerCredit => "credit-reduction",
            Act::Reinstate => "reinstatement",
            Act::RecordReturn => "return",
            Act::Place => "place",
        }
    }

    fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.path() == path)
    }

    pub fn button(self) -> &'static str {
        match self {
            Act::Allocate => "Allocate to a partner",
            Act::Budget => "Put money in",
            Act::Lower => "Take money out",
            Act::Transfer => "Transfer to another fund",
            Act::MoveBack => "Take unused credit back",
            Act::TransferCredit => "Transfer a partner's credit",
            Act::RaiseCredit => "Raise earned credit",
            Act::LowerCredit => "Lower earned credit",
            Act::Reinstate => "Reinstate forfeited credit",
            Act::RecordReturn => "Record a return",
            Act::Place => "Move in the tree",
        }
    }

    /// Partners of a shared fund have no credit of their own; only an accrual fund's is earned.
    pub fn fits(self, kind: FundKind) -> bool {
        match self {
            Act::Allocate | Act::MoveBack | Act::TransferCredit | Act::Reinstate => !kind.is_shared(),
            Act::RaiseCredit | Act::LowerCredit => kind == FundKind::Accrual,
            _ => true,
        }
    }

    fn names_partner(self) -> bool {
        !matches!(self, Act::Budget | Act::Lower | Act::Transfer | Act::Place)
    }

    fn expires(self) -> bool {
        matches!(self, Act::Allocate | Act::RaiseCredit)
    }
}

#[derive(Template)]
#[template(path = "pages/funds/act.html")]
struct ActPage {
    shell: Shell,
    title: &'static str,
    fund: String,
    back: String,
    action: String,
    form: Form,
    now: Facts,
}

#[derive(Template)]
#[template(path = "pages/funds/check.html")]
struct CheckPage {
    shell: Shell,
    title: &'static str,
    fund: String,
    back: String,
    action: String,
    form: Form,
    words: String,
    effect: Facts,
    amount: String,
}

/// GET /funds/{code}/{act}
pub async fn show_page(who: Who, at: Path<(String, String)>) -> Answer {
    let (code, act) = at.into_inner();
    show(&page(&who, &code, &act, Typed::default()).await?)
}

/// POST /funds/{code}/{act}: first to the check page, then, with what it showed, to the ledger.
pub async fn submit(who: Who, at: Path<(String, String)>, posted: Posted) -> Answer {
    let (code, path) = at.into_inner();
    let act = Act::from_path(&path).ok_or(Error::NotFound)?;
    let checked = posted.typed().has("checked", "yes");
    let judged = async {
        let fund = who.reader().fund(who.viewer(), &code).await?;
        let command = posted.read(who.marks(), |f| read(act, &fund, f))?;
        let judged = who.site().engine.try_fund(who.actor(), WhichFund::Id(fund.id), &command).await?;
        Ok((command, judged))
    };
    let (command, (before, decision)) = match judged.await {
        Ok(judged) => judged,
        Err(error) => {
            let done: Result<String, Error> = Err(error);
            return who.settle(done, &href(&code), &posted, async |typed| page(&who, &code, &path, typed).await).await;
        }
    };
    if !checked {
        return show(&check_page(&who, act, &before, &command, &decision, &posted));
    }
    let done = who.fund(&code, command, &posted).await;
    who.settle(done, &href(&code), &posted, async |typed| page(&who, &code, &path, typed).await).await
}

fn read(act: Act, fund: &Fund, f: &mut Fields) -> Option<FundCommand> {
    f.ignore("checked");
    let partner = act.names_partner().then(|| f.id::<PartnerId>("partner"));
    let amount = if act == Act::Place { None } else { Some(f.money("amount", fund.currency)) };
    let expires = act.expires().then(|| f.optional_date("expires"));
    let name = if act == Act::RecordReturn { "reference" } else { "reason" };
    let parse = |id: &str| id.parse::<FundId>().ok();
    let reason = f.text(name);
    Some(match act {
        Act::Budget => FundCommand::Budget { amount: amount??, reason: reason? },
        Act::Lower => FundCommand::Lower { amount: amount??, reason: reason? },
        Act::Allocate => {
            FundCommand::Allocate { partner: partner??, amount: amount??, expires: expires??, reason: reason? }
        }
        Act::MoveBack => FundCommand::MoveBack { partner: partner??, amount: amount??, reason: reason? },
        Act::RecordReturn => FundCommand::RecordReturn { partner: partner??, amount: amount??, reference: reason? },
        Act::Transfer => {
            let to = f.choice("to", parse);
            FundCommand::Transfer { to: to?, amount: amount??, reason: reason? }
        }
        Act::TransferCredit => {
            let to_fund = f.optional_choice("to_fund", parse);
            let to_partner = f.optional_choice("to_partner", |id| id.parse::<PartnerId>().ok());
            let (to_fund, to_partner) = (to_fund?, to_partner?);
            FundCommand::TransferCredit { partner: partner??, amount: amount??, to_fund, to_partner, reason: reason? }
        }
        Act::RaiseCredit => {
            FundCommand::RaiseCredit { partner: partner??, amount: amount??, expires: expires??, reason: reason? }
        }
        Act::LowerCredit => FundCommand::LowerCredit { partner: partner??, amount: amount??, reason: reason? },
        Act::Reinstate => {
            let expires = f.date("expires");
            FundCommand::ProposeReinstatement {
                partner: partner??,
                amount: amount??,
                expires: expires?,
                reason: reason?,
            }
        }
        Act::Place => {
            let parent = f.optional_choice("parent", parse);
            FundCommand::Place { parent: parent?, reason: reason? }
        }
    })
}

async fn page(who: &Who, code: &str, path: &str, typed: Typed) -> Result<ActPage, Error> {
    let act = Act::from_path(path).ok_or(Error::NotFound)?;
    let fund = who.reader().fund(who.viewer(), code).await?;
    if !act.fits(fund.kind) {
        return Err(Error::NotFound);
    }
    let (_, totals) = who.reader().funds(who.viewer()).await?;
    let of_kind = |kind: AccountKind| {
        let own = totals.iter().filter(|total| total.fund_id == fund.id && total.kind == kind);
        Money::new(own.map(|total| total.total).sum(), fund.currency)
    };
    let now = vec![
        Fact::new("Unallocated", of_kind(AccountKind::Unallocated)),
        Fact::new("With partners", of_kind(AccountKind::Available)),
    ];
    Ok(ActPage {
        shell: who.shell(&format!("{}, {}", act.button(), fund.name)),
        title: act.button(),
        back: href(&fund.code),
        action: format!("{}/{}", href(&fund.code), act.path()),
        form: typed.onto(form(who, act, &fund).await?),
        now: Facts { facts: now },
        fund: fund.name,
    })
}

async fn form(who: &Who, act: Act, fund: &Fund) -> Result<Form, Error> {
    let mut form = who.form_at(fund.version);
    let partners = if act.names_partner() { partner_choices(who).await? } else { Vec::new() };
    if act.names_partner() {
        let choices = with_none("Choose a partner", &partners);
        form = form.with(Field::select("partner", "Partner", choices));
    }
    if act != Act::Place {
        form = form.with(Field::amount("amount", "Amount", fund.currency.code()));
    }
    form = match act {
        Act::Allocate | Act::RaiseCredit => {
            let hint = "What is unused after this day is forfeited. Left empty, it never expires.";
            form.with(Field::date("expires", "Last day to use it").hint(hint).optional())
        }
        Act::Reinstate => form.with(Field::date("expires", "New last day to use it")),
        Act::Transfer => {
            let funds = beside(who, fund, |other| other.currency == fund.currency).await?;
            form.with(Field::select("to", "To the fund", with_none("Choose a fund", &funds)))
        }
        Act::TransferCredit => {
            let takes = |other: &Fund| other.currency == fund.currency && !other.kind.is_shared();
            let funds = beside(who, fund, takes).await?;
            let here = format!("It stays in {}", fund.name);
            let hint = "It keeps the last day it has; what expires first goes first.";
            form.with(Field::select("to_fund", "To the fund", with_none(&here, &funds)).optional()).with(
                Field::select("to_partner", "To the partner", with_none("It stays with the partner", &partners))
                    .hint(hint)
                    .optional(),
            )
        }
        Act::Place => {
            let funds = beside(who, fund, |other| other.currency == fund.currency).await?;
            let hint = "Only a fund without money can be moved.";
            let choices = with_none("None: it stands on top", &funds);
            let parent = fund.parent.map_or_else(String::new, |id| id.to_string());
            form.with(Field::select("parent", "Below", choices).hint(hint).value_is(parent).optional())
        }
        _ => form,
    };
    Ok(match act {
        Act::RecordReturn => {
            form.with(Field::text("reference", "Payment reference").hint("As it stands on the bank transfer."))
        }
        _ => form.with(Field::text("reason", "Why").hint("It stands in the fund's statement.")),
    })
}

async fn partner_choices(who: &Who) -> Result<Vec<Choice>, Error> {
    let names = who.reader().partner_names(who.viewer()).await?;
    Ok(names.into_iter().map(|(id, name)| Choice::new(id.to_string(), name)).collect())
}

/// Other funds of the same program, as choices.
async fn beside(who: &Who, fund: &Fund, fits: impl Fn(&Fund) -> bool) -> Result<Vec<Choice>, Error> {
    let (funds, _) = who.reader().funds(who.viewer()).await?;
    let others = funds.iter().filter(|other| other.id != fund.id && other.program == fund.program && fits(other));
    Ok(others.map(|other| Choice::new(other.id.to_string(), format!("{} ({})", other.name, other.code))).collect())
}

fn with_none(words: &str, choices: &[Choice]) -> Vec<Choice> {
    std::iter::once(Choice::new("", words)).chain(choices.iter().cloned()).collect()
}

fn check_page(
    who: &Who,
    act: Act,
    before: &FundSituation,
    command: &FundCommand,
    decision: &FundDecision,
    posted: &Posted,
) -> CheckPage {
    let fund = &before.fund;
    let mut form = who.form_at(fund.version).with(Field::hidden("checked", "yes"));
    for (name, value) in posted.typed().pairs().filter(|(name, _)| *name != "checked") {
        form = form.with(Field::hidden(name, value));
    }
    let amount = command.amount().map(|amount| format!(": {}", crate::view::Amount::from(amount).plain()));
    let mut effect = effect(before, decision, command.partner());
    if let (Act::Reinstate, Some(wanted)) = (act, decision.fund().reinstatements.last()) {
        let needed = usize::from(before.around.reinstated_by).saturating_sub(wanted.agreed.len());
        let people = crate::view::count(needed as u64, "further person of finance", "further people of finance");
        effect.push(Fact::new("Before it comes back", format!("{people} must agree")));
    }
    CheckPage {
        shell: who.shell(&format!("{}, {}", act.button(), fund.name)),
        title: act.button(),
        fund: fund.name.clone(),
        back: format!("{}/{}", href(&fund.code), act.path()),
        action: format!("{}/{}", href(&fund.code), act.path()),
        form,
        words: decision.entry().words.clone(),
        effect: Facts { facts: effect },
        amount: amount.unwrap_or_default(),
    }
}

/// Every balance the command touches, before and after; of what is not on the table here, what it gets.
fn effect(before: &FundSituation, decision: &FundDecision, partner: Option<PartnerId>) -> Vec<Fact> {
    let (fund, postings) = (&before.fund, &decision.entry().postings);
    let mut after = before.book.clone();
    for posting in postings {
        after.post(posting);
    }
    let money = |minor| Money::new(minor, fund.currency);
    let change = |label: String, of: &dyn Fn(&Book) -> i64| {
        let (old, new) = (of(&before.book), of(&after));
        (old != new).then(|| Fact::new(label, Value::Change(money(old).into(), money(new).into())))
    };
    let name = before.partner_name.as_deref().unwrap_or("the partner");
    let is_wallet = |account: &Account| {
        account.kind == AccountKind::Available && account.fund == fund.id && account.partner == partner
    };
    let mut facts = vec![
        change("Put in".to_owned(), &|book| -book.minor(&Account::funding(fund.id))),
        change("Unallocated".to_owned(), &|book| book.minor(&Account::unallocated(fund.id))),
        change(format!("Wallet of {name}"), &|book| book.total(is_wallet)),
        change("Forfeited".to_owned(), &|book| book.minor(&Account::forfeited(fund.id))),
        change(format!("To come back from {name}"), &|book| {
            partner.map_or(0, |partner| book.minor(&Account::recoverable(fund.id, partner)))
        }),
    ];
    for other in &before.around.funds {
        let label = format!("Unallocated in {}", other.name);
        facts.push(change(label, &|book| book.minor(&Account::unallocated(other.id))));
    }
    let given: i64 = postings
        .iter()
        .filter(|posting| posting.to.kind == AccountKind::Available && !is_wallet(&posting.to))
        .map(|posting| posting.amount.minor)
        .sum();
    facts.push((given > 0).then(|| Fact::new("Goes to the receiver's wallet", money(given))));
    facts.into_iter().flatten().collect()
}
