//! Checking: received, executed, committed, revealed, done; and auditing, which ends in an
//! objection or in nothing.

use super::operator::{Operator, Standing, Work};
use super::{Action, Check, Duties, Finding, Outcome, Phase};
use crate::store::{AuditStage, CheckStage, JobKey, Prepared, StoreError};
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
            self.advance_check(key, check, duties).await?;
        }
        self.forget_unlisted(
            &listed,
            Work::Check,
            CheckStage::Done,
            "the chain no longer waits for this verdict",
        )
    }

    async fn advance_check(
        &mut self,
        key: JobKey,
        check: &Check,
        duties: &Duties,
    ) -> Result<(), StoreError> {
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
                self.commit(key, reveal, 0).await
            }
            (
                Some(CheckStage::Committed {
                    reveal,
                    transaction,
                    tries,
                }),
                Phase::Commit,
            ) => match self.standing(&transaction, duties) {
                Standing::Watched => Ok(()),
                Standing::Alive => {
                    self.send(Work::Check(key), &transaction).await;
                    Ok(())
                }
                Standing::Dead if tries >= self.pace.transactions => self.give_up(key, tries),
                Standing::Dead => self.commit(key, reveal, tries).await,
            },
            (
                Some(CheckStage::Executed(reveal) | CheckStage::Committed { reveal, .. }),
                Phase::Reveal,
            ) => self.reveal(key, reveal, 0).await,
            (
                Some(CheckStage::Revealed {
                    reveal,
                    transaction,
                    tries,
                }),
                Phase::Reveal,
            ) => match self.standing(&transaction, duties) {
                Standing::Watched => Ok(()),
                Standing::Alive => {
                    self.send(Work::Check(key), &transaction).await;
                    Ok(())
                }
                Standing::Dead if tries >= self.pace.transactions => self.give_up(key, tries),
                Standing::Dead => self.reveal(key, reveal, tries).await,
            },
            (Some(CheckStage::Revealed { .. }), Phase::Commit)
            | (Some(_), Phase::Committed)
            | (Some(CheckStage::Done(_)), _) => Ok(()),
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
        self.commit(key, reveal, 0).await
    }

    async fn commit(
        &mut self,
        key: JobKey,
        reveal: VerdictReveal,
        tries: u32,
    ) -> Result<(), StoreError> {
        let action = Action::CommitVerdict {
            request: key.request,
            commitment: hashing::verdict_commitment(
                key.request,
                &self.identity.controller,
                &reveal,
            ),
        };
        let Some(transaction) = self.sign(&action).await else {
            return Ok(());
        };
        let stage = CheckStage::Committed {
            reveal,
            transaction: transaction.clone(),
            tries: tries.saturating_add(1),
        };
        self.store.put(&key, &stage)?;
        info!(operator = %self.identity.name, request = %key.request, transaction = ?transaction.hash, "committing to a verdict");
        self.send(Work::Check(key), &transaction).await;
        Ok(())
    }

    async fn reveal(
        &mut self,
        key: JobKey,
        reveal: VerdictReveal,
        tries: u32,
    ) -> Result<(), StoreError> {
        let action = Action::RevealVerdict {
            request: key.request,
            reveal,
        };
        let Some(transaction) = self.sign(&action).await else {
            return Ok(());
        };
        let stage = CheckStage::Revealed {
            reveal,
            transaction: transaction.clone(),
            tries: tries.saturating_add(1),
        };
        self.store.put(&key, &stage)?;
        info!(operator = %self.identity.name, request = %key.request, verdict = ?reveal.verdict, transaction = ?transaction.hash, "revealing the verdict");
        self.send(Work::Check(key), &transaction).await;
        Ok(())
    }

    fn give_up(&mut self, key: JobKey, tries: u32) -> Result<(), StoreError> {
        let why = format!("gave up after {tries} transactions");
        warn!(operator = %self.identity.name, request = %key.request, "{why}");
        self.store.put(&key, &CheckStage::Done(why))
    }

    pub(super) fn check_fate(
        &mut self,
        key: JobKey,
        hash: H256,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let (current, last_step) = match self.store.get::<CheckStage>(&key)? {
            Some(CheckStage::Committed { transaction, .. }) => (transaction.hash, false),
            Some(CheckStage::Revealed { transaction, .. }) => (transaction.hash, true),
            _ => return Ok(()),
        };
        match outcome {
            Outcome::Included { block } if current == hash && last_step => {
                info!(operator = %self.identity.name, request = %key.request, block, "the verdict is on chain");
                self.metrics.verdicts.inc();
                let why = format!("revealed in block {block}");
                self.store.put(&key, &CheckStage::Done(why))
            }
            Outcome::Refused(reason) if current == hash => {
                let why = format!("the chain refused the verdict: {reason}");
                self.store.put(&key, &CheckStage::Done(why))
            }
            _ => Ok(()),
        }
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
                Some(AuditStage::Wrong(digest)) => self.object(key, digest, 0).await?,
                Some(AuditStage::Objected {
                    digest,
                    transaction,
                    tries,
                }) => match self.standing(&transaction, duties) {
                    Standing::Watched => {}
                    Standing::Alive => self.send(Work::Audit(key), &transaction).await,
                    Standing::Dead if tries >= self.pace.transactions => {
                        let why = format!("gave up after {tries} transactions");
                        self.store.put(&key, &AuditStage::Done(why))?;
                    }
                    Standing::Dead => self.object(key, digest, tries).await?,
                },
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
                self.object(key, finding.digest, 0).await
            }
        }
    }

    async fn object(&mut self, key: JobKey, digest: H256, tries: u32) -> Result<(), StoreError> {
        let action = Action::Object {
            request: key.request,
            digest,
        };
        let Some(transaction) = self.sign(&action).await else {
            return Ok(());
        };
        let stage = AuditStage::Objected {
            digest,
            transaction: transaction.clone(),
            tries: tries.saturating_add(1),
        };
        self.store.put(&key, &stage)?;
        info!(operator = %self.identity.name, request = %key.request, transaction = ?transaction.hash, "objecting");
        self.send(Work::Audit(key), &transaction).await;
        Ok(())
    }

    pub(super) fn audit_fate(
        &mut self,
        key: JobKey,
        hash: H256,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let Some(AuditStage::Objected {
            transaction: Prepared { hash: current, .. },
            ..
        }) = self.store.get::<AuditStage>(&key)?
        else {
            return Ok(());
        };
        let why = match outcome {
            Outcome::Included { block } if current == hash => {
                self.metrics.objections.inc();
                format!("objected in block {block}")
            }
            Outcome::Refused(reason) if current == hash => {
                format!("the chain refused the objection: {reason}")
            }
            _ => return Ok(()),
        };
        self.store.put(&key, &AuditStage::Done(why))
    }
}
