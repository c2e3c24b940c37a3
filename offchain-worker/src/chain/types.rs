//! The types of the chain that this program reads and writes.
//!
//! Every type is decoded by the *names* that the metadata gives its fields and variants, never by
//! position. A field that moved or was added changes nothing; a field that is missing or has another type
//! is an error that names it.
//!
//! Types whose names begin with `Wire` have a native counterpart elsewhere in this program.

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
mod governance;
mod issuance;
mod operator;
mod request;

pub use checkpoint::{
    CheckpointRecord, FamilyRecord, Holding, Status, WireArchitecture, WireTokenBounds, WireWeights,
};
pub use claim::{CheckDue, ClaimInfo, ClaimRecord, ClaimTerms, DueStep, Seat, VerdictDue};
pub use issuance::{Claimable, ClosedEpoch, PendingReward, RunningEpoch, ScheduledEpoch};
pub use operator::{
    DeviceReport, EarningsLedger, Idle, Offer, OperatorInfo, OperatorRecord, PriceList,
    PriceVersions, WireAddress, WireDevice, WireDeviceClass, WireEndpoint, WireRoles,
    WireSignature,
};
pub use request::{Assignment, OpenAnswer, Payments, RefundReason, RequestPhase, RequestState};

pub use governance::{CheckpointsCall, TrainingCall, WireCall};

fn as_text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}
