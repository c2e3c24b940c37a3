//! What the mock runtimes of the pallets share. For tests only: it needs `std`, and no pallet that runs depends on it.
//!
//! It depends on no pallet of Noema, so that each of them can use it in its tests without being compiled twice. What
//! has to name a pallet is therefore a macro, in [`runtime!`] and its companions; it expands in the crate of the mock,
//! which has the pallet. The rest are plain types.

mod checkpoint;
mod randomness;
mod runtime;
mod work;

pub use checkpoint::{OneCheckpoint, CHECKPOINT};
pub use randomness::{IsRandom, Relay, Salt};
pub use runtime::{build, possession};
pub use work::RecordedWork;

/// Accounts of the mock runtimes.
pub type AccountId = u64;
