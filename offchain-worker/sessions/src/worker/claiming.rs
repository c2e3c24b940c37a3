//! What a worker does at each finalized block: it takes the facts of the chain, and claims.

use super::served::Served;
use super::{ServedSessions, SessionFacts};
use crate::{SessionStoreError, SignatureBytes, WorkerRecord, WorkerRefusal};
use noema_economics::Balance;
use noema_protocol::SessionId;
use noema_sessions::{Stage, Voucher, WorkerPhase, WorkerSide};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tracing::{error, info};

/// While a session closes, an answer in progress may end, and be paid, as long as more blocks than these remain for
/// claims.
const LAST_CALL: u64 = 60;

/// A step of a worker on chain, which the chain refuses where it was taken already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStep {
    /// It claims a bundle.
    Claim(Box<ClaimStep>),
    /// It waives the rest of its window in a session that closes, as nothing is left to claim: the rest of the hold
    /// returns to the payer at once.
    End {
        /// The session.
        session: SessionId,
        /// How many of its answers are claimed.
        claimed: u32,
    },
}

/// A claim to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimStep {
    /// The voucher.
    pub voucher: Voucher,
    /// The signature of the voucher key.
    pub signature: SignatureBytes,
}

impl ServedSessions {
    /// Takes the worker's sessions that have not ended, and the part of its bond that is not locked, as of the
    /// finalized block `now`. Returns the steps to take. Blocks on the store.
    ///
    /// # Errors
    /// When the store fails; the next block tries again.
    pub fn look(
        &self,
        facts: &[SessionFacts],
        free_bond: Balance,
        now: u64,
    ) -> Result<Vec<SessionStep>, SessionStoreError> {
        self.bond.set_free(free_bond);
        let mut steps = Vec::new();
        let mut sessions = BTreeMap::new();
        let mut is_new = false;
        let mut failure = None;
        for facts in facts {
            if matches!(facts.stage, Stage::Unseeded | Stage::Ended(_)) {
                continue;
            }
            let id = facts.terms.session;
            is_new |= !self.serves(id);
            let served = match self.find(facts) {
                Ok(Some(served)) => served,
                Ok(None) => continue,
                // What can be claimed of others is claimed nevertheless.
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            steps.extend(self.look_at(&served, facts, now));
            self.bond.refresh(&served.record().side);
            sessions.insert(id, served);
        }
        if is_new {
            failure = self.see(now).err().or(failure);
        }
        let mut served = self
            .sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *served, sessions);
        for (id, gone) in before {
            if !served.contains_key(&id) {
                gone.stop();
                self.bond.release(id);
            }
        }
        match failure {
            Some(error) if steps.is_empty() => Err(error),
            Some(error) => {
                error!(%error, "the store of sessions failed; what it has is claimed");
                Ok(steps)
            }
            None => Ok(steps),
        }
    }

    /// Records that a session was first seen in block `now`, or in a later one.
    fn see(&self, now: u64) -> Result<(), SessionStoreError> {
        match self.store.block()? < now {
            true => self.store.set_block(now),
            false => Ok(()),
        }
    }

