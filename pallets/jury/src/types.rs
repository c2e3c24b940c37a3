//! What the pallet stores and tells.

use crate::Dispute;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{CheckpointId, ClaimId};
use scale_info::TypeInfo;

/// A dispute of the runtime.
pub type DisputeOf<T> = Dispute<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// An open dispute of the runtime.
pub type OpenDisputeOf<T> = OpenDispute<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// A claim and one of its leaves: what a dispute is about.
pub type Leaf = (ClaimId, u32);

/// A dispute that is not concluded, and where it waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct OpenDispute<AccountId, BlockNumber> {
    /// The dispute.
    pub dispute: Dispute<AccountId, BlockNumber>,
    /// Where it waits to be looked at. Every open dispute waits in exactly one place.
    pub place: Place<BlockNumber>,
}

/// Where an open dispute waits to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Place<BlockNumber> {
    /// In the queue for randomness, at this position.
    Queue(u64),
    /// In the agenda, at this block.
    Agenda(BlockNumber),
}

/// What a juror has to do next.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum VerdictStep {
    /// Execute the leaf again and call `commit_verdict`.
    Commit,
    /// Call `reveal_verdict` with what was committed.
    Reveal,
}

/// A dispute in which an operator has to do something.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct VerdictDue<BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// What to do.
    pub step: VerdictStep,
    /// The last block in which it is accepted.
    pub until: BlockNumber,
}
