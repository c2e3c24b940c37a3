//! What the calls of `pallet_checkpoints` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-25, Intel(R) Xeon(R) Processor, 50 steps and 20 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `register_family` in the pallet's benchmarks.
    fn register_family() -> Weight;
    /// See `register_checkpoint` in the pallet's benchmarks.
    fn register_checkpoint() -> Weight;
    /// See `withdraw_checkpoint` in the pallet's benchmarks.
    fn withdraw_checkpoint() -> Weight;
    /// See `remove_checkpoint` in the pallet's benchmarks.
    fn remove_checkpoint() -> Weight;
    /// See `remove_family` in the pallet's benchmarks.
    fn remove_family() -> Weight;
    /// See `set_canonical` in the pallet's benchmarks.
    fn set_canonical() -> Weight;
    /// See `announce_holding` in the pallet's benchmarks.
    fn announce_holding() -> Weight;
    /// See `retract_holding` in the pallet's benchmarks; `h` is 1 to 64.
    fn retract_holding(h: u32) -> Weight;
}

/// As measured, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Checkpoints::FamilyNames` (r:1 w:1)
    // Proof: `Checkpoints::FamilyNames` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::NextFamily` (r:1 w:1)
    // Proof: `Checkpoints::NextFamily` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:0 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 76 bytes. Shortest time: 270_333_000 ps.
    fn register_family() -> Weight {
        Weight::from_parts(281_873_000, 3_604)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(285), added: 2760, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 715 bytes. Shortest time: 305_212_000 ps.
    fn register_checkpoint() -> Weight {
        Weight::from_parts(320_133_000, 6_510)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:1)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(285), added: 2760, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 464 bytes. Shortest time: 83_938_000 ps.
    fn withdraw_checkpoint() -> Weight {
        Weight::from_parts(92_105_000, 3_750)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(285), added: 2760, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1012 bytes. Shortest time: 285_001_000 ps.
    fn remove_checkpoint() -> Weight {
        Weight::from_parts(299_504_000, 6_510)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::FamilyNames` (r:0 w:1)
    // Proof: `Checkpoints::FamilyNames` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 414 bytes. Shortest time: 227_372_000 ps.
    fn remove_family() -> Weight {
        Weight::from_parts(238_233_000, 3_664)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(285), added: 2760, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:1)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 482 bytes. Shortest time: 71_623_000 ps.
    fn set_canonical() -> Weight {
        Weight::from_parts(76_751_000, 3_750)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:65 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(285), added: 2760, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:1 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 12732 bytes. Shortest time: 1_029_924_000 ps.
    fn announce_holding() -> Weight {
        Weight::from_parts(1_058_717_000, 171_160)
            .saturating_add(T::DbWeight::get().reads(68))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:1 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 631 + h * 39 bytes. Shortest time: 65_713_000 ps.
    // The proof is counted by hand since an entry of the list grew from 32 to 64 bytes.
    fn retract_holding(h: u32) -> Weight {
        Weight::from_parts(78_691_384, 7_611)
            .saturating_add(Weight::from_parts(1_039_560, 0).saturating_mul(h.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
