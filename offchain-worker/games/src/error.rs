//! Why a party has no move.

use noema_disputes::Place;

/// Why a party has no move where it has to move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError<E> {
    /// The own trace cannot be computed.
    #[error(transparent)]
    Trace(#[from] E),
    /// The own trace of a claimant does not support what it claimed.
    #[error("the own trace does not end with the result that the receipt states: what was claimed is false, and no trace can be shown for it")]
    OwnClaimFalse,
    /// The own trace has another number of steps than the one on chain.
    #[error("the own trace has {own} steps, and the one on chain {claimed}: they are not of the same statement")]
    OtherSteps {
        /// Those of the own one.
        own: u64,
        /// Those of the one on chain.
        claimed: u64,
    },
    /// A node of the own trace is not the one that was shown to be in it.
    #[error("node {} of row {} is another one in the own trace: the trace on chain was opened from another execution", .0.index, .0.row)]
    OtherNode(Place),
    /// A row that the claimant showed is not known to the player.
    #[error("the row below node {} of row {} was shown, and was not read: read it from the blocks of the chain", .0.index, .0.row)]
    RowUnread(Place),
    /// The line was played down another way than the own trace leads.
    #[error("the line points to node {} of row {}, where the own trace does not lead: it was played from another trace", .0.index, .0.row)]
    OtherWay(Place),
    /// The row below a node that differs is the same as in the own trace.
    #[error("the own trace has another node {} of row {}, and the same row below it: it has changed", .0.index, .0.row)]
    TraceChanged(Place),
}
