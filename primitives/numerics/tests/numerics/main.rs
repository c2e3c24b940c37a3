//! The transformer, tested through its public interface.

mod batch;
mod extremes;
mod golden;
mod layout;
mod loss;
mod operators;
mod refusals;
mod sampling;
