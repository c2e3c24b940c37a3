//! What trainers and validators do in rounds of training, apart from how they reach the chain and each
//! other.
//!
//! Like the other [roles](crate::roles), a participant is driven by level: at each finalized block it
//! looks at the round that is open, derives from it and from its [records](Records) what it owes
//! [now](duty), and does that. A missed block, a lost connection or a killed process changes nothing.

mod aggregate;
mod assignment;
mod choice;
mod duty;
mod error;
mod participant;
mod peers;
mod records;
mod score;
#[cfg(test)]
pub(crate) mod testing;

pub use aggregate::{aggregate, Aggregate};
pub use choice::Choice;
pub use duty::{duty, Duty};
pub use error::RoundsError;
pub use participant::{Participant, Setup};
pub use peers::Peers;
pub use records::{Committed, Records, Scored};
pub use score::score;

use crate::checkpoint::OpenCheckpoint;
use crate::dataset::Dataset;
use crate::roles::LedgerError;
use crate::store::AccountBytes;
use async_trait::async_trait;
use noema_protocol::{interfaces::Role, CheckpointId, RoundId};
use noema_rounds::{Claim, Contribution, ScoreSheet};
use sp_core::H256;
use std::path::{Path, PathBuf};

/// A round as the chain records it.
pub type Round = noema_rounds::Round<AccountBytes, u32>;

/// What a participant tells the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It takes part.
    Join(Role),
    /// The hash of its contribution.
    CommitContribution(H256),
    /// Its contribution, and the salt.
    RevealContribution(Contribution, H256),
    /// The hash of its scores.
    CommitScores(H256),
    /// Its scores, and the salt.
    RevealScores(ScoreSheet, H256),
    /// What it computed the next checkpoint to be.
    Claim(Claim),
    /// Its scores, since those decided are others.
    ObjectToScores(ScoreSheet),
    /// What it computed the next checkpoint to be, since what was decided is another.
    ObjectToClaim(Claim),
}

/// The chain as one participant sees it.
#[async_trait]
pub trait RoundLedger: Send + Sync {
    /// The latest finalized block, and the open round of each programme, in the order in which they
    /// were started.
    async fn open_rounds(&self) -> Result<(u32, Vec<Round>), LedgerError>;

    /// Sends a step, and waits until it is final. A step that the chain refuses is told, no error:
    /// the next look shows why.
    async fn send(&self, round: RoundId, step: Step) -> Result<(), LedgerError>;

    /// Announces that the operator holds a checkpoint, unless it has.
    async fn announce_holding(
        &self,
        checkpoint: CheckpointId,
        blob: H256,
    ) -> Result<(), LedgerError>;
}

/// How files move between operators.
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Shares a file from now on. Returns its BLAKE3 hash.
    async fn share(&self, file: &Path) -> Result<H256, RoundsError>;

    /// Shares a checkpoint from now on. Returns the hash it is found under.
    async fn share_checkpoint(&self, checkpoint: &OpenCheckpoint) -> Result<H256, RoundsError>;

    /// Fetches the update with this hash, of at most `longest` bytes, from any of the operators that
    /// contributed it; `None` if nobody serves it.
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
