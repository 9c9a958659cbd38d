//! The proof and the claim of a case.

use super::Bench;
use super::request::{name_of, name_of_line};
use crate::Date;
use crate::money::Money;
use crate::policy::case::{Claim, Doing, Extension, Line};
use crate::policy::rules::{
    Claimed, ClaimedActivity, ClaimedLine, Handed, MoreTime, Provable, Window, checklist, extension, final_claim,
    invoice, minimum_claim, most_claims, pays, proof_reminders, proof_window, proven, resubmission, window,
    window_reminders,
};
use crate::policy::{Extendable, Judgement, Verdict};

impl Bench<'_> {
    pub(super) fn proof(&mut self, doings: &[Doing]) {
        let proof = self.case.proof.clone().unwrap_or_default();
        for doing in doings {
            let name = name_of(self.policy, doing);
            if let Some(files) = &proof.files {
                let kind = doing.kind.as_deref().and_then(|code| self.policy.activity_type(code));
                let files: Vec<Handed> = files
                    .iter()
                    .map(|file| Handed {
                        item: file.item.clone(),
                        name: file.name.clone(),
                        columns: file.columns.clone(),
                    })
                    .collect();
                self.say(match kind {
                    Some(kind) => checklist(kind, &name, &files),
                    None => Verdict::not_applicable("proof_checklist", "The activity is of no type the guide knows."),
                });
            }
            let Some(ends) = doing.ends else { continue };
            let handed_in = proof.handed_in.filter(|_| proof.returned.is_none());
            let more = self.more_proof_time(ends);
            let of = Provable { ends, returned: proof.returned, extended: more.as_ref().map_or(0, |(days, _)| *days) };
            if let Some((_, verdict)) = more {
                self.say(verdict);
            }
            self.say(proof_window(self.policy, &name, of, handed_in));
            self.say(proof_reminders(self.policy, &name, of));
            if let Some(returned) = proof.returned {
                self.say(resubmission(self.policy, &name, of, returned, proof.handed_in));
            }
        }
    }

    /// The days an extension of the proof's window adds, where the case asks for one; `None` where it asks for none.
    fn more_proof_time(&self, ends: Date) -> Option<(u16, Verdict)> {
        let asked = self.case.proof.as_ref()?.extension.as_ref()?;
        Some(self.more_time(Extendable::Proof, self.policy.proof_due(ends), asked))
    }

    fn more_time(&self, window: Extendable, last: Date, asked: &Extension) -> (u16, Verdict) {
        let (asked_on, wanted, number) = (asked.asked_on, asked.days, asked.number);
        let verdict = extension(self.policy, MoreTime { window, last, asked_on, wanted, number });
        (if verdict.outcome == Judgement::Pass { wanted } else { 0 }, verdict)
    }

    /// Judges the claim; what it pays, where it says what was spent.
    pub(super) fn claim(&mut self, doings: &[Doing]) -> Option<Money> {
        self.window(doings);
        let claim = self.case.claim.clone()?;
        let name = doings.first().map_or_else(|| "The campaign".to_owned(), |doing| name_of(self.policy, doing));
        self.papers(&claim, doings, &name);
        let earlier: Vec<Money> = claim.earlier.iter().map(|amount| self.read.money("claim.earlier", amount)).collect();
        let most = [self.policy.claim.most_per_campaign, self.policy.claim.most_per_activity];
        let most = most.into_iter().flatten().min();
        self.say(most_claims(&name, most, earlier.len()));
        let taken: i64 = earlier.iter().map(|amount| amount.minor).sum();
        let activities: Vec<ClaimedActivity> =
            doings.iter().zip(1..).map(|(doing, no)| self.claimed(&claim, doing, no, taken, doings.len())).collect();
        if activities.iter().all(|activity| activity.lines.is_empty()) {
            return None;
        }
        let claimed = Claimed {
            name,
            currency: self.policy.guide.currency,
            tier: self.case.partner.tier.clone(),
            accrual: self.accrued(),
            is_final: claim.is_final,
            activities,
        };
        let (amount, verdicts) = pays(self.policy, &claimed);
        // What the plan was cut by is said of the plan; what counts now is what was spent.
        let spoken = |verdict: &Verdict| verdict.outcome != Judgement::NotApplicable;
        let about_cost = |rule: &str| rule == "cap" || rule == "eligible_cost";
        if verdicts.iter().any(|verdict| about_cost(&verdict.rule) && spoken(verdict)) {
            self.verdicts.retain(|verdict| !about_cost(&verdict.rule));
        }
        let already = |bench: &Self, rule: &str| bench.verdicts.iter().any(|verdict| verdict.rule == rule);
        for verdict in verdicts {
            if spoken(&verdict) || !already(self, &verdict.rule) {
                self.say(verdict);
            }
        }
        self.say(minimum_claim(self.policy, amount, claim.is_final));
        Some(amount)
    }

    fn window(&mut self, doings: &[Doing]) {
        let (policy, case) = (self.policy, self.case);
        let last = doings.iter().filter_map(|doing| doing.ends).max();
        let Some(ends) = last.or(self.period_ends()).or(policy.claim.last_day) else { return };
        let claim = case.claim.as_ref();
        let asked = claim.and_then(|claim| claim.extension.as_ref());
        if doings.is_empty() && claim.is_none() && self.period_ends().is_none() {
            return;
        }
        let claimed_on: Option<Date> = claim.and_then(|claim| claim.claimed_on.or(case.today));
        let name = doings.last().map_or_else(|| "The period".to_owned(), |doing| name_of(self.policy, doing));
        let mut of = Window {
            name,
            ends,
            period_ends: self.period_ends(),
            first: case.partner.first_claim,
            // What gives more time to prove gives as much more to claim.
            extended: self.more_proof_time(ends).map_or(0, |(days, _)| days),
            claimed_on,
        };
        if let Some(asked) = asked {
            let (granted, verdict) = self.more_time(Extendable::Claim, of.last_day(policy), asked);
            of.extended += granted;
            self.say(verdict);
        }
        self.say(window(policy, &of));
        self.say(window_reminders(policy, &of));
    }

    fn papers(&mut self, claim: &Claim, doings: &[Doing], name: &str) {
        if let Some(holds) = claim.proven {
            self.say(proven(name, holds));
        }
        if let Some(made) = claim.final_made {
            self.say(final_claim(name, made));
        }
        if let Some(there) = claim.invoice {
            self.say(invoice("The claim", there));
        }
        for line in doings.iter().flat_map(|doing| &doing.lines).filter(|line| line.actual.is_some()) {
            if let Some(there) = line.invoice {
                let what = format!("“{}”", name_of_line(self.policy, line, name));
                self.say(invoice(&what, there));
            }
        }
    }

    fn claimed(&mut self, claim: &Claim, doing: &Doing, no: u16, taken: i64, of: usize) -> ClaimedActivity {
        let mut lines: Vec<Line> = doing.lines.iter().filter(|line| line.actual.is_some()).cloned().collect();
        if lines.is_empty() && no == 1 && claim.actual.is_some() {
            let (actual, category) = (claim.actual.clone(), claim.category.clone());
            lines.push(Line { category, actual, ..Line::default() });
        }
        if of > 1 && claim.approved.is_some() {
            self.read.refuse("claim.approved", "there are several activities: say `approved` of each of them");
        }
        let policy = self.policy;
        let name = name_of(policy, doing);
        let approved = doing.approved.as_ref().or(claim.approved.as_ref());
        let approved = self.read.some(&format!("activity {no}, approved"), approved);
        let spent = lines.iter().zip(1..).map(|(line, number): (&Line, u16)| ClaimedLine {
            name: name_of_line(policy, line, &name),
            category: line.category.clone(),
            actual: self
                .read
                .some(&format!("activity {no}, line {number}, actual"), line.actual.as_ref())
                .unwrap_or(Money::zero(self.policy.guide.currency)),
            units: line.units,
        });
        ClaimedActivity {
            no,
            lines: spent.collect(),
            kind: doing.kind.clone(),
            starts: doing.starts.or(doing.ends),
            sponsors: doing.sponsors,
            heads: doing.heads,
            left: approved.map(|approved| approved.minor - if no == 1 { taken } else { 0 }),
            name,
        }
    }
}
