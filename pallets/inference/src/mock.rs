//! A runtime of the pallet and balances, in a world that does what it is told.

mod moves;
mod world;

use crate as pallet_inference;
use crate::*;
use frame_support::{derive_impl, parameter_types, traits::fungible::Mutate};
use noema_economics::Permill;
use noema_protocol::interfaces::Role;
use sp_runtime::BuildStorage;

pub(crate) use moves::*;
pub(crate) use world::*;

pub(crate) type AccountId = u64;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Inference = pallet_inference;
}

type Block = frame_system::mocking::MockBlockU32<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = 10;
    pub const MaxPromptBytes: u32 = 64;
    pub const MaxOutputTokens: u32 = 32;
    pub const MaxTextBytes: u32 = 128;
    pub static MaxLiveRequests: u32 = 24;
    pub static MaxDuePerBlock: u32 = 8;
    pub const AnswerWindow: u32 = 4;
    pub const TokensPerBlock: u32 = 8;
    pub const MaxAttempts: u32 = 2;
    pub const RequestExpiry: u32 = 10;
    pub const RetryInterval: u32 = 2;
    pub const CommitWindow: u32 = 3;
    pub const RevealWindow: u32 = 3;
    pub const ObjectionWindow: u32 = 3;
    pub const DisputeWindow: u32 = 24;
    pub const Retention: u32 = 20;
    pub static CheckersPerAnswer: u32 = 2;
    pub const MaxDraws: u32 = 2;
    pub const CommitteeSize: u32 = 3;
    pub const MaxSeats: u32 = 8;
    pub const CheckFee: Permill = Permill::from_percent(25);
    pub static BurnedShare: Permill = Permill::zero();
    pub const MarginPercent: u32 = 200;
    pub static MinCheckRate: Permill = Permill::zero();
    pub const FalsehoodSlash: Permill = Permill::from_percent(50);
    pub const UnexecutedSlash: Permill = Permill::from_percent(20);
    pub const SilenceSlash: Permill = Permill::from_percent(1);
    pub const SilenceCap: Balance = 500;
    pub const WinnersShare: Permill = Permill::from_percent(60);
}

impl Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = World;
    type Operators = World;
    type Randomness = World;
    type DisputeResolver = Resolver;
    type Work = World;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type MaxPromptBytes = MaxPromptBytes;
    type MaxOutputTokens = MaxOutputTokens;
    type MaxTextBytes = MaxTextBytes;
    type MaxLiveRequests = MaxLiveRequests;
    type MaxDuePerBlock = MaxDuePerBlock;
    type AnswerWindow = AnswerWindow;
    type TokensPerBlock = TokensPerBlock;
    type MaxAttempts = MaxAttempts;
    type RequestExpiry = RequestExpiry;
    type RetryInterval = RetryInterval;
    type CommitWindow = CommitWindow;
    type RevealWindow = RevealWindow;
    type ObjectionWindow = ObjectionWindow;
    type DisputeWindow = DisputeWindow;
    type Retention = Retention;
    type CheckersPerAnswer = CheckersPerAnswer;
    type MaxDraws = MaxDraws;
    type CommitteeSize = CommitteeSize;
    type MaxSeats = MaxSeats;
    type CheckFee = CheckFee;
    type BurnedShare = BurnedShare;
    type MarginPercent = MarginPercent;
    type MinCheckRate = MinCheckRate;
    type FalsehoodSlash = FalsehoodSlash;
    type UnexecutedSlash = UnexecutedSlash;
    type SilenceSlash = SilenceSlash;
    type SilenceCap = SilenceCap;
    type WinnersShare = WinnersShare;
}

/// Builds a world and runs a story in it; after the story the books must agree.
pub(crate) struct TestExt(sp_io::TestExternalities);

impl TestExt {
    /// A chain with one active checkpoint, in block 1.
    pub(crate) fn new() -> Self {
        new_world();
        MinCheckRate::set(Permill::zero());
        CheckersPerAnswer::set(2);
        MaxLiveRequests::set(24);
        MaxDuePerBlock::set(8);
        BurnedShare::set(Permill::zero());
        let storage = frame_system::GenesisConfig::<Test>::default()
            .build_storage()
            .expect("genesis is valid");
        let mut ext = sp_io::TestExternalities::new(storage);
        ext.execute_with(|| System::set_block_number(1));
        Self(ext)
    }

    pub(crate) fn endow(mut self, account: AccountId) -> Self {
        self.0
            .execute_with(|| Balances::set_balance(&account, FUNDS));
        self
    }

    pub(crate) fn workers(self, controllers: impl IntoIterator<Item = AccountId>) -> Self {
        self.operators(controllers, Role::Worker)
    }

    pub(crate) fn validators(self, controllers: impl IntoIterator<Item = AccountId>) -> Self {
        self.operators(controllers, Role::Validator)
    }

    fn operators(mut self, controllers: impl IntoIterator<Item = AccountId>, role: Role) -> Self {
        self.0.execute_with(|| {
            for controller in controllers {
                add_operator(controller, role, FUNDS);
            }
        });
        self
    }

    /// Every answer is checked.
    pub(crate) fn checked(self) -> Self {
        MinCheckRate::set(Permill::one());
        self
    }

    pub(crate) fn salt(self, salt: u64) -> Self {
        set_salt(salt);
        self
    }

    pub(crate) fn execute_with<R>(mut self, story: impl FnOnce() -> R) -> R {
        self.0.execute_with(|| {
            let result = story();
            assert_eq!(Inference::audit(), Ok(()));
            result
        })
    }

    #[cfg(feature = "runtime-benchmarks")]
    pub(crate) fn into_inner(self) -> sp_io::TestExternalities {
        self.0
    }
}
