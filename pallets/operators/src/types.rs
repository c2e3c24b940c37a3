//! What the pallet records.

use crate::Config;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::net::{Ipv4Addr, Ipv6Addr};
use frame_support::{
    traits::{fungible::Inspect, ConstU32},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{
    interfaces::{Earning, Offence, Prices, Role},
    CheckpointId, Job,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// The runtime's balance.
pub type BalanceOf<T> =
    <<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// An operator of the runtime.
pub type OperatorOf<T> =
    Operator<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;
/// What is told of an operator of the runtime.
pub type OperatorInfoOf<T> =
    OperatorInfo<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;
/// An operator of the runtime that may be drawn.
pub type DrawableOf<T> = Drawable<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
/// A device report of the runtime.
pub type DeviceReportOf<T> = DeviceReport<BlockNumberFor<T>>;
/// An endpoint report of the runtime.
pub type EndpointReportOf<T> = EndpointReport<BlockNumberFor<T>>;
/// A ledger of the runtime.
pub type LedgerOf<T> = Ledger<BalanceOf<T>, BlockNumberFor<T>>;

/// Entries that a ledger keeps.
pub const LEDGER_ENTRIES: u32 = 32;
/// Bytes of a device's name.
pub const DEVICE_NAME_BYTES: u32 = 64;

/// Addresses of an endpoint.
pub const ENDPOINT_ADDRESSES: u32 = 4;

/// What an operator does with the checkpoints it serves.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Roles {
    /// Answers requests.
    pub worker: bool,
    /// Re-executes answers, and scores contributions.
    pub validator: bool,
    /// Contributes updates to rounds of training.
    pub trainer: bool,
}

impl Roles {
    /// Whether `role` is one of them.
    pub fn contains(self, role: Role) -> bool {
        match role {
            Role::Worker => self.worker,
            Role::Validator => self.validator,
            Role::Trainer => self.trainer,
        }
    }

    /// The roles in which a checkpoint is served, one by one.
    pub fn serving(self) -> impl Iterator<Item = Role> {
        [Role::Worker, Role::Validator]
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

/// A bonded operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Operator<AccountId, Balance, BlockNumber> {
    /// The hot key that submits for it.
    pub key: AccountId,
    /// What it does.
    pub roles: Roles,
    /// What it charges as a worker.
    pub prices: Prices<Balance>,
    /// What is held from its controller and can be slashed.
    pub bond: Balance,
    /// Open jobs that it is tied to.
    pub engagements: u32,
    /// The block of its last sign of life.
    pub heartbeat: BlockNumber,
    /// The block from which it may withdraw its bond, if it is leaving.
    pub withdrawable_at: Option<BlockNumber>,
}

/// What is told of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OperatorInfo<AccountId, Balance, BlockNumber> {
    /// What is recorded.
    pub operator: Operator<AccountId, Balance, BlockNumber>,
    /// The checkpoints it serves.
    pub serves: Vec<CheckpointId>,
    /// The device it reported.
    pub device: Option<DeviceReport<BlockNumber>>,
    /// Why it is not drawn now; `None` if it is.
    pub idle: Option<Idle>,
}

/// An operator that may be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Drawable<AccountId, Balance> {
    /// The account that holds the bond.
    pub controller: AccountId,
    /// The weight of the draw: the bond.
    pub weight: Balance,
    /// What it charges; zero for a validator.
    pub prices: Prices<Balance>,
}

/// Why an operator is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Idle {
    /// It is leaving.
    Leaving,
    /// Its bond is below the least bond.
    Suspended,
    /// Its last heartbeat is too old.
    Silent,
    /// It is tied to as many jobs as it may be.
    FullyEngaged,
}

/// What executes the model.
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
pub enum DeviceClass {
    /// A processor's own instructions.
    Cpu,
    /// A graphics processor.
    Gpu,
}

/// A device that passed the worker's self-test.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Device {
    /// What it is.
    pub class: DeviceClass,
    /// What it calls itself, in UTF-8.
    pub name: BoundedVec<u8, ConstU32<DEVICE_NAME_BYTES>>,
    /// The hash of the golden vectors that it reproduced.
    pub self_test: H256,
}

/// A device, and when it was reported.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct DeviceReport<BlockNumber> {
    /// The device.
    pub device: Device,
    /// The block of the report.
    pub at: BlockNumber,
}

