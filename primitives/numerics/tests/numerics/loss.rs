//! The loss of a text, compared with floating point, and at its bounds.

use noema_numerics::{
    loss::{log2, loss, Loss},
    testing::Random,
};
use proptest::prelude::*;

const BIT: u64 = 1 << 16;

/// Cross-entropy in units of 2^-16 bit.
fn cross_entropy(logits: &[i32], target: usize) -> f64 {
    let largest = f64::from(*logits.iter().max().unwrap());
    let below = |logit: i32| (largest - f64::from(logit)) / 65_536.0;
    let sum: f64 = logits.iter().map(|&l| (-below(l)).exp()).sum();
    (sum.ln() + below(logits[target])) / std::f64::consts::LN_2 * 65_536.0
}

/// The bound that the module states.
fn allowed(vocabulary: usize) -> f64 {
    2.0 + vocabulary as f64 / 22_700.0
}

#[test]
fn logarithms_of_powers_of_two_are_exact() {
    for exponent in 0..64 {
        assert_eq!(log2(1 << exponent), exponent << 16);
    }
    assert_eq!(log2(0), 0);
    assert_eq!(log2(u64::MAX), 64 << 16);
    assert_eq!(log2(3), 103_872); // log2(3) * 2^16 = 103,872.04
}

#[test]
fn equal_logits_cost_the_logarithm_of_their_number() {
    for bits in 0..=20 {
        let logits = vec![-12_345; 1 << bits];
        assert_eq!(loss(&logits, 0), Some(bits * BIT));
    }
}

#[test]
fn a_certain_token_costs_nothing_and_an_impossible_one_stays_finite() {
    let logits = [i32::MAX, i32::MIN];
    assert_eq!(loss(&logits, 0), Some(0));
    let worst = loss(&logits, 1).unwrap();
    assert_eq!(worst, (u64::from(u32::MAX) * 1_549_082_005) >> 30);
    assert!(worst < 1 << 33);
    assert!((worst as f64 - cross_entropy(&logits, 1)).abs() < allowed(2));
}

/// The largest vocabulary, all of whose tokens are just too unlikely for a weight or just likely enough.
#[test]
fn the_tail_of_the_largest_vocabulary_stays_within_the_bound() {
    for below in [1_408_000, 1_408_400, 1_362_800] {
        let mut logits = vec![-below; 1 << 20];
        logits[77] = 0;
        for target in [0, 77] {
            let found = loss(&logits, target).unwrap() as f64;
            let error = found - cross_entropy(&logits, target as usize);
            assert!(error.abs() <= allowed(1 << 20), "{below}: {error}");
        }
    }
}

#[test]
fn a_token_outside_the_vocabulary_has_no_loss() {
    assert_eq!(loss(&[1, 2, 3], 3), None);
    assert_eq!(loss(&[], 0), None);
    assert_eq!(loss(&[5], u32::MAX), None);
}

#[test]
fn rows_that_do_not_fit_their_targets_add_nothing() {
    let mut total = Loss::default();
    assert_eq!(total.add(&[0, 1], &[1, 2, 3]), None);
    assert_eq!(total.add(&[0], &[]), None);
    assert_eq!(total.add(&[], &[1]), None);
    assert_eq!(total.add(&[0, 3], &[1, 2, 3, 4]), None);
    assert_eq!(total, Loss::default());
    assert_eq!(total.add(&[], &[]), Some(()));
    assert_eq!(total.add(&[0, 1], &[5, 5, 5, 5]), Some(()));
    let both = Loss {
        sum: 2 * BIT,
        tokens: 2,
    };
    assert_eq!(total, both);

    let mut full = Loss {
        sum: u64::MAX,
        tokens: 1,
    };
    assert_eq!(full.add(&[0], &[5, 5]), None);
    assert_eq!(
        full,
        Loss {
            sum: u64::MAX,
            tokens: 1
        }
    );
}

/// Logits of every spread, the widest included.
fn logits() -> impl Strategy<Value = Vec<i32>> {
    (any::<u64>(), 1usize..3_000, 0u32..32).prop_map(|(seed, count, shift)| {
        let mut random = Random::new(seed);
        (0..count).map(|_| random.bits() as i32 >> shift).collect()
    })
}

proptest! {
    #[test]
    fn logarithms_are_the_nearest(x in 1u64.., shift in 0u32..64) {
        let x = (x >> shift).max(1);
        // Rounding of f64 is far below the 2^-13 units allowed beyond half a unit.
        let error = f64::from(log2(x)) - (x as f64).log2() * 65_536.0;
        prop_assert!(error.abs() <= 0.5 + 1.0 / 8_192.0, "{x}: {error}");
    }

    #[test]
    fn logarithms_rise(a in 1u64.., b in 1u64..) {
        prop_assert!(log2(a.min(b)) <= log2(a.max(b)));
        prop_assert!(log2(a) <= log2(a.saturating_add(1)));
    }

    #[test]
    fn losses_are_those_of_the_softmax(logits in logits(), index: prop::sample::Index) {
        let target = index.index(logits.len());
        let found = loss(&logits, target as u32).unwrap() as f64;
        let error = found - cross_entropy(&logits, target);
        prop_assert!(error.abs() <= allowed(logits.len()), "{error}");
    }

    #[test]
    fn a_constant_changes_no_loss(
        values in prop::collection::vec(-1_000_000_000..1_000_000_000, 1..200),
        constant in -1_000_000_000..1_000_000_000,
    ) {
        let moved: Vec<i32> = values.iter().map(|l| l + constant).collect();
        for target in 0..values.len() as u32 {
            prop_assert_eq!(loss(&values, target), loss(&moved, target));
        }
    }

    #[test]
    fn a_likelier_token_costs_no_more(logits in logits(), a: prop::sample::Index, b: prop::sample::Index) {
        let (a, b) = (a.index(logits.len()), b.index(logits.len()));
        if logits[a] >= logits[b] {
            prop_assert!(loss(&logits, a as u32) <= loss(&logits, b as u32));
        }
    }
}
