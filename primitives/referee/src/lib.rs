#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

extern crate alloc;

mod evidence;
mod judge;
mod statement;

pub use evidence::DeclaredEvidence;
pub use judge::{SessionClaims, SessionJudge};
pub use statement::{SessionStatement, ShownCheckpoint};