/// Where an operator shares artefacts.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Endpoint {
    /// The public key (Ed25519) that a connection to it proves.
    pub peer: [u8; 32],
    /// Where it may be reached, most likely first: hints, which prove nothing.
    pub addresses: BoundedVec<Address, ConstU32<ENDPOINT_ADDRESSES>>,
}

/// An address and a UDP port: no name to look up and no URL to fetch.
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
pub enum Address {
    /// Of the fourth version of the protocol.
    Ipv4 {
        /// The address.
        address: [u8; 4],
        /// The UDP port.
        port: u16,
    },
    /// Of the sixth version of the protocol.
    Ipv6 {
        /// The address.
        address: [u8; 16],
        /// The UDP port.
        port: u16,
    },
}

impl Address {
    /// Whether it can name one machine: neither the unspecified address nor one of a group, and
    /// not port zero.
    pub fn is_possible(&self) -> bool {
        match *self {
            Self::Ipv4 { address, port } => {
                let address = Ipv4Addr::from(address);
                let of_one = !address.is_unspecified() && !address.is_multicast();
                port != 0 && of_one && !address.is_broadcast()
            }
            Self::Ipv6 { address, port } => {
                let address = Ipv6Addr::from(address);
                port != 0 && !address.is_unspecified() && !address.is_multicast()
            }
        }
    }
}

/// An endpoint, and when it was published.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct EndpointReport<BlockNumber> {
    /// The endpoint; `None` if the operator shares nothing any more.
    pub endpoint: Option<Endpoint>,
    /// The block of the call.
    pub at: BlockNumber,
}

/// What an operator earned and lost since it registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ledger<Balance, BlockNumber> {
    /// Paid for answers.
    pub answers: Balance,
    /// Paid for checks.
    pub checks: Balance,
    /// Paid from the bonds of those who lost disputes.
    pub disputes: Balance,
    /// Lost from the bond.
    pub slashed: Balance,
    /// The latest entries, oldest first.
    pub recent: BoundedVec<Entry<Balance, BlockNumber>, ConstU32<LEDGER_ENTRIES>>,
}

/// One payment or loss.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Entry<Balance, BlockNumber> {
    /// The block in which it happened.
    pub at: BlockNumber,
    /// What it was for.
    pub job: Job,
    /// Why it happened.
    pub reason: Reason,
    /// How much it was.
    pub amount: Balance,
}

/// Why an operator was paid or lost from its bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Reason {
    /// It was paid.
    Earned(Earning),
    /// It lost.
    Lost(Offence),
}

/// What an audit counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AuditReport<Balance> {
    /// Registered operators.
    pub operators: u32,
    /// The sum of their bonds.
    pub bonded: Balance,
}

/// What an audit found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditFailure {
    /// A recorded bond is not what is held.
    BondIsNotHeld,
    /// The bonds together exceed what a balance can hold.
    BondsOverflow,
    /// An operator's key does not lead back to it.
    KeyNotIndexed,
    /// A key leads to an operator that does not use it.
    KeyWithoutOperator,
    /// A key has no reference that lets it sign without funds.
    KeyNotSufficient,
    /// An operator serves a checkpoint in whose lists it is in none.
    ServerNotListed,
    /// A list names an operator that does not serve the checkpoint in that role, or names it twice.
    ListedWithoutServing,
    /// Something is recorded of an account that is no operator.
    RecordWithoutOperator,
    /// An operator is tied to more jobs than it may be.
    OverEngaged,
}

impl AuditFailure {
    /// The fact as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BondIsNotHeld => "a recorded bond is not what is held",
            Self::BondsOverflow => "the bonds together exceed what a balance can hold",
            Self::KeyNotIndexed => "an operator's key does not lead back to it",
            Self::KeyWithoutOperator => "a key leads to an operator that does not use it",
            Self::KeyNotSufficient => "a key cannot sign without funds",
            Self::ServerNotListed => "an operator is not listed for a checkpoint it serves",
            Self::ListedWithoutServing => "a list names an operator that does not serve",
            Self::RecordWithoutOperator => {
                "something is recorded of an account that is no operator"
            }
            Self::OverEngaged => "an operator is tied to more jobs than it may be",
        }
    }
}
