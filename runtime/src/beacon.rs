//! Randomness for draws that move money, read from the relay chain.
//!
//! # Source
//! Every relay chain block carries the output of a verifiable random function that its author
//! evaluated for that slot (`AuthorVrfRandomness` of BABE). The author cannot choose it, and no other party
//! can compute it beforehand. It reaches this chain inside the relay chain's state proof, which the
//! `set_validation_data` inherent brings with every block and which is checked against the relay parent's
//! storage root; [`keys_to_prove`] asks collators to include it.
//!
//! # Availability
//! [`RelayBeacon::random`] returns a value only after that inherent, that is in calls, `on_poll`, `on_idle`
//! and `on_finalize`, and only in the first block built on a relay parent younger than that of the block
//! before. It is `None` in `on_initialize`, where the only value in the state is the previous block's, which
//! was public while that block was still open.
//!
//! So a draw in block N from requests recorded up to block N−1 uses a value of a relay chain block R(N) later
//! than R(N−1), on which those requests were built: no requester could know it, and each value serves exactly
//! one block. The value is not mixed with the parent's hash: the parent's author could then try many orders
//! of transactions and choose among their draws.
//!
//! # Remaining attacks
//! - The author of a relay chain block may withhold it, and a collator may let its slot pass: each discards
//!   one draw for the price of a block.
//! - A collator that builds block N−1 on a relay parent that is no longer the newest may already know R(N).
//!   The relay chain bounds the age of relay parents (three blocks on Polkadot). A party that colludes with
//!   that collator can decide whether to place a request, but not the result of the draw.
//! - A collator cannot leave the value out: the block is invalid without it.
//!
//! On a development chain there is no relay chain: the node puts bytes of the operating system's random
//! number generator into the simulated proof. The operator of that node can choose the result of a draw.

use alloc::{vec, vec::Vec};
use codec::Encode;
use cumulus_pallet_parachain_system::{
    relay_state_snapshot::RelayChainStateProof, LastRelayChainBlockNumber, OnSystemEvent,
    ValidationData,
};
use cumulus_primitives_core::{
    relay_chain::well_known_keys::CURRENT_BLOCK_RANDOMNESS, PersistedValidationData,
    RelayProofRequest, RelayStorageKey,
};
use frame_support::{pallet_prelude::*, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::BlockRandomness;
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

pub use pallet::*;

/// Separates the values returned here from every other hash.
const DOMAIN: &[u8] = b"noema/beacon";

#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config + cumulus_pallet_parachain_system::Config {}

    /// The block that brought the latest fresh value, and the value.
    #[pallet::storage]
    pub type Latest<T: Config> = StorageValue<_, (BlockNumberFor<T>, H256), OptionQuery>;
}

/// The keys of the relay chain's state that every block's proof has to cover.
pub fn keys_to_prove() -> RelayProofRequest {
    RelayProofRequest {
        keys: vec![RelayStorageKey::Top(CURRENT_BLOCK_RANDOMNESS.to_vec())],
    }
}

/// Extracts the value from every relay chain state proof, and provides it to the pallets.
pub struct RelayBeacon<T>(core::marker::PhantomData<T>);

impl<T: Config> OnSystemEvent for RelayBeacon<T> {
    fn on_validation_data(_: &PersistedValidationData) {}

    fn on_validation_code_applied() {}

    /// Panics, and so refuses the block, where the proof does not cover the value.
    fn on_relay_state_proof(proof: &RelayChainStateProof) -> Weight {
        let relay_parent = ValidationData::<T>::get()
            .map(|data| data.relay_parent_number)
            .unwrap_or_default();
        if relay_parent > LastRelayChainBlockNumber::<T>::get() {
            // Absent on the relay chain, or none in this block (a slot without a random function): no draw is
            // possible.
            let value = proof
                .read_optional_entry::<Option<[u8; 32]>>(CURRENT_BLOCK_RANDOMNESS)
                .expect("the relay chain's state proof has to cover its block randomness")
                .flatten();
            Latest::<T>::set(
                value.map(|bytes| (frame_system::Pallet::<T>::block_number(), H256(bytes))),
            );
        }
        T::DbWeight::get().reads_writes(3, 1)
    }
}

impl<T: Config> BlockRandomness for RelayBeacon<T> {
    fn relay_block() -> u32 {
        ValidationData::<T>::get().map_or(0, |data| data.relay_parent_number)
    }

    fn random(subject: &[u8]) -> Option<H256> {
        let (block, value) = Latest::<T>::get()?;
        (block == frame_system::Pallet::<T>::block_number())
            .then(|| BlakeTwo256::hash_of(&(DOMAIN, value, subject)))
    }
}

/// The storage entry of a relay chain, or a simulated one, for `value`.
pub fn encode_entry(value: Option<[u8; 32]>) -> (Vec<u8>, Vec<u8>) {
    (CURRENT_BLOCK_RANDOMNESS.to_vec(), value.encode())
}
