//! What the calls of `pallet_checkpoints` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-28, Intel(R) Xeon(R) Processor @ 2.50GHz, 20 steps and 20 repetitions. Time is a fit of least squares;
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
    // Proof in the benchmark: 109 bytes. Shortest time: 751_759_000 ps.
    fn register_family() -> Weight {
        Weight::from_parts(1_333_690_000, 3_604)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 749 bytes. Shortest time: 773_957_000 ps.
    fn register_checkpoint() -> Weight {
        Weight::from_parts(848_537_000, 6_648)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:1)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 498 bytes. Shortest time: 235_481_000 ps.
    fn withdraw_checkpoint() -> Weight {
        Weight::from_parts(249_256_000, 3_819)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1047 bytes. Shortest time: 752_497_000 ps.
    fn remove_checkpoint() -> Weight {
        Weight::from_parts(806_022_000, 6_648)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::FamilyNames` (r:0 w:1)
    // Proof: `Checkpoints::FamilyNames` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 447 bytes. Shortest time: 577_456_000 ps.
    fn remove_family() -> Weight {
        Weight::from_parts(606_597_000, 3_664)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:1)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 516 bytes. Shortest time: 195_843_000 ps.
    fn set_canonical() -> Weight {
        Weight::from_parts(209_219_000, 3_819)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:65 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:1 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 14878 bytes. Shortest time: 2_557_044_000 ps.
    fn announce_holding() -> Weight {
        Weight::from_parts(2_726_804_000, 171_225)
            .saturating_add(T::DbWeight::get().reads(68))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:1 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 640 + h * 71 bytes. Shortest time: 189_094_000 ps.
    fn retract_holding(h: u32) -> Weight {
        Weight::from_parts(221_201_484, 7_611)
            .saturating_add(Weight::from_parts(2_422_303, 0).saturating_mul(h.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
