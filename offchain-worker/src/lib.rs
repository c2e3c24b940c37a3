//! Serves and validates inference for a Noema chain.

pub mod checkpoint;
pub mod import;
