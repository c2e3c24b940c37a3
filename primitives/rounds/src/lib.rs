#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

extern crate alloc;

mod accept;
mod advance;
#[cfg(feature = "by-name")]
mod by_name;
mod claim;
mod contribute;
mod error;
mod round;
mod rules;
mod score;

pub use accept::{accept, Refusal, Ruling};
pub use advance::{RoundContext, RoundEffect};
pub use error::{RoundError, RoundRulesError};
pub use round::{
    CheckpointClaim, Contribution, Finding, Hearing, Losses, Phase, Rejection, Round, RoundOutcome,
    ScoreSheet, Trainer, Validator,
};
pub use rules::{Dataset, RoundRules, RoundWindows};
pub use sp_arithmetic::Permill;

/// Fewest contributions that rules may ask for: one alone is compared with no other.
pub const MIN_CONTRIBUTIONS: u32 = 2;
/// Most trainers of a round.
pub const MAX_TRAINERS: u32 = 32;
/// Most validators of a round.
pub const MAX_VALIDATORS: u32 = 16;
/// Most shards that a trainer is given.
pub const MAX_ASSIGNED_SHARDS: u32 = 8;
/// Most shards that every contribution is evaluated on.
pub const MAX_EVALUATION_SHARDS: u32 = 16;
/// Most shards of a dataset: bounds the work of a draw.
pub const MAX_SHARDS: u32 = 1_024;
