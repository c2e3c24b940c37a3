//! The engine: questions and checks, over a small model and over a real one.

mod smollm2;
mod tiny;
