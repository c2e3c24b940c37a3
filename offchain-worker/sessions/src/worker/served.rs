//! One session of a worker.

use super::model::AnswerStop;
use super::{ServedSessions, SessionFacts};
use crate::{
    is_signed, AccountBytes, AnswerRecord, SessionStoreError, SignedVoucher, WorkerRecord,
    WorkerRefusal,
};
use noema_protocol::SessionId;
use noema_sessions::{WorkerError, WorkerPhase, WorkerSide};
use sp_core::H256;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::Semaphore;
use tracing::error;

/// Most asks of a session at a time: the answer in progress, and asks of a payer whose connection was lost. Each holds a
/// prompt in memory.
const ASKS: usize = 4;

/// A session, and the work on it.
pub(super) struct Served {
    pub(super) id: SessionId,
    pub(super) payer: AccountBytes,
    pub(super) voucher_key: AccountBytes,
    record: Mutex<WorkerRecord>,
    /// Places for asks.
    pub(super) asks: Semaphore,
    /// Held by the answer in progress.
    turn: tokio::sync::Mutex<()>,
    running: Mutex<Option<AnswerStop>>,
    /// How often the answer in progress was begun.
    pub(super) begun: AtomicU32,
    /// Whether the next answer needs a claim first.
    pub(super) wants_claim: AtomicBool,
    /// Whether the worker waives the rest of its window, and accepts no further ask.
    pub(super) is_over: AtomicBool,
    /// The block in which the present bundle was first seen with an answer.
    pub(super) since: Mutex<Option<u64>>,
}

impl Served {
    pub(super) fn new(facts: &SessionFacts, record: WorkerRecord) -> Self {
        Self {
            id: facts.terms.session,
            payer: facts.terms.payer,
            voucher_key: facts.terms.voucher_key,
            record: Mutex::new(record),
            asks: Semaphore::new(ASKS),
            turn: tokio::sync::Mutex::new(()),
            running: Mutex::default(),
            begun: AtomicU32::new(0),
            wants_claim: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            since: Mutex::default(),
        }
    }

    /// The record of a session without answers.
    pub(super) fn fresh(facts: &SessionFacts, genesis: H256) -> WorkerRecord {
        let agreement = facts.terms.agreement(genesis);
        // A payer that pays for nothing has burned as much as that.
        let credit = agreement.rules.storage_price;
        WorkerRecord {
            side: WorkerSide::new(agreement, facts.held, 0, credit),
            present: None,
            closed: None,
        }
    }

    /// The record. A step replaces it as a whole, so it stays valid after a panic elsewhere.
    pub(super) fn record(&self) -> MutexGuard<'_, WorkerRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other answer is in progress; `None` once nothing listens to `listener`.
    pub(super) async fn take_turn<T>(
        &self,
        listener: &UnboundedSender<T>,
    ) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        tokio::select! {
            turn = self.turn.lock() => Some(turn),
            () = listener.closed() => None,
        }
    }

    /// Stops the answer in progress.
    pub(super) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = running.as_ref() {
            stop.stop();
        }
    }

    /// Records the answer in progress, so that it can be stopped.
    pub(super) fn runs(&self, stop: Option<AnswerStop>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    /// Counts another begin of the answer in progress; returns how often it was begun before.
    pub(super) fn begins(&self) -> u32 {
        self.begun.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether an answer is being computed.
    pub(super) fn is_running(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_some()
    }
}

impl ServedSessions {
    /// Takes a step of a session, and stores the result before it returns. A step that fails to be stored is not taken.
    pub(super) fn step<T>(
        &self,
        served: &Served,
        step: impl FnOnce(&mut WorkerRecord) -> T,
    ) -> Result<T, WorkerRefusal> {
        self.step_with(served, |record| (step(record), None))
    }

    /// Takes a step as [`step`](Self::step) does, and stores the answer that it returns.
    pub(super) fn step_with<T>(
        &self,
        served: &Served,
        step: impl FnOnce(&mut WorkerRecord) -> (T, Option<AnswerRecord>),
    ) -> Result<T, WorkerRefusal> {
        let mut present = served.record();
        let mut next = present.clone();
        let (result, answer) = step(&mut next);
        if next != *present || answer.is_some() {
            let stored = self.store.put(self.worker, &next, answer.as_ref());
            if let Err(error) = stored {
                error!(session = %served.id, %error, "cannot store a step of a session; it is not taken");
                return Err(refusal(&error));
            }
            *present = next;
        }
        Ok(result)
    }
}

/// Why a worker whose store failed refuses.
pub(super) const fn refusal(error: &SessionStoreError) -> WorkerRefusal {
    match error {
        SessionStoreError::DiskFull { .. } => WorkerRefusal::NoRoom,
        _ => WorkerRefusal::Failed,
    }
}

/// Takes a voucher. One over answers that are paid already changes nothing.
pub(super) fn pay(
    record: &mut WorkerRecord,
    voucher_key: &AccountBytes,
    signed: &SignedVoucher,
) -> Result<(), WorkerError> {
    let side = &mut record.side;
    let is_due = matches!(side.phase(), WorkerPhase::Unpaid(_));
    if !is_due && signed.voucher.count <= side.bundle().count() {
        return Ok(());
    }
    side.pay(&signed.voucher, |payload| {
        is_signed(voucher_key, payload, &signed.signature)
    })?;
    if is_due {
        record.present = Some(signed.signature);
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod testing {
    use noema_protocol::{CheckpointId, SessionId};
    use noema_sessions::{Agreement, SessionPrices, SessionRules, SessionTerms};
    use sp_core::H256;

    /// A session whose claims need a stake as high as their price, and 100 at least.
    pub(in crate::worker) fn agreement() -> Agreement {
        terms().agreement(H256::zero())
    }

    /// Its terms.
    pub(in crate::worker) fn terms() -> SessionTerms<[u8; 32]> {
        let rules = SessionRules {
            lifetime: 100,
            close: 10,
            bytes_per_token: 4,
            cached_share: Default::default(),
            check_share: Default::default(),
            check_fee_per_token: 1,
            stake_percent: 100,
            min_stake: 100,
            stake_per_token: 1,
            min_held: 1,
            min_claim: 50,
            storage_price: 1_000,
            retention: 20,
        };
        SessionTerms {
            session: SessionId(1),
            payer: [1; 32],
            worker: [2; 32],
            voucher_key: [3; 32],
            checkpoint: CheckpointId(H256::zero()),
            leaf_tokens: 60,
            prices: SessionPrices {
                per_prompt_token: 1,
                per_cached_token: 1,
                per_answer_token: 1,
            },
            rules,
            claim_rules: H256::zero(),
            seed: H256::zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_sessions::Stage;
    use std::time::Duration;
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::time::timeout;

    #[tokio::test]
    async fn an_ask_whose_payer_has_gone_waits_for_no_turn() {
        let facts = SessionFacts {
            terms: testing::terms(),
            held: 1_000,
            claimed: 0,
            stage: Stage::Open { until: 100 },
            open_claims: Vec::new(),
        };
        let served = Served::new(&facts, Served::fresh(&facts, H256::zero()));
        let (sender, events) = unbounded_channel::<()>();
        let turn = served.take_turn(&sender).await;
        assert!(turn.is_some());
        let waits = timeout(Duration::from_millis(20), served.take_turn(&sender)).await;
        assert!(waits.is_err(), "another answer is in progress");
        drop(events);
        let waits = timeout(Duration::from_secs(20), served.take_turn(&sender)).await;
        assert!(waits.expect("in time").is_none());
    }
}
