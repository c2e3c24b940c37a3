#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod checkpoints;
mod lineage;
mod operators;
mod randomness;
mod work;

pub use checkpoints::Checkpoints;
pub use lineage::{Lineage, Trained};
pub use operators::{Candidate, Earning, Operators, Selection, MAX_TRIES};
pub use randomness::BlockRandomness;
pub use work::RecordWork;
