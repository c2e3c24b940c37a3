//! Resources that an operator's tasks for rounds share, and the dispatch of these tasks.

use super::{duty, Exchange, Found, Round, RoundDuty, RoundsError, Setup};
use crate::store::AccountBytes;
use noema_executor::Cancel;
use noema_model::checkpoint::OpenCheckpoint;
use noema_model::dataset::OpenDataset;
use noema_protocol::{CheckpointId, FamilyId, Role, RoundId};
use noema_training::TrainingLoop;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tracing::info;

/// The divisor of the blocks that a phase has left: the quotient is the time to wait for other operators. The
/// rest is for the computation and for the submission.
const PATIENCE: u32 = 3;

/// The trainer of a family, held by the task that trains; `None` before the first training and after an
/// error.
pub(super) type Slot = Arc<Mutex<Option<TrainingLoop>>>;

/// Resources that all tasks of an operator for rounds share.
pub(in crate::roles) struct RoundWork {
    pub(in crate::roles) account: AccountBytes,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) setup: Setup,
    pub(super) exchange: Arc<dyn Exchange>,
    /// The block of the latest turn.
    now: watch::Sender<u32>,
    trainers: Mutex<BTreeMap<FamilyId, Slot>>,
    /// The number of trainers that train.
    pub(super) training: AtomicUsize,
    shared: Mutex<Shared>,
    /// Held while a checkpoint is fetched.
    fetching: tokio::sync::Mutex<()>,
}

/// The files that were shared since the start.
#[derive(Default)]
struct Shared {
    /// The roots of the datasets whose local parts are shared.
    datasets: BTreeSet<H256>,
    /// The rounds in which the operator's own update is shared.
    updates: BTreeSet<RoundId>,
}

