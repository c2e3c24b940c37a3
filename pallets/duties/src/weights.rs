//! Weights of the calls of `pallet_duties`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `authorize_perform` in the pallet's benchmarks; `b` is 0 to 16384.
    fn authorize_perform(b: u32) -> Weight;
    /// See `verify_signature` in the pallet's benchmarks.
    fn verify_signature() -> Weight;
    /// See `perform` in the pallet's benchmarks.
    fn perform() -> Weight;
}

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 54 bytes. Shortest time: 82_293_000 ps.
    fn authorize_perform(b: u32) -> Weight {
        Weight::from_parts(87_327_500, 3_509)
            .saturating_add(Weight::from_parts(9_234, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads(1))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 57_327_000 ps.
    fn verify_signature() -> Weight {
        Weight::from_parts(58_620_000, 0)
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 16_631_000 ps.
    fn perform() -> Weight {
        Weight::from_parts(26_249_000, 0)
    }
}
