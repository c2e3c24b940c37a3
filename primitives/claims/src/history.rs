//! The values of the relay chain's randomness that draw the leaves of claims, in two steps.

use crate::RelayBlock;
use noema_economics::draw_below;
use noema_protocol::{apply, hashing, stored, ClaimId};
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// Most values that a [`ValueHistory`] keeps: three times as many as the two steps of a draw can be apart, at the
/// freshness of a live chain.
pub const KEPT_VALUES: u32 = 64;

/// Relay chain blocks, in addition to the freshness, within which the second step of a draw of leaves is.
pub const DRAW_SPREAD: u32 = 16;

/// The latest values of the relay chain's randomness, each with the relay chain block that carries it.
///
/// The author of a block that brings a value can withhold the block, and so discard what the value draws. For the only
/// leaf of a request that lowers the probability of a check from `p` to `p²`, which does not pay. For few false leaves
/// of many it would: `p` is small then. So the leaves of a claim of many are drawn in two steps. The first value that
/// is younger than the claim by the freshness draws a distance; the first value that is so much younger than that one,
/// and by the freshness, draws the leaves. A claimant that times its claim chooses the block of the first step, not
/// that of the second, which is its own with the part of all blocks that it is the author of.
///
/// What is drawn depends on the values only, not on the block in which the chain has the time to draw.
#[apply(stored)]
#[derive(Default)]
pub struct ValueHistory {
    values: BoundedVec<(RelayBlock, H256), ConstU32<KEPT_VALUES>>,
}

impl ValueHistory {
    /// Takes the value of relay chain block `at`, and drops the oldest one where there are [`KEPT_VALUES`]. A value
    /// that is not younger than the latest is ignored.
    pub fn push(&mut self, at: RelayBlock, value: H256) {
        if self.values.last().is_some_and(|(latest, _)| at <= *latest) {
            return;
        }
        if self.values.is_full() {
            self.values.remove(0);
        }
        // There is room.
        let _ = self.values.try_push((at, value));
    }

    /// The relay chain block from which on a value draws the leaves of `claim`, which was made on relay chain block
    /// `made`; `None` before the first step.
    pub fn draws_from(
        &self,
        claim: ClaimId,
        made: RelayBlock,
        freshness: RelayBlock,
    ) -> Option<RelayBlock> {
        let (at, value) = self.first_from(made.checked_add(freshness)?)?;
        let seed = hashing::claim_draw(value, b"distance", claim, 0).0;
        let extra = u32::try_from(draw_below(DRAW_SPREAD.into(), seed)).unwrap_or(0);
        // No shorter than the freshness: the author of the first block must not know the second value.
        at.checked_add(freshness)?.checked_add(extra)
    }

    /// The randomness that draws the leaves of `claim`, which was made on relay chain block `made`; `None` before the
    /// second step.
    pub fn for_leaves(
        &self,
        claim: ClaimId,
        made: RelayBlock,
        freshness: RelayBlock,
    ) -> Option<H256> {
        let from = self.draws_from(claim, made, freshness)?;
        self.first_from(from).map(|(_, value)| value)
    }

    /// The first kept value of relay chain block `from` or a later one.
    fn first_from(&self, from: RelayBlock) -> Option<(RelayBlock, H256)> {
        self.values.iter().copied().find(|(at, _)| *at >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: ClaimId = ClaimId(1);

    fn value(at: RelayBlock) -> H256 {
        hashing::blake2_256(&at.to_le_bytes())
    }

    fn until(last: RelayBlock) -> ValueHistory {
        let mut history = ValueHistory::default();
        (1..=last).for_each(|at| history.push(at, value(at)));
        history
    }

    #[test]
    fn the_first_value_draws_the_distance_and_a_later_one_the_leaves() {
        let (made, freshness) = (10, 4);
        assert_eq!(until(13).draws_from(CLAIM, made, freshness), None);
        let history = until(14);
        let from = history.draws_from(CLAIM, made, freshness);
        let from = from.expect("the first value is known");
        assert!((18..34).contains(&from), "{from}");
        for last in 14..from {
            let history = until(last);
            assert_eq!(history.draws_from(CLAIM, made, freshness), Some(from));
            assert_eq!(history.for_leaves(CLAIM, made, freshness), None);
        }
        for last in from..from + 20 {
            let randomness = until(last).for_leaves(CLAIM, made, freshness);
            assert_eq!(randomness, Some(value(from)), "a late draw is the same");
        }
    }

    #[test]
    fn each_distance_is_drawn_equally_often() {
        let history = until(14);
        let mut counts = [0u32; DRAW_SPREAD as usize];
        for claim in 0..16_000 {
            let from = history.draws_from(ClaimId(claim), 10, 4);
            counts[from.expect("the first value is known") as usize - 18] += 1;
        }
        // 1,000 expected, a standard deviation of 31.
        let is_near = |count: &u32| (850..1_150).contains(count);
        assert!(counts.iter().all(is_near), "{counts:?}");
    }

    #[test]
    fn a_relay_block_without_a_value_is_passed_over() {
        let mut history = ValueHistory::default();
        history.push(20, value(20));
        let from = history.draws_from(CLAIM, 10, 4).expect("it is known");
        assert!((24..40).contains(&from), "{from}");
        history.push(from + 5, value(from + 5));
        history.push(from, value(from));
        let randomness = history.for_leaves(CLAIM, 10, 4);
        assert_eq!(randomness, Some(value(from + 5)));
    }

    #[test]
    fn the_oldest_values_are_dropped_and_the_ends_of_the_range_are_kept() {
        let history = until(KEPT_VALUES + 5);
        assert_eq!(history.values.len(), KEPT_VALUES as usize);
        assert_eq!(history.values.first(), Some(&(6, value(6))));
        assert_eq!(history.draws_from(CLAIM, RelayBlock::MAX, 4), None);
        let mut last = ValueHistory::default();
        last.push(RelayBlock::MAX, value(0));
        assert_eq!(last.for_leaves(CLAIM, 0, 4), None);
    }
}
