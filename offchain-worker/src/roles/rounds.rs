//! What trainers and validators do in rounds of training.
//!
//! From a round as the chain shows it follows what an operator owes it [now](duty). A task finds what there is
//! to say: it trains, scores, or computes the next checkpoint, and moves the files that this takes through an
//! [`Exchange`]. The [operator](super::Operator) begins the task, keeps what was found, and hands over what
//! follows from it, as it does with every other duty.
//!
//! What is needed of others, a task waits for during a third of the blocks that the phase has left. So an
//! operator that serves an update drop by drop makes it unavailable, and nobody late.

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
pub use duty::{duty, Duty};
pub use error::RoundsError;
pub use files::Files;
pub use score::score;
pub use step::RoundStep;

pub(super) use found::Found;
pub(super) use subject::subject;
pub(super) use work::Work;

use crate::checkpoint::{Library, OpenCheckpoint};
use crate::dataset::Dataset;
use crate::store::AccountBytes;
use crate::training::{Sabotage, TrainingOptions};
use async_trait::async_trait;
use noema_executor::Device;
use noema_protocol::CheckpointId;
use sp_core::H256;
use std::path::{Path, PathBuf};

/// A round as the chain records it.
pub type Round = noema_rounds::Round<AccountBytes, u32>;

/// How an operator takes part in rounds, and with what.
#[derive(Clone)]
pub struct Setup {
    /// The rounds that it joins.
    pub choice: Choice,
    /// Whether a validator looks at what it was not drawn for.
    pub audits: bool,
    /// The checkpoints on this machine.
    pub library: Library,
    /// What it computes on.
    pub device: Device,
    /// How a trainer trains.
    pub training: TrainingOptions,
    /// Its files.
    pub files: Files,
    /// Spoils contributions on purpose.
    pub sabotage: Option<Sabotage>,
}

/// How files move between operators. What comes of it is told with [`RoundsError::exchange`].
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Shares a file from now on. Returns its BLAKE3 hash.
    async fn share(&self, file: &Path) -> Result<H256, RoundsError>;

    /// Shares a checkpoint from now on. Returns the hash it is found under.
    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError>;

    /// Fetches the update with this hash, of at most `longest` bytes, from any of the operators `from`,
    /// asked in this order; `None` if none serves it. What was fetched is in the file `into`.
    async fn fetch_update(
        &self,
        from: &[AccountBytes],
        update: H256,
        longest: u32,
        into: PathBuf,
    ) -> Result<Option<Vec<u8>>, RoundsError>;

    /// Shares what is here of the dataset of a round.
    async fn share_dataset(&self, round: &Round) -> Result<(), RoundsError>;

    /// The dataset of a round, with these of its shards on this machine. What is missing is fetched
    /// from other operators, and shared from then on.
    async fn dataset(&self, round: &Round, shards: &[u32]) -> Result<Dataset, RoundsError>;

    /// Fetches a checkpoint from those that hold it.
    async fn fetch_checkpoint(
        &self,
        checkpoint: CheckpointId,
    ) -> Result<OpenCheckpoint, RoundsError>;
}
