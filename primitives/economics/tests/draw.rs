//! Draws: in proportion to weight, without replacement.

use noema_economics::{draw_weighted, happens, Permill};
use noema_protocol::hashing::blake2_256;
use proptest::prelude::*;

fn randomness(trial: u32) -> [u8; 32] {
    blake2_256(&trial.to_le_bytes()).0
}

#[test]
fn frequencies_follow_the_weights() {
    const TRIALS: u32 = 20_000;
    let weights = [1u128 << 90, 2 << 90, 0, 7 << 90];
    let mut counts = [0u32; 4];
    for trial in 0..TRIALS {
        counts[draw_weighted(weights, randomness(trial), 1)[0]] += 1;
    }
    assert_eq!(counts[2], 0);
    for (count, expected) in counts.into_iter().zip([0.1, 0.2, 0.0, 0.7]) {
        // five standard deviations
        let bound = 5.0 * (f64::from(TRIALS) * expected * (1.0 - expected)).sqrt();
        assert!(
            (f64::from(count) - f64::from(TRIALS) * expected).abs() <= bound,
            "{counts:?}"
        );
    }
}

#[test]
fn the_second_draw_follows_the_weights_that_are_left() {
    const TRIALS: u32 = 20_000;
    let mut after_last = [0u32; 3];
    let mut trials = 0.0;
    for trial in 0..TRIALS {
        if let [2, second] = draw_weighted([1, 3, 4], randomness(trial), 2)[..] {
            after_last[second] += 1;
            trials += 1.0;
        }
    }
    let bound = 5.0 * (trials * 0.25 * 0.75f64).sqrt();
    assert!(
        (f64::from(after_last[0]) - trials * 0.25).abs() <= bound,
        "{after_last:?}"
    );
}

#[test]
fn sums_beyond_the_largest_amount_are_still_drawn_from() {
    let weights = [u128::MAX, u128::MAX, u128::MAX, 0];
    let mut seen = [false; 4];
    for trial in 0..100 {
        seen[draw_weighted(weights, randomness(trial), 1)[0]] = true;
    }
    assert_eq!(seen, [true, true, true, false]);
}

#[test]
fn happens_is_as_frequent_as_its_chance() {
    let hits = (0..20_000u32)
        .filter(|trial| happens(Permill::from_percent(30), randomness(*trial)))
        .count();
    assert!((5_676..=6_324).contains(&hits), "{hits}");
    assert!((0..1_000).all(|trial| happens(Permill::one(), randomness(trial))));
    assert!(!(0..1_000).any(|trial| happens(Permill::zero(), randomness(trial))));
}

proptest! {
    #[test]
    fn a_draw_names_each_positive_weight_at_most_once(
        weights in proptest::collection::vec(prop_oneof![Just(0), 1..1_000u128, any::<u128>()], 0..40),
        seed: [u8; 32],
        n in 0u32..50,
    ) {
        let drawn = draw_weighted(weights.iter().copied(), seed, n);
        let positive = weights.iter().filter(|weight| **weight > 0).count();
        prop_assert_eq!(drawn.len(), positive.min(n as usize));
        let mut distinct = drawn.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), drawn.len());
        prop_assert!(drawn.iter().all(|index| weights[*index] > 0));
    }

    #[test]
    fn a_longer_draw_begins_with_the_shorter(
        weights in proptest::collection::vec(any::<u64>().prop_map(u128::from), 1..20),
        seed: [u8; 32],
        n in 0u32..20,
    ) {
        let short = draw_weighted(weights.iter().copied(), seed, n);
        let long = draw_weighted(weights.iter().copied(), seed, n + 1);
        prop_assert_eq!(&long[..short.len()], &short[..]);
    }
}
