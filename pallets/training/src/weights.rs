//! What the calls and hooks of `pallet_training` weigh.
//!
//! Counted by hand, on the high side: reads and writes of the heaviest path, a round of the longest
//! value for each, and for a step of a round a slash of every participant and the largest draw.
//! `scripts/weights.sh` replaces this file by what it measures.

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
    /// See `advance_tally` in the pallet's benchmarks.
    fn advance_tally() -> Weight;
    /// See `advance_close` in the pallet's benchmarks.
    fn advance_close() -> Weight;
    /// See `advance_promote` in the pallet's benchmarks.
    fn advance_promote() -> Weight;
}

/// As counted, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn start_programme() -> Weight {
        Weight::from_parts(150_000_000, 32_000)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    fn stop_programme() -> Weight {
        Weight::from_parts(12_000_000_000, 450_000)
            .saturating_add(T::DbWeight::get().reads(260))
            .saturating_add(T::DbWeight::get().writes(260))
    }

    fn join_round() -> Weight {
        Weight::from_parts(200_000_000, 28_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn commit_contribution() -> Weight {
        Weight::from_parts(150_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn reveal_contribution() -> Weight {
        Weight::from_parts(180_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn commit_scores() -> Weight {
        Weight::from_parts(150_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn reveal_scores() -> Weight {
        Weight::from_parts(300_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn claim_checkpoint() -> Weight {
        Weight::from_parts(150_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn object_to_scores() -> Weight {
        Weight::from_parts(400_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn object_to_claim() -> Weight {
        Weight::from_parts(200_000_000, 27_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn advance_base() -> Weight {
        Weight::from_parts(5_000_000, 1_500).saturating_add(T::DbWeight::get().reads(1))
    }

    fn advance_draw() -> Weight {
        Weight::from_parts(40_000_000_000, 250_000)
            .saturating_add(T::DbWeight::get().reads(135))
            .saturating_add(T::DbWeight::get().writes(130))
    }

    fn advance_tally() -> Weight {
        Weight::from_parts(10_000_000_000, 30_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn advance_close() -> Weight {
        Weight::from_parts(15_000_000_000, 350_000)
            .saturating_add(T::DbWeight::get().reads(150))
            .saturating_add(T::DbWeight::get().writes(140))
    }

    fn advance_promote() -> Weight {
        Weight::from_parts(12_000_000_000, 350_000)
            .saturating_add(T::DbWeight::get().reads(165))
            .saturating_add(T::DbWeight::get().writes(160))
    }
}
