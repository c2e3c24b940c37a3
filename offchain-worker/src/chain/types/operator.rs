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
    /// What a worker would charge for a request.
    pub struct Offer {
        /// The worker's controller.
        pub worker: AccountId32,
        /// For the longest answer.
        pub answer_max: Balance,
        /// Set aside for a check.
        pub check_fee: Balance,
        /// Both together.
        pub total: Balance,
    }
}

from_chain! {
    /// The price limits to choose from.
    pub struct PriceList {
        /// The lowest with which a worker may be drawn.
        pub lowest: Option<Balance>,
        /// The one with which half of the workers may be drawn.
        pub typical: Option<Balance>,
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
        /// Why it is not drawn now; `None` if it is.
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
        /// What it charges as a worker.
        pub prices: WirePrices,
        /// What can be slashed.
        pub bond: Balance,
        /// Open jobs that it is tied to.
        pub engagements: u32,
        /// The block of its last sign of life.
        pub heartbeat: BlockNumber,
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
        /// Its last heartbeat is too old.
        Silent,
        /// It is tied to as many jobs as it may be.
        FullyEngaged,
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
            Self::Silent => {
                "it gave no sign of life for too long; start `noema-worker run` with its key"
            }
            Self::FullyEngaged => "it has as many open jobs as it may have",
        }
    }
}

from_chain! {
    /// What an operator earned and lost since it registered.
    pub struct EarningsLedger {
        /// Paid for answers.
        pub answers: Balance,
        /// Paid for checks.
        pub checks: Balance,
        /// Paid from the bonds of those who lost disputes.
        pub disputes: Balance,
        /// Lost from the bond.
        pub slashed: Balance,
        /// The latest entries, oldest first.
        pub recent: Vec<EarningsEntry>,
    }
}

from_chain! {
    /// One payment or loss.
    pub struct EarningsEntry {
        /// The block in which it happened.
        pub at: BlockNumber,
        /// What it was for.
        pub job: Job,
        /// Why it happened.
        pub reason: Reason,
        /// How much it was.
        pub amount: Balance,
    }
}

from_chain! {
    /// Why an operator was paid or lost from its bond.
    pub enum Reason {
        /// It was paid.
        Earned(Earning),
        /// It lost.
        Lost(Offence),
    }
}

from_chain! {
    /// Why an operator was paid.
    pub enum Earning {
        /// For an answer that was settled.
        Answer,
        /// For a check that stood.
        Check,
        /// From the bond of the party that lost a dispute.
        Dispute,
    }
}

from_chain! {
    /// Why an operator lost part of its bond.
    pub enum Offence {
        /// The deadline of an answer passed.
        MissedDeadline,
        /// A verdict was not committed or not revealed in time.
        MissedVerdict,
        /// An answer was called valid without executing.
        UnexecutedVerdict,
        /// An answer lost a dispute.
        FalseAnswer,
        /// A verdict or objection lost a dispute.
        FalseVerdict,
        /// A contribution was not committed or not revealed in time.
        MissedContribution,
        /// Scores were not committed or not revealed in time.
        MissedScore,
        /// Scores were not what execution yields.
        FalseScore,
        /// A round's checkpoint was not claimed in time.
        MissedClaim,
        /// The claimed checkpoint was not what the contributions yield.
        FalseClaim,
    }
}

from_chain! {
    /// What an operator was paid or slashed for.
    pub enum Job {
        /// A request for inference.
        Request(u64),
        /// A round of training.
        Round(u64),
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Request(id) => write!(f, "request {id}"),
            Self::Round(id) => write!(f, "round {id}"),
        }
    }
}
