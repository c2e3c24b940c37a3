//! A runtime of the pallet and balances, in a world that does what it is told.

mod moves;
mod world;

use crate as pallet_inference;
use crate::*;
use frame_support::{
    derive_impl, parameter_types,
    traits::{fungible::Mutate, Get},
};
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
    pub static FinalityAllowance: u32 = 0;
    pub static AnswerWindow: u32 = 4;
    pub const PromptBytesPerBlock: u32 = 20;
    pub const TokensPerBlock: u32 = 8;
    pub const MaxAttempts: u32 = 2;
    pub const RequestExpiry: u32 = 10;
    pub const RetryInterval: u32 = 2;
    pub const CommitWindow: u32 = 3;
    pub const RevealWindow: u32 = 3;
    pub const ObjectionWindow: u32 = 3;
    pub static DisputeWindow: u32 = 24;
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

/// The windows of new requests.
pub(crate) fn windows() -> Windows {
    Windows {
        finality_allowance: FinalityAllowance::get(),
        answer: AnswerWindow::get(),
        commit: CommitWindow::get(),
        reveal: RevealWindow::get(),
        objection: ObjectionWindow::get(),
        dispute: DisputeWindow::get(),
        prompt_bytes_per_block: PromptBytesPerBlock::get(),
        tokens_per_block: TokensPerBlock::get(),
        expiry: RequestExpiry::get(),
        retry: RetryInterval::get(),
        retention: Retention::get(),
    }
}

/// The rates of new requests.
pub(crate) fn rates() -> Rates {
    Rates {
        check_fee: CheckFee::get(),
        burned_share: BurnedShare::get(),
        margin_percent: MarginPercent::get(),
        min_check_rate: MinCheckRate::get(),
        falsehood_slash: FalsehoodSlash::get(),
        unexecuted_slash: UnexecutedSlash::get(),
        silence_slash: SilenceSlash::get(),
        silence_cap: SilenceCap::get(),
        winners_share: WinnersShare::get(),
    }
}

/// The largest request of the mock.
pub(crate) fn largest() -> Largest {
    Inference::largest()
}

pub struct TestWindows;

impl Get<Windows> for TestWindows {
    fn get() -> Windows {
        windows()
    }
}

pub struct TestRates;

impl Get<Rates> for TestRates {
    fn get() -> Rates {
        rates()
    }
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
    type Windows = TestWindows;
    type Rates = TestRates;
    type MaxAttempts = MaxAttempts;
    type CheckersPerAnswer = CheckersPerAnswer;
    type MaxDraws = MaxDraws;
    type CommitteeSize = CommitteeSize;
    type MaxSeats = MaxSeats;
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
        FinalityAllowance::set(0);
        AnswerWindow::set(4);
        DisputeWindow::set(24);
        let storage = frame_system::GenesisConfig::<Test>::default()
            .build_storage()
            .expect("genesis is valid");
        let mut ext = sp_io::TestExternalities::new(storage);
        ext.execute_with(|| {
            System::set_block_number(1);
            Balances::set_balance(&PURSE, ExistentialDeposit::get());
        });
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
