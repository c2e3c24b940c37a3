//! Weights of the steps: upper estimates, until `scripts/weights.sh` measures them and writes this file.
//!
//! An estimate is four times what the benchmark takes as native code in a build for tests: for Wasm, and for slower
//! machines.

use core::marker::PhantomData;
use frame_support::weights::Weight;

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `embedding` in the pallet's benchmarks.
    fn embedding() -> Weight;
    /// See `norm_range` in the pallet's benchmarks.
    fn norm_range() -> Weight;
    /// See `norm_squares` in the pallet's benchmarks.
    fn norm_squares() -> Weight;
    /// See `norm_scale` in the pallet's benchmarks.
    fn norm_scale() -> Weight;
    /// See `blocks_range` in the pallet's benchmarks.
    fn blocks_range() -> Weight;
    /// See `blocks_write` in the pallet's benchmarks.
    fn blocks_write() -> Weight;
    /// See `linear` in the pallet's benchmarks.
    fn linear() -> Weight;
    /// See `bias` in the pallet's benchmarks.
    fn bias() -> Weight;
    /// See `head_norm` in the pallet's benchmarks.
    fn head_norm() -> Weight;
    /// See `rope` in the pallet's benchmarks.
    fn rope() -> Weight;
    /// See `store_key` in the pallet's benchmarks.
    fn store_key() -> Weight;
    /// See `store_value` in the pallet's benchmarks.
    fn store_value() -> Weight;
    /// See `scores` in the pallet's benchmarks.
    fn scores() -> Weight;
    /// See `sums` in the pallet's benchmarks.
    fn sums() -> Weight;
    /// See `mix` in the pallet's benchmarks.
    fn mix() -> Weight;
    /// See `swiglu` in the pallet's benchmarks.
    fn swiglu() -> Weight;
    /// See `geglu` in the pallet's benchmarks.
    fn geglu() -> Weight;
    /// See `route` in the pallet's benchmarks.
    fn route() -> Weight;
    /// See `experts` in the pallet's benchmarks.
    fn experts() -> Weight;
    /// See `mix_experts` in the pallet's benchmarks.
    fn mix_experts() -> Weight;
    /// See `add` in the pallet's benchmarks.
    fn add() -> Weight;
    /// See `state` in the pallet's benchmarks.
    fn state() -> Weight;
    /// See `largest` in the pallet's benchmarks.
    fn largest() -> Weight;
    /// See `count` in the pallet's benchmarks.
    fn count() -> Weight;
    /// See `select` in the pallet's benchmarks.
    fn select() -> Weight;
    /// See `answered` in the pallet's benchmarks.
    fn answered() -> Weight;
    /// See `loss_weights` in the pallet's benchmarks.
    fn loss_weights() -> Weight;
    /// See `loss` in the pallet's benchmarks.
    fn loss() -> Weight;
    /// See `tokens` in the pallet's benchmarks.
    fn tokens() -> Weight;
    /// See `outcome` in the pallet's benchmarks.
    fn outcome() -> Weight;
}

/// The estimates.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn embedding() -> Weight {
        Weight::from_parts(1_900_000_000, 0)
    }

    fn norm_range() -> Weight {
        Weight::from_parts(1_000_000_000, 0)
    }

    fn norm_squares() -> Weight {
        Weight::from_parts(4_000_000_000, 0)
    }

    fn norm_scale() -> Weight {
        Weight::from_parts(4_600_000_000, 0)
    }

    fn blocks_range() -> Weight {
        Weight::from_parts(1_000_000_000, 0)
    }

    fn blocks_write() -> Weight {
        Weight::from_parts(1_000_000_000, 0)
    }

    fn linear() -> Weight {
        Weight::from_parts(2_300_000_000, 0)
    }

    fn bias() -> Weight {
        Weight::from_parts(4_400_000_000, 0)
    }

    fn head_norm() -> Weight {
        Weight::from_parts(1_200_000_000, 0)
    }

    fn rope() -> Weight {
        Weight::from_parts(3_500_000_000, 0)
    }

    fn store_key() -> Weight {
        Weight::from_parts(400_000_000, 0)
    }

    fn store_value() -> Weight {
        Weight::from_parts(800_000_000, 0)
    }

    fn scores() -> Weight {
        Weight::from_parts(6_400_000_000, 0)
    }

    fn sums() -> Weight {
        Weight::from_parts(6_400_000_000, 0)
    }

    fn mix() -> Weight {
        Weight::from_parts(6_600_000_000, 0)
    }

    fn swiglu() -> Weight {
        Weight::from_parts(7_000_000_000, 0)
    }

    fn geglu() -> Weight {
        Weight::from_parts(6_900_000_000, 0)
    }

    fn route() -> Weight {
        Weight::from_parts(1_300_000_000, 0)
    }

    fn experts() -> Weight {
        Weight::from_parts(2_000_000_000, 0)
    }

    fn mix_experts() -> Weight {
        Weight::from_parts(6_700_000_000, 0)
    }

    fn add() -> Weight {
        Weight::from_parts(4_000_000_000, 0)
    }

    fn state() -> Weight {
        Weight::from_parts(1_500_000_000, 0)
    }

    fn largest() -> Weight {
        Weight::from_parts(3_500_000_000, 0)
    }

    fn count() -> Weight {
        Weight::from_parts(3_800_000_000, 0)
    }

    fn select() -> Weight {
        Weight::from_parts(7_800_000_000, 0)
    }

    fn answered() -> Weight {
        Weight::from_parts(8_200_000_000, 0)
    }

    fn loss_weights() -> Weight {
        Weight::from_parts(3_700_000_000, 0)
    }

    fn loss() -> Weight {
        Weight::from_parts(8_200_000_000, 0)
    }

    fn tokens() -> Weight {
        Weight::from_parts(400_000_000, 0)
    }

    fn outcome() -> Weight {
        Weight::from_parts(500_000_000, 0)
    }
}
