//! Sampling: order, cuts, and the distribution of draws.

use noema_numerics::{
    sampling::{greedy, Sampler, Sampling},
    testing::Random,
};
use proptest::prelude::*;

const SEED: [u8; 32] = [42; 32];

fn draws(sampling: Sampling, logits: &[i32], count: u32) -> Vec<u32> {
    let mut sampler = Sampler::new(sampling, SEED);
    let mut counts = vec![0; logits.len()];
    for position in 0..count {
        counts[sampler.sample(logits, position) as usize] += 1;
    }
    counts
}

fn softmax(logits: &[i32], temperature: f64) -> Vec<f64> {
    let weights: Vec<f64> = logits
        .iter()
        .map(|&l| (f64::from(l) / 65_536.0 / temperature).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

#[test]
fn greedy_takes_the_lowest_index_on_ties() {
    assert_eq!(greedy(&[1, 7, 7, -3, 7]), 1);
    assert_eq!(greedy(&[i32::MIN; 5]), 0);
    assert_eq!(greedy(&[]), 0);
    let mut sampler = Sampler::new(Sampling::GREEDY, SEED);
    assert_eq!(sampler.sample(&[1, 7, 7], 0), 1);
    assert_eq!(sampler.sample(&[], 0), 0);
}

/// Chi-square of 40,000 draws over 20 tokens: below the 0.999 quantile for 19 degrees.
#[test]
fn draws_follow_the_softmax() {
    let mut random = Random::new(11);
    let logits: Vec<i32> = (0..20).map(|_| random.within(2 << 16) as i32).collect();
    for temperature_milli in [500, 1_000, 1_700] {
        let sampling = Sampling {
            temperature_milli,
            top_k: 0,
            top_p_milli: 1_000,
        };
        let count = 40_000;
        let expected = softmax(&logits, f64::from(temperature_milli) / 1_000.0);
        let chi_square: f64 = draws(sampling, &logits, count)
            .iter()
            .zip(&expected)
            .map(|(&n, p)| {
                let mean = p * f64::from(count);
                (f64::from(n) - mean).powi(2) / mean
            })
            .sum();
        assert!(chi_square < 43.8, "{temperature_milli}: {chi_square}");
    }
}

#[test]
fn top_k_keeps_the_lowest_indices_of_a_tie() {
    let sampling = Sampling {
        temperature_milli: 1_000,
        top_k: 3,
        top_p_milli: 1_000,
    };
    let counts = draws(sampling, &[0, 5, 5, 0, 5, 5], 3_000);
    assert!([1, 2, 4].iter().all(|&t| counts[t] > 800));
    assert_eq!(
        counts.iter().sum::<u32>(),
        counts[1] + counts[2] + counts[4]
    );
}

#[test]
fn top_p_keeps_the_shortest_prefix_that_reaches_it() {
    // Four equal tokens: half the probability is two of them, a thousandth more is three.
    let keep = |top_p_milli| {
        let sampling = Sampling {
            temperature_milli: 1_000,
            top_k: 0,
            top_p_milli,
        };
        draws(sampling, &[9; 4], 2_000)
            .iter()
            .filter(|&&n| n > 0)
            .count()
    };
    assert_eq!(
        [0, 1, 250, 251, 500, 501, 999, 1_000].map(keep),
        [1, 1, 1, 2, 2, 3, 4, 4]
    );
}

#[test]
fn extreme_logits_are_drawn_from() {
    for temperature_milli in [1, 1_000, u16::MAX] {
        let sampling = Sampling {
            temperature_milli,
            top_k: 0,
            top_p_milli: 1_000,
        };
        let counts = draws(sampling, &[i32::MIN, i32::MAX, i32::MAX, 0], 100);
        assert_eq!(counts[1] + counts[2], 100);
        assert!(counts[1] > 20 && counts[2] > 20);
    }
}

/// The definition without shortcuts: sort all tokens, weigh all tokens.
fn defined(sampling: Sampling, logits: &[i32], position: u32) -> u32 {
    use blake2::{digest::consts::U32, Blake2b, Digest};
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(logits[i]), i));
    if sampling.top_k > 0 {
        order.truncate(sampling.top_k.into());
    }
    let largest = i128::from(logits[order[0]]);
    let weights: Vec<u128> = order
        .iter()
        .map(|&i| {
            let below = largest - i128::from(logits[i]);
            let octaves = below * i128::from(noema_numerics::exp2::LOG2_E_Q30) * 1_000
                / (i128::from(sampling.temperature_milli) << 30);
            i32::try_from(-octaves).map_or(0, |z| noema_numerics::exp2::exp2(z).into())
        })
        .collect();
    let total: u128 = weights.iter().sum();
    let mut kept = 0;
    let mut reached = 0;
    while kept < weights.len()
        && (kept == 0 || reached * 1_000 < total * u128::from(sampling.top_p_milli))
    {
        reached += weights[kept];
        kept += 1;
    }
    let mut input = b"noema/sample".to_vec();
    input.extend(SEED);
    input.extend(position.to_le_bytes());
    let hash = Blake2b::<U32>::digest(&input);
    let draw = u128::from(u64::from_le_bytes(hash[..8].try_into().unwrap()));
    let target = (draw * reached) >> 64;
    let mut sum = 0;
    for (&i, weight) in order.iter().zip(weights) {
        sum += weight;
        if sum > target {
            return i as u32;
        }
    }
    unreachable!("the weights reach the target")
}

proptest! {
    #[test]
    fn shortcuts_do_not_change_a_draw(
        seed: u64,
        length in 1usize..1_500,
        bits in 0u32..31,
        temperature_milli in 1u16..=u16::MAX,
        top_k in prop_oneof![Just(0u16), 1u16..2_000],
        top_p_milli in 1u16..=1_000,
        position: u32,
    ) {
        let mut random = Random::new(seed);
        let logits: Vec<i32> = (0..length).map(|_| random.within(1 << bits) as i32).collect();
        let sampling = Sampling { temperature_milli, top_k, top_p_milli };
        let token = Sampler::new(sampling, SEED).sample(&logits, position);
        prop_assert_eq!(token, defined(sampling, &logits, position));
    }
}
