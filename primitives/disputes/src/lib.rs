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

mod bonds;
mod error;
mod game;
mod judge;
mod line;
mod rules;
mod tree;

pub use bonds::{parts, Effort, Tariff};
pub use error::{EvidenceError, GameError};
pub use game::{Fault, Game, GameEnd, GameStage, GameTerms};
pub use judge::{DisputedLeaf, NoTrace, Shape, StepJudge, StepProof};
pub use line::{Line, LineEnd, LineTurn, Proven, Side};
pub use noema_protocol::merkle::Place;
pub use rules::{GameRules, TRACE_COST};
pub use tree::{Tree, MAX_ROW, MAX_ROW_BITS, MAX_SIBLINGS, MAX_STEPS};
