//! Weights of the calls of `pallet_training`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
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

/// The measured weights, with those of the reads and writes of the runtime's database.
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
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:0 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 617 bytes. Shortest time: 54_052_000 ps.
    fn start_programme() -> Weight {
        Weight::from_parts(60_613_000, 3_888)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Families` (r:1 w:1)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:65)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:2 w:2)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:1)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:48 w:48)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Holders` (r:0 w:1)
    // Proof: `Checkpoints::Holders` (`max_values`: None, `max_size`: Some(4146), added: 6621, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 48081 bytes. Shortest time: 1_044_539_000 ps.
    fn stop_programme() -> Weight {
        Weight::from_parts(1_076_329_000, 140_382)
            .saturating_add(T::DbWeight::get().reads(103))
            .saturating_add(T::DbWeight::get().writes(168))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:33 w:2)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:2 w:2)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19075 bytes. Shortest time: 315_700_000 ps.
    fn join_round() -> Weight {
        Weight::from_parts(335_567_000, 96_822)
            .saturating_add(T::DbWeight::get().reads(39))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5484 bytes. Shortest time: 86_572_000 ps.
    fn commit_contribution() -> Weight {
        Weight::from_parts(93_985_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6636 bytes. Shortest time: 95_368_000 ps.
    fn reveal_contribution() -> Weight {
        Weight::from_parts(102_843_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6835 bytes. Shortest time: 91_391_000 ps.
    fn commit_scores() -> Weight {
        Weight::from_parts(99_756_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 18548 bytes. Shortest time: 122_939_000 ps.
    fn reveal_scores() -> Weight {
        Weight::from_parts(131_396_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19620 bytes. Shortest time: 118_511_000 ps.
    fn claim_checkpoint() -> Weight {
        Weight::from_parts(126_246_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 21010 bytes. Shortest time: 145_231_000 ps.
    fn object_to_scores() -> Weight {
        Weight::from_parts(156_802_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 21010 bytes. Shortest time: 144_921_000 ps.
    fn object_to_claim() -> Weight {
        Weight::from_parts(155_720_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Training::Families` (r:1 w:0)
    // Proof: `Training::Families` (`max_values`: Some(1), `max_size`: Some(9), added: 504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 114 bytes. Shortest time: 3_907_000 ps.
    fn advance_base() -> Weight {
        Weight::from_parts(4_408_000, 1_494).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Training::Programmes` (r:1 w:0)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:30 w:30)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:30 w:30)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:30 w:30)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:30 w:30)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 29099 bytes. Shortest time: 2_236_306_000 ps.
    fn advance_draw() -> Weight {
        Weight::from_parts(2_347_303_000, 88_110)
            .saturating_add(T::DbWeight::get().reads(126))
            .saturating_add(T::DbWeight::get().writes(121))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:3)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:48 w:48)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:32 w:32)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:32 w:32)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 38675 bytes. Shortest time: 2_598_081_000 ps.
    fn advance_silence() -> Weight {
        Weight::from_parts(2_678_762_000, 140_382)
            .saturating_add(T::DbWeight::get().reads(167))
            .saturating_add(T::DbWeight::get().writes(166))
    }

    // Storage: `Training::Programmes` (r:1 w:0)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:1)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 19175 bytes. Shortest time: 161_812_000 ps.
    fn advance_tally() -> Weight {
        Weight::from_parts(169_627_000, 24_472)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Training::Programmes` (r:1 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:1 w:3)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:48 w:48)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:15 w:15)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:15 w:15)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 50204 bytes. Shortest time: 1_805_711_000 ps.
    fn advance_close() -> Weight {
        Weight::from_parts(1_852_588_000, 140_382)
            .saturating_add(T::DbWeight::get().reads(133))
            .saturating_add(T::DbWeight::get().writes(132))
    }

    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(248), added: 2723, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:1)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:1)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:46 w:46)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:48 w:48)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:48 w:48)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Training::Closed` (r:1 w:1)
    // Proof: `Training::Closed` (`max_values`: None, `max_size`: Some(526), added: 3001, mode: `MaxEncodedLen`)
    // Storage: `Training::NextRound` (r:1 w:1)
    // Proof: `Training::NextRound` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Training::Rounds` (r:0 w:3)
    // Proof: `Training::Rounds` (`max_values`: None, `max_size`: Some(21007), added: 23482, mode: `MaxEncodedLen`)
    // Storage: `Training::Programmes` (r:0 w:1)
    // Proof: `Training::Programmes` (`max_values`: None, `max_size`: Some(423), added: 2898, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 27076 bytes. Shortest time: 1_148_334_000 ps.
    fn advance_promote() -> Weight {
        Weight::from_parts(1_202_986_000, 140_382)
            .saturating_add(T::DbWeight::get().reads(150))
            .saturating_add(T::DbWeight::get().writes(151))
    }
}
