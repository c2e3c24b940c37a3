//! The types of the pallet's storage and interfaces.

use crate::AgendaCursor;
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{Claim, MAX_DRAWS, MAX_VALIDATORS_PER_LEAF};
use noema_economics::Balance;
use noema_protocol::{apply, encoded, sent, stored, CheckpointId, ClaimId, Job};

/// A claim of the runtime.
pub type ClaimOf<T> = Claim<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// A kept claim of the runtime.
pub type KeptOf<T> = Kept<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// The agenda of claims.
pub(crate) type Turns<T> = noema_agenda::Agenda<crate::Agenda<T>, AgendaCursor<T>>;

/// Most challengers of one leaf that were drawn for its check. Places are reserved for them.
pub const MAX_SEATED_CHALLENGERS: u32 = MAX_VALIDATORS_PER_LEAF * MAX_DRAWS;

/// A claim, with the data that the pallet needs to settle it.
#[apply(stored)]
pub struct Kept<AccountId, BlockNumber> {
    /// The claim.
    pub claim: Claim<AccountId, BlockNumber>,
    /// The job: the claimant's stake is locked behind it.
    pub job: Job,
    /// The part of the payer's amount on hold that the claim cannot cost, released with its end.
    pub surplus: Balance,
    /// The block of its next turn in the agenda; `None` while it waits for randomness or a dispute.
    pub turn: Option<BlockNumber>,
}

/// An account that challenged a leaf.
#[apply(sent)]
pub struct Challenger<AccountId> {
    /// The account; for a hot key, its controller.
    pub account: AccountId,
    /// Its stake.
    pub stake: Stake<AccountId>,
}

/// The stake that a challenger loses where the leaf is true.
#[apply(sent)]
pub enum Stake<AccountId> {
    /// The lock on its bond for the check that it was drawn for.
    Seat,
    /// An amount of funds, on hold.
    Hold {
        /// The account that the amount is held from.
        from: AccountId,
        /// The amount.
        amount: Balance,
    },
}

/// The next step of a drawn validator.
#[apply(encoded)]
#[derive(Copy)]
pub enum CheckStep {
    /// Execute the leaf again and call `commit_check`, or `challenge` where the leaf is false.
    Commit,
    /// Call `reveal_check` with the committed values.
    Reveal,
}

/// A check in which an operator has an open step.
#[apply(encoded)]
pub struct CheckDue<BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The job of the claimant.
    pub job: Job,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// The open step.
    pub step: CheckStep,
    /// The last block in which it is accepted.
    pub until: BlockNumber,
    /// The position in the answer whose hidden state has to be revealed; see [`noema_claims::Seat::point`].
    pub point: u64,
}

/// A leaf that a claimant has to post.
#[apply(encoded)]
#[derive(Copy)]
pub struct DemandDue<BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The job of the claimant.
    pub job: Job,
    /// The last block in which a post is accepted.
    pub until: BlockNumber,
}

/// The information on a claim.
#[apply(encoded)]
pub struct ClaimInfo<AccountId, BlockNumber> {
    /// The claim.
    pub claim: Claim<AccountId, BlockNumber>,
    /// The job of the claimant.
    pub job: Job,
    /// The open disputes: the leaf of each, and its challengers.
    pub disputes: Vec<(u32, Vec<AccountId>)>,
}
