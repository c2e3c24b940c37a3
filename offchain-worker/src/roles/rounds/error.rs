//! Why an operator cannot do what it owes a round.

use crate::checkpoint::CheckpointError;
use crate::dataset::DatasetError;
use crate::training::TrainingError;
use noema_update::{ApplyError, DecodeError};
use std::error::Error;
use std::{io, path::PathBuf};

/// Why an operator cannot do what it owes a round. It tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoundsError {
    /// Training or evaluation.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A checkpoint on this machine.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The dataset on this machine.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A file from others, or for them.
    #[error("{0}")]
    Exchange(#[source] Box<dyn Error + Send + Sync>),
    /// The accepted updates cannot be applied.
    #[error("the accepted updates cannot be applied: {0}")]
    Apply(#[from] ApplyError),
    /// An accepted update is malformed: the validators were wrong.
    #[error("an accepted update is malformed: {0}")]
    Decode(#[from] DecodeError),
    /// An update cannot be written.
    #[error("the update cannot be written: {0}")]
    Encode(#[from] noema_update::EncodeError),
    /// A file of a round.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others are too slow.
    #[error("others do not send {0} in time; trying again with what has arrived")]
    TooSlow(&'static str),
    /// What was committed is not on this machine.
    #[error("what this operator committed to is not on this machine, so that it cannot be revealed; it was made by another process, or the store was lost")]
    Forgotten,
    /// There is no salt for a commitment.
    #[error("the system has no randomness for a salt: {0}")]
    Randomness(getrandom::Error),
    /// An accepted update is not to be had.
    #[error("the accepted update {0} is served by nobody")]
    UpdateLost(String),
    /// What the accepted updates yield is not what was decided.
    #[error("the accepted updates yield checkpoint {computed}, and {decided} was decided")]
    OtherCheckpoint {
        /// What was computed here.
        computed: String,
        /// What was decided.
        decided: String,
    },
}

impl RoundsError {
    /// What came of an [`Exchange`](super::Exchange).
    pub fn exchange(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Exchange(error.into())
    }

    /// Whether it is others, or the disk, that are in the way, and nothing that a pause would spare.
    pub(in crate::roles) fn waits_for_others(&self) -> bool {
        matches!(
            self,
            Self::Exchange(_) | Self::TooSlow(_) | Self::UpdateLost(_) | Self::File { .. }
        )
    }
}