impl RoundWork {
    pub(in crate::roles) fn new(
        account: AccountBytes,
        name: String,
        role: Role,
        setup: Setup,
        exchange: Arc<dyn Exchange>,
    ) -> Self {
        Self {
            account,
            name,
            role,
            setup,
            exchange,
            now: watch::Sender::new(0),
            trainers: Mutex::default(),
            training: AtomicUsize::new(0),
            shared: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// Notes the block of a turn.
    pub(in crate::roles) fn look(&self, now: u32) {
        self.now.send_replace(now);
    }

    /// The block of the latest turn.
    pub(super) fn now(&self) -> u32 {
        *self.now.borrow()
    }

    /// Whether a trainer trains or saves its state.
    pub(in crate::roles) fn is_training(&self) -> bool {
        self.training.load(Ordering::SeqCst) > 0
    }

    /// The duty in `round` at block `now`, unless this operator leaves it out by choice; `first` if the
    /// round's programme was started before all others.
    pub(in crate::roles) fn owed(&self, round: &Round, first: bool, now: u32) -> Option<RoundDuty> {
        let setup = &self.setup;
        let owed = duty(round, &self.account, self.role, setup.audits, now)?;
        let is_left_out = match owed {
            RoundDuty::Join => !setup.choice.has(round, first),
            RoundDuty::RevealContribution => !setup.method.reveals(),
            RoundDuty::Hold => round.claim.is_none(),
            _ => false,
        };
        (!is_left_out).then_some(owed)
    }

    /// Shares the files that other participants may need, and computes the result for `owed`.
    pub(in crate::roles) async fn attend(
        self: &Arc<Self>,
        round: &Round,
        owed: Option<RoundDuty>,
        cancel: &Cancel,
    ) -> Result<Found, RoundsError> {
        self.share_again(round).await?;
        match owed {
            Some(RoundDuty::Join) => self.make_ready(round).await,
            Some(RoundDuty::Contribute) => self.contribute(round, cancel).await,
            Some(RoundDuty::RevealContribution) => {
                let update = self.setup.files.update(round.id);
                self.share_update(round.id, update).await?;
                Ok(Found::Shared)
            }
            Some(RoundDuty::Score | RoundDuty::AuditScores) => self.score(round).await,
            Some(RoundDuty::Claim | RoundDuty::AuditClaim) => self.claim(round).await,
            Some(RoundDuty::Hold) => self.hold(round).await,
            // The scores to reveal are in the store.
            Some(RoundDuty::RevealScores) | None => Ok(Found::Shared),
        }
    }

    /// Removes the files of all rounds but those that are `open`.
    pub(in crate::roles) fn forget_files_but(
        &self,
        open: &BTreeSet<RoundId>,
    ) -> Result<(), RoundsError> {
        lock(&self.shared)
            .updates
            .retain(|round| open.contains(round));
        self.setup.files.forget_but(open)
    }

    // Sharing files.

    /// Whether a file that other participants may need is not shared yet.
    pub(in crate::roles) fn has_to_share(&self, round: &Round) -> bool {
        let has_dataset = lock(&self.shared).datasets.contains(&round.dataset.root);
        !has_dataset || self.unshared_update(round).is_some()
    }

    /// Whether the operator's own update in the round is shared.
    pub(in crate::roles) fn shares_update(&self, round: RoundId) -> bool {
        lock(&self.shared).updates.contains(&round)
    }

    /// The operator's own update in the round, if it is revealed but not shared.
    fn unshared_update(&self, round: &Round) -> Option<PathBuf> {
        let is_revealed = round
            .trainers
            .iter()
            .any(|trainer| trainer.account == self.account && trainer.contribution.is_some());
        if !is_revealed || self.shares_update(round.id) {
            return None;
        }
        let update = self.setup.files.update(round.id);
        update.exists().then_some(update)
    }

    /// Shares the local parts of the dataset, and the operator's own update if it is revealed, also after a
    /// restart.
    async fn share_again(&self, round: &Round) -> Result<(), RoundsError> {
        let root = round.dataset.root;
        let is_shared = lock(&self.shared).datasets.contains(&root);
        if !is_shared {
            self.exchange.share_dataset(round).await?;
            lock(&self.shared).datasets.insert(root);
        }
        match self.unshared_update(round) {
            Some(update) => self.share_update(round.id, update).await,
            None => Ok(()),
        }
    }

    /// Notes that the operator has a new update in the round.
    pub(super) fn has_new_update(&self, round: RoundId) {
        lock(&self.shared).updates.remove(&round);
    }

    async fn share_update(&self, round: RoundId, update: PathBuf) -> Result<(), RoundsError> {
        self.exchange.share(&update).await?;
        lock(&self.shared).updates.insert(round);
        Ok(())
    }

    // Fetching files.

    /// Waits for other operators, but leaves enough of the phase; `None` if they were too slow.
    pub(super) async fn in_time<T>(
        &self,
        round: &Round,
        sent: impl Future<Output = T>,
    ) -> Option<T> {
        let mut now = self.now.subscribe();
        let begun = *now.borrow_and_update();
        let left = round.phase.until().map(|until| until.saturating_sub(begun));
        let patience = left.map_or(1, |left| left / PATIENCE).max(1);
        let last = begun.saturating_add(patience);
        tokio::select! {
            biased;
            sent = sent => Some(sent),
            () = reached(&mut now, last) => None,
        }
    }

    /// A checkpoint from the library, or else from its holders.
    ///
    /// The fetch of a large checkpoint takes longer than a phase, and an operator that has not joined loses
    /// nothing by waiting. So a fetch continues across rounds, and only one runs at a time.
    pub(super) async fn checkpoint(
        &self,
        round: &Round,
        id: CheckpointId,
    ) -> Result<OpenCheckpoint, RoundsError> {
        if let Ok(checkpoint) = self.setup.library.open(id) {
            return Ok(checkpoint);
        }
        let _fetching = self.fetching.lock().await;
        if let Ok(checkpoint) = self.setup.library.open(id) {
            return Ok(checkpoint);
        }
        let until = round.phase.until();
        if until.is_some_and(|until| self.now() > until) {
            return Err(RoundsError::TooSlow("a checkpoint"));
        }
        info!(operator = %self.name, checkpoint = %id, "fetches a checkpoint");
        self.exchange.fetch_checkpoint(id).await
    }

    /// The dataset of the round, with these of its shards on this machine.
    pub(super) async fn dataset(
        &self,
        round: &Round,
        shards: &[u32],
    ) -> Result<OpenDataset, RoundsError> {
        let fetch = self.exchange.dataset(round, shards);
        let sent = self.in_time(round, fetch).await;
        sent.unwrap_or(Err(RoundsError::TooSlow("a part of the dataset")))
    }

    /// The slot of a family's trainer.
    pub(super) fn slot(&self, family: FamilyId) -> Slot {
        lock(&self.trainers).entry(family).or_default().clone()
    }
}

/// Ends once a turn has reached block `last`.
async fn reached(now: &mut watch::Receiver<u32>, last: u32) {
    let _ = now.wait_for(|now| *now >= last).await;
}

/// Locks a value that is consistent at any time, also after a panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A random salt, which keeps a commitment from being guessed.
pub(super) fn salt() -> Result<H256, RoundsError> {
    let mut salt = H256::zero();
    getrandom::fill(&mut salt.0).map_err(RoundsError::Randomness)?;
    Ok(salt)
}
