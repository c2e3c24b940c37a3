//! The sessions that a worker serves.

mod answering;
mod bond;
mod claiming;
mod model;
mod served;

pub use claiming::{ClaimStep, SessionStep};
pub use model::{AnswerStop, ModelFault, SessionAnswer, SessionModel, SessionQuestion};

pub(crate) use answering::{AnswerEvent, Answering};

use crate::admission::Admission;
use crate::{
    blocking, is_signed, AccountBytes, LeafRequest, SessionLeaf, SessionStoreError, Sign,
    SignatureBytes, SignedVoucher, WorkerRefusal, WorkerStore,
};
use async_trait::async_trait;
use bond::Bond;
use noema_economics::Balance;
use noema_protocol::{hashing, ClaimId, SessionId};
use noema_sessions::{merkle_proof, SessionReceipt, SessionTerms, Stage};
use served::Served;
use sp_core::H256;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::{error, warn};

/// Most requests for leaves whose validators are looked up at a time.
const LOOKUPS: usize = 4;

/// A session as of the finalized chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its terms.
    pub terms: SessionTerms<AccountBytes>,
    /// Its hold, top-ups included.
    pub held: Balance,
    /// How many of its answers are claimed.
    pub claimed: u32,
    /// Its stage.
    pub stage: Stage<u32>,
    /// Its claims that have not ended.
    pub open_claims: Vec<OpenBundle>,
}

/// The answers of a claim that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenBundle {
    /// The number of the claim in the session.
    pub number: u32,
    /// The claim.
    pub claim: ClaimId,
    /// The number of the answer that is its first leaf.
    pub first: u32,
    /// The number of its leaves.
    pub leaves: u32,
}

/// The place of a leaf that a validator was drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnLeaf {
    /// The controller of the claimant.
    pub claimant: AccountBytes,
    /// The session of the claim.
    pub session: SessionId,
    /// The number of the answer that is the first leaf of the claim.
    pub first: u32,
    /// The number of leaves of the claim.
    pub leaves: u32,
}

/// Knows which validators are drawn for which leaves.
#[async_trait]
pub trait DrawnLeaves: Send + Sync + 'static {
    /// The place of the leaf, if the validator with the hot key `key` was drawn for it.
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn drawn(
        &self,
        claim: ClaimId,
        leaf: u32,
        key: &AccountBytes,
    ) -> Result<Option<DrawnLeaf>, String>;
}

/// What a worker gives at a time.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Most answers in progress.
    pub answers: usize,
    /// Most asks that wait.
    pub waiting: usize,
    /// Blocks after which the answers of a bundle are claimed, whatever they cost.
    pub claim_after: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            answers: 32,
            waiting: 256,
            // An hour on a live chain.
            claim_after: 600,
        }
    }
}

/// The sessions of one worker: what its payers ask, and what it claims.
///
/// It knows the chain only from [`look`](Self::look), and signs nothing that is not on disk.
pub struct ServedSessions {
    pub(crate) worker: AccountBytes,
    genesis: H256,
    store: Arc<WorkerStore>,
    model: Arc<dyn SessionModel>,
    key: Arc<dyn Sign>,
    drawn: Arc<dyn DrawnLeaves>,
    limits: SessionLimits,
    admission: Arc<Admission>,
    /// Requests for leaves whose validators are looked up.
    lookups: Semaphore,
    bond: Bond,
    sessions: RwLock<BTreeMap<SessionId, Arc<Served>>>,
    totals: Mutex<SessionTotals>,
    is_draining: AtomicBool,
}

/// What a worker answered in sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTotals {
    /// Answers that have a receipt.
    pub answers: u64,
    /// Their tokens.
    pub answer_tokens: u64,
    /// The tokens of their prompts.
    pub prompt_tokens: u64,
    /// Those of them whose keys and values were cached.
    pub cached_tokens: u64,
}

