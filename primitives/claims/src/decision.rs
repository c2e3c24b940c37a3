//! The decision of a dispute.

use noema_protocol::{apply, sent};

/// The decision of a dispute over a leaf.
#[apply(sent)]
#[derive(Copy)]
pub enum Decision {
    /// The checkpoint yields the leaf: its challengers lose their stakes.
    True,
    /// The checkpoint does not yield the leaf: the claim falls.
    False,
    /// No decision was possible. The claim falls, and the challengers lose their stakes: no outcome is free
    /// for a party that cheats.
    Undecided,
}
