//! Serves and validates inference for a Noema chain.

pub mod chain;
pub mod checkpoint;
pub mod engine;
pub mod import;
pub mod keys;
pub mod metrics;
pub mod roles;
pub mod store;
