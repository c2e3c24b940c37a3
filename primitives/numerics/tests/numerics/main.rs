//! The transformer, tested through its public interface.

mod batch;
mod extremes;
mod golden;
mod layout;
mod loss;
mod mixture;
mod network;
mod operators;
mod parts;
mod refusals;
mod sampling;
