//! What was aggregated: what a statement says about parent, updates and result.

use core::fmt;
use noema_numerics::{Architecture, ArchitectureError};
use noema_protocol::CheckpointId;
use noema_update::MAX_UPDATES;
use sp_core::H256;

/// What a trace needs to know of the parent of the updates.
#[derive(Clone, Copy, Debug)]
pub struct TrainedParent<'a> {
    /// Its id, which the updates name.
    pub id: CheckpointId,
    /// Its architecture.
    pub architecture: &'a Architecture,
    /// The exponent of each tensor, in canonical order.
    pub exponents: &'a [i8],
    /// The Merkle root over its tiles.
    pub weights_root: H256,
    /// The Merkle root over its masters; none if no update produced it, so that they follow from its tiles.
    pub masters_root: Option<H256>,
}

/// An update that is averaged with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregatedUpdate {
    /// The BLAKE3 hash of its bytes.
    pub hash: H256,
    /// Their number.
    pub bytes: u32,
    /// Its weight.
    pub weight: u32,
}

/// What is stated of updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateResult {
    /// They amount to a checkpoint.
    Checkpoint {
        /// The Merkle root over its tiles.
        weights_root: H256,
        /// The Merkle root over its masters.
        masters_root: H256,
    },
    /// They amount to nothing: one of them is malformed.
    Malformed,
    /// There are two, both well-formed, and this is how much they share.
    Overlap {
        /// Thousandths of the smaller one.
        most: u32,
        /// Whether they share more than that.
        exceeds: bool,
    },
}

/// What was aggregated.
#[derive(Clone, Copy, Debug)]
pub struct AggregateExecution<'a> {
    /// The updates, at most [`MAX_UPDATES`].
    pub updates: &'a [AggregatedUpdate],
    /// Most entries of a chunk; an update that allows itself more is malformed.
    pub entries: u16,
    /// What is stated of them.
    pub result: AggregateResult,
}

/// Why a statement has no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AggregateError {
    /// The architecture is refused.
    Architecture(ArchitectureError),
    /// The parent has so many exponents for so many tensors.
    Exponents {
        /// Exponents.
        found: usize,
        /// Tensors.
        expected: usize,
    },
    /// There are no updates, or more than [`MAX_UPDATES`]; or the overlap is not that of two.
    Updates(usize),
    /// A weight is zero, or all together are above 32 bits.
    Weights,
}

impl fmt::Display for AggregateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Architecture(error) => error.fmt(f),
            Self::Exponents { found, expected } => write!(
                f,
                "the checkpoint has {expected} tensors but {found} exponents are given; take those of its manifest"
            ),
            Self::Updates(found) => write!(
                f,
                "there are {found} updates; 1 to {MAX_UPDATES} are averaged and 2 compared, so the statement is false \
                 without a game"
            ),
            Self::Weights => f.write_str(
                "a weight is zero or the weights are above 32 bits together, so the statement is false without a game",
            ),
        }
    }
}

impl core::error::Error for AggregateError {}
