//! A runtime with the pallet as the referee of real claims, operators and balances; the judge executes a small
//! computation.

mod computation;
mod world;

use crate as pallet_disputes;
use frame_support::{
    parameter_types,
    traits::{ConstU128, ConstU32, ConstU8},
    weights::Weight,
};
use noema_economics::Balance;
use sp_core::H256;

pub(crate) use computation::*;
pub(crate) use world::*;

pub(crate) type AccountId = u64;

noema_testing::runtime!(Test {
    2: Operators = pallet_operators,
    3: Claims = pallet_claims,
    4: Disputes = pallet_disputes,
});

noema_testing::system_and_balances!(
    Test, block: MockBlockU32, balance: Balance, existential_deposit: 5
);

noema_testing::operators!(Test, work: ());

impl pallet_claims::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Operators = Operators;
    type Randomness = noema_testing::Relay<Test>;
    type Referee = Disputes;
    type OnEnded = ();
    type EndedWeight = ();
    type EnterWeight = ();
    type ChallengerWeight = ();
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
    type Fallback = Others;
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
