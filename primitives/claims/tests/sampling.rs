//! The number of drawn leaves, and that a false claim loses on average whichever part of it is false.

mod support;

use noema_claims::{leaves_to_draw, ClaimRules, Permill, Sample, MAX_DRAWN_LEAVES};
use proptest::prelude::*;
use support::rules;

/// The probability that a draw of `drawn` different leaves of `leaves` misses all `false_leaves`.
fn missed(leaves: u32, false_leaves: u32, drawn: u32) -> f64 {
    (0..drawn)
        .map(|taken| {
            let left = f64::from(leaves - taken);
            ((left - f64::from(false_leaves)) / left).max(0.0)
        })
        .product()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_false_claim_loses_whatever_part_of_it_is_false(
        amount in 1u64..1_000_000_000,
        stake in 1u64..1_000_000_000,
        leaves in 1u32..500,
        part in 1u32..=1_000,
        margin_percent in 100u32..500,
    ) {
        let rules = ClaimRules { margin_percent, ..rules() };
        let Some(sample) = leaves_to_draw(&rules, amount.into(), stake.into(), leaves) else {
            return Ok(());
        };
        let false_leaves = (u64::from(leaves) * u64::from(part)).div_ceil(1_000) as u32;
        let f = f64::from(false_leaves) / f64::from(leaves);
        let q = match sample {
            Sample::Leaves(drawn) => missed(leaves, false_leaves, drawn),
            Sample::Chance(chance) => 1.0 - f * f64::from(chance.deconstruct()) / 1e6,
        };
        let margin = f64::from(margin_percent) / 100.0;
        let loss = stake as f64 * (1.0 - q);
        let gain = margin * q * f * amount as f64;
        prop_assert!(
            loss >= gain * (1.0 - 1e-9),
            "{sample:?} of {leaves} with {false_leaves} false: loses {loss}, wins {gain}"
        );
    }

    /// Leaves are drawn without regard to their prices: a claimant falsifies the dearest ones.
    #[test]
    fn a_false_claim_loses_however_unequal_its_prices_are(
        prices in prop::collection::vec(1u64..1_000_000, 1..300),
        stake_percent in 60u64..2_000,
        part in 1u32..=1_000,
    ) {
        let mut prices = prices;
        prices.sort_unstable_by(|one, other| other.cmp(one));
        let leaves = prices.len() as u32;
        let exposure = prices[0] * u64::from(leaves);
        let stake = (exposure * stake_percent).div_ceil(100);
        let rules = ClaimRules { margin_percent: 450, ..rules() };
        let sample = leaves_to_draw(&rules, exposure.into(), stake.into(), leaves);
        let sample = sample.expect("the stake is a part of the exposure");
        let false_leaves = (u64::from(leaves) * u64::from(part)).div_ceil(1_000) as u32;
        let won: u64 = prices.iter().take(false_leaves as usize).sum();
        let f = f64::from(false_leaves) / f64::from(leaves);
        let q = match sample {
            Sample::Leaves(drawn) => missed(leaves, false_leaves, drawn),
            Sample::Chance(chance) => 1.0 - f * f64::from(chance.deconstruct()) / 1e6,
        };
        let (loss, gain) = (stake as f64 * (1.0 - q), 4.5 * q * won as f64);
        prop_assert!(
            loss >= gain * (1.0 - 1e-9),
            "{sample:?} of {leaves} with {false_leaves} false: loses {loss}, wins {gain}"
        );
    }

    #[test]
    fn a_sample_is_never_below_the_floor_nor_above_the_claim(
        amount in any::<u128>(),
        stake in any::<u128>(),
        leaves in 1u32..100,
        floor in 1u32..=1_000_000,
    ) {
        let rules = ClaimRules { min_check_rate: Permill::from_parts(floor), ..rules() };
        match leaves_to_draw(&rules, amount, stake, leaves) {
            Some(Sample::Leaves(drawn)) => {
                prop_assert!((1..=leaves.min(MAX_DRAWN_LEAVES)).contains(&drawn));
            }
            Some(Sample::Chance(chance)) => prop_assert!(chance >= rules.min_check_rate),
            None => prop_assert!(leaves > MAX_DRAWN_LEAVES, "a small claim is checked whole"),
        }
    }
}

#[test]
fn the_number_of_leaves_follows_the_margin() {
    let draw = |amount, stake, leaves| leaves_to_draw(&rules(), amount, stake, leaves);
    let chance = |percent| Some(Sample::Chance(Permill::from_percent(percent)));
    assert_eq!(draw(10, 100, 1), chance(20));
    assert_eq!(draw(1, 1_000, 1), chance(5), "never below the floor");
    assert_eq!(draw(0, 0, 1), chance(5));
    assert_eq!(draw(50, 100, 10), Some(Sample::Leaves(1)));
    assert_eq!(draw(51, 100, 10), Some(Sample::Leaves(2)));
    assert_eq!(draw(400, 100, 100), Some(Sample::Leaves(8)));
    assert_eq!(draw(500, 100, 4), Some(Sample::Leaves(4)));
    assert_eq!(draw(401, 100, 100), None, "the stake is too small");
    assert_eq!(draw(1, 0, 100), None, "nothing is at stake");
    assert_eq!(draw(1, 0, 3), Some(Sample::Leaves(3)));
}
