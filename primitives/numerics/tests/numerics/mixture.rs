//! The operators of a mixture of experts, compared with their formulas.

use noema_numerics::{
    experts::{self, Experts},
    linear, mix,
    model::Linear,
    route::{self, SCORE_FRACTION, WEIGHT_FRACTION},
    testing::{tiles, values, Random},
    Blocks,
};
use proptest::prelude::*;

/// The routes of one position.
fn routes(scores: &[i32], chosen: usize, renormalised: bool) -> (Vec<i32>, Vec<i32>) {
    let mut output = vec![0; 2 * chosen];
    route::route(scores, scores.len(), chosen, renormalised, &mut output);
    let weights = output.split_off(chosen);
    (output, weights)
}

#[test]
fn the_largest_scores_are_chosen_and_of_equal_ones_the_first() {
    let (experts, _) = routes(&[3, 9, -5, 9, 3, 9], 4, true);
    assert_eq!(experts, [1, 3, 5, 0]);
    let (experts, weights) = routes(&[i32::MIN; 4], 4, true);
    assert_eq!(experts, [0, 1, 2, 3]);
    assert_eq!(weights, [1 << 22; 4], "a quarter each");
}

#[test]
fn one_expert_has_the_whole_weight_if_renormalised() {
    assert_eq!(routes(&[7, 7], 1, true).1, [1 << WEIGHT_FRACTION]);
    assert_eq!(routes(&[7, 7], 1, false).1, [1 << (WEIGHT_FRACTION - 1)]);
    let far = routes(&[i32::MAX, i32::MIN], 2, true);
    assert_eq!(far, (vec![0, 1], vec![1 << WEIGHT_FRACTION, 0]));
}

#[test]
fn the_sum_of_the_largest_outputs_does_not_overflow() {
    let weights = [i32::MAX; 64];
    for (x, expected) in [(i32::MAX, i32::MAX), (i32::MIN, i32::MIN)] {
        let mut output = [0; 32];
        mix::mix(32, &weights, &[x; 32 * 32], 32, &mut output);
        assert_eq!(output, [expected; 32]);
    }
}

#[test]
fn negative_weights_count_as_none_and_large_ones_as_one() {
    let mut output = [0; 1];
    mix::mix_row(
        &[0, 1, 2, -9, i32::MAX, 1 << 23],
        &[1_000, 70, 4],
        &mut output,
    );
    assert_eq!(output, [72]);
}

proptest! {
    #[test]
    fn weights_are_those_of_the_softmax(
        scores in prop::collection::vec(-(1i32 << 24)..1 << 24, 1..150),
        chosen in 1usize..10,
        renormalised: bool,
    ) {
        let chosen = chosen.min(scores.len());
        let (experts, weights) = routes(&scores, chosen, renormalised);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(scores[i]), i));
        let expected: Vec<i32> = order[..chosen].iter().map(|&i| i as i32).collect();
        prop_assert_eq!(&experts, &expected);

        let unit = f64::powi(2.0, SCORE_FRACTION);
        let power = |i: usize| (f64::from(scores[i] - scores[order[0]]) / unit).exp();
        let counted = if renormalised { &order[..chosen] } else { &order[..] };
        let sum: f64 = counted.iter().map(|&i| power(i)).sum();
        for (&i, &weight) in order.iter().zip(&weights) {
            let exact = power(i) / sum * f64::powi(2.0, WEIGHT_FRACTION as i32);
            let bound = 0.51 + exact * f64::powi(2.0, -15);
            prop_assert!((f64::from(weight) - exact).abs() <= bound, "{} {}", weight, exact);
        }
    }

    #[test]
    fn an_expert_is_a_linear_layer(seed: u64, own_inputs: bool, batch in 1usize..5) {
        const COUNT: usize = 5;
        const CHOSEN: usize = 3;
        const COLUMNS: usize = 64;
        const ROWS: usize = 32;
        let mut random = Random::new(seed);
        let bytes = tiles(COUNT * ROWS, COLUMNS, &mut random);
        let stack = Linear::new(COUNT * ROWS, COLUMNS, -20, &bytes).unwrap();
        let weights = Experts::new(stack, COUNT).unwrap();
        let width = if own_inputs { CHOSEN * COLUMNS } else { COLUMNS };
        let input = values(batch * width, &mut random);
        let input = Blocks::quantise(&input, width, 16);
        let routes: Vec<i32> =
            (0..batch * 2 * CHOSEN).map(|_| random.below(COUNT as u64 + 2) as i32 - 1).collect();
        let mut output = vec![0; batch * CHOSEN * ROWS];
        experts::experts(&weights, CHOSEN, &routes, input.view(), 16, &mut output);

        for row in 0..batch {
            for place in 0..CHOSEN {
                let expert = routes[row * 2 * CHOSEN + place].clamp(0, COUNT as i32 - 1) as usize;
                let first = if own_inputs { place * COLUMNS } else { 0 };
                // All products of the stack, of which those of the expert count.
                let mut products = vec![0; COUNT * ROWS];
                let part = input.view().part(row, first..first + COLUMNS);
                linear::linear(&stack, part, 16, &mut products);
                let at = (row * CHOSEN + place) * ROWS;
                prop_assert_eq!(&output[at..at + ROWS], &products[expert * ROWS..][..ROWS]);
            }
        }
    }
}
