//! The decision of a dispute.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The decision of a dispute over a leaf.
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
pub enum Decision {
    /// The checkpoint yields the leaf: its challengers lose their stakes.
    True,
    /// The checkpoint does not yield the leaf: the claim falls.
    False,
    /// No decision was possible. The claim falls, and the challengers lose their stakes: no outcome is free
    /// for a party that cheats.
    Undecided,
}
