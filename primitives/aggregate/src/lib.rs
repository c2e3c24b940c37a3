#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

extern crate alloc;

mod compute;
mod evidence;
mod execution;
mod file;
mod outputs;
mod reads;
mod shape;
mod tracer;

pub use execution::{
    AggregateError, AggregateExecution, AggregateResult, AggregatedUpdate, TrainedParent,
};
pub use reads::{LeafOpening, OpenedTree};
pub use shape::{AggregateShape, AggregateStep, UPDATES_PART};
pub use tracer::AggregateTracer;
