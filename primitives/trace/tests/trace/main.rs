//! Traces, tested through the public interface.

mod evidence;
mod shape;
mod smollm2;
mod support;
mod whole;
