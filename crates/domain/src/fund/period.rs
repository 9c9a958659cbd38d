//! The end of a period: what stayed under the threshold is converted, forfeited or kept; expired credit is forfeited,
//! oldest first, but for the share that is carried over. Then the period is closed: nothing is accrued into it any more.

use super::{FundSituation, Made, notice};
use crate::calendar::{plus, words};
use crate::ids::PartnerId;
use crate::ledger::{Account, AccountKind, Posting};
use crate::money::Money;
use crate::notice::{Notice, Topic};
use crate::policy::{Below, PeriodKind, Policy, rules};
use crate::refusal::Refusal;
use crate::{Date, Instant};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// What the rules look at when a period ends. The situation's book then holds every wallet of the fund.
#[derive(Clone, PartialEq, Debug)]
pub struct PeriodFacts {
    /// The first day that lies in no closed period.
    pub first_day: Date,
    /// What partners earned since then, and the names of all who have credit here.
    pub earned: Vec<PartnerEarned>,
    pub names: BTreeMap<PartnerId, String>,
}

/// What one partner earned in the period.
#[derive(Clone, PartialEq, Debug)]
pub struct PartnerEarned {
    pub partner: PartnerId,
    /// In all funds of the program: this is what the threshold is held against. Minor units.
    pub in_program: i64,
    /// In this fund, by the day the credit expires. Minor units.
    pub lots: BTreeMap<Option<Date>, i64>,
}

/// What closing a period does, partner by partner, before it is done.
#[derive(Clone, PartialEq, Debug)]
pub struct Closing {
    pub first: Date,
    pub last: Date,
    /// By name; partners who earned nothing and have no credit are not among them.
    pub lines: Vec<PartnerLine>,
    pub postings: Vec<Posting>,
}

/// One partner's period. Amounts in the fund's currency.
#[derive(Clone, PartialEq, Debug)]
pub struct PartnerLine {
    pub partner: PartnerId,
    pub name: String,
    /// In this fund.
    pub earned: Money,
    /// In all funds of the program.
    pub in_program: Money,
    /// The least to be earned in a period, where the guide names one and the partner earned something.
    pub threshold: Option<Money>,
    /// Under the threshold, and turned into a rebate.
    pub converted: Money,
    /// Under the threshold, and lost.
    pub lost: Money,
    /// Expired unused.
    pub forfeited: Money,
    /// Expired, and good again until a later day.
    pub carried: Money,
    /// Free after closing, what was carried over included.
    pub stays: Money,
    /// The day some of that expires next.
    pub until: Option<Date>,
}

/// A posting at midnight may take so long to be committed; a period is closed only when the last must be there.
const STRAGGLERS: TimeDelta = TimeDelta::hours(1);

/// The last day of the period a day lies in, as the guide counts periods.
pub fn last_day(guide: &Policy, day: Date) -> Date {
    guide.credit.as_ref().map_or(PeriodKind::default(), |rules| rules.period).last_day(day)
}

/// From when on a period that ends on a day can be closed.
pub fn closable_from(last: Date) -> Instant {
    plus(last, 1).and_time(chrono::NaiveTime::MIN).and_utc() + STRAGGLERS
}

/// Works out what closing the next period does; `None` where the situation was not loaded for it.
pub fn closing(s: &FundSituation) -> Option<Closing> {
    let (facts, guide) = (s.period.as_ref()?, s.guide.as_ref()?);
    let last = last_day(guide, facts.first_day);
    let mut at_work = AtWork::new(s, guide, facts);
    for earned in &facts.earned {
        at_work.hold_to_threshold(earned);
    }
    at_work.expire(last);
    let (lines, postings) = at_work.done();
    Some(Closing { first: facts.first_day, last, lines, postings })
}

pub(super) fn close(s: &FundSituation, by: &str, until: Date, now: Instant) -> Result<(Made, (Date, Date)), Refusal> {
    let missing = || Refusal::new("not_loaded", "The period was not looked at.", "Open the fund's closing page.");
    let closing = closing(s).ok_or_else(missing)?;
    if let Some(closed) = s.fund.closed_until.filter(|closed| until <= *closed) {
        return Err(Refusal::new(
            "closed_already",
            format!("{} is closed until {} already.", s.fund.name, words(closed)),
            format!("The next period to close ends on {}.", words(closing.last)),
        ));
    }
    if until != closing.last {
        return Err(Refusal::at(
            "until",
            "period_order",
            format!("{} is not the end of the period that is to be closed next.", words(until)),
            format!("Periods of {} are closed in order; the next one ends on {}.", s.fund.name, words(closing.last)),
        ));
    }
    if now < closable_from(until) {
        return Err(Refusal::new(
            "period_runs",
            format!("The period until {} is not over.", words(until)),
            format!("Close it from {} at one o'clock (UTC) on.", words(plus(until, 1))),
        ));
    }
    let notices = told(s, &closing);
    let words = format!("{by} closed {} from {} to {}.", s.fund.name, words(closing.first), words(closing.last));
    Ok((("fund.period_closed", words, closing.postings, notices), (closing.first, closing.last)))
}

/// Partners whose credit expired or stayed under the threshold hear of it.
fn told(s: &FundSituation, closing: &Closing) -> Vec<Notice> {
    let mut notices = Vec::new();
    for line in &closing.lines {
        let under = Money::new(line.converted.minor + line.lost.minor, line.converted.currency);
        let gone = [(Topic::FundsForfeited, line.forfeited), (Topic::UnderThreshold, under)];
        for (topic, amount) in gone.into_iter().filter(|(_, amount)| amount.is_positive()) {
            let mut notice = notice(s, topic, line.partner, amount, Some(closing.last), "Fundloop");
            notice.facts.partner.clone_from(&line.name);
            notices.push(notice);
        }
    }
    notices
}

