//! What people do with a cycle: whatever the table of moves lets them, and now and then what it does not.

use super::Hand;
use domain::machine::{self, Act, Command, Situation};
use domain::steps::s7_execution;
use engine::{Submission, WhichCycle};
use kit::people::{ANA, BJORN, EVERYBODY, INES, JONAS, LUKAS, MARA, Persona, TOMAS, YUKI};
use rand::Rng;
use std::rc::Rc;

/// Cycles that are under way at once.
const CYCLES: usize = 8;
/// So many moves are thought of before a hand finds nothing to do.
const TRIES: usize = 8;

impl Hand<'_> {
    pub(super) async fn advance_a_cycle(&mut self) {
        let s = self.a_cycle().await;
        // Where there is nothing to write about, somebody looks whether the clock has something to do.
        let (mut who, mut act, mut command) = (MARA, Act::TickExecution, s7_execution::Command::Tick {}.into());
        let moves = moves(&s);
        for _ in 0..TRIES {
            let Some((someone, something)) = self.a_move(&moves) else { break };
            if let Some(written) = self.command(&s, someone, something).await {
                (who, act, command) = (someone, something, written);
                break;
            }
        }
        let who = if self.dice.random_ratio(1, 12) { self.one_of(&EVERYBODY) } else { who };
        let number = &s.cycle.number;
        let (actor, once) = (who.actor(), Submission::own());
        let answer = self.world.engine.advance(&actor, WhichCycle::Number(number), &command, &once).await;
        if self.told.hear(&act.words(), answer).is_none() {
            // Perhaps somebody else was quicker.
            if self.dice.random_ratio(1, 3) {
                self.told.seen.borrow_mut().remove(number);
            }
            return;
        }
        self.told.seen.borrow_mut().remove(number);
        if let Command::Execution(s7_execution::Command::ApproveClaim { claim, .. }) = command {
            self.told.payable.borrow_mut().push((number.clone(), claim));
        }
    }

    /// One that is under way, as somebody saw it last; what has ended makes room for a new one.
    async fn a_cycle(&mut self) -> Rc<Situation> {
        let place = self.dice.random_range(0..CYCLES);
        let known = self.told.cycles.borrow().get(place).cloned();
        if let Some(number) = known {
            let s = self.look(&number).await;
            if !s.cycle.stage.is_end() {
                return s;
            }
        }
        let who = self.one_of(&[MARA, JONAS]);
        let number = self.world.open_cycle(who).await;
        self.told.opened.borrow_mut().insert(number.clone());
        {
            let mut cycles = self.told.cycles.borrow_mut();
            match cycles.get_mut(place) {
                Some(ended) => ended.clone_from(&number),
                None => cycles.push(number.clone()),
            }
        }
        self.look(&number).await
    }

    async fn look(&self, number: &str) -> Rc<Situation> {
        if let Some(seen) = self.told.seen.borrow().get(number) {
            return seen.clone();
        }
        let s = Rc::new(self.world.look(number).await);
        self.told.seen.borrow_mut().insert(number.to_owned(), s.clone());
        s
    }

    /// Somebody, and what they could do here. What ends a cycle at once comes up rarely, and what leads nowhere less
    /// often than what leads on: so that walks get as far as claims, payments and claw backs.
    fn a_move(&mut self, moves: &[(Persona, Act)]) -> Option<(Persona, Act)> {
        let ends = [Act::CancelCycle, Act::CancelCampaign, Act::CancelActivity, Act::DeclineRequest];
        let backwards =
            [Act::WithdrawRequest, Act::ReturnRequest, Act::ReopenForecast, Act::ReopenActionPlan, Act::ReturnProof];
        let idle = [
            Act::VerifyScorecard,
            Act::AskInformation,
            Act::AnswerInformation,
            Act::Amend,
            Act::DenyClaim,
            Act::AskExtension,
        ];
        // A manager who hands in for a partner can decide on none of it.
        let papers = [Act::SubmitPlan, Act::SubmitRequest, Act::SubmitProof, Act::SubmitClaim, Act::Amend];
        let rare = self.dice.random_ratio(99, 100);
        let back = self.dice.random_ratio(4, 5);
        let likely: Vec<(Persona, Act)> = moves
            .iter()
            .filter(|(_, act)| !(rare && ends.contains(act) || back && (backwards.contains(act) || idle.contains(act))))
            .filter(|(who, act)| !(back && who.partner.is_none() && papers.contains(act)))
            .copied()
            .collect();
        (!likely.is_empty()).then(|| self.one_of(&likely))
    }
}

fn moves(s: &Situation) -> Vec<(Persona, Act)> {
    let of = |who: Persona| machine::moves_of(s, &who.actor()).into_iter().map(move |act| (who, act));
    [MARA, LUKAS, JONAS, ANA, BJORN, INES, TOMAS, YUKI].into_iter().flat_map(of).collect()
}
