//! All executors of this machine return the same bits, the runtime's engine included.

mod operators;
mod passes;
mod smollm2;
