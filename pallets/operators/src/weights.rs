//! Weights of the pallet's calls.
//!
//! Written by hand from the storage that each call touches, not measured; `frame-omni-bencher` runs
//! the benchmarks and writes measured ones:
//!
//! ```text
//! frame-omni-bencher v1 benchmark pallet --runtime <wasm> --pallet pallet_operators \
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
    fn register() -> Weight;
    fn set_prices() -> Weight;
    /// `s`: operators on a full list.
    fn serve(s: u32) -> Weight;
    /// `s`: operators on the list.
    fn stop_serving(s: u32) -> Weight;
    fn heartbeat() -> Weight;
    fn bond_extra() -> Weight;
    fn start_unbonding() -> Weight;
    fn cancel_unbonding() -> Weight;
    /// `c`: checkpoints served, `s`: operators on each of their lists.
    fn withdraw_bond(c: u32, s: u32) -> Weight;
    fn rotate_key() -> Weight;
    fn report_device() -> Weight;
}

/// Microseconds of execution, in picoseconds.
const MICROS: u64 = 1_000_000;
/// Proof size of one operator with its trie nodes.
const OPERATOR: u64 = 2_800;
/// Proof size of one other record with its trie nodes.
const RECORD: u64 = 3_600;
/// Proof size that one entry of a list adds.
const ENTRY: u64 = 32;

macro_rules! weights {
    ($for:ty, [$($generics:tt)*], $db:ty) => {
        impl<$($generics)*> WeightInfo for $for {
            fn register() -> Weight {
                Weight::from_parts(60 * MICROS, OPERATOR + 3 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(5, 5))
            }
            fn set_prices() -> Weight {
                Weight::from_parts(15 * MICROS, OPERATOR)
                    .saturating_add(<$db>::get().reads_writes(1, 1))
            }
            fn serve(s: u32) -> Weight {
                let s = u64::from(s).saturating_mul(2);
                Weight::from_parts(40 * MICROS, OPERATOR + 5 * RECORD)
                    .saturating_add(Weight::from_parts(6 * MICROS, OPERATOR + ENTRY).saturating_mul(s))
                    .saturating_add(<$db>::get().reads_writes(7_u64.saturating_add(s), 6))
            }
            fn stop_serving(s: u32) -> Weight {
                let s = u64::from(s).saturating_mul(2);
                Weight::from_parts(25 * MICROS, OPERATOR + 3 * RECORD)
                    .saturating_add(Weight::from_parts(MICROS / 20, ENTRY).saturating_mul(s))
                    .saturating_add(<$db>::get().reads_writes(4, 3))
            }
            fn heartbeat() -> Weight {
                Weight::from_parts(20 * MICROS, OPERATOR + RECORD)
                    .saturating_add(<$db>::get().reads_writes(2, 1))
            }
            fn bond_extra() -> Weight {
                Weight::from_parts(45 * MICROS, OPERATOR + 2 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(3, 3))
            }
            fn start_unbonding() -> Weight {
                Weight::from_parts(15 * MICROS, OPERATOR)
                    .saturating_add(<$db>::get().reads_writes(1, 1))
            }
            fn cancel_unbonding() -> Weight {
                Weight::from_parts(15 * MICROS, OPERATOR)
                    .saturating_add(<$db>::get().reads_writes(1, 1))
            }
            fn withdraw_bond(c: u32, s: u32) -> Weight {
                let lists = u64::from(c).saturating_mul(2);
                let entries = lists.saturating_mul(s.into());
                Weight::from_parts(60 * MICROS, OPERATOR + 4 * RECORD)
                    .saturating_add(Weight::from_parts(8 * MICROS, RECORD).saturating_mul(lists))
                    .saturating_add(Weight::from_parts(MICROS / 20, ENTRY).saturating_mul(entries))
                    .saturating_add(<$db>::get().reads_writes(
                        5_u64.saturating_add(lists),
                        7_u64.saturating_add(lists),
                    ))
            }
            fn rotate_key() -> Weight {
                Weight::from_parts(35 * MICROS, OPERATOR + 4 * RECORD)
                    .saturating_add(<$db>::get().reads_writes(4, 5))
            }
            fn report_device() -> Weight {
                Weight::from_parts(20 * MICROS, RECORD + RECORD)
                    .saturating_add(<$db>::get().reads_writes(1, 1))
            }
        }
    };
}

/// Weights for a runtime whose database costs what the runtime says.
pub struct SubstrateWeight<T>(PhantomData<T>);

weights!(SubstrateWeight<T>, [T: frame_system::Config], T::DbWeight);
weights!((), [], RocksDbWeight);
