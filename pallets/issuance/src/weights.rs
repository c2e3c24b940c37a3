//! Weights of the calls of `pallet_issuance`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `claim` in the pallet's benchmarks.
    fn claim() -> Weight;
    /// See `enter` in the pallet's benchmarks.
    fn enter() -> Weight;
    /// See `keep_epoch` in the pallet's benchmarks.
    fn keep_epoch() -> Weight;
    /// See `close_epoch` in the pallet's benchmarks.
    fn close_epoch() -> Weight;
    /// See `expire_base` in the pallet's benchmarks.
    fn expire_base() -> Weight;
    /// See `expire_epoch` in the pallet's benchmarks.
    fn expire_epoch() -> Weight;
    /// See `expire_record` in the pallet's benchmarks.
    fn expire_record() -> Weight;
}

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:1 w:1)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Epochs` (r:1 w:1)
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(172), added: 2647, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Books` (r:1 w:1)
    // Proof: `Issuance::Books` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1301 bytes. Shortest time: 95_619_000 ps.
    fn claim() -> Weight {
        Weight::from_parts(99_466_000, 3_894)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Issuance::WorkDone` (r:1 w:1)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 73 bytes. Shortest time: 8_676_000 ps.
    fn enter() -> Weight {
        Weight::from_parts(9_588_000, 3_549)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Terms` (r:1 w:0)
    // Proof: `Issuance::Terms` (`max_values`: Some(1), `max_size`: Some(56), added: 551, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 257 bytes. Shortest time: 6_432_000 ps.
    fn keep_epoch() -> Weight {
        Weight::from_parts(7_144_000, 1_541).saturating_add(T::DbWeight::get().reads(2))
    }

    // Storage: `Issuance::CurrentEpoch` (r:1 w:1)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Terms` (r:1 w:0)
    // Proof: `Issuance::Terms` (`max_values`: Some(1), `max_size`: Some(56), added: 551, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Books` (r:1 w:1)
    // Proof: `Issuance::Books` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Epochs` (r:0 w:1)
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(172), added: 2647, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 466 bytes. Shortest time: 48_611_000 ps.
    fn close_epoch() -> Weight {
        Weight::from_parts(51_145_000, 3_593)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Issuance::OldestEpoch` (r:1 w:0)
    // Proof: `Issuance::OldestEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 213 bytes. Shortest time: 5_180_000 ps.
    fn expire_base() -> Weight {
        Weight::from_parts(5_971_000, 1_489).saturating_add(T::DbWeight::get().reads(2))
    }

    // Storage: `Issuance::OldestEpoch` (r:1 w:1)
    // Proof: `Issuance::OldestEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Epochs` (r:1 w:1)
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(172), added: 2647, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:1 w:0)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Books` (r:1 w:1)
    // Proof: `Issuance::Books` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 650 bytes. Shortest time: 59_942_000 ps.
    fn expire_epoch() -> Weight {
        Weight::from_parts(67_176_000, 3_637)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Issuance::WorkDone` (r:2 w:1)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 408 bytes. Shortest time: 14_006_000 ps.
    fn expire_record() -> Weight {
        Weight::from_parts(15_880_000, 6_108)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
