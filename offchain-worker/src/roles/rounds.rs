//! Trainers and validators in rounds of training.
//!
//! The state of a round determines the [current duty](duty()) of an operator. A task computes the result: it
//! trains, scores, or computes the next checkpoint, and transfers the files that this needs over an
//! [`Exchange`]. The [operator](super::OperatorLoop) starts the task, stores its result, and submits the step
//! that follows, as with every other duty.
//!
//! A task waits for files of other operators for at most a third of the blocks that the phase has left. So an
//! operator that serves an update very slowly makes it unavailable, but delays no other operator.

mod aggregate;
mod assignment;
mod choice;
mod duty;
mod error;
mod files;
mod found;
mod score;
mod step;
mod subject;
#[cfg(test)]
pub(crate) mod testing;
mod train;
mod updates;
mod validate;
mod work;

pub use aggregate::{aggregate, Aggregate};
pub use choice::Choice;
pub use duty::{duty, RoundDuty};
pub use error::RoundsError;
pub use files::Files;
pub use score::score;
pub use step::RoundStep;

pub(super) use found::Found;
pub(super) use subject::subject;
pub(super) use work::RoundWork;

use crate::store::AccountBytes;
use async_trait::async_trait;
use noema_executor::Device;
use noema_model::checkpoint::{Library, OpenCheckpoint};
use noema_model::dataset::OpenDataset;
use noema_protocol::CheckpointId;
use noema_training::{TrainingMethod, TrainingOptions};
use sp_core::H256;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A round as the chain records it.
pub type Round = noema_rounds::Round<AccountBytes, u32>;

/// The setup of an operator for rounds.
#[derive(Clone)]
pub struct Setup {
    /// The rounds that it joins.
    pub choice: Choice,
    /// Whether a validator also verifies rounds for which it was not drawn.
    pub audits: bool,
    /// The checkpoints on this machine.
    pub library: Library,
    /// The device that it computes on.
    pub device: Device,
    /// The training options of a trainer.
    pub training: TrainingOptions,
    /// The method of a trainer.
    pub method: Arc<dyn TrainingMethod>,
    /// Its files.
    pub files: Files,
}

/// The transfer of files between operators. Its errors are made with [`RoundsError::exchange`].
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Shares a file from now on. Returns its BLAKE3 hash.
    async fn share(&self, file: &Path) -> Result<H256, RoundsError>;

    /// Shares a checkpoint from now on. Returns the hash under which it is shared.
    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError>;

    /// Fetches the update with this hash, of at most `longest` bytes, into the file `into`. Asks the operators
    /// `from` in this order; `None` if none serves it.
    async fn fetch_update(
        &self,
        from: &[AccountBytes],
        update: H256,
        longest: u32,
        into: PathBuf,
    ) -> Result<Option<Vec<u8>>, RoundsError>;

    /// Shares the parts of a round's dataset that are on this machine.
    async fn share_dataset(&self, round: &Round) -> Result<(), RoundsError>;

    /// The dataset of a round, with these of its shards on this machine. Missing parts are fetched from other
    /// operators, and shared from then on.
    async fn dataset(&self, round: &Round, shards: &[u32]) -> Result<OpenDataset, RoundsError>;

    /// Fetches a checkpoint from its holders.
    async fn fetch_checkpoint(
        &self,
        checkpoint: CheckpointId,
    ) -> Result<OpenCheckpoint, RoundsError>;
}
