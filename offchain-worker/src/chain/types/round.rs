//! Arguments of calls for rounds of training. A round is read as the type that the runtime stores; see
//! [`crate::roles::rounds::Round`].

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::both_ways;
use noema_rounds::{CheckpointClaim, Contribution, Finding, Losses, ScoreSheet};
use serde::Serialize;
use sp_core::H256;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

both_ways! {
    /// The hash and the size of an update.
    pub struct WireContribution {
        /// Its BLAKE3 hash.
        pub update: H256,
        /// Its size in bytes.
        pub bytes: u32,
    }
}

both_ways! {
    /// The losses without and with an update.
    pub struct WireLosses {
        /// The loss without it.
        pub before: u64,
        /// The loss with it.
        pub after: u64,
    }
}

/// A validator's finding of a contribution.
#[derive(Clone, Debug, PartialEq, Eq, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub enum WireFinding {
    /// No operator served it.
    Unavailable,
    /// It is not a valid update.
    Malformed,
    /// It is a copy.
    Copy {
        /// The number of the original contribution.
        of: u32,
    },
    /// It was evaluated.
    Scored {
        /// The losses on its trainer's shards.
        assigned: WireLosses,
        /// The loss on the evaluation shards.
        evaluation: u64,
    },
}

/// A validator's findings of all contributions.
#[derive(Clone, Debug, PartialEq, Eq, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct WireSheet {
    /// The parent's loss on the evaluation shards.
    pub parent: u64,
    /// The finding of each contribution.
    pub findings: Vec<WireFinding>,
}

both_ways! {
    /// A claim of the next checkpoint.
    pub struct WireClaim {
        /// The hash of its manifest.
        pub checkpoint: H256,
        /// The Merkle root over its tiles.
        pub weights_root: H256,
        /// The Merkle root over its masters.
        pub masters_root: H256,
        /// Its loss on the evaluation shards.
        pub loss: u64,
    }
}

impl From<Contribution> for WireContribution {
    fn from(contribution: Contribution) -> Self {
        let Contribution { update, bytes } = contribution;
        Self { update, bytes }
    }
}

impl From<Finding> for WireFinding {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Unavailable => Self::Unavailable,
            Finding::Malformed => Self::Malformed,
            Finding::Copy { of } => Self::Copy { of },
            Finding::Scored {
                assigned: Losses { before, after },
                evaluation,
            } => Self::Scored {
                assigned: WireLosses { before, after },
                evaluation,
            },
        }
    }
}

impl From<ScoreSheet> for WireSheet {
    fn from(sheet: ScoreSheet) -> Self {
        Self {
            parent: sheet.parent,
            findings: sheet.findings.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<CheckpointClaim> for WireClaim {
    fn from(claim: CheckpointClaim) -> Self {
        Self {
            checkpoint: claim.checkpoint.0,
            weights_root: claim.weights_root,
            masters_root: claim.masters_root,
            loss: claim.loss,
        }
    }
}
