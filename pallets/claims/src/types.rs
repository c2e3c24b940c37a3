//! What the pallet stores and tells.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{Claim, MAX_DRAWS, MAX_VALIDATORS_PER_LEAF};
use noema_economics::Balance;
use noema_protocol::{CheckpointId, ClaimId, Job};
use scale_info::TypeInfo;

/// A claim of the runtime.
pub type ClaimOf<T> = Claim<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// A kept claim of the runtime.
pub type KeptOf<T> = Kept<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// Most challengers of one leaf that were drawn for its check: they always find room.
pub const MAX_SEATED_CHALLENGERS: u32 = MAX_VALIDATORS_PER_LEAF * MAX_DRAWS;

/// A claim, and what the pallet has to know to carry out its life.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Kept<AccountId, BlockNumber> {
    /// The claim.
    pub claim: Claim<AccountId, BlockNumber>,
    /// What was done: the claimant's stake is locked behind it.
    pub job: Job,
    /// The block of its next turn in the agenda; `None` while it waits for randomness or a dispute.
    pub turn: Option<BlockNumber>,
}

/// An account that challenged a leaf.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Challenger<AccountId> {
    /// The account; for a hot key, its controller.
    pub account: AccountId,
    /// What it staked.
    pub stake: Stake<AccountId>,
}

/// What a challenger loses where the leaf is true.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Stake<AccountId> {
    /// What is locked of its bond for the check that it was drawn for.
    Seat,
    /// This much of its funds, on hold.
    Hold {
        /// The account that it is held from.
        from: AccountId,
        /// How much.
        amount: Balance,
    },
}

/// What a drawn validator has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CheckStep {
    /// Execute the leaf again and call `commit_check`, or `challenge` where the leaf is false.
    Commit,
    /// Call `reveal_check` with what was committed.
    Reveal,
}

/// A check that an operator has to do something about.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CheckDue<BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// What the claimant says to have done.
    pub job: Job,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// What to do.
    pub step: CheckStep,
    /// The last block in which it is accepted.
    pub until: BlockNumber,
    /// Where in the answer the hidden state stands that has to be shown; see
    /// [`noema_claims::Seat::point`].
    pub point: u64,
}

/// What is told of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ClaimInfo<AccountId, BlockNumber> {
    /// The claim.
    pub claim: Claim<AccountId, BlockNumber>,
    /// What the claimant says to have done.
    pub job: Job,
    /// The open disputes: the leaf of each, and its challengers.
    pub disputes: Vec<(u32, Vec<AccountId>)>,
}
