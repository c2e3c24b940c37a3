//! What the roles do on a chain, with a model and over a network that the tests play.

mod chains;
mod claim;
mod fake;
mod judge;
mod rounds;
mod serve;
mod store;
mod validate;
#[path = "../common/world.rs"]
mod world;
