//! Randomness of the relay chain that a test controls.

use codec::Encode;
use core::marker::PhantomData;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::RelayBlock;
use noema_interfaces::BlockRandomness;
use noema_protocol::hashing;
use sp_core::H256;

frame_support::parameter_types! {
    /// Whether the relay chain brings randomness.
    pub static IsRandom: bool = true;
    /// The seed of all randomness: a test that runs with several sees several draws.
    pub static Salt: u64 = 0;
}

/// A relay chain with one block for each of the chain `T`, and 1,000 before them.
pub struct Relay<T>(PhantomData<T>);

impl<T: frame_system::Config> BlockRandomness for Relay<T>
where
    BlockNumberFor<T>: Into<RelayBlock>,
{
    fn relay_block() -> RelayBlock {
        frame_system::Pallet::<T>::block_number().into() + 1_000
    }

    fn random(subject: &[u8]) -> Option<H256> {
        let seed = (subject, Self::relay_block(), Salt::get());
        IsRandom::get().then(|| hashing::blake2_256(&seed.encode()))
    }
}
