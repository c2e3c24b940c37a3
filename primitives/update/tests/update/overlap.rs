//! The overlap of two updates.

use crate::common::{open, read, trainable, update, PARENT};
use noema_numerics::testing::Random;
use noema_update::{overlap, DecodeError, Encoder, Overlap, Trainable};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn encode(trainable: &Trainable, tensors: &[(u16, &[(u64, i32)])]) -> Vec<u8> {
    let mut encoder = Encoder::new(trainable, PARENT, 4_096).unwrap();
    for (tensor, changes) in tensors {
        encoder.exact(*tensor, changes).unwrap();
    }
    encoder.finish()
}

fn of(trainable: &Trainable, a: &[u8], b: &[u8]) -> Overlap {
    let (a, b) = (open(a, trainable).unwrap(), open(b, trainable).unwrap());
    let found = overlap(&a, &b).unwrap();
    assert_eq!(overlap(&b, &a), Ok(found));
    found
}

#[test]
fn a_copy_shares_everything_whatever_its_scale() {
    let trainable = trainable();
    let a = update(&trainable, 64, 1);
    assert_eq!(of(&trainable, &a, &a).permill(), 1_000);
    let small = encode(&trainable, &[(2, &[(3, 1), (70, -2)])]);
    let scaled = encode(&trainable, &[(2, &[(3, 900), (70, -900)])]);
    assert_eq!(of(&trainable, &small, &scaled).permill(), 1_000);
}

#[test]
fn a_part_shares_everything() {
    let trainable = trainable();
    let whole = encode(
        &trainable,
        &[(0, &[(5_000, 1)]), (2, &[(3, 1), (70, -1)]), (4, &[(9, 1)])],
    );
    for part in [
        encode(&trainable, &[(2, &[(70, -1)])]),
        encode(&trainable, &[(0, &[(5_000, 1)]), (4, &[(9, 1)])]),
    ] {
        let found = of(&trainable, &whole, &part);
        assert_eq!((found.permill(), found.larger), (1_000, 4));
    }
}

#[test]
fn other_directions_other_places_and_nothing_share_nothing() {
    let trainable = trainable();
    let a = encode(&trainable, &[(2, &[(3, 1), (70, -1)])]);
    let none = encode(&trainable, &[]);
    for b in [
        encode(&trainable, &[(2, &[(3, -1), (70, 1)])]),
        encode(&trainable, &[(2, &[(4, 1), (71, -1)])]),
        encode(&trainable, &[(4, &[(3, 1), (70, -1)])]),
    ] {
        let expected = Overlap {
            shared: 0,
            smaller: 2,
            larger: 2,
        };
        assert_eq!(of(&trainable, &a, &b), expected);
    }
    assert_eq!(of(&trainable, &a, &none).permill(), 0);
    assert_eq!(of(&trainable, &none, &none), Overlap::default());
}

#[test]
fn updates_drawn_at_random_share_seven_or_eight_thousandths() {
    let trainable = trainable();
    let mut random = Random::new(9);
    let mut draw = || {
        let mut changes = BTreeMap::new();
        while changes.len() < 64 {
            changes.insert(random.below(4_096), 1 - 2 * random.below(2) as i32);
        }
        encode(&trainable, &[(2, &changes.into_iter().collect::<Vec<_>>())])
    };
    let (mut shared, mut smaller) = (0, 0);
    for _ in 0..3_000 {
        let found = of(&trainable, &draw(), &draw());
        shared += found.shared;
        smaller += found.smaller;
    }
    let total = Overlap {
        shared,
        smaller,
        larger: smaller,
    };
    assert!((7..=8).contains(&total.permill()), "{total:?}");
}

#[test]
fn a_malformed_update_has_no_overlap() {
    let trainable = trainable();
    let a = update(&trainable, 64, 1);
    let mut b = update(&trainable, 64, 2);
    b.push(0);
    let (a, b) = (open(&a, &trainable).unwrap(), open(&b, &trainable).unwrap());
    let error = DecodeError::TrailingBytes { count: 1 };
    assert_eq!(overlap(&a, &b), Err(error));
    assert_eq!(overlap(&b, &a), Err(error));
}

proptest! {
    #[test]
    fn overlap_counts_places_with_the_same_sign(a: u64, b: u64, bound in 1u16..3_000) {
        let trainable = trainable();
        let bytes = [a, b].map(|seed| update(&trainable, bound, seed));
        let [a, b] = [0, 1].map(|i| {
            let chunks = read(&open(&bytes[i], &trainable).unwrap()).unwrap();
            let entries = chunks.into_iter().flat_map(|(place, entries)| {
                entries.into_iter().map(move |e| ((place, e.index), e.value < 0))
            });
            entries.collect::<BTreeMap<_, _>>()
        });
        let found = of(&trainable, &bytes[0], &bytes[1]);
        let shared = a.iter().filter(|(at, sign)| b.get(at) == Some(sign)).count();
        prop_assert_eq!(found.shared, shared as u64);
        prop_assert_eq!(found.smaller, a.len().min(b.len()) as u64);
        prop_assert_eq!(found.larger, a.len().max(b.len()) as u64);
    }
}
