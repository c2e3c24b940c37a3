//! Why a participant cannot do what it owes.

use crate::artefacts::FetchError;
use crate::checkpoint::CheckpointError;
use crate::dataset::DatasetError;
use crate::roles::LedgerError;
use crate::training::TrainingError;
use noema_update::{ApplyError, DecodeError};
use std::{io, path::PathBuf};

/// Why a participant cannot do what it owes. It tries again at the next block.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoundsError {
    /// The chain.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Training or evaluation.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A checkpoint on this machine.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The dataset on this machine.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A checkpoint from others.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A file from others.
    #[error(transparent)]
    Artefact(#[from] noema_artefacts::Error),
    /// The accepted updates cannot be applied.
    #[error("the accepted updates cannot be applied: {0}")]
    Apply(#[from] ApplyError),
    /// An accepted update is malformed: the validators were wrong.
    #[error("an accepted update is malformed: {0}")]
    Decode(#[from] DecodeError),
    /// A record.
    #[error("{path}: {source}")]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
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
    /// The computation was cut off.
    #[error("the computation ended unexpectedly")]
    CutOff,
}
