//! Checking: received, executed, committed, revealed, done; and auditing, which ends in an
//! objection or in nothing.

use super::operator::{Operator, Work};
use super::queue::OpenDuty;
use super::{Action, Check, Duties, Finding, Outcome, Phase};
use crate::store::{AuditStage, CheckStage, JobKey, StoreError};
use noema_protocol::{hashing, Verdict, VerdictReveal};
use sp_core::H256;
use std::collections::HashSet;
use tracing::{error, info, warn};

impl Operator {
    pub(super) async fn validate(&mut self, duties: &Duties) -> Result<(), StoreError> {
        let mut listed = HashSet::new();
        for check in &duties.checks {
            let key = self.key(check.answer.question.request, check.round);
            listed.insert(key);
            self.advance_check(key, check).await?;
        }
        self.forget_unlisted(
            &listed,
            Work::Check,
            CheckStage::Done,
            "the chain no longer waits for this verdict",
        )
    }

    async fn advance_check(&mut self, key: JobKey, check: &Check) -> Result<(), StoreError> {
        let operator = self.identity.name.clone();
        let request = key.request;
        match (self.store.get::<CheckStage>(&key)?, check.phase) {
            (None, Phase::Commit) => {
                info!(%operator, %request, round = check.round, deadline = check.deadline, "this operator is to check an answer");
                self.store.put(&key, &CheckStage::Received)?;
                self.start_verdict(key, check)
            }
            (Some(CheckStage::Received), Phase::Commit) => self.start_verdict(key, check),
            (None | Some(CheckStage::Received), Phase::Committed | Phase::Reveal) => {
                let why = "a commitment of this operator is on chain, its opening is not in this store; it was made by another process or the store was lost";
                error!(%operator, %request, "{why}");
                self.store.put(&key, &CheckStage::Done(why.to_owned()))
            }
            (Some(CheckStage::Executed(reveal)), Phase::Commit) => {
                self.commit(key, reveal).await;
                Ok(())
            }
            (Some(CheckStage::Executed(reveal)), Phase::Reveal) => {
                let action = Action::RevealVerdict { request, reveal };
                self.perform(OpenDuty::Reveal(key), &action).await;
                Ok(())
            }
            (Some(CheckStage::Executed(_)), Phase::Committed) | (Some(CheckStage::Done(_)), _) => {
                Ok(())
            }
        }
    }

    fn start_verdict(&mut self, key: JobKey, check: &Check) -> Result<(), StoreError> {
        let checkpoint = check.answer.question.checkpoint;
        if !self.executor.has(&checkpoint) {
            let why = format!("checkpoint {checkpoint} is not loaded");
            warn!(operator = %self.identity.name, request = %key.request, "{why}; start the worker with it, or stop validating it on chain");
            return self.store.put(&key, &CheckStage::Done(why));
        }
        match self.start_check(Work::Check(key), check.answer.clone()) {
            Ok(()) => Ok(()),
            Err(why) => self.store.put(&key, &CheckStage::Done(why)),
        }
    }

    /// Stores a verdict with its salt, then commits to it.
    pub(super) async fn checked(
        &mut self,
        key: JobKey,
        finding: Finding,
        seconds: f64,
    ) -> Result<(), StoreError> {
        let Some(CheckStage::Received) = self.store.get::<CheckStage>(&key)? else {
            return Ok(());
        };
        let operator = &self.identity.name;
        let seconds = format!("{seconds:.2}");
        match finding.verdict {
            Verdict::Valid => {
                self.metrics.checks_valid.inc();
                info!(%operator, request = %key.request, seconds, "the answer is right");
            }
            Verdict::Invalid => {
                self.metrics.checks_invalid.inc();
                warn!(%operator, request = %key.request, seconds, reason = finding.reason, "the answer is wrong");
            }
        }
        let mut salt = H256::zero();
        if let Err(reason) = getrandom::fill(&mut salt.0) {
            error!(%operator, request = %key.request, %reason, "the system has no randomness for the salt; trying again at the next block");
            return Ok(());
        }
        let reveal = VerdictReveal {
            verdict: finding.verdict,
            digest: finding.digest,
            salt,
        };
        self.store.put(&key, &CheckStage::Executed(reveal))?;
        self.commit(key, reveal).await;
        Ok(())
    }

    async fn commit(&mut self, key: JobKey, reveal: VerdictReveal) {
        let action = Action::CommitVerdict {
            request: key.request,
            commitment: hashing::verdict_commitment(
                key.request,
                &self.identity.controller,
                &reveal,
            ),
        };
        self.perform(OpenDuty::Commit(key), &action).await;
    }

    pub(super) fn reveal_fate(&mut self, key: JobKey, outcome: Outcome) -> Result<(), StoreError> {
        let Outcome::Included { block } = outcome else {
            return Ok(());
        };
        info!(operator = %self.identity.name, request = %key.request, block, "the verdict is on chain");
        self.metrics.verdicts.inc();
        let why = format!("revealed in block {block}");
        self.store.put(&key, &CheckStage::Done(why))
    }

    // Auditing.

    pub(super) async fn audit(&mut self, duties: &Duties) -> Result<(), StoreError> {
        if !self.identity.audits {
            return Ok(());
        }
        let mut listed = HashSet::new();
        for answer in &duties.open_answers {
            let key = self.key(answer.question.request, 0);
            listed.insert(key);
            match self.store.get::<AuditStage>(&key)? {
                None | Some(AuditStage::Received) => {
                    if !self.executor.has(&answer.question.checkpoint) {
                        continue;
                    }
                    self.store.put(&key, &AuditStage::Received)?;
                    if let Err(why) = self.start_check(Work::Audit(key), answer.clone()) {
                        self.store.put(&key, &AuditStage::Done(why))?;
                    }
                }
                Some(AuditStage::Wrong(digest)) => self.object(key, digest).await,
                Some(AuditStage::Done(_)) => {}
            }
        }
        self.forget_unlisted(
            &listed,
            Work::Audit,
            AuditStage::Done,
            "the time to object is over",
        )
    }

    pub(super) async fn audited(
        &mut self,
        key: JobKey,
        finding: Finding,
    ) -> Result<(), StoreError> {
        let Some(AuditStage::Received) = self.store.get::<AuditStage>(&key)? else {
            return Ok(());
        };
        match finding.verdict {
            Verdict::Valid => self
                .store
                .put(&key, &AuditStage::Done("the answer is right".into())),
            Verdict::Invalid => {
                warn!(operator = %self.identity.name, request = %key.request, reason = finding.reason, "an answer that nobody was drawn to check is wrong");
                self.store.put(&key, &AuditStage::Wrong(finding.digest))?;
                self.object(key, finding.digest).await;
                Ok(())
            }
        }
    }

    async fn object(&mut self, key: JobKey, digest: H256) {
        let action = Action::Object {
            request: key.request,
            digest,
        };
        self.perform(OpenDuty::Object(key), &action).await;
    }

    pub(super) fn objection_fate(
        &mut self,
        key: JobKey,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let Outcome::Included { block } = outcome else {
            return Ok(());
        };
        self.metrics.objections.inc();
        let why = format!("objected in block {block}");
        self.store.put(&key, &AuditStage::Done(why))
    }
}
