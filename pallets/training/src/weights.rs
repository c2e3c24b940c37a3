//! What the calls of `pallet_training` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-28, Intel(R) Xeon(R) Processor @ 2.50GHz, 50 steps and 20 repetitions. Time is a fit of least squares;
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
    // Proof in the benchmark: 350 bytes. Shortest time: 288_074_000 ps.
    fn start_programme() -> Weight {
        Weight::from_parts(312_722_000, 3_888)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Families` (r:1 w:1)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:0)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 26250 bytes. Shortest time: 3_473_246_000 ps.
    fn stop_programme() -> Weight {
        Weight::from_parts(3_574_253_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(52))
            .saturating_add(T::DbWeight::get().writes(51))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 3712 bytes. Shortest time: 402_147_000 ps.
    fn join_round() -> Weight {
        Weight::from_parts(426_217_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5304 bytes. Shortest time: 385_354_000 ps.
    fn commit_contribution() -> Weight {
        Weight::from_parts(405_720_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6456 bytes. Shortest time: 463_136_000 ps.
    fn reveal_contribution() -> Weight {
        Weight::from_parts(485_133_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6655 bytes. Shortest time: 440_860_000 ps.
    fn commit_scores() -> Weight {
        Weight::from_parts(466_561_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 18368 bytes. Shortest time: 591_718_000 ps.
    fn reveal_scores() -> Weight {
        Weight::from_parts(637_278_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19440 bytes. Shortest time: 557_899_000 ps.
    fn claim_checkpoint() -> Weight {
        Weight::from_parts(581_405_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 20830 bytes. Shortest time: 721_796_000 ps.
    fn object_to_scores() -> Weight {
        Weight::from_parts(770_033_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 20830 bytes. Shortest time: 759_085_000 ps.
    fn object_to_claim() -> Weight {
        Weight::from_parts(819_146_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Training::Families` (r:1 w:0)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 80 bytes. Shortest time: 18_644_000 ps.
    fn advance_base() -> Weight {
        Weight::from_parts(19_576_000, 1_494).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Training::Programmes` (r:1 w:0)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:16 w:16)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:16 w:16)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:16 w:16)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:16 w:16)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 13534 bytes. Shortest time: 7_474_853_000 ps.
    fn advance_draw() -> Weight {
        Weight::from_parts(12_529_989_000, 58_270)
            .saturating_add(T::DbWeight::get().reads(67))
            .saturating_add(T::DbWeight::get().writes(65))
    }

    // Storage: `Training::Programmes` (r:1 w:0)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19074 bytes. Shortest time: 800_341_000 ps.
    fn advance_silence() -> Weight {
        Self::advance_close()
    }

    fn advance_tally() -> Weight {
        Weight::from_parts(1_337_704_000, 24_467)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:2)
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
    // Proof in the benchmark: 30783 bytes. Shortest time: 18_112_070_000 ps.
    fn advance_close() -> Weight {
        Weight::from_parts(18_348_425_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(98))
            .saturating_add(T::DbWeight::get().writes(98))
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
    // Storage: `Training::Rounds` (r:0 w:2)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21002), added: 23477, mode: `MaxEncodedLen`)
    // Storage: `Training::Programmes` (r:0 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 8243 bytes. Shortest time: 6_773_529_000 ps.
    fn advance_promote() -> Weight {
        Weight::from_parts(6_989_241_000, 126_702)
            .saturating_add(T::DbWeight::get().reads(101))
            .saturating_add(T::DbWeight::get().writes(101))
    }
}
