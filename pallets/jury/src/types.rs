//! The types of the pallet's storage and interfaces.

use crate::{AgendaCursor, Dispute, Turns};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{apply, encoded, sent, stored, CheckpointId, ClaimId};

/// A dispute of the runtime.
pub type DisputeOf<T> = Dispute<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// An open dispute of the runtime.
pub type OpenDisputeOf<T> = OpenDispute<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// The agenda of disputes.
pub(crate) type Agenda<T> = noema_agenda::Agenda<Turns<T>, AgendaCursor<T>>;

/// A claim and one of its leaves: the subject of a dispute.
pub type LeafId = (ClaimId, u32);

/// A dispute that is not concluded, and the place where it waits.
#[apply(stored)]
pub struct OpenDispute<AccountId, BlockNumber> {
    /// The dispute.
    pub dispute: Dispute<AccountId, BlockNumber>,
    /// The place where it waits for its next step. Every open dispute waits in exactly one place.
    pub place: DisputePlace<BlockNumber>,
}

/// A place where an open dispute waits for its next step.
#[apply(stored)]
#[derive(Copy)]
pub enum DisputePlace<BlockNumber> {
    /// In the queue for randomness, at this position.
    Queue(u64),
    /// In the agenda, at this block.
    Agenda(BlockNumber),
}

/// The next step of a juror.
#[apply(sent)]
#[derive(Copy)]
pub enum VerdictStep {
    /// Execute the leaf again and call `commit_verdict`.
    Commit,
    /// Call `reveal_verdict` with the committed values.
    Reveal,
}

/// A dispute in which an operator has an open step.
#[apply(encoded)]
pub struct VerdictDue<BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// The open step.
    pub step: VerdictStep,
    /// The last block in which it is accepted.
    pub until: BlockNumber,
}
