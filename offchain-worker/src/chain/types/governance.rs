//! Calls of governance, as arguments of the call that dispatches them.

use noema_rounds::{Dataset, RoundRules};
use sp_core::H256;
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
        family: u32,
        /// The checkpoint.
        checkpoint: H256,
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
        family: u32,
        /// The dataset.
        dataset: WireDataset,
        /// Its licence.
        licence: Vec<u8>,
        /// Its source.
        source: Vec<u8>,
        /// The rules of its rounds.
        rules: Box<WireRules>,
    },
    /// Stops training a family.
    stop_programme {
        /// The family.
        family: u32,
    },
}

/// The dataset of a programme.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireDataset {
    root: H256,
    manifest: H256,
    shards: u32,
    shard_tokens: u32,
}

/// The rules of a programme's rounds.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireRules {
    windows: WireWindows,
    min_contributions: u32,
    validators: u32,
    shards_per_trainer: u32,
    evaluation_shards: u32,
    max_update_bytes: u32,
    entries_per_chunk: u16,
    max_overlap: u32,
    min_holders: u32,
}

#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
struct WireWindows {
    registration: u32,
    training: u32,
    reveal: u32,
    scoring: u32,
    score_reveal: u32,
    claim: u32,
    objection: u32,
    holding: u32,
}

impl From<Dataset> for WireDataset {
    fn from(dataset: Dataset) -> Self {
        let Dataset {
            root,
            manifest,
            shards,
            shard_tokens,
        } = dataset;
        Self {
            root,
            manifest,
            shards,
            shard_tokens,
        }
    }
}

impl From<RoundRules<u32>> for WireRules {
    fn from(rules: RoundRules<u32>) -> Self {
        let windows = rules.windows;
        Self {
            windows: WireWindows {
                registration: windows.registration,
                training: windows.training,
                reveal: windows.reveal,
                scoring: windows.scoring,
                score_reveal: windows.score_reveal,
                claim: windows.claim,
                objection: windows.objection,
                holding: windows.holding,
            },
            min_contributions: rules.min_contributions,
            validators: rules.validators,
            shards_per_trainer: rules.shards_per_trainer,
            evaluation_shards: rules.evaluation_shards,
            max_update_bytes: rules.max_update_bytes,
            entries_per_chunk: rules.entries_per_chunk,
            max_overlap: rules.max_overlap.deconstruct(),
            min_holders: rules.min_holders,
        }
    }
}
