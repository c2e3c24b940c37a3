//! Tests that every executor returns the same bits: the scalar definition, the kernels of each instruction
//! set, devices, and the definition compiled to Wasm in the runtime's engine.
//!
//! - [`guest`] runs Wasm in polkadot-sdk's executor;
//! - [`batches`] runs several sequences at once on a device;
//! - [`subject`] is one executor, and the list of those on this machine;
//! - [`source`] holds the model that all of them execute;
//! - [`plan`] makes the answers that all of them execute;
//! - [`compare`] counts the differences;
//! - [`run`](mod@run) does all of that on models.

pub mod batches;
pub mod compare;
pub mod guest;
mod meter;
pub mod plan;
pub mod run;
pub mod source;
pub mod subject;

pub use noema_equality_guest::{Evidence, Task};
