//! The processor: wide instructions, chosen at run time, on every core.

mod attend;
mod dot;
mod kernels;
mod level;
mod panel;
mod rows;
mod team;
mod weights;

pub use kernels::{CpuKernels, LinearOutput};
pub use weights::Weights;
