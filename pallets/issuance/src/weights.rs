//! What the call and the hooks of `pallet_issuance` weigh.
//!
//! Not measured yet: reads and writes are counted by hand, times are those of measured calls of
//! other pallets that do as much or more. `scripts/weights.sh issuance` measures them and writes this
//! file anew.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `claim` in the pallet's benchmarks.
    fn claim() -> Weight;
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

/// As counted, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Storage: `Issuance::WorkDone` (r:1 w:1)
    // Storage: `Issuance::Epochs` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::TotalIssuance` (r:1 w:1)
    // Storage: `Issuance::Books` (r:1 w:1)
    fn claim() -> Weight {
        Weight::from_parts(310_000_000, 3_605)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Storage: `Issuance::Terms` (r:1 w:0)
    fn keep_epoch() -> Weight {
        Weight::from_parts(20_000_000, 1_541).saturating_add(T::DbWeight::get().reads(2))
    }

    // Storage: `Issuance::CurrentEpoch` (r:1 w:1)
    // Storage: `Issuance::Terms` (r:1 w:0)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::TotalIssuance` (r:1 w:1)
    // Storage: `Issuance::Books` (r:1 w:1)
    // Storage: `Issuance::Epochs` (r:0 w:1)
    fn close_epoch() -> Weight {
        Weight::from_parts(310_000_000, 3_593)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Issuance::OldestEpoch` (r:1 w:1)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    fn expire_base() -> Weight {
        Weight::from_parts(20_000_000, 1_489)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Issuance::Epochs` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::TotalIssuance` (r:1 w:1)
    // Storage: `Issuance::Books` (r:1 w:1)
    fn expire_epoch() -> Weight {
        Weight::from_parts(310_000_000, 3_605)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Issuance::WorkDone` (r:2 w:1)
    fn expire_record() -> Weight {
        Weight::from_parts(60_000_000, 2_559)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
