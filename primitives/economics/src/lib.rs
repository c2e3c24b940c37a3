//! The money rules, as pure functions.
//!
//! | question | function |
//! |---|---|
//! | What is the highest cost of a request? | [`quote`] |
//! | What is the price of an answer, and how much of it is burned? | [`answer_price`], [`burn_part`] |
//! | What is the expected loss of a worker that cheats? | [`cost_to_cheat`] |
//! | How much does silence cost? | [`slash_for_silence`] |
//! | Which operator is drawn? | [`draw_weighted`], [`draw_below`], [`happens`] |
//! | What does a vote decide? | [`majority`] |
//! | How much is issued, and when? | [`Schedule`] |
//! | How is a subsidy divided? | [`split`], [`reward`] |
//!
//! No storage, no FRAME, no clock: the same arguments always give the same result, so any account can
//! recompute its payments and rewards. Amounts are in the smallest unit of the native token. No function
//! panics, whatever its arguments, and none creates or loses a unit: where an amount is divided, the
//! remainder is part of the result.
//!
//! ```
//! use noema_economics::{answer_price, quote};
//! use noema_protocol::Prices;
//!
//! let prices = Prices { per_prompt_byte: 2, per_answer_token: 10 };
//! let quote = quote(&prices, 5, 64, 30)?;
//! assert_eq!(quote.total, 5 * 2 + 64 * 10 + 30);
//!
//! // The answer took 20 tokens.
//! assert_eq!(answer_price(&prices, 5, 20)?, 210);
//! # Ok::<(), noema_economics::EconomicsError>(())
//! ```

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

mod deterrence;
mod draw;
mod error;
mod issuance;
mod price;
mod silence;
mod vote;

pub use deterrence::cost_to_cheat;
pub use draw::{draw_below, draw_weighted, happens};
pub use error::EconomicsError;
pub use issuance::{reward, split, Schedule, Split};
pub use price::{answer_price, burn_part, quote, NetPayment, Quote};
pub use silence::slash_for_silence;
pub use sp_arithmetic::Permill;
pub use vote::majority;

/// An amount, in the smallest unit of the native token.
pub type Balance = u128;