    /// The sessions in the store that are not served in the finalized block `now`: their records may not be needed any
    /// longer. There are none while the chain of the node is shorter than that on which sessions were seen: a node that
    /// still synchronises does not know them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn left_over(&self, now: u64) -> Result<Vec<SessionId>, SessionStoreError> {
        if now < self.store.block()? {
            return Ok(Vec::new());
        }
        let mut stored = self.store.sessions(self.worker)?;
        stored.retain(|session| !self.serves(*session));
        Ok(stored)
    }

    /// Removes what no claim needs any longer: of a session that is still there, the claimed answers before those of
    /// its open claims; of another, everything.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tidy(
        &self,
        session: SessionId,
        facts: Option<&SessionFacts>,
    ) -> Result<(), SessionStoreError> {
        let Some(facts) = facts else {
            return self.store.forget(self.worker, session, None);
        };
        if matches!(facts.stage, Stage::Ended(_)) && facts.open_claims.is_empty() {
            return self.store.forget(self.worker, session, None);
        }
        let open = facts.open_claims.iter().map(|open| open.first);
        let before = open.min().unwrap_or(facts.claimed).min(facts.claimed);
        self.store.forget(self.worker, session, Some(before))
    }

    /// The session as it is served, or as it is in the store, or a new one; `None` if its records are lost.
    fn find(&self, facts: &SessionFacts) -> Result<Option<Arc<Served>>, SessionStoreError> {
        let id = facts.terms.session;
        let terms = facts.terms.hash(self.genesis);
        let is_same = |record: &WorkerRecord| record.side.agreement().terms == terms;
        if let Some(served) = self.served(id) {
            let is_known = is_same(&served.record());
            if is_known {
                return Ok(Some(served));
            }
        }
        match self.store.get(self.worker, id)? {
            Some(record) if is_same(&record) => {
                return Ok(Some(Arc::new(Served::new(facts, record))));
            }
            // A development chain that is restarted counts from zero again.
            Some(_) => self.store.forget(self.worker, id, None)?,
            None => {}
        }
        if facts.claimed > 0 {
            return Ok(None);
        }
        let record = Served::fresh(facts, self.genesis);
        Ok(Some(Arc::new(Served::new(facts, record))))
    }

    /// Takes the facts on a session, and closes its bundle if that is due. Returns the step to take.
    fn look_at(&self, served: &Served, facts: &SessionFacts, now: u64) -> Option<SessionStep> {
        let is_due = self.is_claim_due(served, facts, now);
        let closes = matches!(facts.stage, Stage::Closing { .. });
        let advance = |record: &mut WorkerRecord| {
            record.side.set_held(facts.held);
            record.side.set_claimed(facts.claimed);
            if record.side.closed().is_none() {
                record.closed = None;
            }
            let closed = match is_due {
                Due::No => false,
                Due::Claim => record.side.close_bundle().is_ok(),
                Due::Last => record.side.close_last().is_ok(),
            };
            if closed {
                record.closed = record.present.take();
            }
            // In this step, so that no ask is accepted after it.
            let is_over = closes && is_settled(&record.side, facts);
            served.is_over.store(is_over, Ordering::Relaxed);
            (closed, is_over)
        };
        let stepped = match self.step(served, advance) {
            // What was earned is on disk, so it is claimed. This step is stored with the next one.
            Err(WorkerRefusal::NoRoom | WorkerRefusal::Failed) => Ok(advance(&mut served.record())),
            stepped => stepped,
        };
        match stepped {
            Ok((true, _)) => {
                *served.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
                served.wants_claim.store(false, Ordering::Relaxed);
                info!(session = %served.id, "claims the answers of a session");
            }
            Ok((false, true)) => {
                return Some(SessionStep::End {
                    session: served.id,
                    claimed: facts.claimed,
                });
            }
            Ok((false, false)) => {}
            Err(refusal) => error!(session = %served.id, %refusal, "a session cannot be claimed"),
        }
        let record = served.record();
        let bundle = record.side.closed()?;
        let voucher = bundle.voucher(record.side.agreement());
        let signature = record.closed?;
        let claim = || SessionStep::Claim(Box::new(ClaimStep { voucher, signature }));
        (voucher.first == facts.claimed).then(claim)
    }

    fn is_claim_due(&self, served: &Served, facts: &SessionFacts, now: u64) -> Due {
        let (phase, exposure, closed) = {
            let record = served.record();
            let side = &record.side;
            (
                *side.phase(),
                side.bundle().exposure(),
                side.closed().is_some(),
            )
        };
        if let Stage::Closing { until } = facts.stage {
            let is_last_call = u64::from(until).saturating_sub(now) <= LAST_CALL;
            return match phase {
                WorkerPhase::Answering(_) if served.is_running() && !is_last_call => Due::No,
                WorkerPhase::Unpaid(_) if !is_last_call => Due::No,
                _ => Due::Last,
            };
        }
        if exposure == 0 || closed {
            return Due::No;
        }
        let since = *served
            .since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(now);
        let is_old = now.saturating_sub(since) >= self.limits.claim_after;
        let largest = self.bond.largest_claim(&served.record().side);
        let is_large = exposure.saturating_mul(2) >= largest;
        match is_old || is_large || served.wants_claim.load(Ordering::Relaxed) {
            true => Due::Claim,
            false => Due::No,
        }
    }
}

/// Whether the worker has no answer in progress, unpaid or unclaimed.
fn is_settled(side: &WorkerSide, facts: &SessionFacts) -> bool {
    matches!(side.phase(), WorkerPhase::Idle)
        && side.claimable().is_empty()
        && side.bundle().count() == facts.claimed
}

/// Whether a claim is due.
enum Due {
    No,
    /// The bundle is closed where it is large enough, and no answer is in progress or unpaid.
    Claim,
    /// The session closes.
    Last,
}
