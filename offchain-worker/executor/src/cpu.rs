//! The processor: wide instructions, chosen at run time, on every core.

mod attend;
mod dot;
mod kernels;
mod panel;

pub use kernels::CpuKernels;
