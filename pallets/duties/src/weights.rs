//! Weights of pallet-duties.
//!
//! Counted, until they are measured: one verification of an sr25519 signature (60 µs on the machine that the other
//! pallets were measured on), the measured time of hashing the call, and one read each of a hot key's controller and
//! of a block's hash.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
};

/// Weights of the call beside those of the duty itself.
pub trait WeightInfo {
    /// Executing the call around the duty.
    fn perform() -> Weight;
    /// Checking key and signature of a call of `b` bytes.
    fn authorize_perform(b: u32) -> Weight;
}

/// Weights with the database of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn perform() -> Weight {
        Weight::from_parts(WEIGHT_REF_TIME_PER_MICROS.saturating_mul(5), 0)
    }

    fn authorize_perform(b: u32) -> Weight {
        // Proof: the path to one account in the map of hot keys.
        Weight::from_parts(WEIGHT_REF_TIME_PER_MICROS.saturating_mul(80), 3_543)
            .saturating_add(Weight::from_parts(8_454, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads(3))
    }
}

impl WeightInfo for () {
    fn perform() -> Weight {
        Weight::zero()
    }

    fn authorize_perform(_b: u32) -> Weight {
        Weight::zero()
    }
}
