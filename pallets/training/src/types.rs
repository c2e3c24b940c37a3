//! What the pallet records.

use crate::Config;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::RoundId;
use noema_rounds::{Dataset, Round, Rules};
use scale_info::TypeInfo;

/// A round as this runtime records it.
pub type RoundOf<T> = Round<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// A programme as this runtime records it.
pub type ProgrammeOf<T> = Programme<BlockNumberFor<T>, BoundedVec<u8, <T as Config>::MaxText>>;

/// What a family is trained on, round after round.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Programme<BlockNumber, Text> {
    /// The text.
    pub dataset: Dataset,
    /// The licence of the text, in UTF-8.
    pub licence: Text,
    /// Where the text comes from, in UTF-8 words.
    pub source: Text,
    /// What every round follows.
    pub rules: Rules<BlockNumber>,
    /// The open round; `None` while the family has no canonical checkpoint.
    pub round: Option<RoundId>,
    /// Rounds that ended with a new checkpoint.
    pub promoted: u32,
    /// Rounds that ended without.
    pub rejected: u32,
}

/// What an audit counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AuditReport {
    /// Programmes that run.
    pub programmes: u32,
    /// Rounds that are open.
    pub open: u32,
    /// Closed rounds that are readable.
    pub closed: u32,
}

/// What an audit found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditFailure {
    /// The list of families is not that of the programmes.
    FamiliesDiffer,
    /// A programme's round is not an open one of its family.
    RoundNotOpen,
    /// A round belongs to no programme and no list of closed ones.
    RoundLost,
    /// A list of closed rounds names one that is open, missing or of another family.
    ClosedDiffer,
    /// A round's number is not below the next one.
    RoundNotCounted,
}

impl AuditFailure {
    /// The fact as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FamiliesDiffer => "the list of families is not that of the programmes",
            Self::RoundNotOpen => "a programme's round is not an open one of its family",
            Self::RoundLost => "a round belongs to no programme and no list",
            Self::ClosedDiffer => "a list of closed rounds is wrong",
            Self::RoundNotCounted => "a round's number is not below the next one",
        }
    }
}
