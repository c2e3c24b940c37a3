//! The next checkpoint: the parent with the accepted contributions applied.

use super::{score, Round, RoundsError};
use noema_checkpoint::Manifest;
use noema_executor::Device;
use noema_model::checkpoint::{Library, OpenCheckpoint, Successor};
use noema_model::dataset::OpenDataset;
use noema_protocol::CheckpointId;
use noema_rounds::{CheckpointClaim, Ruling};
use noema_training::TrainableCheckpoint;
use noema_update::Update;
use std::sync::Arc;

/// The next checkpoint, in memory.
pub struct Aggregate {
    parent: OpenCheckpoint,
    child: Arc<TrainableCheckpoint>,
    manifest: Manifest,
}

/// Applies the accepted contributions to the parent, each with its weight.
///
/// `received` are the updates in the order of the contributions; only accepted ones are needed.
///
/// # Errors
/// If an accepted update is missing or malformed.
pub fn aggregate(
    round: &Round,
    parent: OpenCheckpoint,
    received: &[Option<Vec<u8>>],
) -> Result<Aggregate, RoundsError> {
    let before = TrainableCheckpoint::read(&parent)?;
    let mut updates = Vec::new();
    for (place, trainer) in round.contributors().into_iter().enumerate() {
        let (Some(Ruling::Accepted { weight }), Some(contribution)) =
            (trainer.ruling, trainer.contribution)
        else {
            continue;
        };
        let bytes = received
            .get(place)
            .and_then(Option::as_deref)
            .ok_or_else(|| RoundsError::UpdateLost(hex::encode(contribution.update)))?;
        let update = Update::open(
            bytes,
            before.trainable(),
            round.parent,
            score::limits(round),
        )?;
        updates.push((update, weight));
    }
    let child = before.with(&updates)?;
    let successor = Successor {
        weights: child.weights(),
        masters: child.masters(),
    };
    Ok(Aggregate {
        manifest: successor.manifest(parent.manifest()),
        parent,
        child: Arc::new(child),
    })
}

impl Aggregate {
    /// Its id.
    pub fn id(&self) -> CheckpointId {
        self.manifest.id()
    }

    /// The claim for it: evaluates it on the evaluation shards.
    ///
    /// # Errors
    /// If a shard cannot be read or the device fails.
    pub fn claim(
        &self,
        round: &Round,
        dataset: &OpenDataset,
        device: &Device,
    ) -> Result<CheckpointClaim, RoundsError> {
        let evaluation = score::shards(dataset, &round.evaluation)?;
        let judge = score::judge(round, &self.child, &evaluation, device);
        Ok(CheckpointClaim {
            checkpoint: self.id(),
            weights_root: self.manifest.weights_root,
            // The source of a trained checkpoint is its masters.
            masters_root: self.manifest.source.hash,
            loss: judge.loss(self.child.clone(), &evaluation)?,
        })
    }

    /// Writes the checkpoint to the library.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, library: &Library) -> Result<OpenCheckpoint, RoundsError> {
        let successor = Successor {
            weights: self.child.weights(),
            masters: self.child.masters(),
        };
        Ok(successor.write(&self.parent, library)?)
    }
}
