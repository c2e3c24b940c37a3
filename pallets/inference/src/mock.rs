//! A runtime with the pallet and balances; the other pallets are mocks.

mod claims;
mod moves;
mod operators;
mod world;

use crate as pallet_inference;
use crate::*;
use codec::Encode;
use frame_support::{
    derive_impl, parameter_types,
    traits::{fungible::Mutate, VariantCount},
    weights::{constants::ParityDbWeight, Weight},
};
use noema_claims::{ClaimRules, ClaimWindows, Permill};
use noema_protocol::{apply, sent};

pub(crate) use claims::*;
pub(crate) use moves::*;
pub(crate) use operators::*;
pub(crate) use world::*;

pub(crate) type AccountId = u64;

noema_testing::runtime!(Test {
    2: Inference = pallet_inference,
});

type Block = frame_system::mocking::MockBlockU32<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type DbWeight = ParityDbWeight;
}

/// The mock's reason for holding tokens: claims.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord)]
pub enum Reason {
    Claims,
}

impl VariantCount for Reason {
    const VARIANT_COUNT: u32 = 1;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
    type RuntimeHoldReason = Reason;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = 10;
    pub const MaxPromptBytes: u32 = 64;
    pub const MaxAnswerTokens: u32 = 32;
    pub static PollBudget: Weight = BUDGET;
    pub static TestRules: RequestRules = rules();
    pub static TestClaimRules: ClaimRules<u32> = claim_rules();
}

/// Half of a block: more than most tests need.
pub(crate) const BUDGET: Weight = Weight::from_parts(500_000_000_000, 16 << 20);

/// The initial rules of requests in a test.
pub(crate) const fn rules() -> RequestRules {
    RequestRules {
        answer: 4,
        prompt_bytes_per_block: 20,
        tokens_per_block: 8,
        room: 2,
        expiry: 10,
        max_attempts: 2,
        check_fee: Permill::from_percent(25),
        check_fee_per_token: 1,
        stake_percent: 200,
        min_stake: 100,
        stake_per_token: 1,
        silence_share: Permill::from_percent(50),
        storage_price_per_byte: 1,
        body_retention: 10,
        retention: 20,
    }
}

/// The initial rules of claims in a test.
pub(crate) const fn claim_rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 0,
            commit: 3,
            tokens_per_block: 8,
            reveal: 3,
            challenge: 3,
            post: 3,
        },
        freshness: 4,
        margin_percent: 200,
        min_check_rate: Permill::from_percent(5),
        validators_per_leaf: 2,
        max_draws: 2,
        validator_stake: 50,
        challenger_share: Permill::from_percent(40),
        challenger_cap: 200,
        challenge_bond: 20,
        juror_fee_per_token: 1,
        burned_share: Permill::from_percent(10),
    }
}

impl Config for Test {
    type Currency = Balances;
    type Claims = World;
    type Checkpoints = World;
    type Operators = World;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type Rules = TestRules;
    type ClaimRules = TestClaimRules;
    type MaxPromptBytes = MaxPromptBytes;
    type MaxAnswerTokens = MaxAnswerTokens;
    type PollBudget = PollBudget;
}

/// Builds a chain and runs a test in it, followed by an audit.
pub(crate) struct TestExt(sp_io::TestExternalities);

impl TestExt {
    /// A chain with one active checkpoint, in block 1.
    pub(crate) fn new() -> Self {
        new_world();
        audit_every(1);
        PollBudget::set(BUDGET);
        TestRules::set(rules());
        TestClaimRules::set(claim_rules());
        let mut ext = noema_testing::build(frame_system::GenesisConfig::<Test>::default());
        ext.execute_with(|| System::set_block_number(1));
        Self(ext)
    }

    /// Gives the account [`FUNDS`].
    pub(crate) fn endow(mut self, account: AccountId) -> Self {
        self.0
            .execute_with(|| Balances::set_balance(&account, FUNDS));
        self
    }

    /// Registers workers with [`BOND`] and [`PRICES`] for [`CHECKPOINT`].
    pub(crate) fn workers(mut self, controllers: impl IntoIterator<Item = AccountId>) -> Self {
        self.0.execute_with(|| {
            for controller in controllers {
                add_worker(controller, CHECKPOINT, BOND);
            }
        });
        self
    }

    /// Changes the initial rules of a test.
    pub(crate) fn rules(self, change: impl FnOnce(&mut RequestRules)) -> Self {
        set_rules(change);
        self
    }

    pub(crate) fn salt(self, salt: u64) -> Self {
        world(|world| world.salt = salt);
        self
    }

    pub(crate) fn execute_with<R>(mut self, story: impl FnOnce() -> R) -> R {
        self.0.execute_with(|| {
            let result = story();
            assert_books_agree();
            result
        })
    }

    /// The proof size of the reads of `proven` in the state that `story` leaves.
    pub(crate) fn proof_of(mut self, story: impl FnOnce(), proven: impl FnOnce()) -> usize {
        self.0.execute_with(story);
        self.0.commit_all().expect("the state can be stored");
        let ((), proof) = self.0.execute_and_prove(proven);
        proof.encoded_size()
    }

    #[cfg(feature = "runtime-benchmarks")]
    pub(crate) fn into_inner(self) -> sp_io::TestExternalities {
        self.0
    }
}

pub(crate) fn set_rules(change: impl FnOnce(&mut RequestRules)) {
    TestRules::mutate(change);
}
