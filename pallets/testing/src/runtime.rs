//! The runtime of a mock, with the pallets that nearly all of them have.

use crate::AccountId;
use noema_protocol::hashing;
use sp_core::H256;
use sp_runtime::{testing::TestSignature, BuildStorage};

/// The runtime of a mock: the system and balances at indices 0 and 1, then the listed pallets.
///
/// ```ignore
/// noema_testing::runtime!(Test { 2: Operators = pallet_operators, 3: Claims = pallet_claims });
/// ```
#[macro_export]
macro_rules! runtime {
    ($test:ident { $($index:tt: $name:ident = $pallet:ident),+ $(,)? }) => {
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
            pub struct $test;

            #[runtime::pallet_index(0)]
            pub type System = frame_system;
            #[runtime::pallet_index(1)]
            pub type Balances = pallet_balances;
            $(
                #[runtime::pallet_index($index)]
                pub type $name = $pallet;
            )+
        }
    };
}

/// The configuration of the system and of balances, with FRAME's defaults for tests. `block` is a name in
/// `frame_system::mocking`; without `db_weight`, reads and writes weigh nothing.
#[macro_export]
macro_rules! system_and_balances {
    (
        $test:ident, block: $block:ident, balance: $balance:ty, existential_deposit: $deposit:expr
        $(, db_weight: $db_weight:ty)?
    ) => {
        // FRAME's macro expands to its own bare name.
        use frame_support::derive_impl;

        #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
        impl frame_system::Config for $test {
            type Block = frame_system::mocking::$block<$test>;
            type AccountData = pallet_balances::AccountData<$balance>;
            $(type DbWeight = $db_weight;)?
        }

        #[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
        impl pallet_balances::Config for $test {
            type Balance = $balance;
            type AccountStore = System;
            type ExistentialDeposit = frame_support::traits::ConstUint<{ $deposit }>;
        }
    };
}

/// The configuration of the operators in a runtime with `u32` blocks, `u128` balances and [`OneCheckpoint`].
///
/// [`OneCheckpoint`]: crate::OneCheckpoint
#[macro_export]
macro_rules! operators {
    ($test:ident, work: $work:ty) => {
        impl pallet_operators::Config for $test {
            type Currency = Balances;
            type RuntimeHoldReason = RuntimeHoldReason;
            type Checkpoints = $crate::OneCheckpoint;
            type Signature = sp_runtime::testing::TestSignature;
            type MinBond = frame_support::traits::ConstU128<100>;
            type BondUnit = frame_support::traits::ConstU128<100>;
            type ReportPeriod = frame_support::traits::ConstU32<20>;
            type UnbondingDelay = frame_support::traits::ConstU32<50>;
            type MaxServed = frame_support::traits::ConstU32<2>;
            type Work = $work;
            type WeightInfo = pallet_operators::weights::SubstrateWeight<Self>;
            #[cfg(feature = "runtime-benchmarks")]
            type BenchmarkHelper = ();
        }
    };
}

/// The chain with this genesis, before its first block.
pub fn build(genesis: impl BuildStorage) -> sp_io::TestExternalities {
    let storage = genesis.build_storage().expect("the genesis is valid");
    storage.into()
}

/// The signature of `key` that it submits for `controller`, bound to the block with this hash.
pub fn possession(key: AccountId, controller: AccountId, block: H256) -> TestSignature {
    let payload = hashing::possession_payload(block, &controller);
    TestSignature(key, payload.as_bytes().to_vec())
}
