//! The types of the pallet's storage and interfaces.

use crate::Config;
use frame_support::BoundedVec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{apply, stored, RoundId};
use noema_rounds::{Dataset, Round, RoundRules};

/// A round as this runtime records it.
pub type RoundOf<T> = Round<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// A programme as this runtime records it.
pub type ProgrammeOf<T> = Programme<BlockNumberFor<T>, BoundedVec<u8, <T as Config>::MaxText>>;

/// The training of a family, round after round.
#[apply(stored)]
pub struct Programme<BlockNumber, Text> {
    /// The dataset.
    pub dataset: Dataset,
    /// The licence of the text, in UTF-8.
    pub licence: Text,
    /// The origin of the text, in UTF-8 words.
    pub source: Text,
    /// The rules of every round.
    pub rules: RoundRules<BlockNumber>,
    /// The open round; `None` while the family has no canonical checkpoint.
    pub round: Option<RoundId>,
    /// Rounds that ended with a new checkpoint.
    pub promoted: u32,
    /// Rounds that ended without a new checkpoint.
    pub rejected: u32,
}
