#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod checkpoints;
mod claims;
mod disputes;
mod lineage;
mod load;
mod operators;
mod randomness;
mod work;

pub use checkpoints::Checkpoints;
pub use claims::{Claims, OnClaimEnded};
pub use disputes::{Disputes, Referee};
pub use lineage::{Lineage, Trained};
pub use load::Load;
pub use operators::{Burden, Candidate, Earning, Operators, Selection, WorkCredit, MAX_TRIES};
pub use randomness::{BlockRandomness, RelayRandomness};
pub use work::{KeepWork, RecentWork, RecordWork};
