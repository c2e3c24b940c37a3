//! The transformer in 32-bit floats: a checkpoint approximates it, and training changes it.
//!
//! - [`FloatModel`] follows the steps of a network, as a module of burn: differentiable, and saved and loaded
//!   as a record;
//! - [`Parameter`] is one of its tensors, for an optimiser;
//! - [`FloatWeights`] is where its weights come from;
//! - [`device`](mod@device) finds burn's name for a device of this machine.
//!
//! Floats differ from one device to another. No decision depends on them: answers, checks and scores use
//! integers only.

pub mod device;
mod error;
mod mixture;
mod model;
mod parameter;
mod weights;

pub use device::{device, guarded};
pub use error::FloatError;
pub use model::{FloatModel, Rotary};
pub use parameter::Parameter;
pub use weights::{FloatWeights, Rotation};
