//! An empty stand-in for the database `turso`, which nothing in this workspace compiles.
//!
//! burn's optional GPU backends name it behind a weak feature, so Cargo writes it into the lock file although
//! no build uses it. Its `tracing-subscriber ^0.3.20` conflicts in one lock file with polkadot-sdk's
//! `sc-tracing`, which pins `=0.3.19`. If this crate is ever compiled, that assumption no longer holds: the
//! line below stops the build with a message.

compile_error!("a feature of burn now needs the real `turso`: remove patches/turso and see its lib.rs");
