//! The payment, the accrual, the credit and the fund of a case.

use super::Bench;
use crate::Date;
use crate::money::{Currency, Money};
use crate::policy::case::{Exact, Exchange, Fund};
use crate::policy::rules::{
    Exchanged, Lot, Pot, Purchase, Settled, accrual_rate, accrual_split, accrual_threshold, credit_expiry,
    credit_order, earn_window, exchange_rate, fund_tree, offset, reinstatement, retention, settlement, settles,
};
use crate::policy::{Judgement, Verdict};
use rust_decimal::Decimal;

impl Bench<'_> {
    pub(super) fn payment(&mut self, pays: Option<Money>) {
        if let Some(exchange) = self.case.exchange.clone() {
            let of = self.exchanged(&exchange);
            self.say(exchange_rate(self.policy, &of));
        }
        let Some(payment) = self.case.payment.clone() else { return };
        let amount = self.read.some("payment.amount", payment.amount.as_ref()).or(pays);
        let recoverable = self.read.some("payment.recoverable", payment.recoverable.as_ref());
        if let (Some(amount), Some(recoverable)) = (amount, recoverable) {
            self.say(offset(amount, recoverable).1);
        }
        let claim = self.case.claim.as_ref().and_then(|claim| claim.approved.as_ref());
        let approved = self.read.some("payment.approved", payment.approved.as_ref().or(claim));
        if let (Some(approved), Some(parts)) = (approved.or(pays), &payment.instalments) {
            let parts: Vec<Money> = parts.iter().map(|part| self.read.money("payment.instalments", part)).collect();
            self.say(settlement(approved, &parts));
        }
        if let Some(amount) = amount.filter(|_| !payment.settles.is_empty()) {
            let parts: Vec<Settled> = payment
                .settles
                .iter()
                .map(|part| Settled {
                    claim: part.claim.clone(),
                    outstanding: self.read.money("payment.settles.outstanding", &part.outstanding),
                    amount: self.read.money("payment.settles.amount", &part.amount),
                })
                .collect();
            self.say(settles(amount, &parts));
        }
        if let Some(on) = payment.on {
            self.say(retention(self.policy, on));
        }
    }

    fn exchanged(&mut self, exchange: &Exchange) -> Exchanged {
        let from = self.read.currency("exchange.currency", Some(&exchange.currency));
        let rate = |said: Option<Exact>, on: Option<Date>| -> Option<Decimal> {
            said.map(|exact| exact.0).or_else(|| {
                let on = on?;
                let known = exchange.rates.iter().filter(|row| row.on <= on).max_by_key(|row| row.on);
                known.map(|row| row.rate.0)
            })
        };
        Exchanged {
            amount: self.read.money_in("exchange.amount", &exchange.amount, from),
            into: self.policy.guide.currency,
            at_approval: rate(exchange.at_approval, exchange.approved_on),
            at_claim: rate(exchange.at_claim, exchange.claimed_on),
            at_settlement: rate(exchange.at_settlement, exchange.settled_on),
        }
    }

    pub(super) fn purchase(&mut self) -> Option<Purchase> {
        let accrual = self.case.accrual.clone()?;
        Some(Purchase {
            on: accrual.on,
            tier: self.case.partner.tier.clone(),
            product: accrual.product.clone(),
            amount: self.read.some("accrual.purchases", accrual.purchases.as_ref()),
            units: accrual.units,
        })
    }

    pub(super) fn earning(&mut self) {
        let Some(purchase) = self.purchase() else { return };
        if let Some(on) = purchase.on {
            self.say(earn_window(self.policy, on));
        }
        if purchase.amount.is_some() || purchase.units.is_some() {
            self.say(accrual_rate(self.policy, &purchase).1);
        }
        if let Some(accrued) = self.accrued() {
            let verdict = accrual_threshold(self.policy, accrued);
            // What is converted or lost is not there to be split.
            let kept = verdict.outcome != Judgement::Warn;
            self.say(verdict);
            self.say(if kept {
                accrual_split(self.policy, accrued)
            } else {
                Verdict::not_applicable("accrual_split", "Nothing of it becomes credit.")
            });
        }
    }

    pub(super) fn credit(&mut self) {
        let Some(credit) = self.case.credit.clone() else { return };
        let today = self.case.today;
        let mut lots = Vec::with_capacity(credit.lots.len());
        for (index, lot) in credit.lots.iter().enumerate() {
            let amount = self.read.money(&format!("credit.lots.{index}.amount"), &lot.amount);
            let rules = self.policy.credit.as_ref();
            let earned = lot.earned_on.and_then(|on| rules.and_then(|rules| rules.expires(on)));
            lots.push(Lot { amount, expires: lot.expires.or(earned) });
        }
        for lot in &lots {
            self.say(credit_expiry(self.policy, *lot, today));
        }
        if let Some(spend) = &credit.spend {
            let spend = self.read.money("credit.spend", spend);
            self.say(credit_order(&lots, spend, today));
        }
        if let Some(again) = &credit.reinstate {
            let amount = self.read.money("credit.reinstate.amount", &again.amount);
            self.say(reinstatement(self.policy, amount, &again.by, again.expires, today));
        }
    }

    pub(super) fn fund_tree(&mut self) {
        let Some(fund) = self.case.fund.clone().filter(|fund| !fund.children.is_empty()) else { return };
        let Some(parent) = self.pot(&fund) else {
            self.say(Verdict::not_applicable("fund_tree", "Nothing says what the parent fund holds."));
            return;
        };
        let children: Vec<Pot> = fund.children.iter().filter_map(|child| self.pot(child)).collect();
        self.say(fund_tree(&parent, &children));
    }

    fn pot(&mut self, fund: &Fund) -> Option<Pot> {
        let currency: Currency = self.read.currency("fund.currency", fund.currency.as_deref());
        let budget = self.read.money_in("fund.budget", fund.budget.as_ref()?, currency);
        Some(Pot { name: fund.name.clone().unwrap_or_else(|| "the fund".to_owned()), currency, budget })
    }
}
