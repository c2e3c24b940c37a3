//! Weights of the calls of `pallet_issuance`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Time is a fit of least squares;
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
    // Storage: `Issuance::Epochs` (r:1 w:1)
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(140), added: 2615, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Books` (r:1 w:1)
    // Proof: `Issuance::Books` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 562 bytes. Shortest time: 71_583_000 ps.
    fn claim() -> Weight {
        Weight::from_parts(75_972_000, 3_605)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Issuance::WorkDone` (r:1 w:1)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    fn enter() -> Weight {
        Weight::from_parts(30_000_000, 3_549)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Terms` (r:1 w:0)
    // Proof: `Issuance::Terms` (`max_values`: Some(1), `max_size`: Some(56), added: 551, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 224 bytes. Shortest time: 6_542_000 ps.
    fn keep_epoch() -> Weight {
        Weight::from_parts(7_504_000, 1_541).saturating_add(T::DbWeight::get().reads(2))
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
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(140), added: 2615, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 433 bytes. Shortest time: 48_541_000 ps.
    fn close_epoch() -> Weight {
        Weight::from_parts(52_257_000, 3_593)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Issuance::OldestEpoch` (r:1 w:0)
    // Proof: `Issuance::OldestEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 180 bytes. Shortest time: 5_229_000 ps.
    fn expire_base() -> Weight {
        Weight::from_parts(8_425_000, 1_489).saturating_add(T::DbWeight::get().reads(2))
    }

    // Storage: `Issuance::OldestEpoch` (r:1 w:1)
    // Proof: `Issuance::OldestEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Epochs` (r:1 w:1)
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(140), added: 2615, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:1 w:0)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Books` (r:1 w:1)
    // Proof: `Issuance::Books` (`max_values`: Some(1), `max_size`: Some(64), added: 559, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 585 bytes. Shortest time: 59_712_000 ps.
    fn expire_epoch() -> Weight {
        Weight::from_parts(110_517_000, 3_605)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Issuance::WorkDone` (r:2 w:1)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Issuance::Epochs` (r:1 w:0)
    // Proof: `Issuance::Epochs` (`max_values`: None, `max_size`: Some(140), added: 2615, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 531 bytes. Shortest time: 20_598_000 ps.
    fn expire_record() -> Weight {
        Weight::from_parts(23_363_000, 6_108)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
