//! What the calls of `pallet_operators` weigh.
//!
//! Calls that were there before terms were measured on 2026-11-28 on an Intel(R) Xeon(R) Processor @ 2.50GHz;
//! what rosters, locks and ledgers add is derived by hand and not measured: for each roster an index and
//! a page of 3,586 bytes each are read and written, decoded and encoded in at most 150 microseconds, and
//! a signature is verified in at most 100. `scripts/weights.sh` measures all of it and writes this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `register` in the pallet's benchmarks.
    fn register() -> Weight;
    /// See `set_prices` in the pallet's benchmarks.
    fn set_prices() -> Weight;
    /// See `serve` in the pallet's benchmarks.
    fn serve() -> Weight;
    /// See `stop_serving` in the pallet's benchmarks.
    fn stop_serving() -> Weight;
    /// See `follow_canonical` in the pallet's benchmarks.
    fn follow_canonical() -> Weight;
    /// See `resume` in the pallet's benchmarks; `s` is 0 to 16.
    fn resume(s: u32) -> Weight;
    /// See `bond_extra` in the pallet's benchmarks; `s` is 0 to 16.
    fn bond_extra(s: u32) -> Weight;
    /// See `start_unbonding` in the pallet's benchmarks; `s` is 0 to 16.
    fn start_unbonding(s: u32) -> Weight;
    /// See `cancel_unbonding` in the pallet's benchmarks.
    fn cancel_unbonding() -> Weight;
    /// See `withdraw_bond` in the pallet's benchmarks.
    fn withdraw_bond() -> Weight;
    /// See `rotate_key` in the pallet's benchmarks.
    fn rotate_key() -> Weight;
    /// See `report_device` in the pallet's benchmarks.
    fn report_device() -> Weight;
    /// See `set_endpoint` in the pallet's benchmarks.
    fn set_endpoint() -> Weight;
    /// See `withdraw` in the pallet's benchmarks.
    fn withdraw() -> Weight;
    /// See `forget_deserted` in the pallet's benchmarks.
    fn forget_deserted() -> Weight;
}

/// With what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// The rosters of one checkpoint in two roles: two indices and two pages, read and written, and two
/// notes that they are deserted.
fn rosters<T: frame_system::Config>() -> Weight {
    Weight::from_parts(600_000_000, 4 * 6_061 + 2 * 2_539)
        .saturating_add(T::DbWeight::get().reads_writes(5, 7))
}

/// A signature of a hot key.
fn signature() -> Weight {
    Weight::from_parts(100_000_000, 0)
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register() -> Weight {
        Weight::from_parts(1_049_265_000, 3_609)
            .saturating_add(signature())
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    fn set_prices() -> Weight {
        Weight::from_parts(143_091_000, 3_700)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn serve() -> Weight {
        Weight::from_parts(330_000_000, 12_300)
            .saturating_add(rosters::<T>())
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn stop_serving() -> Weight {
        Weight::from_parts(330_000_000, 6_800)
            .saturating_add(rosters::<T>())
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn follow_canonical() -> Weight {
        Weight::from_parts(700_000_000, 20_000)
            .saturating_add(rosters::<T>().saturating_mul(2))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn resume(s: u32) -> Weight {
        Weight::from_parts(287_156_000, 9_400)
            .saturating_add(rosters::<T>().saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn bond_extra(s: u32) -> Weight {
        Weight::from_parts(1_056_845_000, 9_400)
            .saturating_add(rosters::<T>().saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    fn start_unbonding(s: u32) -> Weight {
        Weight::from_parts(233_226_000, 6_800)
            .saturating_add(rosters::<T>().saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn cancel_unbonding() -> Weight {
        Weight::from_parts(165_184_000, 3_700)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn withdraw_bond() -> Weight {
        Weight::from_parts(1_500_000_000, 12_500)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(10))
    }

    fn rotate_key() -> Weight {
        Weight::from_parts(339_622_000, 6_196)
            .saturating_add(signature())
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    fn report_device() -> Weight {
        Weight::from_parts(174_601_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn set_endpoint() -> Weight {
        Weight::from_parts(162_547_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn withdraw() -> Weight {
        Weight::from_parts(700_000_000, 8_700)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    fn forget_deserted() -> Weight {
        Weight::from_parts(300_000_000, 4 * 6_061)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}
