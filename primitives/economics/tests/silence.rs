//! The slash for silence, and the majority of votes.

use noema_economics::{majority, slash_for_silence, Permill};
use proptest::prelude::*;

#[test]
fn slash_for_silence_keeps_to_its_cap() {
    assert_eq!(slash_for_silence(1_000, Permill::from_percent(1), 100), 10);
    assert_eq!(
        slash_for_silence(1_000, Permill::from_percent(50), 100),
        100
    );
    assert_eq!(slash_for_silence(1, Permill::from_parts(1), 100), 1);
}

#[test]
fn majority_needs_more_than_half() {
    assert_eq!(majority::<u8>(&[]), None);
    assert_eq!(majority(&[(1, 5), (2, 5)]), None);
    assert_eq!(majority(&[(1, 5), (2, 3), (2, 3)]), Some(&2));
    assert_eq!(majority(&[(1, 0)]), None);
    assert_eq!(majority(&[(1, u128::MAX), (1, 1)]), None);
}

proptest! {
    #[test]
    fn a_larger_fraction_does_not_take_less(bond: u128, a in 0u32..=1_000_000, b in 0u32..=1_000_000) {
        let (less, more) = (Permill::from_parts(a.min(b)), Permill::from_parts(a.max(b)));
        prop_assert!(slash_for_silence(bond, less, bond) <= slash_for_silence(bond, more, bond));
    }

    #[test]
    fn at_most_one_outcome_holds_a_majority(
        votes in proptest::collection::vec((0u8..4, 0u128..1_000), 0..20),
    ) {
        let total: u128 = votes.iter().map(|(_, weight)| weight).sum();
        for outcome in 0..4 {
            let weight: u128 = votes.iter().filter(|v| v.0 == outcome).map(|v| v.1).sum();
            prop_assert_eq!(majority(&votes) == Some(&outcome), 2 * weight > total);
        }
    }
}
