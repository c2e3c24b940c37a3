//! Training tiny models on the processor.

mod resume;
mod rounds;
mod support;
mod trainer;
#[path = "../common/world.rs"]
mod world;
