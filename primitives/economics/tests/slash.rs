//! Slashes: what is taken goes somewhere.

use noema_economics::{majority, silence_penalty, slash_split, Permill};
use proptest::prelude::*;

const HALF: Permill = Permill::from_percent(50);

#[test]
fn slash_split_should_pay_the_winners_and_burn_the_rest() {
    let split = slash_split(1_001, HALF, HALF, 2);
    assert_eq!(split.slashed, 501);
    assert_eq!(
        (split.per_winner, split.to_winners, split.burned),
        (125, 250, 251)
    );
}

#[test]
fn slash_split_should_burn_everything_where_nobody_won() {
    let split = slash_split(1_000, Permill::one(), HALF, 0);
    assert_eq!((split.to_winners, split.burned), (0, 1_000));
}

#[test]
fn slash_split_should_take_at_least_one_unit() {
    assert_eq!(slash_split(1, Permill::from_parts(1), HALF, 1).slashed, 1);
    assert_eq!(slash_split(0, Permill::one(), HALF, 1).slashed, 0);
}

#[test]
fn silence_penalty_should_keep_to_its_cap() {
    assert_eq!(silence_penalty(1_000, Permill::from_percent(1), 100), 10);
    assert_eq!(silence_penalty(1_000, Permill::from_percent(50), 100), 100);
    assert_eq!(silence_penalty(1, Permill::from_parts(1), 100), 1);
}

#[test]
fn majority_should_need_more_than_half() {
    assert_eq!(majority::<u8>(&[]), None);
    assert_eq!(majority(&[(1, 5), (2, 5)]), None);
    assert_eq!(majority(&[(1, 5), (2, 3), (2, 3)]), Some(&2));
    assert_eq!(majority(&[(1, 0)]), None);
    assert_eq!(majority(&[(1, u128::MAX), (1, 1)]), None);
}

proptest! {
    #[test]
    fn a_slash_should_lose_nothing(
        bond: u128, fraction in 0u32..=1_000_000, share in 0u32..=1_000_000, winners: u32,
    ) {
        let (fraction, share) = (Permill::from_parts(fraction), Permill::from_parts(share));
        let split = slash_split(bond, fraction, share, winners);
        prop_assert!(split.slashed <= bond);
        prop_assert_eq!(split.to_winners + split.burned, split.slashed);
        prop_assert_eq!(split.per_winner * u128::from(winners), split.to_winners);
        prop_assert!(split.to_winners <= share.mul_ceil(split.slashed));
    }

    #[test]
    fn a_larger_fraction_should_not_take_less(bond: u128, a in 0u32..=1_000_000, b in 0u32..=1_000_000) {
        let (less, more) = (Permill::from_parts(a.min(b)), Permill::from_parts(a.max(b)));
        prop_assert!(slash_split(bond, less, HALF, 1).slashed <= slash_split(bond, more, HALF, 1).slashed);
        prop_assert!(silence_penalty(bond, less, bond) <= silence_penalty(bond, more, bond));
        prop_assert_eq!(slash_split(bond, Permill::one(), HALF, 1).slashed, bond);
    }

    #[test]
    fn at_most_one_outcome_should_hold_a_majority(
        votes in proptest::collection::vec((0u8..4, 0u128..1_000), 0..20),
    ) {
        let total: u128 = votes.iter().map(|(_, weight)| weight).sum();
        for outcome in 0..4 {
            let weight: u128 = votes.iter().filter(|v| v.0 == outcome).map(|v| v.1).sum();
            prop_assert_eq!(majority(&votes) == Some(&outcome), 2 * weight > total);
        }
    }
}
