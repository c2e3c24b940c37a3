//! The engine: answers and checks, with a small model and with a real one.

mod chat;
mod smollm2;
mod split;
mod tiny;
