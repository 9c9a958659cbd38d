//! What every page of a cycle begins with, and the words for the states of what hangs on it.

use domain::Date;
use domain::cycle::{Party, Stage};
use domain::machine::{Situation, health};
use domain::steps::s5_request::{Judgement, Verdict};
use domain::steps::s7_execution::{ActivityState, ClaimState};

use super::cycle::stage_badge;
use super::parts::{Badge, Fact, RuleLine, Rules, Tone};
use super::record::{HeaderStrip, Rail};
use super::words::{Amount, Due};

impl HeaderStrip {
    /// The head of a cycle's pages: who has it, by when, how much, and what is to be done.
    pub fn of(s: &Situation, today: Date) -> Self {
        let health = health(s);
        let since = format!("since {}", domain::calendar::words(health.since.date_naive()));
        let mut facts = vec![Fact::new("Who has it", who_has_it(s, health.waiting_on)).note(since)];
        match health.due {
            Some(on) => facts.push(Fact::new("By when", Due { on, today }).note(health.task)),
            None => facts.push(Fact::new("What is next", health.task)),
        }
        facts.push(how_much(s));
        Self {
            number: s.cycle.number.clone(),
            title: s.cycle.title.clone(),
            about: s.partner.name.clone(),
            about_href: None,
            judged: Some(judged(s)),
            state: stage_badge(s.cycle.stage, s.cycle.level),
            rail: Some(Rail::of(&s.cycle)),
            facts,
        }
    }
}

/// The version of the guide a cycle is judged by, and its page. The program is named by its id, which the cycle knows.
fn judged(s: &Situation) -> (String, String) {
    let version = &s.policy.guide.version;
    (version.clone(), crate::pages::guide::href(&s.cycle.program.to_string(), version))
}

/// “Nordwind Systems”, “Channel director EMEA, level 2”, “Nobody”.
fn who_has_it(s: &Situation, party: Party) -> String {
    match party {
        Party::Partner => s.partner.name.clone(),
        Party::Manager => "Channel manager".to_owned(),
        Party::Approvers => s
            .policy
            .band(s.cycle.level, &s.partner)
            .map_or_else(|| "Approvers".to_owned(), |band| format!("{}, level {}", band.name, band.level)),
        Party::Finance => "Finance".to_owned(),
        Party::Nobody => "Nobody".to_owned(),
    }
}

/// The figure that matters at this stage: cost, asked, approved or paid.
fn how_much(s: &Situation) -> Fact {
    let cycle = &s.cycle;
    let cost = cycle.sum(cycle.campaigns.iter().map(|campaign| campaign.draft.cost));
    let asked = cycle.request.total(cycle);
    let approved = cycle.sum(cycle.approval.lines.iter().map(|line| line.amount));
    let paid = cycle.sum(cycle.claims.iter().map(domain::steps::s7_execution::Claim::paid));
    if approved.is_positive() && cycle.stage != Stage::ApprovalReview {
        return Fact::new("How much", approved).note(format!("approved, {} paid", Amount::from(paid).plain()));
    }
    if asked.is_positive() {
        return Fact::new("How much", asked).note(format!("asked of {}", Amount::from(cost).plain()));
    }
    if cost.is_positive() {
        return Fact::new("How much", cost).note("all campaigns, whoever pays");
    }
    Fact::new("How much", "Nothing planned yet")
}

/// An activity's state with its tone.
pub fn activity_badge(state: ActivityState) -> Badge {
    let tone = match state {
        ActivityState::Planned => Tone::Off,
        ActivityState::Live => Tone::Info,
        ActivityState::ProofReview => Tone::Wait,
        ActivityState::Proven => Tone::Ok,
        ActivityState::Cancelled => Tone::Off,
        ActivityState::Expired => Tone::Bad,
    };
    Badge::new(tone, capital(state.label()))
}

/// A claim's state with its tone.
pub fn claim_badge(state: ClaimState) -> Badge {
    let tone = match state {
        ClaimState::Review => Tone::Wait,
        ClaimState::Denied => Tone::Bad,
        ClaimState::Payable | ClaimState::PartPaid => Tone::Info,
        ClaimState::Paid => Tone::Ok,
        ClaimState::ClawedBack => Tone::Warn,
    };
    Badge::new(tone, capital(state.label()))
}

/// The word with its first letter large, as labels stand.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl Rules {
    /// The guide's judgement, what fails first.
    pub fn of(verdicts: &[Verdict]) -> Self {
        let order = |outcome: Judgement| match outcome {
            Judgement::Fail => 0,
            Judgement::Warn => 1,
            Judgement::Pass => 2,
            Judgement::NotApplicable => 3,
        };
        let mut sorted: Vec<&Verdict> = verdicts.iter().collect();
        sorted.sort_by_key(|verdict| order(verdict.outcome));
        let line = |verdict: &&Verdict| RuleLine {
            result: match verdict.outcome {
                Judgement::Pass => Badge::new(Tone::Ok, "Pass"),
                Judgement::Warn => Badge::new(Tone::Warn, "Warns"),
                Judgement::Fail => Badge::new(Tone::Bad, "Fails"),
                Judgement::NotApplicable => Badge::new(Tone::Off, "Not here"),
            },
            words: format!("{} {}", verdict.sentence, verdict.remedy).trim().to_owned(),
        };
        Self { rules: sorted.iter().map(line).collect() }
    }

    /// "9 pass, 1 warns, 2 fail"; what there is none of is left away.
    pub fn words(verdicts: &[Verdict]) -> String {
        let count = |wanted: Judgement| verdicts.iter().filter(|verdict| verdict.outcome == wanted).count();
        let say = |number: usize, one: &str, many: &str| {
            (number > 0).then(|| format!("{number} {}", if number == 1 { one } else { many }))
        };
        let parts = [
            say(count(Judgement::Fail), "fails", "fail"),
            say(count(Judgement::Warn), "warns", "warn"),
            say(count(Judgement::Pass), "passes", "pass"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_fail_stand_first_and_are_counted() {
        let verdicts = [Verdict::pass("x", "a"), Verdict::fail("x", "b", ""), Verdict::pass("x", "c")];
        let rules = Rules::of(&verdicts);
        assert_eq!(rules.rules.iter().map(|rule| rule.words.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(Rules::words(&verdicts), "1 fails, 2 pass");
        assert_eq!(capital("in review"), "In review");
    }
}
