//! The integer transformer: one definition, the same bits everywhere.
#![cfg_attr(not(any(feature = "std", test)), no_std)]

extern crate alloc;

mod architecture;
pub mod layout;
pub mod tile;

pub use architecture::{Architecture, ArchitectureError, Dimension, BLOCK};

/// Version of the arithmetic that this crate defines; part of every checkpoint.
pub const NUMERICS_VERSION: u32 = 1;
