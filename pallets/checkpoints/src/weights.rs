//! Weights of the pallet's calls.
//!
//! Written by hand from the storage that each call touches, not measured; `frame-omni-bencher` runs
//! the benchmarks and writes measured ones:
//!
//! ```text
//! frame-omni-bencher v1 benchmark pallet --runtime <wasm> --pallet pallet_checkpoints \
//!     --extrinsic "*" --output <file>
//! ```

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// The weight of each call.
pub trait WeightInfo {
    fn register_family() -> Weight;
    fn register_checkpoint() -> Weight;
    fn withdraw_checkpoint() -> Weight;
    fn remove_checkpoint() -> Weight;
    fn remove_family() -> Weight;
    fn set_canonical() -> Weight;
    /// `h`: holders that are listed already.
    fn announce_holding(h: u32) -> Weight;
    /// `h`: holders that are listed.
    fn retract_holding(h: u32) -> Weight;
}

/// Microseconds of execution, in picoseconds.
const MICROS: u64 = 1_000_000;
/// Proof size of one record with its trie nodes.
const RECORD: u64 = 3_600;
/// Proof size that one entry of a list adds.
const ENTRY: u64 = 32;

macro_rules! weights {
    ($for:ty, [$($generics:tt)*], $db:ty) => {
        impl<$($generics)*> WeightInfo for $for {
            fn register_family() -> Weight {
                Weight::from_parts(55 * MICROS, 4 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(4, 5))
            }
            fn register_checkpoint() -> Weight {
                Weight::from_parts(65 * MICROS, 5 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(5, 5))
            }
            fn withdraw_checkpoint() -> Weight {
                Weight::from_parts(25 * MICROS, 3 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(2, 2))
            }
            fn remove_checkpoint() -> Weight {
                Weight::from_parts(55 * MICROS, 5 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(5, 5))
            }
            fn remove_family() -> Weight {
                Weight::from_parts(45 * MICROS, 4 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(3, 4))
            }
            fn set_canonical() -> Weight {
                Weight::from_parts(25 * MICROS, 3 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(3, 1))
            }
            fn announce_holding(h: u32) -> Weight {
                Weight::from_parts(30 * MICROS, 4 * RECORD)
                    .saturating_add(
                        Weight::from_parts(5 * MICROS, RECORD + ENTRY).saturating_mul(h.into()),
                    )
                    .saturating_add(<$db>::get().reads_writes(4_u64.saturating_add(h.into()), 1))
            }
            fn retract_holding(h: u32) -> Weight {
                Weight::from_parts(20 * MICROS, 2 * RECORD)
                    .saturating_add(
                        Weight::from_parts(MICROS / 20, ENTRY).saturating_mul(h.into()),
                    )
                    .saturating_add(<$db>::get().reads_writes(2, 1))
            }
        }
    };
}

/// Weights for a runtime whose database costs what the runtime says.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [T: frame_system::Config], T::DbWeight);
weights!((), [], RocksDbWeight);
