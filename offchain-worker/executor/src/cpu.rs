//! The processor: wide instructions, chosen at run time, on every core.

mod attend;
mod dot;
mod executor;
mod kernels;
mod panel;
mod pass;

pub use executor::{CpuExecutor, CpuOptions};
pub use kernels::CpuKernels;
