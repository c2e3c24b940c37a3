//! Operators: their roles, prices, devices, endpoints and earnings.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{as_text, both_ways, from_chain, Balance, BlockNumber};
use noema_protocol::{CheckpointId, Prices};
use serde::Serialize;
use sp_core::H256;
use std::net::{IpAddr, SocketAddr};
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

both_ways! {
    /// The roles of an operator.
    pub struct Roles {
        /// Answers requests.
        pub worker: bool,
        /// Re-executes answers, and scores contributions.
        pub validator: bool,
        /// Contributes updates to rounds of training.
        pub trainer: bool,
    }
}

impl Roles {
    /// The names of the roles that are set.
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            (self.worker, "worker"),
            (self.validator, "validator"),
            (self.trainer, "trainer"),
        ];
        all.iter()
            .filter(|(has, _)| *has)
            .map(|(_, name)| *name)
            .collect()
    }
}

/// A signature.
#[derive(Clone, Debug, EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub enum WireSignature {
    /// A signature with an sr25519 key.
    Sr25519([u8; 64]),
}

from_chain! {
    /// The prices of a worker by term.
    pub struct PriceVersions {
        /// The term of the last change.
        pub changed: u32,
        /// The prices in that term.
        pub then: Prices<Balance>,
        /// The prices in the term after it.
        pub next: Prices<Balance>,
        /// The prices from the term after that on: those that were set last.
        pub latest: Prices<Balance>,
    }
}

from_chain! {
    /// The price of a worker for a request.
    pub struct Offer {
        /// The worker's controller.
        pub worker: AccountId32,
        /// The price of the longest answer.
        pub answer_max: Balance,
        /// The amount set aside for checks.
        pub check_fee: Balance,
        /// The sum of both.
        pub total: Balance,
        /// The number of open requests of the worker.
        pub open: u32,
    }
}

from_chain! {
    /// Price limits for a request.
    pub struct PriceList {
        /// The lowest price limit with which a worker can be drawn.
        pub lowest: Option<Balance>,
        /// The price limit with which half of the workers can be drawn.
        pub typical: Option<Balance>,
        /// The amount that is burned for storage, in addition to the price limit.
        pub storage: Balance,
        /// Whether prompt and answer fit into the context of the checkpoint.
        pub fits: bool,
        /// The price of each worker.
        pub offers: Vec<Offer>,
    }
}

from_chain! {
    /// An operator, with its checkpoints, its device and its state in draws.
    pub struct OperatorInfo {
        /// Its record.
        pub operator: OperatorRecord,
        /// The checkpoints that it serves.
        pub serves: Vec<CheckpointId>,
        /// The device that it reported.
        pub device: Option<DeviceReport>,
        /// Why it cannot be drawn in the current term; `None` if it can.
        pub idle: Option<Idle>,
    }
}

from_chain! {
    /// A device and the block of its report.
    pub struct DeviceReport {
        /// The device.
        pub device: WireDevice,
        /// The block of the report.
        pub at: BlockNumber,
    }
}

both_ways! {
    /// A device that passed the self-test.
    pub struct WireDevice {
        /// Its class.
        pub class: WireDeviceClass,
        /// Its name, UTF-8.
        #[serde(serialize_with = "as_text")]
        pub name: Vec<u8>,
        /// The hash of the golden vectors that it reproduced.
        pub self_test: H256,
    }
}

both_ways! {
    /// The class of a device.
    pub enum WireDeviceClass {
        /// A processor.
        Cpu,
        /// A graphics processor.
        Gpu,
    }
}

both_ways! {
    /// The endpoint at which an operator shares artefacts.
    pub struct WireEndpoint {
        /// The public key that authenticates its connections.
        pub peer: [u8; 32],
        /// The addresses at which it may be reached.
        pub addresses: Vec<WireAddress>,
    }
}

both_ways! {
    /// An address and a UDP port.
    pub enum WireAddress {
        /// An IPv4 address.
        Ipv4 {
            /// The address.
            address: [u8; 4],
            /// The port.
            port: u16,
        },
        /// An IPv6 address.
        Ipv6 {
            /// The address.
            address: [u8; 16],
            /// The port.
            port: u16,
        },
    }
}

impl From<SocketAddr> for WireAddress {
    fn from(address: SocketAddr) -> Self {
        let port = address.port();
        match address.ip() {
            IpAddr::V4(address) => Self::Ipv4 {
                address: address.octets(),
                port,
            },
            IpAddr::V6(address) => Self::Ipv6 {
                address: address.octets(),
                port,
            },
        }
    }
}

impl From<WireAddress> for SocketAddr {
    fn from(address: WireAddress) -> Self {
        match address {
            WireAddress::Ipv4 { address, port } => Self::from((address, port)),
            WireAddress::Ipv6 { address, port } => Self::from((address, port)),
        }
    }
}

from_chain! {
    /// A bonded operator.
    pub struct OperatorRecord {
        /// The hot key that submits for it.
        pub key: AccountId32,
        /// Its roles.
        pub roles: Roles,
        /// Its prices as a worker, by term.
        pub prices: PriceVersions,
        /// The bond, which can be slashed.
        pub bond: Balance,
        /// The part of the bond that is locked behind open jobs.
        pub locked: Balance,
        /// The number of open jobs behind which a part of the bond is locked.
        pub locks: u32,
        /// The block from which it may withdraw its bond, if it is leaving.
        pub withdrawable_at: Option<BlockNumber>,
    }
}

from_chain! {
    /// Why an operator cannot be drawn.
    pub enum Idle {
        /// It is leaving.
        Leaving,
        /// Its bond is below the least bond.
        Suspended,
        /// It failed in a duty and has not resumed.
        Absent,
        /// It resumed, and the term from which it is drawn again has not begun.
        Returning,
    }
}

impl Idle {
    /// The reason as text, with the remedy.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Leaving => "it is leaving",
            Self::Suspended => {
                "its bond is below the least bond; add to it with operators.bondExtra"
            }
            Self::Absent => "it failed in a duty; `noema-worker run` with its key resumes",
            Self::Returning => "it resumed, and is drawn again from the term after next on",
        }
    }
}

from_chain! {
    /// The credits and slashes of an operator since it registered.
    pub struct EarningsLedger {
        /// The amount that was credited and is not yet withdrawn.
        pub payable: Balance,
        /// The amount credited for answers.
        pub answers: Balance,
        /// The amount credited for checks.
        pub checks: Balance,
        /// The amount credited from the bonds of operators that lost disputes.
        pub disputes: Balance,
        /// The amount slashed from the bond.
        pub slashed: Balance,
    }
}
