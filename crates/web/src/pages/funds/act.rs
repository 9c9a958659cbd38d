//! What finance does with a fund: put in, take out, allocate, take back, record a return.
//!
//! Each is a form and a check page that shows the money before and after, worked out by the rules that will do it.

use actix_web::web::Path;
use askama::Template;
use domain::fund::{self, Fund, FundCommand, FundKind, FundSituation};
use domain::ids::PartnerId;
use domain::ledger::{Account, AccountKind, Balance, Book};
use domain::money::Money;
use storage::read::WalletLine;

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
    MoveBack,
    RecordReturn,
}

impl Act {
    pub const ALL: [Act; 5] = [Act::Allocate, Act::Budget, Act::Lower, Act::MoveBack, Act::RecordReturn];

    pub fn path(self) -> &'static str {
        match self {
            Act::Allocate => "allocation",
            Act::Budget => "budget",
            Act::Lower => "reduction",
            Act::MoveBack => "recall",
            Act::RecordReturn => "return",
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
            Act::MoveBack => "Take unused credit back",
            Act::RecordReturn => "Record a return",
        }
    }

    /// Partners of a shared fund have no credit of their own.
    pub fn fits(self, kind: FundKind) -> bool {
        !kind.is_shared() || !matches!(self, Act::Allocate | Act::MoveBack)
    }

    fn names_partner(self) -> bool {
        matches!(self, Act::Allocate | Act::MoveBack | Act::RecordReturn)
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
        let before = situation(&who, fund, &command).await?;
        let decision = fund::decide(&before, who.actor(), &command, who.now()).map_err(Error::Refused)?;
        Ok((command, before, decision))
    };
    let (command, before, decision) = match judged.await {
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
    let amount = f.money("amount", fund.currency);
    let expires = (act == Act::Allocate).then(|| f.optional_date("expires"));
    let name = if act == Act::RecordReturn { "reference" } else { "reason" };
    let text = f.text(name);
    Some(match act {
        Act::Budget => FundCommand::Budget { amount: amount?, reason: text? },
        Act::Lower => FundCommand::Lower { amount: amount?, reason: text? },
        Act::Allocate => {
            FundCommand::Allocate { partner: partner??, amount: amount?, expires: expires??, reason: text? }
        }
        Act::MoveBack => FundCommand::MoveBack { partner: partner??, amount: amount?, reason: text? },
        Act::RecordReturn => FundCommand::RecordReturn { partner: partner??, amount: amount?, reference: text? },
    })
}

/// What the rules look at, as it stands now; the ledger looks again when it is done.
async fn situation(who: &Who, fund: Fund, command: &FundCommand) -> Result<FundSituation, Error> {
    let partner = partner_of(command);
    let reader = who.reader();
    let (_, totals) = reader.funds(who.viewer()).await?;
    let own = totals.iter().filter(|total| total.fund_id == fund.id);
    let of_fund = |kind: AccountKind| match kind {
        AccountKind::Funding => Some(Account::funding(fund.id)),
        AccountKind::Unallocated => Some(Account::unallocated(fund.id)),
        _ => None,
    };
    let mut balances: Vec<Balance> = own
        .filter_map(|total| {
            Some(Balance { account: of_fund(total.kind)?, amount: Money::new(total.total, fund.currency) })
        })
        .collect();
    let mut partner_name = None;
    if let Some(partner) = partner {
        let lines = reader.wallet(who.viewer(), partner).await?;
        balances
            .extend(lines.iter().filter(|line| line.fund_id == fund.id).filter_map(|line| of_partner(partner, line)));
        let names = reader.partner_names(who.viewer()).await?;
        partner_name = names.into_iter().find(|(id, _)| *id == partner).map(|(_, name)| name);
    }
    Ok(FundSituation { fund, book: Book { balances }, partner_name, guide: None, period: None })
}

fn of_partner(partner: PartnerId, line: &WalletLine) -> Option<Balance> {
    let account = match line.kind {
        AccountKind::Available => Account::available(line.fund_id, partner, line.lot),
        AccountKind::Recoverable => Account::recoverable(line.fund_id, partner),
        _ => return None,
    };
    Some(Balance { account, amount: line.total })
}

