//! The types of the chain that this program reads and writes, and what an upgrade of the runtime may change in
//! them.
//!
//! The types that the runtime takes from `noema_protocol`, `noema_claims` and `noema_rounds` are used as they are:
//! the feature `by-name` of those crates derives what is needed. The types below are records that this program only
//! reads, with the fields that it uses, and types of pallets, on which it does not depend. A name begins with
//! `Wire` where this program has a type of its own for the same thing.
//!
//! # By name
//!
//! Storage, constants, events and the results of view functions are decoded by the names that the metadata
//! gives fields and variants; arguments are encoded by them. In what is decoded,
//!
//! - a field that is added or moved changes nothing;
//! - a field that is removed or renamed is an error that names it;
//! - an integer may become wider or narrower, and is an error where a value does not fit; no other change of the
//!   type of a field is provided for;
//! - a variant that is moved or removed changes nothing; one that is added or renamed is an error that names it,
//!   where a value of it is read;
//! - fields without names, of a variant or a tuple, keep their number and their order.
//!
//! In arguments, a field that the runtime no longer has is left out. A field that this program lacks, or a variant
//! that the runtime lacks, is an error, and nothing is sent.
//!
//! # By position
//!
//! A round, [`Round`](crate::roles::rounds::Round), is decoded as the runtime encodes it: its lists have a type
//! that cannot be decoded by name, and a round that has not changed is recognised by the hash of its encoding. So are
//! the terms of a session, whose encoding both sides hash, and games, which are those of `noema_disputes`. The type is compared with the metadata before: a field
//! that was added, moved, removed, renamed or given another type is an error that names it, as is a variant that took
//! the place of another; one that was added is an error where a value of it is read. So a worker that takes part in
//! rounds or serves sessions runs either before such an upgrade or after it, and is replaced when it is enacted.
//!
//! The result of a call of a view function around the value, and the transactions of duties, have the fixed
//! formats of polkadot-sdk.

/// An amount of the native token, in its smallest unit.
pub type Balance = u128;
/// A block number as the runtime stores it.
pub type BlockNumber = u32;

/// A type that is only read.
macro_rules! from_chain {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        $vis struct $name { $($body)* }
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        #[serde(rename_all = "snake_case", rename_all_fields = "snake_case")]
        $vis enum $name { $($body)* }
    };
}

/// A type that is read and passed as an argument.
macro_rules! both_ways {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, DecodeAsType, EncodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        #[encode_as_type(crate_path = "subxt::ext::scale_encode")]
        $vis struct $name { $($body)* }
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, DecodeAsType, EncodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        #[encode_as_type(crate_path = "subxt::ext::scale_encode")]
        #[serde(rename_all = "snake_case")]
        $vis enum $name { $($body)* }
    };
}

use both_ways;
use from_chain;

mod checkpoint;
mod claim;
mod game;
mod governance;
mod issuance;
mod operator;
mod request;
mod session;

pub use checkpoint::{
    CheckpointRecord, FamilyRecord, Holding, Status, Weights, WireArchitecture, WireExperts,
    WireFeature, WireLayerPattern, WireTokenBounds, WireWindow,
};
pub use claim::{CheckDue, ClaimInfo, ClaimRecord, ClaimTerms, Demand, DueStep, Seat, VerdictDue};
pub use game::{
    GameInfo, MoveDue, MoveStep, WireEvidence, WireInputs, WireKind, WirePlace, WireProof,
    WireStatement,
};
pub use issuance::{Claimable, ClosedEpoch, PendingReward, RunningEpoch, ScheduledEpoch};
pub use operator::{
    DeviceReport, EarningsLedger, Idle, Offer, OperatorInfo, OperatorRecord, PriceList,
    PriceVersions, Roles, WireAddress, WireDevice, WireDeviceClass, WireEndpoint, WireSignature,
};
pub use request::{Assignment, OpenAnswer, Payments, RefundReason, RequestPhase, RequestState};
pub use session::{DemandDue, OpenClaim, SessionAccount, SessionInfo, SessionOffer, SessionRecord};

pub use governance::{CheckpointsCall, TrainingCall, WireCall};

fn as_text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}
