//! The processor as a device: vector instructions, chosen at run time, on every core.

mod attend;
mod dot;
mod executor;
mod experts;
mod kernels;
mod level;
mod member;
mod panel;
mod pass;
mod rows;
mod steps;
mod team;
mod walk;
mod weights;

pub use executor::{CpuExecutor, CpuOptions};
pub use experts::ExpertsOutput;
pub use kernels::{CpuKernels, LinearOutput};
pub use weights::CpuWeights;

pub(crate) use walk::TraceWalk;
