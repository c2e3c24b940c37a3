//! Trainers: preparing to join a round, and training.

use super::work::{lock, salt, Slot};
use super::{assignment::assignment, score, Found, Round, RoundWork, RoundsError};
use crate::roles::tasks::blocking;
use crate::store::Product;
use noema_executor::Cancel;
use noema_model::checkpoint::OpenCheckpoint;
use noema_protocol::{FamilyId, Role};
use noema_rounds::Contribution;
use noema_training::{TrainableCheckpoint, TrainingError, TrainingLoop};
use sp_core::H256;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tracing::{debug, info};

/// Counts a trainer as training while this value lives.
struct Training<'a>(&'a AtomicUsize);

impl<'a> Training<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Training<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl RoundWork {
    /// Obtains everything that the operator needs once it has joined the round.
    pub(super) async fn make_ready(self: &Arc<Self>, round: &Round) -> Result<Found, RoundsError> {
        // Without the parent, the list of shards, or a trainer that works, an operator must not join.
        let mut parent = self.checkpoint(round, round.parent).await?;
        self.dataset(round, &[]).await?;
        if self.role == Role::Trainer {
            parent = self.make_trainer_ready(round, parent).await?;
        }
        let blob = self.exchange.share_checkpoint(&parent).await?;
        Ok(Found::Ready(blob))
    }

    /// Prepares the family's trainer, which continues from its state on disk and can be saved there.
    async fn make_trainer_ready(
        self: &Arc<Self>,
        round: &Round,
        checkpoint: OpenCheckpoint,
    ) -> Result<OpenCheckpoint, RoundsError> {
        let (work, family, entries) = (self.clone(), round.family, round.rules.entries_per_chunk);
        blocking(move || {
            let slot: Slot = work.slot(family);
            let mut kept = lock(&slot);
            let trainer = match kept.take().filter(|kept| kept.entries() == entries) {
                Some(trainer) => trainer,
                None => {
                    let parent = Arc::new(TrainableCheckpoint::read(&checkpoint)?);
                    work.new_trainer(family, entries, &parent)?
                }
            };
            let has_room = trainer.ensure_room();
            *kept = Some(trainer);
            has_room?;
            Ok(checkpoint)
        })
        .await
    }

    /// A trainer that continues from its state on disk.
    fn new_trainer(
        &self,
        family: FamilyId,
        entries: u16,
        parent: &Arc<TrainableCheckpoint>,
    ) -> Result<TrainingLoop, RoundsError> {
        let mut options = self.setup.training.clone();
        options.entries = entries;
        let state = self.setup.files.trainer_state(family);
        let device = &self.setup.device;
        Ok(TrainingLoop::new(
            parent.clone(),
            options,
            device,
            Some(&state),
        )?)
    }

    /// Trains on the shards that the trainer's method selects.
    pub(super) async fn contribute(
        self: &Arc<Self>,
        round: &Round,
        cancel: &Cancel,
    ) -> Result<Found, RoundsError> {
        let method = &self.setup.method;
        let assigned = assignment(round, &self.account);
        let Some(shards) = assigned.and_then(|assigned| method.shards(&assigned)) else {
            return Ok(Found::Nothing);
        };
        let checkpoint = self.checkpoint(round, round.parent).await?;
        let dataset = self.dataset(round, &shards).await?;
        let (work, round, cancel) = (self.clone(), round.clone(), cancel.clone());
        blocking(move || {
            let shards = score::shards(&dataset, &shards)?;
            let sequences: Vec<&[u32]> =
                shards.iter().flat_map(|shard| shard.sequences()).collect();
            let bytes = work.train(&round, &checkpoint, &sequences, &cancel)?;
            work.setup.files.keep_update(round.id, &bytes)?;
            work.has_new_update(round.id);
            let contribution = Contribution {
                update: H256(*blake3::hash(&bytes).as_bytes()),
                bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            };
            let salt = salt()?;
            Ok(Found::Product(Product::Contribution { contribution, salt }))
        })
        .await
    }

    /// Trains until the round's steps are done, or until it is cancelled. Blocks.
    fn train(
        &self,
        round: &Round,
        checkpoint: &OpenCheckpoint,
        sequences: &[&[u32]],
        cancel: &Cancel,
    ) -> Result<Vec<u8>, RoundsError> {
        let _training = Training::begin(&self.training);
        let (operator, id, family) = (&self.name, round.id, round.family);
        let entries = round.rules.entries_per_chunk;
        let parent = Arc::new(TrainableCheckpoint::read(checkpoint)?);
        let slot: Slot = self.slot(family);
        let mut kept = lock(&slot);
        let mut trainer = match kept.take().filter(|kept| kept.entries() == entries) {
            Some(trainer) => trainer,
            None => self.new_trainer(family, entries, &parent)?,
        };
        // After a round without a next checkpoint, the parent stays the same, but not the shards.
        if !trainer.is_on(parent.id(), sequences) {
            trainer.next_round(parent.clone())?;
        } else if trainer.steps_done() > 0 {
            info!(%operator, round = %id, step = trainer.steps_done(), "goes on with training");
        }
        let trained = trainer.run(sequences, &mut |step| {
            debug!(%operator, round = %id, step = step.done, of = step.of, loss = step.loss, "trains");
            match cancel.is_cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        if let Err(TrainingError::Stopped { step }) = &trained {
            info!(%operator, round = %id, step, "stopped training; it resumes from this step");
        }
        // After any other error, the state on disk counts.
        if matches!(trained, Ok(_) | Err(TrainingError::Stopped { .. })) {
            *kept = Some(trainer);
        }
        let contribution = trained?;
        info!(
            %operator,
            round = %id,
            loss_before = contribution.loss_before,
            loss_after = contribution.loss_after,
            bytes = contribution.bytes.len(),
            "trained"
        );
        let method = &self.setup.method;
        Ok(method.update(&parent, entries, contribution.bytes)?)
    }
}
