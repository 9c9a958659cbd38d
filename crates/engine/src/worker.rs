//! The worker: timers whose day has come, mails that wait. Rows are leased, so several processes share the work.

use crate::Engine;
use crate::advance::Submission;
use crate::error::{Error, Result};
use chrono::{Days, TimeDelta};
use domain::fund::FundCommand;
use domain::ids::CycleId;
use domain::machine::{self, Desk};
use domain::people::Actor;
use mailer::{Address, Mail};
use storage::rows::OutboxMail;
use storage::{Viewer, WhichCycle, WhichFund};
use uuid::Uuid;

/// A worker that dies loses its rows to another one after this long.
const LEASE: TimeDelta = TimeDelta::minutes(2);
const BATCH: u16 = 50;
/// Seconds until a mail is tried again, attempt by attempt; then it is given up and shown to the administrator.
const RETRIES: [i64; 8] = [10, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400];

/// What one pass did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pass {
    pub done: usize,
    pub failed: usize,
}

impl Engine {
    /// Runs until `stop`: looks at timers and mails `every` so often, at mails also as soon as there are some.
    pub async fn work(&self, every: std::time::Duration, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            self.one_round().await;
            tokio::select! {
                () = &mut stop => return,
                () = self.outbox_has_work.notified() => {}
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    async fn one_round(&self) {
        if let Err(error) = self.tick().await {
            tracing::error!(%error, "timers could not be run; they are tried again");
        }
        if let Err(error) = self.deliver().await {
            tracing::error!(%error, "mails could not be sent; they are tried again");
        }
    }

    /// One pass over everything whose time has come: cycles that wake, credit that expired, digests.
    pub async fn tick(&self) -> Result<Pass> {
        let mut pass = Pass::default();
        loop {
            let now = self.clock.now();
            let due = self.db.write(async |tx| tx.lease_cycles(now, now + LEASE, BATCH).await).await?;
            let leased = due.len();
            for cycle in due {
                match self.wake(cycle).await {
                    Ok(()) => pass.done += 1,
                    Err(error) => {
                        pass.failed += 1;
                        tracing::error!(%cycle, %error, "a timer failed; it is tried again when its lease ends");
                    }
                }
            }
            if leased < usize::from(BATCH) {
                break;
            }
        }
        self.forfeit_expired(&mut pass).await?;
        self.warn_of_expiry(&mut pass).await?;
        // Last, so that what the other timers had to say is gathered first.
        self.send_digests(&mut pass).await?;
        Ok(pass)
    }

    /// Issues what is due for one cycle; a cycle for which nothing is due goes back to sleep.
    async fn wake(&self, id: CycleId) -> Result<()> {
        let now = self.clock.now();
        let parts = self.reader().cycle_parts(&Viewer::system(), WhichCycle::Id(id)).await?;
        let situation = self.situation(parts)?;
        let sleep = async || {
            let next = machine::wake_at(&situation).filter(|next| *next > now);
            let (cycle, desk) = (&situation.cycle, Desk::waiting(&situation));
            Ok(self.db.write(async |tx| tx.put_to_sleep(cycle, next, desk.as_ref()).await).await?)
        };
        let Some(command) = machine::timer_command(&situation, now) else { return sleep().await };
        match self.advance(&Actor::system(), WhichCycle::Id(id), &command, &Submission::own()).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(refusal)) => {
                tracing::debug!(cycle = %situation.cycle.number, %refusal, "nothing was due");
                sleep().await
            }
            Err(error) => Err(error),
        }
    }

    async fn forfeit_expired(&self, pass: &mut Pass) -> Result<()> {
        let today = self.clock.today();
        let funds = self.db.write(async |tx| tx.funds_with_expired_credit(today).await).await?;
        for fund in funds {
            match self.fund(&Actor::system(), WhichFund::Id(fund), &FundCommand::Forfeit, &Submission::own()).await {
                Ok(_) | Err(Error::Refused(_)) => pass.done += 1,
                Err(error) => {
                    pass.failed += 1;
                    tracing::error!(%fund, %error, "expired credit could not be forfeited; it is tried again");
                }
            }
        }
        Ok(())
    }

    /// Partners hear of credit that expires within a month, and again within a week; each once, since the submission
    /// is named after fund, day and warning.
    async fn warn_of_expiry(&self, pass: &mut Pass) -> Result<()> {
        let today = self.clock.today();
        for (fund, lot) in self.reader().lots_expiring(today, today + Days::new(30)).await? {
            let ahead = if lot <= today + Days::new(7) { 7 } else { 30 };
            let once = Submission::new(format!("expiring/{fund}/{lot}/{ahead}"));
            match self.fund(&Actor::system(), WhichFund::Id(fund), &FundCommand::Warn { lot }, &once).await {
                Ok(_) | Err(Error::Refused(_)) => pass.done += 1,
                Err(error) => {
                    pass.failed += 1;
                    tracing::error!(%fund, %lot, %error, "partners could not be warned; it is tried again");
                }
            }
        }
        Ok(())
    }

    /// One pass over the outbox: every mail that is due is sent, retried later, or given up.
    pub async fn deliver(&self) -> Result<Pass> {
        let mut pass = Pass::default();
        loop {
            let now = self.clock.now();
            let due = self.db.write(async |tx| tx.lease_mails(now, now + LEASE, BATCH).await).await?;
            for row in &due {
                if self.send(row).await? { pass.done += 1 } else { pass.failed += 1 }
            }
            if due.len() < usize::from(BATCH) {
                return Ok(pass);
            }
        }
    }

    /// An administrator has a mail tried again that was given up.
    pub async fn revive_mail(&self, id: Uuid) -> Result<()> {
        let now = self.clock.now();
        self.db.write(async |tx| tx.revive_mail(id, now).await).await?;
        self.outbox_has_work.notify_one();
        Ok(())
    }

    async fn send(&self, row: &OutboxMail) -> Result<bool> {
        let mail = Mail {
            message_id: row.message_id.clone(),
            to: Address { name: row.to_name.clone(), email: row.to_email.clone() },
            subject: row.subject.clone(),
            text: row.text_body.clone(),
            html: row.html_body.clone(),
        };
        let sent = self.post.send(&mail, row.created_at).await;
        let now = self.clock.now();
        let Err(problem) = sent else {
            self.db.write(async |tx| tx.mail_sent(row.id, now).await).await?;
            return Ok(true);
        };
        let wait = RETRIES.get(usize::from(row.attempts.saturating_sub(1))).filter(|_| problem.temporary);
        let retry_at = wait.map(|seconds| now + TimeDelta::seconds(*seconds));
        tracing::warn!(mail = %row.id, topic = row.topic, problem = problem.words, ?retry_at, "a mail was not sent");
        self.db.write(async |tx| tx.mail_failed(row.id, &problem.words, retry_at).await).await?;
        Ok(false)
    }
}
