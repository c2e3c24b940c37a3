//! Operators: what they do, charge, earn and lose.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{as_text, both_ways, from_chain, Balance, BlockNumber};
use serde::Serialize;
use sp_core::H256;
use std::net::{IpAddr, SocketAddr};
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

both_ways! {
    /// What an operator does with the checkpoints it serves.
    pub struct WireRoles {
        /// Answers requests.
        pub worker: bool,
        /// Re-executes answers, and scores contributions.
        pub validator: bool,
        /// Contributes updates to rounds of training.
        pub trainer: bool,
    }
}

impl WireRoles {
    /// The names of those it has.
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
    /// Of an Sr25519 key.
    Sr25519([u8; 64]),
}

both_ways! {
    /// What a worker charges.
    pub struct WirePrices {
        /// Per byte of the prompt.
        pub per_prompt_byte: Balance,
        /// Per token of the answer.
        pub per_output_token: Balance,
    }
}

from_chain! {
    /// What a worker charges, by term.
    pub struct PriceVersions {
        /// The term of the last change.
        pub changed: u32,
        /// In that term.
        pub then: WirePrices,
        /// In the term after it.
        pub next: WirePrices,
        /// From the term after that on: what was set last.
        pub latest: WirePrices,
    }
}

from_chain! {
    /// What a worker would charge for a request.
    pub struct Offer {
        /// The worker's controller.
        pub worker: AccountId32,
        /// For the longest answer.
        pub answer_max: Balance,
        /// Set aside for checks.
        pub check_fee: Balance,
        /// Both together.
        pub total: Balance,
        /// How many requests the worker has now.
        pub open: u32,
    }
}

from_chain! {
    /// The price limits to choose from.
    pub struct PriceList {
        /// The lowest with which a worker may be drawn.
        pub lowest: Option<Balance>,
        /// The one with which half of the workers may be drawn.
        pub typical: Option<Balance>,
        /// What is burned for storage, beside the price limit.
        pub storage: Balance,
        /// Whether prompt and answer fit into the context of the checkpoint.
        pub fits: bool,
        /// What each worker would charge.
        pub offers: Vec<Offer>,
    }
}

from_chain! {
    /// What is told of an operator.
    pub struct OperatorInfo {
        /// What is recorded.
        pub operator: OperatorRecord,
        /// The checkpoints it serves.
        pub serves: Vec<H256>,
        /// The device it reported.
        pub device: Option<DeviceReport>,
        /// Why it is not drawn in the present term; `None` if it can be.
        pub idle: Option<Idle>,
    }
}

from_chain! {
    /// A device, and when it was reported.
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
        /// What it is.
        pub class: WireDeviceClass,
        /// What it calls itself, in UTF-8.
        #[serde(serialize_with = "as_text")]
        pub name: Vec<u8>,
        /// The hash of the golden vectors that it reproduced.
        pub self_test: H256,
    }
}

both_ways! {
    /// What executes the model.
    pub enum WireDeviceClass {
        /// A processor's own instructions.
        Cpu,
        /// A graphics processor.
        Gpu,
    }
}

both_ways! {
    /// Where an operator shares artefacts.
    pub struct WireEndpoint {
        /// The public key that a connection to it proves.
        pub peer: [u8; 32],
        /// Where it may be reached.
        pub addresses: Vec<WireAddress>,
    }
}

both_ways! {
    /// An address and a UDP port.
    pub enum WireAddress {
        /// Of the fourth version of the protocol.
        Ipv4 {
            /// The address.
            address: [u8; 4],
            /// The port.
            port: u16,
        },
        /// Of the sixth version of the protocol.
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
        /// What it does.
        pub roles: WireRoles,
        /// What it charges as a worker, by term.
        pub prices: PriceVersions,
        /// What can be slashed.
        pub bond: Balance,
        /// The part of the bond that is locked behind open jobs.
        pub locked: Balance,
        /// Open jobs behind which a part of the bond is locked.
        pub locks: u32,
        /// The block from which it may withdraw its bond, if it is leaving.
        pub withdrawable_at: Option<BlockNumber>,
    }
}

from_chain! {
    /// Why an operator is not drawn.
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
    /// The reason in words, and the way out.
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
    /// What an operator earned, can withdraw and lost since it registered.
    pub struct EarningsLedger {
        /// What was credited and is not withdrawn yet.
        pub payable: Balance,
        /// Credited for answers.
        pub answers: Balance,
        /// Credited for checks.
        pub checks: Balance,
        /// Credited from the bonds of operators that lost disputes.
        pub disputes: Balance,
        /// Lost from the bond.
        pub slashed: Balance,
    }
}
