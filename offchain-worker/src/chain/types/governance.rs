//! Calls of governance, as arguments of the call that dispatches them.

use super::BlockNumber;
use noema_protocol::{CheckpointId, FamilyId};
use noema_rounds::{Dataset, RoundRules};
use subxt::ext::scale_encode::EncodeAsType;

/// A call of the runtime that root may make.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub enum WireCall {
    /// A call of pallet `checkpoints`.
    Checkpoints(CheckpointsCall),
    /// A call of pallet `training`.
    Training(TrainingCall),
}

/// A call of pallet `checkpoints`, by its name in the runtime.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum CheckpointsCall {
    /// Makes a checkpoint the canonical one of its family.
    set_canonical {
        /// The family.
        family: FamilyId,
        /// The checkpoint.
        checkpoint: CheckpointId,
    },
}

/// A call of pallet `training`, by its name in the runtime.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
#[allow(non_camel_case_types)]
pub enum TrainingCall {
    /// Starts to train a family.
    start_programme {
        /// The family.
        family: FamilyId,
        /// The dataset.
        dataset: Dataset,
        /// Its licence.
        licence: Vec<u8>,
        /// Its source.
        source: Vec<u8>,
        /// The rules of its rounds.
        rules: Box<RoundRules<BlockNumber>>,
    },
    /// Stops training a family.
    stop_programme {
        /// The family.
        family: FamilyId,
    },
}
