//! Draws by randomness.
//!
//! The hash of the randomness, the purpose and a counter gives a uniform 256-bit integer `r`. The
//! draw of a point below `n` is `⌊r·n / 2^256⌋`: each of the `n` points has a probability within
//! `2^-256` of `1/n`, so an index of weight `w < 2^128` is drawn with a probability within `2^-128`
//! of `w` over the total.

use crate::Balance;
use alloc::vec::Vec;
use noema_protocol::hashing::blake2_256;
use sp_arithmetic::Permill;

/// Draws up to `n` different indices of `weights`, each in proportion to its weight among those
/// not yet drawn, in the order of the draw.
///
/// An index of weight zero is never drawn, so the result is shorter than `n` where fewer weights are
/// above zero. Weights whose sum exceeds [`Balance::MAX`] are scaled down together first.
pub fn draw_weighted(
    weights: impl IntoIterator<Item = Balance>,
    randomness: [u8; 32],
    n: u32,
) -> Vec<usize> {
    let mut weights: Vec<Balance> = weights.into_iter().collect();
    let mut total = match total_of(&weights) {
        Some(total) => total,
        None => {
            let bits = usize::BITS.saturating_sub(weights.len().leading_zeros());
            for weight in weights.iter_mut().filter(|weight| **weight > 0) {
                *weight = weight.checked_shr(bits).unwrap_or(0).max(1);
            }
            weights
                .iter()
                .fold(0 as Balance, |sum, weight| sum.saturating_add(*weight))
        }
    };
    let mut drawn = Vec::new();
    for turn in 0..n {
        if total == 0 {
            break;
        }
        let point = draw_below(total, hash(b"noema/index", randomness, turn));
        let Some((index, weight)) = at(&mut weights, point) else {
            break;
        };
        total = total.saturating_sub(core::mem::take(weight));
        drawn.push(index);
    }
    drawn
}

/// Whether an event of probability `chance` happens under `randomness`; the probability is exact to
/// within `2^-236`.
pub fn happens(chance: Permill, randomness: [u8; 32]) -> bool {
    let point = draw_below(1_000_000, hash(b"noema/chance", randomness, 0));
    point < chance.deconstruct().into()
}

fn total_of(weights: &[Balance]) -> Option<Balance> {
    weights
        .iter()
        .try_fold(0 as Balance, |sum, weight| sum.checked_add(*weight))
}

/// The weight whose part of the running total contains `point`.
fn at(weights: &mut [Balance], point: Balance) -> Option<(usize, &mut Balance)> {
    let mut left = point;
    for (index, weight) in weights.iter_mut().enumerate() {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return Some((index, weight)),
        }
    }
    None
}

/// Draws a point below `n`: `⌊random·n / 2^256⌋`, with `random` in little-endian order. Zero where `n`
/// is.
pub fn draw_below(n: u128, random: [u8; 32]) -> u128 {
    let mut halves = [[0u8; 16]; 2];
    let [low, high] = &mut halves;
    for (to, from) in low.iter_mut().chain(high.iter_mut()).zip(random) {
        *to = from;
    }
    let (_, carry) = u128::from_le_bytes(*low).carrying_mul(n, 0);
    let (_, point) = u128::from_le_bytes(*high).carrying_mul(n, carry);
    point
}

fn hash(domain: &[u8], randomness: [u8; 32], turn: u32) -> [u8; 32] {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(domain);
    bytes.extend_from_slice(&randomness);
    bytes.extend_from_slice(&turn.to_le_bytes());
    blake2_256(&bytes).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_reaches_both_ends_and_no_further() {
        for n in [1, 2, 3, 1_000_000, u128::MAX] {
            assert_eq!(draw_below(n, [0; 32]), 0);
            assert_eq!(draw_below(n, [0xff; 32]), n - 1);
        }
    }

    #[test]
    fn below_halves_the_range_at_the_top_bit() {
        let mut random = [0; 32];
        random[31] = 0x80;
        assert_eq!(draw_below(10, random), 5);
        assert_eq!(draw_below(u128::MAX, random), u128::MAX / 2);
        random[31] = 0x7f;
        random[..31].fill(0xff);
        assert_eq!(draw_below(10, random), 4);
    }

    #[test]
    fn the_hash_of_a_draw_is_frozen() {
        let expected = blake2_256(
            b"noema/index\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\
              \x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x02\x00\x00\x00",
        );
        assert_eq!(hash(b"noema/index", [7; 32], 2), expected.0);
    }
}
