//! The rate of spot checks: cheating costs more than it wins.

use noema_economics::{cost_to_cheat, Permill, SamplingRule};
use proptest::prelude::*;

fn rule(margin_percent: u32, floor_percent: u32) -> SamplingRule {
    SamplingRule {
        margin_percent,
        floor: Permill::from_percent(floor_percent),
    }
}

fn amounts() -> impl Strategy<Value = u128> {
    prop_oneof![0..1_000u128, 0..=1u128 << 60, 0..=i128::MAX as u128]
}

#[test]
fn rate_should_be_the_gain_over_the_stake_times_the_margin() {
    assert_eq!(rule(100, 0).rate(10, 1_000), Permill::from_percent(1));
    assert_eq!(rule(250, 0).rate(10, 1_000), Permill::from_parts(25_000));
    assert_eq!(rule(100, 0).rate(1, 3), Permill::from_parts(333_334));
}

#[test]
fn rate_should_keep_to_its_floor_and_to_one() {
    assert_eq!(rule(200, 5).rate(1, 1_000_000), Permill::from_percent(5));
    assert_eq!(rule(200, 5).rate(0, 0), Permill::from_percent(5));
    assert_eq!(rule(200, 5).rate(1, 0), Permill::one());
    assert_eq!(rule(200, 5).rate(u128::MAX, 1), Permill::one());
    assert_eq!(rule(0, 0).rate(1, 1), Permill::zero());
}

#[test]
fn cost_to_cheat_should_be_negative_where_cheating_pays() {
    assert_eq!(cost_to_cheat(10, 1_000, Permill::zero()), -10);
    assert_eq!(cost_to_cheat(10, 1_000, Permill::from_percent(10)), 91);
    assert_eq!(cost_to_cheat(10, 1_000, Permill::one()), 1_000);
    assert_eq!(cost_to_cheat(0, u128::MAX, Permill::one()), i128::MAX);
    assert_eq!(cost_to_cheat(u128::MAX, 0, Permill::zero()), -i128::MAX);
}

proptest! {
    #[test]
    fn cheating_should_never_pay_at_the_rate(
        gain in amounts(), stake in amounts(), margin in 100u32..10_000, floor in 0u32..=100,
    ) {
        let rate = rule(margin, floor).rate(gain, stake);
        prop_assert!(cost_to_cheat(gain, stake, rate) >= 0 || stake == 0);
    }

    #[test]
    fn the_expected_loss_should_reach_the_margin(
        gain in 1u128..1 << 90, stake in 1u128..1 << 90, margin in 1u32..10_000,
    ) {
        let rate = rule(margin, 0).rate(gain, stake);
        let parts = u128::from(rate.deconstruct());
        if rate < Permill::one() {
            // p·s ≥ margin·g, and no smaller p does
            prop_assert!(parts * stake >= u128::from(margin) * 10_000 * gain);
            prop_assert!((parts - 1) * stake < u128::from(margin) * 10_000 * gain);
        }
    }

    #[test]
    fn rate_should_rise_with_the_gain_and_fall_with_the_stake(
        gain in amounts(), stake in amounts(), more in amounts(), margin in 0u32..10_000,
    ) {
        let rule = rule(margin, 1);
        prop_assert!(rule.rate(gain + more, stake) >= rule.rate(gain, stake));
        prop_assert!(rule.rate(gain, stake + more) <= rule.rate(gain, stake));
        prop_assert!(rule.rate(gain, stake) >= rule.floor);
    }

    #[test]
    fn cost_to_cheat_should_rise_with_the_rate(
        gain in amounts(), stake in amounts(), a in 0u32..=1_000_000, b in 0u32..=1_000_000,
    ) {
        let (less, more) = (Permill::from_parts(a.min(b)), Permill::from_parts(a.max(b)));
        prop_assert!(cost_to_cheat(gain, stake, less) <= cost_to_cheat(gain, stake, more));
    }

    #[test]
    fn no_argument_should_panic(gain: u128, stake: u128, margin: u32, parts: u32) {
        let rule = SamplingRule { margin_percent: margin, floor: Permill::from_parts(parts) };
        cost_to_cheat(gain, stake, rule.rate(gain, stake));
    }
}
