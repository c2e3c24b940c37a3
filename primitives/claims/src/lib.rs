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

mod backlog;
mod beacon;
mod challenge;
mod check;
mod claim;
mod decision;
mod draw;
mod error;
mod evidence;
mod history;
mod life;
mod rules;
mod sampling;
mod settle;

pub use backlog::BacklogChange;
pub use beacon::{Beacon, RelayBlock};
pub use claim::{
    Availability, Claim, ClaimFault, ClaimOutcome, ClaimStage, ClaimTerms, Demand, Seat, SeatState,
    Verification,
};
pub use decision::Decision;
pub use draw::{DrawRandomness, Validators};
pub use error::{ClaimError, ClaimRulesError};
pub use evidence::{merkle_root, prove_hidden, verify_hidden, verify_leaf, HiddenProof};
pub use history::{ValueHistory, DRAW_SPREAD, KEPT_VALUES};
pub use life::ClaimEffect;
pub use rules::{ClaimRules, ClaimWindows};
pub use sampling::{leaves_to_draw, Sample};
pub use settle::{juror_share, lost_challenge, LostChallenge, Settlement, StakeSplit};
pub use sp_arithmetic::Permill;

/// Most leaves that are drawn from one claim. A claim whose stake is so small that more would be
/// needed is refused.
pub const MAX_DRAWN_LEAVES: u32 = 8;
/// Most validators drawn for one leaf at a time.
pub const MAX_VALIDATORS_PER_LEAF: u32 = 4;
/// Most draws of validators for the leaves of one claim.
pub const MAX_DRAWS: u32 = 4;
/// Most draws that find no validator, before the claim continues unconfirmed.
pub const MAX_FRUITLESS: u32 = 10;
/// Most seats of one claim over all its draws.
pub const MAX_SEATS: u32 = MAX_DRAWN_LEAVES * MAX_VALIDATORS_PER_LEAF;
/// Most leaves of one claim that can be demanded at a time: those that are drawn, and as many others in dispute.
pub const MAX_DEMANDS: u32 = 2 * MAX_DRAWN_LEAVES;
/// Most seats of jurors in one dispute. The stake of the side that loses has to pay each of them.
pub const MAX_JUROR_SEATS: u32 = 36;
