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

/// The probability that a false leaf is found where one draw finds one with `found`, by a claimant that can discard
/// `run` values in a row and a `share` of all values: it discards the first step until the second one is its own, and
/// then the draws that find a false leaf.
fn found_in_two_steps(found: f64, share: f64, run: i32) -> f64 {
    let own = 1.0 - (1.0 - share).powi(run + 1);
    (1.0 - own) * found + own * found.powi(run + 1)
}

/// At the rules of a live chain: as much at stake as the claim exposes, and no less than 10, at a margin of 4.5.
#[test]
fn discarded_draws_do_not_make_false_answers_pay_whatever_part_is_false() {
    let rules = ClaimRules {
        margin_percent: 450,
        ..rules()
    };
    const NOEMA: u128 = 1_000_000;
    for (share, run) in [
        (0.05, 1),
        (0.05, 20),
        (0.2, 1),
        (0.2, 5),
        (0.33, 1),
        (0.33, 2),
    ] {
        for milli in [
            1, 74, 740, 2_200, 2_300, 4_500, 7_400, 9_999, 74_000, 7_400_000,
        ] {
            let amount = milli * NOEMA / 1_000;
            let stake = amount.max(10 * NOEMA);
            let sample = leaves_to_draw(&rules, amount, stake, 100_000);
            let sample = sample.expect("the stake suffices");
            for part in 1..=10_000 {
                let f = f64::from(part) / 10_000.0;
                let found = match sample {
                    Sample::Leaves(drawn) => 1.0 - (1.0 - f).powi(drawn as i32),
                    Sample::Chance(chance) => f * f64::from(chance.deconstruct()) / 1e6,
                };
                let found = found_in_two_steps(found, share, run);
                let loss = stake as f64 * found;
                let gain = amount as f64 * f * (1.0 - found);
                assert!(
                    loss > gain,
                    "{share} of the values, {run} in a row, {amount}, {f} false: {loss} for {gain}"
                );
            }
        }
    }
    // In one step, false answers paid for a claimant that could discard one value: 1 % of 100,000 answers for 7,400.
    let found = (1.0 - 0.99f64.powi(5)).powi(2);
    assert!((7_400.0 * found - 17.8).abs() < 0.1);
    assert!((74.0 * (1.0 - found) - 73.8).abs() < 0.1);
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
