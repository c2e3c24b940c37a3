//! A runtime with the pallet, and another pallet whose call is a duty of the key `KEY`.

// The macros make items public that only the tests use.
#![allow(unreachable_pub)]

use crate::{self as pallet_duties, AsDuty, Duty, HotKeys};
use frame_support::derive_impl;
use sp_runtime::{testing::TestSignature, BuildStorage, DispatchError};

/// The hot key.
pub(crate) const KEY: u64 = 7;
/// The block that signatures are bound to.
pub(crate) const AT: u64 = 1;
/// The last block in which a duty is accepted.
pub(crate) const UNTIL: u64 = 20;

/// A pallet that expects a number of a key, once.
#[frame_support::pallet(dev_mode)]
pub(crate) mod pallet_expecting {
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config {}

    #[pallet::storage]
    pub type Told<T: Config> = StorageMap<_, Twox64Concat, u32, T::AccountId>;

    #[pallet::error]
    pub enum Error<T> {
        /// Never returned.
        Unused,
        /// The number is already stored.
        ToldAlready,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        #[pallet::call_index(0)]
        #[pallet::weight(Weight::from_parts(1_000, 0))]
        pub fn tell(origin: OriginFor<T>, number: u32) -> DispatchResult {
            let key = ensure_signed(origin)?;
            ensure!(!Told::<T>::contains_key(number), Error::<T>::ToldAlready);
            Told::<T>::insert(number, key);
            Ok(())
        }
    }
}

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
    pub type Expecting = pallet_expecting;
    #[runtime::pallet_index(2)]
    pub type Duties = pallet_duties;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

impl pallet_expecting::Config for Test {}

impl pallet_duties::Config for Test {
    type RuntimeCall = RuntimeCall;
    type Signature = TestSignature;
    type HotKeys = Keys;
    type WeightInfo = crate::weights::SubstrateWeight<Self>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

/// One hot key; benchmarks make another.
pub struct Keys;

impl HotKeys<u64> for Keys {
    fn is_hot_key(key: &u64) -> bool {
        *key == KEY || cfg!(feature = "runtime-benchmarks") && *key >= 1_000
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn insert(_: &u64) {}
}

impl AsDuty<u64, u64> for RuntimeCall {
    fn as_duty(&self, key: &u64, _: u64) -> Option<Result<Duty<u64>, DispatchError>> {
        let Self::Expecting(pallet_expecting::Call::tell { number }) = self else {
            return None;
        };
        let told = pallet_expecting::Told::<Test>::contains_key(number);
        Some(match told || System::block_number() > UNTIL {
            false => Ok(Duty::new("expecting/tell", (number, key), UNTIL)),
            true => Err(pallet_expecting::Error::<Test>::ToldAlready.into()),
        })
    }
}

/// Block 1 of a new chain.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .expect("genesis is valid");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(AT, sp_core::H256::repeat_byte(1));
    });
    chain
}

/// Runs a test in block 1 of a new chain.
pub(crate) fn test(run: impl FnOnce()) {
    new_test_ext().execute_with(run);
}
