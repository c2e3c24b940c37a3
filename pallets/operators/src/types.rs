//! The types of the pallet's storage and interfaces.

use crate::Config;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};
use frame_support::{
    traits::{fungible::Inspect, ConstU32},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::{Burden, Earning, Load, RecentWork};
use noema_protocol::{apply, encoded, sent, stored, CheckpointId, Job, Prices, Role};
use noema_terms::{Slot, TermIndex, Versions};
use sp_core::H256;
use sp_runtime::traits::Saturating;

/// The runtime's balance.
pub type BalanceOf<T> =
    <<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// An operator of the runtime.
pub type OperatorOf<T> =
    Operator<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;
/// The information on an operator of the runtime.
pub type OperatorInfoOf<T> =
    OperatorInfo<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;
/// A candidate of the runtime.
pub type CandidateOf<T> =
    noema_interfaces::Candidate<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
/// An operator of the runtime that may be drawn.
pub type DrawableOf<T> = Drawable<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
/// A device report of the runtime.
pub type DeviceReportOf<T> = DeviceReport<BlockNumberFor<T>>;
/// An endpoint report of the runtime.
pub type EndpointReportOf<T> = EndpointReport<BlockNumberFor<T>>;
/// A ledger of the runtime.
pub type LedgerOf<T> = Ledger<BalanceOf<T>>;

/// The number of an operator. It is not reused after the operator leaves.
pub type OperatorIndex = u32;

/// Default of the blocks in a term: five minutes of blocks every two seconds.
pub const TERM_LENGTH: u32 = 150;
/// Most bytes of a device's name.
pub const DEVICE_NAME_BYTES: u32 = 64;

/// Most addresses of an endpoint.
pub const ENDPOINT_ADDRESSES: u32 = 4;

/// The roles in which an operator acts.
#[apply(sent)]
#[derive(Copy, Default)]
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

    /// The roles in which checkpoints are served.
    pub fn serving(self) -> impl Iterator<Item = Role> {
        [Role::Worker, Role::Validator]
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

/// Whether an operator chooses when to do a job: the claim of a session. It is drawn for any other, or takes part in a
/// round with others.
pub const fn is_chosen(job: &Job) -> bool {
    matches!(job, Job::Session(..))
}

/// Whether an operator can be drawn.
#[apply(stored)]
#[derive(Copy)]
pub enum Presence<BlockNumber> {
    /// From this term on.
    From(TermIndex),
    /// Not before it resumes: it lost a part of its bond in this block.
    AbsentSince(BlockNumber),
}

/// A bonded operator.
#[apply(stored)]
pub struct Operator<AccountId, Balance, BlockNumber> {
    /// Its number in rosters.
    pub index: OperatorIndex,
    /// The hot key that submits for it.
    pub key: AccountId,
    /// Its roles.
    pub roles: Roles,
    /// Its prices as a worker, by term.
    pub prices: Versions<Prices<Balance>>,
    /// The amount on hold from its controller, which can be slashed.
    pub bond: Balance,
    /// The part of the bond that is kept for jobs that the operator chooses, by term: draws leave unlocked what these
    /// have not locked of it.
    pub reserved: Versions<Balance>,
    /// The part of the bond that is locked behind open jobs.
    pub locked: Balance,
    /// The part of that which is behind jobs that the operator chose; see [`is_chosen`].
    pub chosen: Balance,
    /// Open jobs behind which a part of the bond is locked.
    pub locks: u32,
    /// Whether it can be drawn.
    pub presence: Presence<BlockNumber>,
    /// The block from which it may withdraw its bond, if it is leaving.
    pub withdrawable_at: Option<BlockNumber>,
    /// Its ledger: most payments end a lock, and so write this record anyway.
    pub ledger: Ledger<Balance>,
    /// The requests that it has to answer: getting one locks a part of its bond, and so writes this record.
    pub load: Load,
    /// Tokens of the leaves that it has to execute for checks: being drawn for one locks a part of its bond, too.
    pub check_backlog: u64,
    /// Its verified work in the latest epoch in which it was credited for any: a credit writes this record anyway.
    pub work: RecentWork,
}

impl<AccountId, Balance, BlockNumber> Operator<AccountId, Balance, BlockNumber> {
    /// Whether it is absent.
    pub fn is_absent(&self) -> bool {
        matches!(self.presence, Presence::AbsentSince(_))
    }

    /// Adds the burden of a job.
    pub(crate) fn bear(&mut self, burden: Burden) {
        match burden {
            Burden::None => {}
            Burden::Request {
                tokens,
                prompt_bytes,
            } => self.load = self.load.with(tokens, prompt_bytes),
            Burden::Check { tokens } => {
                self.check_backlog = self.check_backlog.saturating_add(tokens);
            }
        }
    }

    /// Whether it can be drawn in `term`.
    pub fn is_present(&self, term: TermIndex) -> bool {
        matches!(self.presence, Presence::From(first) if first <= term)
    }
}

/// A checkpoint that an operator serves, and the operator's slots in its rosters.
#[apply(stored)]
#[derive(Copy)]
pub struct Serving {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// Its slot among the workers.
    pub worker: Option<Slot>,
    /// Its slot among the validators.
    pub validator: Option<Slot>,
}

impl Serving {
    /// An entry for `checkpoint`, in no role yet.
    pub const fn new(checkpoint: CheckpointId) -> Self {
        Self {
            checkpoint,
            worker: None,
            validator: None,
        }
    }

    /// The position of `checkpoint` in `served`.
    pub fn position(served: &[Self], checkpoint: &CheckpointId) -> Option<usize> {
        let mut served = served.iter();
        served.position(|serving| serving.checkpoint == *checkpoint)
    }

    /// Its slot in the roster of `role`.
    pub const fn slot(&self, role: Role) -> Option<Slot> {
        match role {
            Role::Worker => self.worker,
            Role::Validator => self.validator,
            Role::Trainer => None,
        }
    }

    /// Records its slot in the roster of `role`.
    pub fn place(&mut self, role: Role, slot: Slot) {
        match role {
            Role::Worker => self.worker = Some(slot),
            Role::Validator => self.validator = Some(slot),
            Role::Trainer => {}
        }
    }
}

/// The present term.
#[apply(encoded)]
#[derive(Copy)]
pub struct PresentTerm<BlockNumber> {
    /// Its number.
    pub index: TermIndex,
    /// Blocks in a term.
    pub length: BlockNumber,
    /// The first block of the next term.
    pub next_at: BlockNumber,
}

/// The information on an operator.
#[apply(encoded)]
pub struct OperatorInfo<AccountId, Balance, BlockNumber> {
    /// The record.
    pub operator: Operator<AccountId, Balance, BlockNumber>,
    /// The checkpoints it serves.
    pub serves: Vec<CheckpointId>,
    /// The device it reported.
    pub device: Option<DeviceReport<BlockNumber>>,
    /// The reason for which it is not drawn in the present term; `None` if it is drawn where it is in a
    /// roster.
    pub idle: Option<Idle>,
}

/// An operator that can be drawn.
#[apply(encoded)]
pub struct Drawable<AccountId, Balance> {
    /// The account that holds the bond.
    pub controller: AccountId,
    /// Its weight in the draw.
    pub weight: u64,
    /// Its prices; zero for a validator.
    pub prices: Prices<Balance>,
}

/// The reason for which an operator is not drawn.
#[apply(encoded)]
#[derive(Copy)]
pub enum Idle {
    /// It is leaving.
    Leaving,
    /// Its bond is below the least bond.
    Suspended,
    /// It is absent and has not resumed.
    Absent,
    /// It resumed, and the term from which it is drawn again has not begun.
    Returning,
}

/// The class of a device.
#[apply(sent)]
#[derive(Copy)]
pub enum DeviceClass {
    /// A processor's own instructions.
    Cpu,
    /// A graphics processor.
    Gpu,
}

/// A device that passed the worker's self-test.
#[apply(sent)]
pub struct Device {
    /// Its class.
    pub class: DeviceClass,
    /// Its own name, in UTF-8.
    pub name: BoundedVec<u8, ConstU32<DEVICE_NAME_BYTES>>,
    /// The hash of the golden vectors that it reproduced.
    pub self_test: H256,
}

/// A device, and when it was reported.
#[apply(stored)]
pub struct DeviceReport<BlockNumber> {
    /// The device.
    pub device: Device,
    /// The block of the report.
    pub at: BlockNumber,
}

/// Where an operator shares artefacts.
#[apply(sent)]
pub struct Endpoint {
    /// The public key (Ed25519) that a connection to it proves.
    pub peer: [u8; 32],
    /// Its addresses, most likely first: hints, which prove nothing.
    pub addresses: BoundedVec<NetworkAddress, ConstU32<ENDPOINT_ADDRESSES>>,
}

/// An address and a UDP port: no name to resolve and no URL to fetch.
#[apply(sent)]
#[derive(Copy)]
pub enum NetworkAddress {
    /// IPv4.
    Ipv4 {
        /// The address.
        address: [u8; 4],
        /// The UDP port.
        port: u16,
    },
    /// IPv6.
    Ipv6 {
        /// The address.
        address: [u8; 16],
        /// The UDP port.
        port: u16,
    },
}

impl NetworkAddress {
    /// Whether it can name one machine: neither the unspecified address nor a multicast one, and not port
    /// zero.
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
#[apply(stored)]
pub struct EndpointReport<BlockNumber> {
    /// The endpoint; `None` if the operator no longer shares artefacts.
    pub endpoint: Option<Endpoint>,
    /// The block of the call.
    pub at: BlockNumber,
}

/// The earnings, withdrawable amount and losses of an operator since it registered.
#[apply(stored)]
#[derive(Default)]
pub struct Ledger<Balance> {
    /// Credited and not withdrawn yet.
    pub payable: Balance,
    /// Credited for answers.
    pub answers: Balance,
    /// Credited for checks.
    pub checks: Balance,
    /// Credited from the bonds of operators that lost disputes.
    pub disputes: Balance,
    /// Slashed from the bond.
    pub slashed: Balance,
}

impl<AccountId, Balance: Saturating + Copy, BlockNumber> Operator<AccountId, Balance, BlockNumber> {
    /// Subtracts a part of the lock behind a job, or all of it, from the sums of the locks.
    pub(crate) fn unlock(&mut self, job: &Job, amount: Balance) {
        self.locked = self.locked.saturating_sub(amount);
        if is_chosen(job) {
            self.chosen = self.chosen.saturating_sub(amount);
        }
    }

    /// Ends the lock of `amount` behind a job.
    pub(crate) fn release(&mut self, job: &Job, amount: Balance) {
        self.unlock(job, amount);
        self.locks = self.locks.saturating_sub(1);
    }
}

impl<Balance: Saturating + Copy> Ledger<Balance> {
    /// Adds a credit.
    pub(crate) fn credit(&mut self, kind: Earning, amount: Balance) {
        self.payable = self.payable.saturating_add(amount);
        let of_kind = match kind {
            Earning::Answer => &mut self.answers,
            Earning::Check => &mut self.checks,
            Earning::Dispute => &mut self.disputes,
        };
        *of_kind = of_kind.saturating_add(amount);
    }
}
