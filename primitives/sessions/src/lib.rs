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

mod account;
mod bundle;
mod error;
mod payer;
mod receipt;
mod rules;
mod terms;
mod tree;
mod voucher;
mod worker;

pub use account::{Account, ClaimPart, Ended, Stage, MAX_SMALL_CLAIMS};
pub use bundle::Bundle;
pub use error::{ClaimRefusal, PayerError, SessionRulesError, WorkerError};
pub use payer::{PayerPhase, PayerSide};
pub use receipt::{AnswerEnd, Ask, SessionReceipt};
pub use rules::SessionRules;
pub use terms::{Agreement, SessionPrices, SessionTerms, MOST_CHECKED};
pub use tree::{merkle_proof, verify_leaf, ReceiptTree, MAX_SIBLINGS};
pub use voucher::Voucher;
pub use worker::{WorkerPhase, WorkerSide};
