//! The money rules, as pure functions.
//!
//! | question | function |
//! |---|---|
//! | What may a request cost at most? | [`quote`] |
//! | Who gets what when it ends? | [`settle`], [`burn_part`] |
//! | How often must an answer be checked? | [`SamplingRule::rate`] |
//! | What would a worker lose by cheating? | [`cost_to_cheat`] |
//! | What does a conviction cost, and who gets it? | [`slash_split`], [`silence_penalty`] |
//! | Who is drawn? | [`draw_weighted`], [`draw_below`], [`happens`] |
//! | What does a committee decide? | [`majority`] |
//! | How much is issued, and when? | [`Schedule`] |
//! | To whom? | [`split`], [`reward`] |
//!
//! No storage, no FRAME, no clock: the same arguments always give the same result, so anyone can
//! recompute why they were paid what they were. Amounts are in the smallest unit of the native
//! token. No function panics, whatever its arguments, and none creates or loses a unit: where an
//! amount is divided, the remainder is part of the result.
//!
//! ```
//! use noema_economics::{quote, settle};
//! use noema_protocol::interfaces::Prices;
//!
//! let prices = Prices { per_prompt_byte: 2, per_output_token: 10 };
//! let quote = quote(&prices, 5, 64, 30)?;
//! assert_eq!(quote.total, 5 * 2 + 64 * 10 + 30);
//!
//! // The answer took 20 tokens and two validators checked it.
//! let paid = settle(quote.total, &prices, 5, 20, Some(2), 30);
//! assert_eq!(paid.worker, 210);
//! assert_eq!(paid.per_checker, 15);
//! assert_eq!(paid.refund, quote.total - 210 - 30);
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

mod committee;
mod draw;
mod error;
mod issuance;
mod price;
mod sampling;
mod slash;

pub use committee::majority;
pub use draw::{draw_below, draw_weighted, happens};
pub use error::EconomicsError;
pub use issuance::{reward, split, Schedule, Split};
pub use price::{
    answer_price, burn_part, divide, quote, settle, Division, NetPayment, Quote, Settlement,
};
pub use sampling::{cost_to_cheat, SamplingRule};
pub use slash::{silence_penalty, slash_split, SlashSplit};
pub use sp_arithmetic::Permill;

/// An amount, in the smallest unit of the native token.
pub type Balance = u128;
