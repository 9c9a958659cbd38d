//! The request of a case, its approval and its amendment.

use super::Bench;
use crate::exchange::Rate;
use crate::fund::FundKind;
use crate::money::Money;
use crate::policy::case::{Doing, Line};
use crate::policy::rules::{
    Approved, AskedFund, Asker, Asking, Planned, PlannedLine, approvals, bands, judge, material_change, priced,
};
use crate::policy::{Judgement, Policy, Verdict};

impl Bench<'_> {
    /// Judges the request; what it asks in all, where it asks anything.
    pub(super) fn request(&mut self, doings: &[Doing]) -> Option<Money> {
        let request = self.case.request.clone();
        if doings.is_empty() && request.is_none() && self.case.fund.is_none() && !self.says_of_partner() {
            return None;
        }
        let asking = self.asking(doings);
        let mut verdicts = judge(self.policy, &asking);
        if asking.activities.iter().all(|activity| activity.lines.is_empty()) {
            // A case of an activity alone is no request of nothing.
            verdicts.retain(|verdict| verdict.outcome != Judgement::NotApplicable || verdict.rule == "lead_time");
        }
        self.verdicts.extend(verdicts);
        let most = priced(self.policy, &asking);
        let lines = asking.activities.iter().zip(&most).flat_map(|(activity, most)| activity.lines.iter().zip(most));
        let asked: i64 =
            lines.map(|(line, most)| line.asked.map_or(most.minor, |asked| asked.minor.min(most.minor))).sum();
        (asked > 0).then(|| Money::new(asked, asking.currency))
    }

    fn says_of_partner(&self) -> bool {
        let who = &self.case.partner;
        who.plan_agreed.is_some() || who.scorecard.is_some() || who.good_standing.is_some()
    }

    fn asking(&mut self, doings: &[Doing]) -> Asking {
        let case = self.case;
        let request = case.request.clone().unwrap_or_default();
        let who = &case.partner;
        let activities = doings.iter().zip(1..).map(|(doing, no)| self.planned(doing, no)).collect();
        let asked_on = request.asked_on.or(case.today.filter(|_| case.request.is_some()));
        let fund = case.fund.as_ref().map(|fund| AskedFund {
            name: fund.name.clone().unwrap_or_else(|| "The fund".to_owned()),
            currency: self.read.currency("fund.currency", fund.currency.as_deref()),
            free: None,
            rates: Vec::new(),
            case_by_case: fund.kind == Some(FundKind::Proposal),
        });
        let fund = fund.map(|asked| {
            let free = case.fund.as_ref().and_then(|fund| fund.free.as_ref());
            let (from, to) = (self.policy.guide.currency, asked.currency);
            let rates = case.fund.iter().flat_map(|fund| &fund.rates);
            let rates = rates.map(|row| Rate { from, to, day: row.on, value: row.rate.0 }).collect();
            let free = free.map(|free| self.read.money_in("fund.free", free, asked.currency));
            AskedFund { free, rates, ..asked }
        });
        let earlier = request.earlier.iter();
        let earlier = earlier.map(|(kind, sum)| (kind.clone(), self.read.money("request.earlier", sum))).collect();
        Asking {
            asked_on,
            currency: self.policy.guide.currency,
            partner: Asker {
                name: who.name.clone().unwrap_or_else(|| "the partner".to_owned()),
                tier: who.tier.clone(),
                country: who.country.clone(),
                plan_agreed: who.plan_agreed,
                scorecard: who.scorecard,
                good_standing: who.good_standing,
            },
            activities,
            late_reason: request.late_reason,
            terms_accepted: request.terms_accepted,
            justification: request.justification,
            fund: fund
                .filter(|fund| fund.free.is_some() || fund.case_by_case || fund.currency != self.policy.guide.currency),
            accrual: self.accrued(),
            earlier,
        }
    }

    fn planned(&mut self, doing: &Doing, no: u16) -> Planned {
        let mut lines: Vec<Line> = doing.lines.iter().filter(|line| line.cost.is_some()).cloned().collect();
        if let Some(request) = self.case.request.as_ref().filter(|_| lines.is_empty() && no == 1) {
            // Asked without a cost: the vendor's share is not known to be kept, but all other rules are.
            let cost = request.cost.clone().or_else(|| request.asked.clone());
            let line = Line {
                category: request.category.clone(),
                cost,
                asked: request.asked.clone().filter(|_| request.cost.is_some()),
                ..Line::default()
            };
            lines.extend(Some(line).filter(|line| line.cost.is_some()));
        }
        let policy = self.policy;
        let name = name_of(policy, doing);
        let planned = lines.iter().zip(1..).map(|(line, number)| {
            let place = |field: &str| format!("activity {no}, line {number}, {field}");
            let cost = line.cost.as_ref().map(|cost| self.read.money(&place("cost"), cost));
            PlannedLine {
                no: number,
                name: name_of_line(policy, line, &name),
                category: line.category.clone(),
                cost: cost.unwrap_or(Money::zero(self.policy.guide.currency)),
                units: line.units,
                asked: self.read.some(&place("asked"), line.asked.as_ref()),
                counts: None,
            }
        });
        Planned {
            no,
            lines: planned.collect(),
            kind: doing.kind.clone(),
            starts: doing.starts,
            ends: doing.ends,
            sponsors: doing.sponsors,
            heads: doing.heads,
            name,
        }
    }

    /// Who decides, whether they have, and which changes they decide again.
    pub(super) fn approval(&mut self, asked: Option<Money>) {
        if let Some(amendment) = &self.case.amendment {
            self.say(material_change(self.policy, &amendment.changed));
        }
        let approval = self.case.approval.clone().unwrap_or_default();
        let currency = self.read.currency("approval.currency", approval.currency.as_deref());
        let said = approval.amount.as_ref().map(|amount| self.read.money_in("approval.amount", amount, currency));
        let Some(amount) = said.or(asked) else { return };
        let country = self.country();
        let request = self.case.request.as_ref();
        let asked_on = approval.asked_on.or(request.and_then(|request| request.asked_on)).or(self.case.today);
        let verdict: Verdict = bands(self.policy, amount, country.as_deref(), asked_on, &approval.away);
        self.say(verdict);
        if !approval.decisions.is_empty() {
            let decisions: Vec<Approved> =
                approval.decisions.iter().map(|one| Approved { level: one.level, by: one.by.clone() }).collect();
            let by = request.and_then(|request| request.requested_by.as_deref());
            self.say(approvals(self.policy, amount, country.as_deref(), by, &decisions));
        }
    }
}

/// What an activity is called: by its name, else its type.
pub(super) fn name_of(policy: &Policy, doing: &Doing) -> String {
    let kind = doing.kind.as_deref().map(|kind| policy.activity_name(kind).to_owned());
    doing.name.clone().or(kind).unwrap_or_else(|| "The activity".to_owned())
}

/// What a line is called: by its name, else its category, else as its activity.
pub(super) fn name_of_line(policy: &Policy, line: &Line, activity: &str) -> String {
    let category = line.category.as_deref().map(|code| policy.category_name(code).to_owned());
    line.name.clone().or(category).unwrap_or_else(|| activity.to_owned())
}