/// What becomes of expired credit: a share of each lot, oldest first, is good again until the day the guide gives what
/// is earned on the day after; the rest is forfeited. Where that day is no later one, all of it is.
pub(super) fn expired(s: &FundSituation, lots: &[(Account, i64)]) -> Vec<Posting> {
    let mut postings = Vec::new();
    for (account, minor) in lots {
        let Some(day) = account.lot else { continue };
        let next = s.guide.as_ref().and_then(|guide| guide.credit.as_ref()?.expires(plus(day, 1)));
        let next = next.filter(|next| *next > day);
        let unused = Money::new(*minor, s.fund.currency);
        let carried = match (&s.guide, next) {
            (Some(guide), Some(_)) => rules::carry_over(guide, unused).minor,
            _ => 0,
        };
        let again = Account { lot: next, ..*account };
        for (to, minor) in [(Account::forfeited(s.fund.id), minor - carried), (again, carried)] {
            if minor > 0 {
                postings.push(Posting { from: *account, to, amount: Money::new(minor, s.fund.currency) });
            }
        }
    }
    postings
}

/// A closing on its way.
struct AtWork<'a> {
    s: &'a FundSituation,
    guide: &'a Policy,
    names: &'a BTreeMap<PartnerId, String>,
    /// Wallets as they are after the postings so far.
    wallets: BTreeMap<Account, i64>,
    lines: BTreeMap<PartnerId, PartnerLine>,
    postings: Vec<Posting>,
}

impl<'a> AtWork<'a> {
    fn new(s: &'a FundSituation, guide: &'a Policy, facts: &'a PeriodFacts) -> Self {
        let held = s.book.balances.iter().filter(|balance| {
            let account = balance.account;
            account.kind == AccountKind::Available && account.fund == s.fund.id && balance.amount.minor > 0
        });
        let wallets = held.map(|balance| (balance.account, balance.amount.minor)).collect();
        Self { s, guide, names: &facts.names, wallets, lines: BTreeMap::new(), postings: Vec::new() }
    }

    fn line(&mut self, partner: PartnerId) -> &mut PartnerLine {
        let zero = Money::zero(self.s.fund.currency);
        self.lines.entry(partner).or_insert_with(|| PartnerLine {
            partner,
            name: self.names.get(&partner).cloned().unwrap_or_default(),
            earned: zero,
            in_program: zero,
            threshold: None,
            converted: zero,
            lost: zero,
            forfeited: zero,
            carried: zero,
            stays: zero,
            until: None,
        })
    }

    /// Of what was earned and stayed under the threshold, the unused part goes; what is committed is spent already.
    fn hold_to_threshold(&mut self, earned: &PartnerEarned) {
        let (fund, currency) = (self.s.fund.id, self.s.fund.currency);
        let in_program = Money::new(earned.in_program, currency);
        let threshold = self.guide.earning.as_ref().and_then(|earning| earning.threshold);
        let threshold = threshold.filter(|_| earned.in_program > 0).map(|amount| self.guide.amount(amount));
        let line = self.line(earned.partner);
        line.earned.minor = earned.lots.values().sum();
        line.in_program = in_program;
        line.threshold = threshold;
        let to = match rules::under_threshold(self.guide, in_program).filter(|_| earned.in_program > 0) {
            Some(Below::Convert) => Account::converted(fund),
            Some(Below::Forfeit) => Account::forfeited(fund),
            Some(Below::Keep) | None => return,
        };
        for (lot, minor) in &earned.lots {
            let from = Account::available(fund, earned.partner, *lot);
            let taken = self.wallets.get(&from).copied().unwrap_or(0).min(*minor);
            if taken > 0 {
                self.post(Posting { from, to, amount: Money::new(taken, currency) });
                let line = self.line(earned.partner);
                let sum = if to.kind == AccountKind::Converted { &mut line.converted } else { &mut line.lost };
                sum.minor += taken;
            }
        }
    }

    /// Credit whose last good day has come by the period's end, oldest first.
    fn expire(&mut self, last: Date) {
        let due =
            self.wallets.iter().filter(|(account, minor)| account.lot.is_some_and(|day| day <= last) && **minor > 0);
        let mut due: Vec<(Account, i64)> = due.map(|(account, minor)| (*account, *minor)).collect();
        due.sort_by_key(|(account, _)| (account.lot, *account));
        for posting in expired(self.s, &due) {
            if let Some(partner) = posting.from.partner {
                let line = self.line(partner);
                let forfeited = posting.to.kind == AccountKind::Forfeited;
                let sum = if forfeited { &mut line.forfeited } else { &mut line.carried };
                sum.minor += posting.amount.minor;
            }
            self.post(posting);
        }
    }

    fn post(&mut self, posting: Posting) {
        let minor = posting.amount.minor;
        *self.wallets.entry(posting.from).or_default() -= minor;
        if posting.to.kind == AccountKind::Available {
            *self.wallets.entry(posting.to).or_default() += minor;
        }
        self.postings.push(posting);
    }

    fn done(mut self) -> (Vec<PartnerLine>, Vec<Posting>) {
        for (account, minor) in std::mem::take(&mut self.wallets) {
            let Some(partner) = account.partner.filter(|_| minor > 0) else { continue };
            let line = self.line(partner);
            line.stays.minor += minor;
            line.until = [line.until, account.lot].into_iter().flatten().min();
        }
        let mut lines: Vec<PartnerLine> = self.lines.into_values().collect();
        lines.sort_by(|one, other| (&one.name, one.partner).cmp(&(&other.name, other.partner)));
        (lines, self.postings)
    }
}
