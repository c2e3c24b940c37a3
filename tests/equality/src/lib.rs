//! Shows that every executor returns the same bits: the scalar definition, the kernels of each
//! instruction set, devices, and the definition compiled to Wasm in the engine that runs the
//! runtime.
//!
//! - [`guest`] runs Wasm in polkadot-sdk's executor;
//! - [`batches`] runs several sequences at once on a device;
//! - [`subject`] is one way to execute, and the list of those that this machine has;
//! - [`source`] holds the model that all of them execute;
//! - [`plan`] makes the answers that all of them execute;
//! - [`compare`] counts what differs;
//! - [`run`](mod@run) does all of that on a real model.

pub mod batches;
pub mod compare;
pub mod guest;
mod meter;
pub mod plan;
pub mod run;
pub mod source;
pub mod subject;

pub use noema_equality_guest::{Evidence, Task};
