#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod add;
mod answer;
mod architecture;
pub mod attention;
pub mod bias;
pub mod blocks;
pub mod cache;
pub mod embedding;
mod error;
pub mod exp2;
pub mod experts;
pub mod fixed;
pub mod geglu;
pub mod head_norm;
pub mod hidden;
mod kernels;
pub mod layout;
pub mod linear;
pub mod loss;
pub mod mix;
pub mod model;
pub mod network;
pub mod norm;
pub mod rope;
pub mod route;
pub mod sampling;
#[cfg(feature = "seeded")]
pub mod seeded;
pub mod swiglu;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tile;
pub mod transformer;
mod units;

pub use answer::{
    check, generate, generate_after, positions_needed, Checked, Checking, End, Flaw, Generated,
    Generation, GenerationParameters, Step, StepBudget,
};
pub use architecture::{
    Architecture, ArchitectureError, AttentionWindow, Dimension, ExpertMixture, LayerPattern,
    Variant, BLOCK,
};
pub use blocks::{Blocks, BlocksRef};
pub use cache::KvCache;
pub use error::ForwardError;
pub use kernels::{Kernels, Scalar};
pub use loss::{loss, Loss};
pub use model::{Model, ModelError};
pub use network::Network;
pub use sampling::{Sampler, Sampling};
pub use transformer::{ForwardPass, Transformer};

/// Version of this crate's definition, the arithmetic and the hashes of hidden states; part of every
/// checkpoint.
pub const NUMERICS_VERSION: u32 = 2;
