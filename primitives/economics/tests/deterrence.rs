//! The expected cost of cheating.

use noema_economics::{cost_to_cheat, Permill};
use proptest::prelude::*;

fn amounts() -> impl Strategy<Value = u128> {
    prop_oneof![0..1_000u128, 0..=1u128 << 60, 0..=i128::MAX as u128]
}

#[test]
fn cost_to_cheat_is_negative_where_cheating_pays() {
    assert_eq!(cost_to_cheat(10, 1_000, Permill::zero()), -10);
    assert_eq!(cost_to_cheat(10, 1_000, Permill::from_percent(10)), 91);
    assert_eq!(cost_to_cheat(10, 1_000, Permill::one()), 1_000);
    assert_eq!(cost_to_cheat(0, u128::MAX, Permill::one()), i128::MAX);
    assert_eq!(cost_to_cheat(u128::MAX, 0, Permill::zero()), -i128::MAX);
}

proptest! {
    #[test]
    fn cost_to_cheat_rises_with_the_rate(
        gain in amounts(), stake in amounts(), a in 0u32..=1_000_000, b in 0u32..=1_000_000,
    ) {
        let (less, more) = (Permill::from_parts(a.min(b)), Permill::from_parts(a.max(b)));
        prop_assert!(cost_to_cheat(gain, stake, less) <= cost_to_cheat(gain, stake, more));
    }

    #[test]
    fn cost_to_cheat_is_within_two_units_below_the_exact_value(
        gain in 0u128..1 << 90, stake in 0u128..1 << 90, parts in 0u32..=1_000_000,
    ) {
        let cost = cost_to_cheat(gain, stake, Permill::from_parts(parts));
        // In millionths of a unit.
        let parts = i128::from(parts);
        let exact = parts * stake as i128 - (1_000_000 - parts) * gain as i128;
        prop_assert!(cost * 1_000_000 <= exact && exact < (cost + 2) * 1_000_000);
    }

    #[test]
    fn no_argument_panics(gain: u128, stake: u128, parts: u32) {
        cost_to_cheat(gain, stake, Permill::from_parts(parts));
    }
}
