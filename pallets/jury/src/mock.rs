//! A runtime with the pallet and balances; the other pallets are mocks.

mod moves;
mod world;

use crate as pallet_jury;
use frame_support::{parameter_types, traits::fungible::Mutate};
use noema_economics::Balance;

pub(crate) use moves::*;
pub(crate) use world::*;

pub(crate) type AccountId = u64;

noema_testing::runtime!(Test {
    2: Jury = pallet_jury,
});

noema_testing::system_and_balances!(
    Test, block: MockBlockU32, balance: Balance, existential_deposit: 10
);

parameter_types! {
    pub static FirstJury: u32 = 3;
    pub static SecondJury: u32 = 5;
    pub static MaxTurnsPerBlock: u32 = 16;
    pub static MaxDrawsPerBlock: u32 = 4;
}

impl pallet_jury::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Claims = World;
    type Disputes = World;
    type Operators = World;
    type EndedWeight = ();
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    type FirstJury = FirstJury;
    type SecondJury = SecondJury;
    type MaxTurnsPerBlock = MaxTurnsPerBlock;
    type MaxDrawsPerBlock = MaxDrawsPerBlock;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = World;
}

/// Builds a chain and runs a test in it, followed by an audit.
pub(crate) struct TestExt(sp_io::TestExternalities);

impl TestExt {
    /// A chain in block 1, with one claim, without validators.
    pub(crate) fn new() -> Self {
        new_world();
        MaxTurnsPerBlock::set(16);
        MaxDrawsPerBlock::set(4);
        FirstJury::set(3);
        SecondJury::set(5);
        let mut ext = noema_testing::build(frame_system::GenesisConfig::<Test>::default());
        ext.execute_with(|| {
            System::set_block_number(1);
            for account in APPELLANTS {
                Balances::set_balance(&account, FUNDS);
            }
        });
        Self(ext)
    }

    /// Validators of equal bonds.
    pub(crate) fn validators(self, controllers: impl IntoIterator<Item = AccountId>) -> Self {
        for controller in controllers {
            add_validator(controller, BOND);
        }
        self
    }

    /// A validator with another bond.
    pub(crate) fn validator(self, controller: AccountId, bond: Balance) -> Self {
        add_validator(controller, bond);
        self
    }

    /// Sets the seed of the randomness.
    pub(crate) fn seed(self, seed: u64) -> Self {
        set_seed(seed);
        self
    }

    pub(crate) fn execute_with<R>(mut self, story: impl FnOnce() -> R) -> R {
        self.0.execute_with(|| {
            let result = story();
            assert_eq!(Jury::audit(), Ok(()));
            result
        })
    }

    #[cfg(feature = "runtime-benchmarks")]
    pub(crate) fn into_inner(self) -> sp_io::TestExternalities {
        self.0
    }
}