impl ServedSessions {
    /// The sessions of the worker with this controller, whose hot key is `key`, on the chain with this genesis block.
    pub fn new(
        (worker, genesis): (AccountBytes, H256),
        store: Arc<WorkerStore>,
        model: Arc<dyn SessionModel>,
        key: Arc<dyn Sign>,
        drawn: Arc<dyn DrawnLeaves>,
        limits: SessionLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            worker,
            genesis,
            store,
            model,
            key,
            drawn,
            limits,
            admission: Admission::new(limits.answers, limits.waiting),
            lookups: Semaphore::new(LOOKUPS),
            bond: Bond::default(),
            sessions: RwLock::default(),
            totals: Mutex::default(),
            is_draining: AtomicBool::new(false),
        })
    }

    /// What was answered since this was called before.
    pub fn take_totals(&self) -> SessionTotals {
        std::mem::take(&mut *self.totals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds an answer to the totals.
    pub(crate) fn count(&self, receipt: &SessionReceipt) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.answers = totals.answers.saturating_add(1);
        let add = |sum: &mut u64, tokens: u32| *sum = sum.saturating_add(tokens.into());
        add(&mut totals.answer_tokens, receipt.answer_tokens);
        add(&mut totals.prompt_tokens, receipt.prompt_tokens);
        add(&mut totals.cached_tokens, receipt.cached_tokens);
    }

    /// Answers in progress.
    pub fn running(&self) -> usize {
        self.admission.running()
    }

    /// Accepts no further ask, and waits at most `patience` for the answers in progress; then it stops them. What is
    /// unclaimed stays in the store.
    pub async fn drain(&self, patience: Duration) {
        self.is_draining.store(true, Ordering::Relaxed);
        let ended = async {
            while self.running() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(patience, ended).await.is_err() {
            warn!(
                answers = self.running(),
                "some answers of sessions did not end in time and are stopped; their payers can ask for them again"
            );
            self.all().iter().for_each(|served| served.stop());
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Whether it serves a session at present.
    pub(crate) fn serves(&self, session: SessionId) -> bool {
        self.served(session).is_some()
    }

    fn served(&self, session: SessionId) -> Option<Arc<Served>> {
        let sessions = self.sessions.read();
        let sessions = sessions.unwrap_or_else(PoisonError::into_inner);
        sessions.get(&session).cloned()
    }

    fn all(&self) -> Vec<Arc<Served>> {
        let sessions = self.sessions.read();
        let sessions = sessions.unwrap_or_else(PoisonError::into_inner);
        sessions.values().cloned().collect()
    }

    /// Opens a session for the peer `from`, over a connection to the endpoint `to`. Returns how many answers are paid.
    pub(crate) fn open(
        &self,
        session: SessionId,
        signature: &SignatureBytes,
        (from, to): ([u8; 32], [u8; 32]),
    ) -> Result<u32, WorkerRefusal> {
        let served = self.served(session).ok_or(WorkerRefusal::NotServed)?;
        let payload = hashing::session_peer_payload(self.genesis, session, from, to);
        match is_signed(&served.voucher_key, &payload, signature) {
            true => Ok(served.record().side.bundle().count()),
            false => Err(WorkerRefusal::NotProven),
        }
    }

    /// Takes a voucher. Returns how many answers are paid.
    pub(crate) async fn pay(self: &Arc<Self>, signed: SignedVoucher) -> Result<u32, WorkerRefusal> {
        let served = self.served(signed.voucher.session);
        let served = served.ok_or(WorkerRefusal::NotServed)?;
        let sessions = self.clone();
        blocking(move || {
            let paid = sessions.step(&served, |record| {
                served::pay(record, &served.voucher_key, &signed)
            })?;
            paid.map_err(WorkerRefusal::Rules)?;
            let record = served.record();
            sessions.bond.refresh(&record.side);
            Ok(record.side.bundle().count())
        })
        .await
    }

    /// The leaf that a drawn validator asks for, over a connection of the peer `from` to the endpoint `to`.
    pub(crate) async fn leaf(
        self: &Arc<Self>,
        request: LeafRequest,
        (from, to): ([u8; 32], [u8; 32]),
    ) -> Result<SessionLeaf, WorkerRefusal> {
        let LeafRequest {
            claim,
            leaf,
            key,
            signature,
        } = request;
        let payload = hashing::leaf_request_payload(self.genesis, claim, leaf, from, to);
        if !is_signed(&key, &payload, &signature) {
            return Err(WorkerRefusal::NotProven);
        }
        // Any account can sign: few at a time reach the node.
        let Ok(_lookup) = self.lookups.try_acquire() else {
            return Err(WorkerRefusal::Busy);
        };
        let drawn = match self.drawn.drawn(claim, leaf, &key).await {
            Ok(Some(drawn)) if drawn.claimant == self.worker => drawn,
            Ok(_) => return Err(WorkerRefusal::NoLeaf),
            Err(error) => {
                warn!(%claim, leaf, %error, "cannot determine whether a validator was drawn");
                return Err(WorkerRefusal::Failed);
            }
        };
        let sessions = self.clone();
        let found =
            blocking(move || sessions.find_leaf(drawn.session, (drawn.first, drawn.leaves), leaf))
                .await;
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(WorkerRefusal::NoLeaf),
            Err(error) => {
                error!(%error, %claim, leaf, "cannot read a leaf");
                Err(WorkerRefusal::Failed)
            }
        }
    }

    /// Leaf `leaf` of a claim of `leaves` answers of a session from number `first` on; `None` if they are not all in
    /// the store.
    ///
    /// # Errors
    /// When the store fails.
    pub fn find_leaf(
        &self,
        session: SessionId,
        (first, leaves): (u32, u32),
        leaf: u32,
    ) -> Result<Option<SessionLeaf>, SessionStoreError> {
        let last = leaves
            .checked_sub(1)
            .and_then(|last| first.checked_add(last));
        let (Some(last), Some(n)) = (last, first.checked_add(leaf)) else {
            return Ok(None);
        };
        let hashes = self.store.leaves(self.worker, session, first..=last)?;
        if u32::try_from(hashes.len()) != Ok(leaves) {
            return Ok(None);
        }
        let Some(path) = merkle_proof(&hashes, leaf) else {
            return Ok(None);
        };
        let record = self.store.answer(self.worker, session, n)?;
        Ok(record.map(|record| SessionLeaf {
            receipt: record.receipt.receipt,
            path,
            prompt: record.prompt,
            answer: record.answer,
        }))
    }
}
