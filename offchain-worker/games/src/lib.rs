#![doc = include_str!("../README.md")]

mod challenger;
mod claimant;
mod error;
mod source;
#[cfg(feature = "testing")]
pub mod testing;

pub use challenger::{challenger_move, ChallengerMove};
pub use claimant::{claimant_moves, open, show, ClaimantMove, TraceOpening};
pub use error::PlayError;
pub use source::{top, OwnEvidence, TraceSource};
