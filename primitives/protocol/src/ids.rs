//! Typed identifiers.

use crate::{apply, sent};
use core::fmt;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Defines identifiers: each a number or a hash with a type of its own, so that none is taken for another. It
/// is encoded and ordered as its value, and shown in the format that follows its type.
macro_rules! ids {
    ($(
        $(#[$attribute:meta])*
        pub struct $name:ident(pub $value:ident), shown as $format:literal;
    )*) => {$(
        $(#[$attribute])*
        #[apply(sent)]
        #[derive(Copy, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[cfg_attr(
            feature = "by-name",
            derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
        )]
        pub struct $name(pub $value);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, self.0)
            }
        }
    )*};
}

ids! {
    /// Identifies a checkpoint by the hash of its manifest.
    ///
    /// The manifest names the architecture, the versions of the numerics and of the text layer, the tokenizer
    /// and the Merkle root of the weights, so two checkpoints with the same id answer every prompt with the same bytes.
    pub struct CheckpointId(pub H256), shown as "{:?}";

    /// Numbers a model family: checkpoints of one architecture, tokenizer, numerics version and version of the
    /// text layer.
    pub struct FamilyId(pub u32), shown as "{}";

    /// Numbers a request; never reused.
    pub struct RequestId(pub u64), shown as "{}";

    /// Numbers a claim; never reused.
    pub struct ClaimId(pub u64), shown as "{}";

    /// Numbers a round of training; never reused.
    pub struct RoundId(pub u64), shown as "{}";

    /// Numbers a session; never reused.
    pub struct SessionId(pub u64), shown as "{}";
}

/// The job that an operator was paid or slashed for.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// A request for inference.
    Request(RequestId),
    /// A round of training.
    Round(RoundId),
    /// The check of this leaf of a claim.
    Check(ClaimId, u32),
    /// The dispute over this leaf of a claim.
    Dispute(ClaimId, u32),
    /// The answers of a session that its claim with this number, counted from zero, covers.
    Session(SessionId, u32),
}

impl From<RequestId> for Job {
    fn from(request: RequestId) -> Self {
        Self::Request(request)
    }
}

impl From<RoundId> for Job {
    fn from(round: RoundId) -> Self {
        Self::Round(round)
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => write!(f, "request {request}"),
            Self::Round(round) => write!(f, "round {round}"),
            Self::Check(claim, leaf) => write!(f, "the check of leaf {leaf} of claim {claim}"),
            Self::Dispute(claim, leaf) => {
                write!(f, "the dispute over leaf {leaf} of claim {claim}")
            }
            Self::Session(session, n) => write!(f, "claim number {n} of session {session}"),
        }
    }
}
