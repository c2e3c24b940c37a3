//! Tests of the roles with a fake chain, model and network.

mod chains;
mod claim;
mod fake;
mod games;
mod judge;
mod rounds;
mod serve;
mod sessions;
mod store;
mod validate;
#[path = "../../training/tests/common/world.rs"]
mod world;
