//! Errors of duties in rounds.

use noema_model::checkpoint::CheckpointError;
use noema_model::dataset::DatasetError;
use noema_training::TrainingError;
use noema_update::{ApplyError, DecodeError};
use std::error::Error;
use std::{io, path::PathBuf};

/// Why an operator cannot perform a duty in a round. It tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoundsError {
    /// Training or evaluation fails.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A checkpoint on this machine cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The dataset on this machine cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A file cannot be fetched from other operators or shared with them.
    #[error("{0}")]
    Exchange(#[source] Box<dyn Error + Send + Sync>),
    /// This release cannot run a checkpoint of the round.
    #[error("{0}")]
    OtherRelease(#[source] Box<dyn Error + Send + Sync>),
    /// The accepted updates cannot be applied.
    #[error("the accepted updates cannot be applied: {0}")]
    Apply(#[from] ApplyError),
    /// An accepted update is malformed: the validators were wrong.
    #[error("an accepted update is malformed: {0}")]
    Decode(#[from] DecodeError),
    /// An update cannot be written.
    #[error("the update cannot be written: {0}")]
    Encode(#[from] noema_update::EncodeError),
    /// A file of a round cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Other operators are too slow.
    #[error("other operators do not send {0} in time; trying again with the data received so far")]
    TooSlow(&'static str),
    /// The committed result is not on this machine.
    #[error("the result that this operator committed to is not on this machine and cannot be revealed; another process made it, or the store was lost")]
    Forgotten,
    /// The system provides no salt for a commitment.
    #[error("the system has no randomness for a salt: {0}")]
    Randomness(getrandom::Error),
    /// An accepted update is not available.
    #[error("no operator serves the accepted update {0}")]
    UpdateLost(String),
    /// The accepted updates do not yield the decided checkpoint.
    #[error("the accepted updates yield checkpoint {computed}, but {decided} was decided")]
    OtherCheckpoint {
        /// The checkpoint that was computed here.
        computed: String,
        /// The checkpoint that was decided.
        decided: String,
    },
}

impl RoundsError {
    /// The error of an [`Exchange`](super::Exchange).
    pub fn exchange(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Exchange(error.into())
    }

    /// Whether the cause is other operators or the disk, so that a growing pause would save no work.
    pub(in crate::roles) fn waits_for_others(&self) -> bool {
        matches!(
            self,
            Self::Exchange(_) | Self::TooSlow(_) | Self::UpdateLost(_) | Self::File { .. }
        )
    }
}
