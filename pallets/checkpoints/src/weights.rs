//! Weights of the calls of `pallet_checkpoints`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
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

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Checkpoints::FamilyNames` (r:1 w:1)
    // Proof: `Checkpoints::FamilyNames` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::NextFamily` (r:1 w:1)
    // Proof: `Checkpoints::NextFamily` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:0 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 175 bytes. Shortest time: 82_785_000 ps.
    fn register_family() -> Weight {
        Weight::from_parts(86_352_000, 3_640)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 869 bytes. Shortest time: 106_269_000 ps.
    fn register_checkpoint() -> Weight {
        Weight::from_parts(114_013_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:1)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 581 bytes. Shortest time: 64_901_000 ps.
    fn withdraw_checkpoint() -> Weight {
        Weight::from_parts(96_710_000, 3_836)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1184 bytes. Shortest time: 99_836_000 ps.
    fn remove_checkpoint() -> Weight {
        Weight::from_parts(106_359_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::FamilyNames` (r:0 w:1)
    // Proof: `Checkpoints::FamilyNames` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 540 bytes. Shortest time: 75_812_000 ps.
    fn remove_family() -> Weight {
        Weight::from_parts(79_418_000, 3_713)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:1)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:1)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 599 bytes. Shortest time: 38_792_000 ps.
    fn set_canonical() -> Weight {
        Weight::from_parts(41_929_000, 3_836)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:65 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:1 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 33313 bytes. Shortest time: 557_011_000 ps.
    fn announce_holding() -> Weight {
        Weight::from_parts(588_419_000, 189_750)
            .saturating_add(T::DbWeight::get().reads(68))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:1 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 783 + h * 71 bytes. Shortest time: 40_887_000 ps.
    fn retract_holding(h: u32) -> Weight {
        Weight::from_parts(59_883_000, 7_611)
            .saturating_add(Weight::from_parts(979_312, 0).saturating_mul(h.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
