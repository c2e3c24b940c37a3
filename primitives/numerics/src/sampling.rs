//! Sampling: logits to a token, in integers.
//!
//! # Formula
//! Temperature 0 takes the largest logit, the lowest index on ties. Otherwise, with logits `l` in
//! units of 2^-16 and temperature `τ` in thousandths:
//!
//! 1. order tokens by (logit descending, index ascending) and keep the first `top_k` (0: all);
//! 2. weigh each by `w = exp2(-⌊(l_max - l) * log2(e) * 1000 / (τ * 2^30)⌋)` in units of 2^-30,
//!    log2(e) in units of 2^-30; `l_max` has weight 2^30;
//! 3. keep the shortest prefix whose weight reaches `top_p` thousandths of the total;
//! 4. draw `r`, the first 8 bytes, little-endian, of
//!    `BLAKE2b-256("noema/sample" ++ seed ++ position as u32 LE)`; with `W` the kept weight, take
//!    the first token whose cumulative weight exceeds `⌊r * W / 2^64⌋`.
//!
//! `position` is that of the drawn token in prompt and answer together.
//!
//! # Bounds
//! At most 2^20 tokens: W ≤ 2^50. `(l_max - l) < 2^32`, times log2(e) and 1000 below 2^73: computed
//! in u128.
//!
//! # Error
//! The exponent of a weight is rounded up by less than 2^-16, the weight itself by 2^-19 and half
//! a unit: relative 2^-16 over the real softmax. Tokens below 2^-31 of the likeliest have no weight
//! (except that a total is never zero).

pub mod search;

use crate::exp2::{exp2, LOG2_E_Q30};
use alloc::vec::Vec;
use blake2::{digest::consts::U32, Blake2b, Digest};

/// The choice of the next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Temperature in thousandths; 0 takes the most likely token.
    pub temperature_milli: u16,
    /// Only the `top_k` most likely tokens are drawn from; 0 means all.
    pub top_k: u16,
    /// Only the most likely tokens that together reach this probability, in thousandths, are
    /// drawn from; from 1000 on all, and 0 leaves the most likely.
    pub top_p_milli: u16,
}

impl Sampling {
    /// The most likely token every time.
    pub const GREEDY: Self = Self {
        temperature_milli: 0,
        top_k: 0,
        top_p_milli: 1_000,
    };
}

/// First candidates that are put in order; each further step orders eight times as many.
const FIRST_ORDERED: usize = 64;

/// Chooses tokens; reuses its buffer.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    seed: [u8; 32],
    candidates: Vec<u64>,
}

impl Sampler {
    /// A sampler for one answer.
    pub const fn new(sampling: Sampling, seed: [u8; 32]) -> Self {
        Self {
            sampling,
            seed,
            candidates: Vec::new(),
        }
    }

    /// The token at `position`, from the logits that the position before it gave; 0 if there are
    /// none.
    pub fn sample(&mut self, logits: &[i32], position: u32) -> u32 {
        let best = greedy(logits);
        if self.sampling.temperature_milli == 0 || logits.is_empty() {
            return best;
        }
        let largest = logits[best as usize];
        let weight = |logit: i32| weight(largest, logit, self.sampling.temperature_milli);

        // Keys in descending order are tokens in sampling order. A token without weight can
        // neither be drawn nor change a sum, and weights fall with the order, so it is left out.
        self.candidates.clear();
        self.candidates.extend(
            (0u32..)
                .zip(logits)
                .filter(|&(_, &logit)| weight(logit) > 0)
                .map(|(token, &logit)| key(token, logit)),
        );
        let kept = match usize::from(self.sampling.top_k) {
            0 => self.candidates.len(),
            top_k => top_k.min(self.candidates.len()),
        };
        let mut ordered = Ordered::new(&mut self.candidates);
        ordered.separate(kept);
        let total: u64 = ordered.keys[..kept]
            .iter()
            .map(|&key| u64::from(weight(logit_of(key))))
            .sum();

        let share = u64::from(self.sampling.top_p_milli.min(1_000));
        let mut reached = 0;
        if share == 1_000 {
            reached = total;
        } else {
            for index in 0..kept {
                reached += u64::from(weight(logit_of(ordered.get(index))));
                if reached * 1_000 >= total * share {
                    break;
                }
            }
        }

        let draw = u128::from(draw(&self.seed, position));
        let target = ((draw * u128::from(reached)) >> 64) as u64;
        let mut cumulative = 0;
        for index in 0..kept {
            let key = ordered.get(index);
            cumulative += u64::from(weight(logit_of(key)));
            if cumulative > target {
                return token_of(key);
            }
        }
        best
    }
}

/// The largest logit's index, the lowest on ties; 0 if there are none.
pub fn greedy(logits: &[i32]) -> u32 {
    // Two plain loops, which the compiler vectorises, are faster than one that keeps the index.
    let largest = logits.iter().fold(i32::MIN, |largest, &l| largest.max(l));
    let best = logits.iter().position(|&logit| logit == largest);
    best.unwrap_or(0) as u32
}

/// Step 2: the weight of `logit`, relative to the largest one.
pub fn weight(largest: i32, logit: i32, temperature_milli: u16) -> u32 {
    let below = (i64::from(largest) - i64::from(logit)).unsigned_abs();
    // Dropping the fraction first does not change the quotient, and makes it a 64-bit division: this runs for
    // every token of the vocabulary.
    let product = (u128::from(below) * (LOG2_E_Q30 as u128 * 1_000)) >> 30;
    let scaled = product as u64 / u64::from(temperature_milli);
    match i32::try_from(scaled) {
        Ok(octaves) => exp2(-octaves),
        Err(_) => 0,
    }
}

/// Step 4: 64 random bits for `position`.
pub fn draw(seed: &[u8; 32], position: u32) -> u64 {
    let hash = Blake2b::<U32>::new()
        .chain_update(b"noema/sample")
        .chain_update(seed)
        .chain_update(position.to_le_bytes())
        .finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first)
}

/// Orders as (logit descending, index ascending) when keys are compared in descending order.
fn key(token: u32, logit: i32) -> u64 {
    u64::from(logit as u32 ^ 0x8000_0000) << 32 | u64::from(!token)
}

fn logit_of(key: u64) -> i32 {
    ((key >> 32) as u32 ^ 0x8000_0000) as i32
}

fn token_of(key: u64) -> u32 {
    !(key as u32)
}

/// Keys that are sorted in descending order only as far as they are read: a draw rarely needs more than a few
/// of a large vocabulary.
struct Ordered<'a> {
    keys: &'a mut [u64],
    sorted: usize,
}

impl<'a> Ordered<'a> {
    fn new(keys: &'a mut [u64]) -> Self {
        Self { keys, sorted: 0 }
    }

    /// Moves the `count` largest keys to the front, in any order, and drops the others.
    fn separate(&mut self, count: usize) {
        if (1..self.keys.len()).contains(&count) {
            self.keys.select_nth_unstable_by(count - 1, |a, b| b.cmp(a));
        }
        let keys = core::mem::take(&mut self.keys);
        self.keys = &mut keys[..count];
    }

    /// The key at `index` of the descending order.
    fn get(&mut self, index: usize) -> u64 {
        while index >= self.sorted {
            let step = (self.sorted * 7).max(FIRST_ORDERED);
            let rest = &mut self.keys[self.sorted..];
            let step = step.min(rest.len());
            if step < rest.len() {
                rest.select_nth_unstable_by(step, |a, b| b.cmp(a));
            }
            rest[..step].sort_unstable_by(|a, b| b.cmp(a));
            self.sorted += step;
        }
        self.keys[index]
    }
}