fn partner_of(command: &FundCommand) -> Option<PartnerId> {
    match command {
        FundCommand::Allocate { partner, .. }
        | FundCommand::MoveBack { partner, .. }
        | FundCommand::RecordReturn { partner, .. } => Some(*partner),
        _ => None,
    }
}

fn amount_of(command: &FundCommand) -> Option<Money> {
    match command {
        FundCommand::Budget { amount, .. }
        | FundCommand::Lower { amount, .. }
        | FundCommand::Allocate { amount, .. }
        | FundCommand::MoveBack { amount, .. }
        | FundCommand::RecordReturn { amount, .. } => Some(*amount),
        _ => None,
    }
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
    if act.names_partner() {
        let names = who.reader().partner_names(who.viewer()).await?;
        let mut choices = vec![Choice::new("", "Choose a partner")];
        choices.extend(names.into_iter().map(|(id, name)| Choice::new(id.to_string(), name)));
        form = form.with(Field::select("partner", "Partner", choices));
    }
    form = form.with(Field::amount("amount", "Amount", fund.currency.code()));
    if act == Act::Allocate {
        let hint = "What is unused after this day is forfeited. Left empty, it never expires.";
        form = form.with(Field::date("expires", "Last day to use it").hint(hint).optional());
    }
    Ok(match act {
        Act::RecordReturn => {
            form.with(Field::text("reference", "Payment reference").hint("As it stands on the bank transfer."))
        }
        _ => form.with(Field::text("reason", "Why").hint("It stands in the fund's statement.")),
    })
}

fn check_page(
    who: &Who,
    act: Act,
    before: &FundSituation,
    command: &FundCommand,
    decision: &fund::FundDecision,
    posted: &Posted,
) -> CheckPage {
    let fund = &before.fund;
    let mut after = before.book.clone();
    decision.entry().postings.iter().for_each(|posting| after.post(posting));
    let mut form = who.form_at(fund.version).with(Field::hidden("checked", "yes"));
    for (name, value) in posted.typed().pairs().filter(|(name, _)| *name != "checked") {
        form = form.with(Field::hidden(name, value));
    }
    let amount = amount_of(command).map(|amount| crate::view::Amount::from(amount).plain());
    CheckPage {
        shell: who.shell(&format!("{}, {}", act.button(), fund.name)),
        title: act.button(),
        fund: fund.name.clone(),
        back: format!("{}/{}", href(&fund.code), act.path()),
        action: format!("{}/{}", href(&fund.code), act.path()),
        form,
        words: decision.entry().words.clone(),
        effect: Facts { facts: effect(before, &after, partner_of(command)) },
        amount: amount.unwrap_or_default(),
    }
}

/// Every balance the command touches, before and after.
fn effect(before: &FundSituation, after: &Book, partner: Option<PartnerId>) -> Vec<Fact> {
    let fund = &before.fund;
    let change = |label: String, of: &dyn Fn(&Book) -> i64| {
        let (old, new) = (of(&before.book), of(after));
        let money = |minor| Money::new(minor, fund.currency).into();
        (old != new).then(|| Fact::new(label, Value::Change(money(old), money(new))))
    };
    let name = before.partner_name.as_deref().unwrap_or("the partner");
    let wallet = |book: &Book| {
        book.total(|account| account.kind == AccountKind::Available && account.partner == partner && partner.is_some())
    };
    let owed = |book: &Book| partner.map_or(0, |partner| book.minor(&Account::recoverable(fund.id, partner)));
    let facts = [
        change("Put in".to_owned(), &|book| -book.minor(&Account::funding(fund.id))),
        change("Unallocated".to_owned(), &|book| book.minor(&Account::unallocated(fund.id))),
        change(format!("Wallet of {name}"), &wallet),
        change(format!("To come back from {name}"), &owed),
    ];
    facts.into_iter().flatten().collect()
}
