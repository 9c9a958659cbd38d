//! Another version of a guide, run over past requests and claims: what it would have said. Nothing is changed.

use crate::Engine;
use crate::advance::in_currency;
use crate::error::Result;
use domain::Date;
use domain::cycle::{Cycle, Partner};
use domain::ids::{PartnerId, ProgramId};
use domain::ledger::Book;
use domain::machine::Situation;
use domain::money::{Currency, Money};
use domain::policy::{Difference, Policy, compare};
use domain::steps::s7_execution::ClaimState;
use domain::steps::s8_tracking::Results;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::Viewer;
use storage::rows::Guide;

/// What another version of a guide changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Simulation {
    /// The version that was run.
    pub version: String,
    /// What was looked at.
    pub requests: usize,
    pub claims: usize,
    /// There were more, which were not looked at.
    pub more: bool,
    /// What the differences in money add up to, requests and claims apart: above zero is more than before.
    pub asked: Money,
    pub paid: Money,
    pub differences: Vec<Difference>,
}

/// Cycles are read this many at a time.
const BATCH: u32 = 200;

impl Engine {
    /// Runs a guide over the latest `most` requests of a program and the claims on them, as far as the viewer may see.
    pub async fn simulate(
        &self,
        viewer: &Viewer,
        program: ProgramId,
        policy: &Policy,
        most: usize,
    ) -> Result<Simulation> {
        let policy = Arc::new(policy.clone());
        let currency = policy.guide.currency;
        let (found, more) = self.asked(viewer, program, most).await?;
        let first_paid = first_paid(&found);
        let mut simulation = Simulation {
            version: policy.guide.version.clone(),
            requests: 0,
            claims: 0,
            more,
            asked: Money::zero(currency),
            paid: Money::zero(currency),
            differences: Vec::new(),
        };
        for (cycle, partner, guide) in found {
            let paid_before = first_paid.get(&cycle.partner).copied();
            simulation.requests += usize::from(cycle.request.submitted.is_some());
            simulation.claims += cycle.claims.iter().filter(|claim| claim.state != ClaimState::Denied).count();
            let mut s = self.as_it_was(cycle, partner, &guide)?;
            s.in_period = self.reader().in_period(&s.cycle, &s.policy).await?;
            let other = Situation {
                in_period: self.reader().in_period(&s.cycle, &policy).await?,
                policy: in_currency(policy.clone(), s.cycle.guide_rate.as_ref()),
                ..s.clone()
            };
            let first = |on: Date| paid_before.is_none_or(|paid| paid >= on);
            simulation.add(compare(&s, &other, first), currency);
        }
        Ok(simulation)
    }

    async fn asked(
        &self,
        viewer: &Viewer,
        program: ProgramId,
        most: usize,
    ) -> Result<(Vec<(Cycle, Partner, Guide)>, bool)> {
        let (mut found, mut below) = (Vec::new(), u32::MAX >> 1);
        loop {
            let batch = self.reader().asked_cycles(viewer, program, below, BATCH).await?;
            let Some(last) = batch.last().map(|(cycle, ..)| cycle.serial) else { return Ok((found, false)) };
            found.extend(batch);
            if found.len() > most {
                found.truncate(most);
                return Ok((found, true));
            }
            below = last;
        }
    }

    /// A past request as the rules look at it; balances are not part of it.
    fn as_it_was(&self, cycle: Cycle, partner: Partner, guide: &Guide) -> Result<Situation> {
        Ok(Situation {
            policy: in_currency(self.policy(guide)?, cycle.guide_rate.as_ref()),
            cycle,
            partner,
            benchmarks: self.catalog.benchmarks.clone(),
            template: self.catalog.scorecard.clone(),
            funds: Vec::new(),
            book: Book::default(),
            rates: Vec::new(),
            evidence: Vec::new(),
            results: Results::default(),
            batched: std::collections::BTreeMap::new(),
            reachable: std::collections::BTreeSet::new(),
            terms: Vec::new(),
            in_period: domain::policy::InPeriod::default(),
        })
    }
}

/// The day a partner was paid first, as far as the cycles tell.
fn first_paid(found: &[(Cycle, Partner, Guide)]) -> BTreeMap<PartnerId, Date> {
    let mut first = BTreeMap::new();
    for (cycle, ..) in found {
        let payments = cycle.claims.iter().flat_map(|claim| &claim.payments);
        if let Some(day) = payments.map(|payment| payment.at.date_naive()).min() {
            let known = first.entry(cycle.partner).or_insert(day);
            *known = day.min(*known);
        }
    }
    first
}

impl Simulation {
    fn add(&mut self, differences: Vec<Difference>, currency: Currency) {
        for difference in &differences {
            // What was asked in another currency is told by itself.
            if let Some((was, is)) = difference.amounts.filter(|(was, _)| was.currency == currency) {
                let sum = if difference.what == "claim" { &mut self.paid } else { &mut self.asked };
                *sum = Money::new(sum.minor + is.minor - was.minor, currency);
            }
        }
        self.differences.extend(differences);
    }
}
