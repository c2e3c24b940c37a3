//! What the calls of `pallet_training` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-28, Intel(R) Xeon(R) Processor @ 2.50GHz, 20 steps and 20 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `start_programme` in the pallet's benchmarks.
    fn start_programme() -> Weight;
    /// See `stop_programme` in the pallet's benchmarks.
    fn stop_programme() -> Weight;
    /// See `join_round` in the pallet's benchmarks.
    fn join_round() -> Weight;
    /// See `commit_contribution` in the pallet's benchmarks.
    fn commit_contribution() -> Weight;
    /// See `reveal_contribution` in the pallet's benchmarks.
    fn reveal_contribution() -> Weight;
    /// See `commit_scores` in the pallet's benchmarks.
    fn commit_scores() -> Weight;
    /// See `reveal_scores` in the pallet's benchmarks.
    fn reveal_scores() -> Weight;
    /// See `claim_checkpoint` in the pallet's benchmarks.
    fn claim_checkpoint() -> Weight;
    /// See `object_to_scores` in the pallet's benchmarks.
    fn object_to_scores() -> Weight;
    /// See `object_to_claim` in the pallet's benchmarks.
    fn object_to_claim() -> Weight;
    /// See `advance_base` in the pallet's benchmarks.
    fn advance_base() -> Weight;
    /// See `advance_draw` in the pallet's benchmarks.
    fn advance_draw() -> Weight;
    /// See `advance_silence` in the pallet's benchmarks.
    fn advance_silence() -> Weight;
    /// See `advance_tally` in the pallet's benchmarks.
    fn advance_tally() -> Weight;
    /// See `advance_close` in the pallet's benchmarks.
    fn advance_close() -> Weight;
    /// See `advance_promote` in the pallet's benchmarks.
    fn advance_promote() -> Weight;
}

/// As measured, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Training::Families` (r:1 w:1)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:0 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 350 bytes. Shortest time: 292_750_000 ps.
    fn start_programme() -> Weight {
        Weight::from_parts(313_492_000, 3_888)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Families` (r:1 w:1)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:65)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 29976 bytes. Shortest time: 8_578_026_000 ps.
    fn stop_programme() -> Weight {
        Weight::from_parts(9_155_227_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(56))
            .saturating_add(T::DbWeight::get().writes(120))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 3712 bytes. Shortest time: 654_160_000 ps.
    fn join_round() -> Weight {
        Weight::from_parts(713_821_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5304 bytes. Shortest time: 645_653_000 ps.
    fn commit_contribution() -> Weight {
        Weight::from_parts(676_198_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6456 bytes. Shortest time: 754_638_000 ps.
    fn reveal_contribution() -> Weight {
        Weight::from_parts(884_388_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6655 bytes. Shortest time: 452_812_000 ps.
    fn commit_scores() -> Weight {
        Weight::from_parts(500_839_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 18368 bytes. Shortest time: 602_422_000 ps.
    fn reveal_scores() -> Weight {
        Weight::from_parts(627_991_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19440 bytes. Shortest time: 556_320_000 ps.
    fn claim_checkpoint() -> Weight {
        Weight::from_parts(588_787_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 20830 bytes. Shortest time: 732_636_000 ps.
    fn object_to_scores() -> Weight {
        Weight::from_parts(756_129_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 20830 bytes. Shortest time: 793_414_000 ps.
    fn object_to_claim() -> Weight {
        Weight::from_parts(811_976_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Training::Families` (r:1 w:0)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 80 bytes. Shortest time: 18_071_000 ps.
    fn advance_base() -> Weight {
        Weight::from_parts(18_941_000, 1_494).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Training::Programmes` (r:1 w:0)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:30 w:30)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:30 w:30)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:30 w:30)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:30 w:30)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 16945 bytes. Shortest time: 13_058_075_000 ps.
    fn advance_draw() -> Weight {
        Weight::from_parts(13_728_860_000, 108_390)
            .saturating_add(T::DbWeight::get().reads(123))
            .saturating_add(T::DbWeight::get().writes(121))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:3)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:32 w:32)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:32 w:32)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:32 w:32)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 20374 bytes. Shortest time: 15_419_825_000 ps.
    fn advance_silence() -> Weight {
        Weight::from_parts(15_741_874_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(149))
            .saturating_add(T::DbWeight::get().writes(150))
    }

    // Storage: `Training::Programmes` (r:1 w:0)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19074 bytes. Shortest time: 786_737_000 ps.
    fn advance_tally() -> Weight {
        Weight::from_parts(821_349_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:3)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:15 w:15)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:15 w:15)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:15 w:15)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 31903 bytes. Shortest time: 9_722_689_000 ps.
    fn advance_close() -> Weight {
        Weight::from_parts(10_070_785_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(98))
            .saturating_add(T::DbWeight::get().writes(99))
    }

    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:1)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:46 w:46)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:0 w:3)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Training::Programmes` (r:0 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 8792 bytes. Shortest time: 6_927_075_000 ps.
    fn advance_promote() -> Weight {
        Weight::from_parts(7_199_687_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(101))
            .saturating_add(T::DbWeight::get().writes(102))
    }
}
