//! The transformer in 32-bit floats: a checkpoint approximates it, and training changes it.
//!
//! - [`llama`] is the model, as modules of burn: differentiable, and saved and loaded as records;
//! - [`Parameter`] is one of its tensors, for an optimiser;
//! - [`FloatWeights`] is where its weights come from;
//! - [`device`](mod@device) finds burn's name for a device of this machine.
//!
//! Floats differ from one device to another. No decision depends on them: answers, checks and scores use
//! integers only.

pub mod device;
mod error;
pub mod llama;
mod parameter;
mod weights;

pub use device::{device, guarded};
pub use error::FloatError;
pub use llama::{Llama, Rotary};
pub use parameter::Parameter;
pub use weights::FloatWeights;
