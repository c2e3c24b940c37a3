#![doc = include_str!("../README.md")]

mod input;
mod mutate;
mod pool;
mod targets;
mod traced;

pub use pool::{corpus, InputPool};
pub use targets::{Target, TARGETS};
