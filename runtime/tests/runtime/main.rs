//! The runtime on a chain at its genesis.

mod beacon;
#[path = "../common/mod.rs"]
mod common;
mod duties;
mod issuance;
mod limits;
mod presets;
mod transactions;
