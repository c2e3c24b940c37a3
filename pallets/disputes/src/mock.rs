//! A runtime with the pallet as the referee of real claims, operators and balances; the judge executes a small
//! computation.

mod computation;
mod world;

use crate as pallet_disputes;
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, ConstU8},
    weights::Weight,
};
use noema_claims::RelayBlock;
use noema_economics::Balance;
use noema_interfaces::{BlockRandomness, Checkpoints};
use noema_protocol::{hashing, CheckpointId, ModelLimits};
use sp_core::H256;
use sp_runtime::testing::TestSignature;

pub(crate) use computation::*;
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
        RuntimeTask,
        RuntimeHoldReason,
        RuntimeFreezeReason,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Operators = pallet_operators;
    #[runtime::pallet_index(3)]
    pub type Claims = pallet_claims;
    #[runtime::pallet_index(4)]
    pub type Disputes = pallet_disputes;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlockU32<Test>;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = ConstU128<5>;
}

impl pallet_operators::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Checkpoints = OneCheckpoint;
    type Signature = TestSignature;
    type MinBond = ConstU128<100>;
    type BondUnit = ConstU128<100>;
    type ReportPeriod = ConstU32<20>;
    type UnbondingDelay = ConstU32<50>;
    type MaxServed = ConstU32<2>;
    type Work = ();
    type WeightInfo = pallet_operators::weights::SubstrateWeight<Self>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Keystore;
}

/// Creates hot keys for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Keystore;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_duties::BenchmarkHelper<AccountId, TestSignature> for Keystore {
    fn sign(seed: u8, message: H256) -> (AccountId, TestSignature) {
        let key = 1_000 + AccountId::from(seed);
        (key, TestSignature(key, message.as_bytes().to_vec()))
    }
}

/// The only active checkpoint.
pub struct OneCheckpoint;

impl Checkpoints for OneCheckpoint {
    fn active(_: &CheckpointId) -> Option<ModelLimits> {
        Some(ModelLimits {
            context_length: 100,
            vocabulary: 50,
            template_tokens: 5,
            tokens_per_byte: 1,
        })
    }

    fn exists(_: &CheckpointId) -> bool {
        true
    }

    fn canonical_of(_: &CheckpointId) -> Option<CheckpointId> {
        None
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(_: CheckpointId, _: ModelLimits) {}

    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(_: CheckpointId, _: CheckpointId) {}
}

/// A relay chain with one block for each of this chain's.
pub struct Relay;

impl BlockRandomness for Relay {
    fn relay_block() -> RelayBlock {
        System::block_number() + 1_000
    }

    fn random(subject: &[u8]) -> Option<H256> {
        let seed = (subject, Self::relay_block());
        Some(hashing::blake2_256(&codec::Encode::encode(&seed)))
    }
}

impl pallet_claims::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type Randomness = Relay;
    type Referee = Disputes;
    type OnEnded = ();
    type EndedWeight = ();
    type EnterWeight = ();
    type WeightInfo = pallet_claims::weights::SubstrateWeight<Self>;
    type PollBudget = PollBudget;
    type MaxChallengers = ConstU32<{ pallet_claims::MAX_SEATED_CHALLENGERS + 2 }>;
}

parameter_types! {
    pub const PollBudget: Weight = Weight::from_parts(250_000_000_000, u64::MAX / 2);
    pub static MaxTurnsPerBlock: u32 = 64;
}

impl pallet_disputes::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Claims = Claims;
    type Disputes = Claims;
    type Operators = Operators;
    type Judge = Sums;
    type StepWeight = Sums;
    type EndedWeight = ();
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type RowBits = ConstU8<2>;
    type MaxAnswered = ConstU32<4>;
    type MovePrice = ConstU128<10>;
    type BlockPrice = ConstU128<1>;
    type MaxTurnsPerBlock = MaxTurnsPerBlock;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = WrongAnswers;
}
