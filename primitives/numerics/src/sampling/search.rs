//! Sampling without putting tokens in order: a search for each threshold, digit by digit.
//!
//! Steps 1, 3 and 4 of [`crate::sampling`] each look for the first token, in sampling order, at which a running sum
//! over the tokens so far reaches a goal: the number of tokens (`top_k`), their weight (`top_p`), the drawn weight.
//! Sampling order is that of descending keys of 56 bits:
//! ```text
//! key = (logit + 2^31) * 2^24 + (2^24 - 1 - token)
//! ```
//! so the key of that token is found digit by digit, eight bits at a time from the highest. For each digit, the tokens
//! whose keys begin with the digits that are known are counted and weighed by their next one: a [`Histogram`], which
//! is the sum of those over parts of the vocabulary. [`Search::next`] takes the next digit from it.
//!
//! The result is that of [`Sampler`](super::Sampler): tests compare them.

use super::weight;
use alloc::{boxed::Box, vec};

/// Digits of a key.
pub const DIGITS: u32 = 7;
/// Values of a digit.
pub const VALUES: usize = 256;
/// Bits of a token in a key.
const TOKEN_BITS: u32 = 24;
const TOKEN_MASK: u64 = (1 << TOKEN_BITS) - 1;

/// The key of a token, below 2^24.
pub const fn key(token: u32, logit: i32) -> u64 {
    let logit = (logit as u32 ^ 0x8000_0000) as u64;
    logit << TOKEN_BITS | (TOKEN_MASK - (token as u64 & TOKEN_MASK))
}

/// The digit of `key` after the first `known`, and those before it.
const fn split(key: u64, known: u32) -> (u64, u8) {
    let rest = 8 * (DIGITS - 1).saturating_sub(known);
    let through = key >> rest;
    (through >> 8, through as u8)
}

/// How many tokens there are, and how much they weigh together in units of 2^-30.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mass {
    /// Tokens.
    pub count: u64,
    /// Weight.
    pub weight: u64,
}

impl Mass {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.wrapping_add(other.count),
            weight: self.weight.wrapping_add(other.weight),
        }
    }
}

/// The mass of the tokens with each value of the next digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram(pub Box<[Mass; VALUES]>);

impl Default for Histogram {
    fn default() -> Self {
        let masses = vec![Mass::default(); VALUES].into_boxed_slice();
        Self(masses.try_into().expect("as many as there are values; qed"))
    }
}

impl Histogram {
    /// Adds the tokens from `first` on, with these logits, whose keys begin with the digits that `search` knows.
    /// A token without weight is left out: it can neither be drawn nor change a sum.
    pub fn add(
        &mut self,
        search: &Search,
        largest: i32,
        temperature_milli: u16,
        first: u32,
        logits: &[i32],
    ) {
        for (token, &logit) in (first..).zip(logits) {
            let (known, digit) = split(key(token, logit), search.digits);
            if known != search.key {
                continue;
            }
            let weight = weight(largest, logit, temperature_milli.max(1));
            if weight > 0 {
                let mass = &mut self.0[usize::from(digit)];
                *mass = mass.plus(Mass {
                    count: 1,
                    weight: weight.into(),
                });
            }
        }
    }

    /// The mass of all of them.
    pub fn total(&self) -> Mass {
        self.0
            .iter()
            .fold(Mass::default(), |sum, mass| sum.plus(*mass))
    }
}

/// What a search looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The first token at which there are so many.
    Count(u64),
    /// The first token at which a thousand times the weight is at least this.
    Share(u64),
    /// The first token at which the weight exceeds this.
    Draw(u64),
}

impl Goal {
    /// Of the first `top_k` of the tokens, or all if there are fewer, of mass `all`.
    pub fn top_k(top_k: u16, all: Mass) -> Self {
        Self::Count(all.count.min(top_k.into()))
    }

    /// Of the shortest prefix that reaches `top_p` thousandths of the weight of the kept tokens.
    pub fn top_p(top_p_milli: u16, kept: Mass) -> Self {
        Self::Share(kept.weight.wrapping_mul(top_p_milli.min(1_000).into()))
    }

    /// Of the token that is drawn from the kept ones by [`draw`](super::draw).
    pub const fn draw(draw: u64, kept: Mass) -> Self {
        Self::Draw(((draw as u128 * kept.weight as u128) >> 64) as u64)
    }

    /// Whether it is reached by the tokens so far.
    const fn is_reached(self, through: Mass) -> bool {
        match self {
            Self::Count(count) => through.count >= count,
            Self::Share(share) => through.weight.wrapping_mul(1_000) >= share,
            Self::Draw(weight) => through.weight > weight,
        }
    }
}

/// The digits of a key that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Number of these digits.
    pub digits: u32,
    /// The digits, as one number.
    pub key: u64,
    /// The tokens before all whose keys begin with them, in sampling order.
    pub before: Mass,
    /// These, and those whose keys begin with them: when all digits are known, the tokens up to the one that is found.
    pub through: Mass,
}

impl Search {
    /// The search with one digit more, from the histogram of the next one: the first value, in descending order, with
    /// which the goal is reached.
    #[must_use]
    pub fn next(&self, goal: Goal, histogram: &Histogram) -> Self {
        let (mut before, mut digit) = (self.before, 0);
        let mut through = before;
        for (value, mass) in (0..=u8::MAX).zip(histogram.0.iter()).rev() {
            if mass.count == 0 {
                continue;
            }
            before = through;
            through = before.plus(*mass);
            digit = value;
            if goal.is_reached(through) {
                break;
            }
        }
        Self {
            digits: self.digits.saturating_add(1),
            key: self.key << 8 | u64::from(digit),
            before,
            through,
        }
    }

    /// The token that is found, when all digits are known.
    pub const fn token(&self) -> u32 {
        (TOKEN_MASK - (self.key & TOKEN_MASK)) as u32
    }
}
