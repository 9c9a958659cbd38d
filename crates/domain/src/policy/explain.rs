//! The decision on a case, rule by rule: what `fundloop policy explain` prints.

mod claim;
mod money;
mod request;

use super::case::Reader;
use super::{CaseFile, CaseProblem, Judgement, Policy, Verdict, rules};
use crate::Date;
use crate::exchange::Rate;
use crate::money::Money;
use rust_decimal::Decimal;
use serde::Serialize;

/// The verdict of every rule the guide could have on a case, in the order of the loop.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Explanation {
    pub guide: String,
    pub version: String,
    pub currency: String,
    /// The worst of the rules: `fail` refuses it, `warn` lets it through with something to know.
    pub decision: Judgement,
    pub rules: Vec<Verdict>,
}

/// Judges a case by a guide. A rule the case says nothing about is not applicable.
pub fn explain(policy: &Policy, case: &CaseFile) -> Result<Explanation, CaseProblem> {
    let kept = in_currency(policy, case)?;
    let policy = kept.as_ref().unwrap_or(policy);
    let mut bench = Bench { policy, case, read: Reader::new(policy.guide.currency), verdicts: Vec::new() };
    let doings = case.doings();
    let asked = bench.request(&doings);
    bench.approval(asked);
    bench.proof(&doings);
    let pays = bench.claim(&doings);
    bench.payment(pays);
    bench.earning();
    bench.credit();
    bench.fund_tree();
    bench.read.done()?;
    let rules = sorted(bench.verdicts);
    let worst = |wanted: Judgement| rules.iter().any(|verdict| verdict.outcome == wanted);
    let order = [Judgement::Fail, Judgement::Warn, Judgement::Pass];
    let decision = order.into_iter().find(|wanted| worst(*wanted)).unwrap_or(Judgement::NotApplicable);
    Ok(Explanation {
        guide: policy.guide.name.clone(),
        version: policy.guide.version.clone(),
        currency: policy.guide.currency.code().to_owned(),
        decision,
        rules,
    })
}

/// The guide in the case's own currency, at the rate the case names; `None` where it is the guide's.
fn in_currency(policy: &Policy, case: &CaseFile) -> Result<Option<Policy>, CaseProblem> {
    let mut read = Reader::new(policy.guide.currency);
    let (from, to) = (policy.guide.currency, read.currency("currency", case.currency.as_deref()));
    let value = case.rate.as_ref().map(|rate| rate.0).filter(|rate| *rate > Decimal::ZERO);
    if from != to && value.is_none() {
        read.refuse("rate", &format!("say how many {to} one {from} is worth"));
    }
    read.done()?;
    let day = case.today.unwrap_or(policy.guide.effective_from);
    Ok(value.filter(|_| from != to).map(|value| policy.kept_in(&Rate { from, to, day, value })))
}

/// Every rule by its place in the loop; those that had nothing to say are named as well. What a rule says of people
/// reads as one: the sentence carries what would pass.
fn sorted(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let mut rules = Vec::with_capacity(verdicts.len());
    for name in rules::ALL {
        let of_it: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.rule == name).collect();
        if of_it.is_empty() {
            rules.push(Verdict::not_applicable(name, "The case or the guide says nothing this rule looks at."));
        }
        rules.extend(of_it.into_iter().cloned().map(|mut verdict| {
            if !verdict.remedy.is_empty() {
                verdict.sentence = format!("{} {}", verdict.sentence, verdict.remedy);
            }
            verdict
        }));
    }
    rules
}

/// A case under judgement.
struct Bench<'a> {
    policy: &'a Policy,
    case: &'a CaseFile,
    read: Reader,
    verdicts: Vec<Verdict>,
}

impl Bench<'_> {
    fn say(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict);
    }

    fn country(&self) -> Option<String> {
        self.case.partner.country.clone()
    }

    /// The last day of the period the case is about.
    fn period_ends(&self) -> Option<Date> {
        self.case.period.as_ref().and_then(|period| period.to)
    }

    /// What was earned in the period, said or worked out.
    fn accrued(&mut self) -> Option<Money> {
        let said = self.case.accrual.as_ref().and_then(|accrual| accrual.accrued.as_ref());
        if let Some(said) = said {
            return Some(self.read.money("accrual.accrued", said));
        }
        let purchase = self.purchase()?;
        let earning = self.policy.earning.as_ref()?;
        rules::earned(earning, &purchase, self.policy.guide.currency)
    }
}
