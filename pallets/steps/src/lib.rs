#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(any(test, feature = "runtime-benchmarks"))]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]
mod forged;
#[cfg(test)]
mod tests;
pub mod weights;

#[cfg(any(test, feature = "runtime-benchmarks"))]
pub use forged::{longest_manifest, useless_evidence, TOKENS};
pub use weights::WeightInfo;

use core::marker::PhantomData;
use frame_support::weights::Weight;
use noema_referee::DeclaredEvidence;
use noema_trace::StepKind;
use pallet_disputes::StepWeight;

/// The runtime's configuration: that of its blocks is all that the benchmarks need.
pub trait Config: frame_system::Config {}

impl<T: frame_system::Config> Config for T {}

/// What is benchmarked.
#[derive(Debug)]
pub struct Pallet<T>(PhantomData<T>);

/// The weights of steps by their kinds, as `Weights` has them.
#[derive(Debug)]
pub struct Steps<Weights>(PhantomData<Weights>);

impl<Weights: WeightInfo> StepWeight<DeclaredEvidence> for Steps<Weights> {
    fn weigh(evidence: &DeclaredEvidence) -> Weight {
        weight_of::<Weights>(evidence.kind)
    }

    fn heaviest() -> Weight {
        let weights = StepKind::ALL.iter().map(|kind| weight_of::<Weights>(*kind));
        weights.fold(Weight::zero(), |most, weight| most.max(weight))
    }
}

/// The weight of a step of a kind.
pub fn weight_of<Weights: WeightInfo>(kind: StepKind) -> Weight {
    use StepKind as K;
    match kind {
        K::Embedding => Weights::embedding(),
        K::NormRange => Weights::norm_range(),
        K::NormSquares => Weights::norm_squares(),
        K::NormScale => Weights::norm_scale(),
        K::BlocksRange => Weights::blocks_range(),
        K::BlocksWrite => Weights::blocks_write(),
        K::Linear => Weights::linear(),
        K::Bias => Weights::bias(),
        K::HeadNorm => Weights::head_norm(),
        K::Rope => Weights::rope(),
        K::StoreKey => Weights::store_key(),
        K::StoreValue => Weights::store_value(),
        K::Scores => Weights::scores(),
        K::Sums => Weights::sums(),
        K::Mix => Weights::mix(),
        K::Swiglu => Weights::swiglu(),
        K::Geglu => Weights::geglu(),
        K::Route => Weights::route(),
        K::Experts => Weights::experts(),
        K::MixExperts => Weights::mix_experts(),
        K::Add => Weights::add(),
        K::State => Weights::state(),
        K::Largest => Weights::largest(),
        K::Count => Weights::count(),
        K::Select => Weights::select(),
        K::Answered => Weights::answered(),
        K::LossWeights => Weights::loss_weights(),
        K::Loss => Weights::loss(),
        K::Tokens => Weights::tokens(),
        K::Outcome => Weights::outcome(),
    }
}
