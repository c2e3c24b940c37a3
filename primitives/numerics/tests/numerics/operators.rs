//! Every operator compared with its real-valued formula, within the error that its documentation states.

use noema_numerics::{
    attention, bias, blocks,
    cache::KvCache,
    embedding, exp2, geglu, head_norm, linear,
    model::{Gains, Linear, RopeTable},
    norm, rope, swiglu,
    testing::{Random, TestModel},
    tile::{self, TILE_COLUMNS, TILE_ROWS},
    Architecture, Blocks,
};
use proptest::prelude::*;

/// `2^exponent`.
fn two(exponent: i32) -> f64 {
    f64::powi(2.0, exponent)
}

/// Any i32, of any size.
fn integer() -> impl Strategy<Value = i32> {
    prop_oneof![
        8 => (any::<i32>(), 0u32..32).prop_map(|(x, s)| x >> s),
        1 => Just(i32::MIN),
        1 => Just(i32::MAX),
        1 => Just(0),
    ]
}

fn vector(length: usize) -> impl Strategy<Value = Vec<i32>> {
    prop_oneof![
        4 => prop::collection::vec(integer(), length),
        1 => Just(vec![i32::MIN; length]),
        1 => Just(vec![i32::MAX; length]),
        1 => Just(vec![0; length]),
    ]
}

/// Tiles of a matrix with any bytes at all.
fn tiles(rows: usize, columns: usize, random: &mut Random) -> Vec<u8> {
    let length = rows.div_ceil(TILE_ROWS) * (columns / TILE_COLUMNS) * tile::TILE_BYTES;
    (0..length).map(|_| random.bits() as u8).collect()
}

/// The exact product of a row and a vector, in units of `2^(E - input fraction)`.
fn exact_product(weights: &Linear<'_>, row: usize, mantissas: &[i16], shifts: &[u8]) -> i128 {
    (0..weights.columns())
        .map(|k| {
            let (q, s) = weights.weight(row, k);
            (i128::from(q) * i128::from(s) * i128::from(mantissas[k])) << shifts[k / 32]
        })
        .sum()
}

proptest! {
    #[test]
    fn blocks_stay_within_half_a_unit_of_their_exponent(values in vector(96)) {
        let blocks = Blocks::quantise(&values, 96, 16);
        let (mantissas, shifts) = blocks.view().row(0);
        let largest = f64::from(values.iter().map(|v| v.unsigned_abs()).max().unwrap());
        let (least, most) = (shifts.iter().min().unwrap(), shifts.iter().max().unwrap());
        prop_assert!(*most <= 18 && most - least <= blocks::SHIFT_SPAN as u8);
        for (k, (&v, &a)) in values.iter().zip(mantissas).enumerate() {
            prop_assert!(a.unsigned_abs() <= 1 << blocks::MANTISSA_BITS);
            let shift = i32::from(shifts[k / 32]);
            let error = (f64::from(v) - f64::from(a) * two(shift)).abs();
            prop_assert!(shift == 0 && error == 0.0 || error <= two(shift - 1));
            let in_block = &values[k / 32 * 32..][..32];
            let block = f64::from(in_block.iter().map(|v| v.unsigned_abs()).max().unwrap());
            prop_assert!(error <= (block * two(-14)).max(largest * two(-25)));
        }
    }

    #[test]
    fn a_linear_layer_is_the_exact_product_rounded_once(
        seed: u64,
        shape in (1usize..40, 1usize..5, 1usize..20),
        exponent in -40i8..20,
        fraction in -8i32..30,
        values in vector(32 * 4 * 20),
    ) {
        let (rows, blocks, batch) = shape;
        let columns = blocks * 32;
        let bytes = tiles(rows, columns, &mut Random::new(seed));
        let weights = Linear::new(rows, columns, exponent, &bytes).unwrap();
        let input = Blocks::quantise(&values[..batch * columns], columns, 16);
        let mut output = vec![0; batch * rows];
        linear::linear(&weights, input.view(), fraction, &mut output);
        for (vector, output) in output.chunks(rows).enumerate() {
            let (mantissas, shifts) = input.view().row(vector);
            for (row, &y) in output.iter().enumerate() {
                let sum = exact_product(&weights, row, mantissas, shifts);
                let real = sum as f64 * two(i32::from(exponent) - 16 + fraction);
                // An exact product below 2^53 is exact in f64 too: the definition itself.
                let rounded = (real + 0.5).floor();
                let expected = rounded.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
                prop_assert!((f64::from(y) - expected).abs() <= real.abs() * two(-52));
            }
        }
    }

    #[test]
    fn a_norm_follows_the_formula(
        values in vector(64),
        gains in prop::collection::vec(-(1i32 << 30)..1 << 30, 64),
        exponent in -34i8..-20,
        epsilon: u32,
    ) {
        let bytes: Vec<u8> = gains.iter().flat_map(|g| g.to_le_bytes()).collect();
        let gains_ref = Gains::new(exponent, &bytes);
        let mut output = vec![0; 64];
        norm::norm_row(&gains_ref, epsilon, &values, &mut output);
        let x: Vec<f64> = values.iter().map(|&x| f64::from(x) * two(-14)).collect();
        let mean = x.iter().map(|x| x * x).sum::<f64>() / 64.0 + f64::from(epsilon) * two(-32);
        let unit = two(-norm::fraction(&gains_ref));
        let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        for ((&y, x), &g) in output.iter().zip(&x).zip(&gains) {
            if mean == 0.0 {
                prop_assert_eq!(y, 0);
                continue;
            }
            let root = mean.sqrt();
            let gain = f64::from(g) * two(i32::from(exponent));
            let real = x * gain / root;
            // The input's own rounding where it is large, the root's, x̂'s and y's.
            let input = if largest >= 1024.0 { largest * two(-24) / root * 2.0 } else { 0.0 };
            let bound = (input + (x / root).abs() * two(-27) + two(-23)) * gain.abs() + unit * 0.5;
            // The epsilon is floored to the square's unit, at most 1 in 2^30 of a large vector.
            let bound = bound + real.abs() * two(-28) + unit * 1e-6;
            prop_assert!((f64::from(y) * unit - real).abs() <= bound, "{} {real}", f64::from(y) * unit);
        }
    }

    #[test]
    fn a_norm_of_heads_follows_the_formula(
        values in vector(64),
        gains in prop::collection::vec(-(1i32 << 30)..1 << 30, 32),
        exponent in -34i8..-20,
        epsilon: u32,
        fraction in prop::sample::select(vec![14i32, 16]),
    ) {
        let bytes: Vec<u8> = gains.iter().flat_map(|g| g.to_le_bytes()).collect();
        let mut output = values.clone();
        head_norm::head_norm(&Gains::new(exponent, &bytes), epsilon, fraction, &mut output);
        let unit = two(-fraction);
        for (values, output) in values.chunks(32).zip(output.chunks(32)) {
            let x: Vec<f64> = values.iter().map(|&x| f64::from(x) * unit).collect();
            let mean = x.iter().map(|x| x * x).sum::<f64>() / 32.0 + f64::from(epsilon) * two(-32);
            let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            for ((&y, x), &g) in output.iter().zip(&x).zip(&gains) {
                if mean == 0.0 {
                    prop_assert_eq!(y, 0);
                    continue;
                }
                let root = mean.sqrt();
                let gain = f64::from(g) * two(i32::from(exponent));
                let limit = unit * two(31);
                let real = (x * gain / root).clamp(-limit, limit);
                let input = if largest >= unit * two(24) { largest * two(-24) / root * 2.0 } else { 0.0 };
                let bound = (input + (x / root).abs() * two(-26) + two(-22)) * gain.abs() + unit;
                prop_assert!((f64::from(y) * unit - real).abs() <= bound, "{y} {real}");
            }
        }
    }

    #[test]
    fn a_bias_is_added_within_half_a_unit(
        values in vector(48),
        biases in vector(24),
        exponent in -60i8..20,
    ) {
        let bytes: Vec<u8> = biases.iter().flat_map(|b| b.to_le_bytes()).collect();
        let mut output = values.clone();
        bias::bias(&Gains::new(exponent, &bytes), 16, &mut output);
        for (k, (&y, &x)) in output.iter().zip(&values).enumerate() {
            let real = f64::from(biases[k % 24]) * two(i32::from(exponent) + 16);
            let bias = real.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
            let sum = (f64::from(x) + bias).clamp(f64::from(i32::MIN), f64::from(i32::MAX));
            prop_assert!((f64::from(y) - sum).abs() <= 0.5);
        }
    }

    #[test]
    fn a_rotation_is_the_exact_one_by_the_table(values in vector(64), angle in 0.0f64..7.0) {
        let table: Vec<u8> = (0..32)
            .flat_map(|pair| {
                let angle = angle * f64::from(pair + 1);
                [angle.cos(), angle.sin()].map(|x| (x * two(30)).round() as i32)
            })
            .flat_map(i32::to_le_bytes)
            .collect();
        let mut output = values.clone();
        rope::rope(&RopeTable::new(32, &table), 0, 64, &mut output);
        for i in 0..32 {
            let angle = angle * (i + 1) as f64;
            let limit = f64::from(rope::PROJECTION_LIMIT);
            let x = f64::from(values[i]).clamp(-limit, limit);
            let y = f64::from(values[i + 32]).clamp(-limit, limit);
            // Half a unit of the result, half a unit of 2^-30 of each table entry.
            let bound = 0.51 + (x.abs() + y.abs()) * two(-31);
            let (a, b) = (f64::from(output[i]), f64::from(output[i + 32]));
            prop_assert!((a - (x * angle.cos() - y * angle.sin())).abs() <= bound);
            prop_assert!((b - (y * angle.cos() + x * angle.sin())).abs() <= bound);
        }
    }

    #[test]
    fn a_power_of_two_is_within_its_error(z in -2_200_000i32..=0) {
        let real = two(30) * (f64::from(z) / 65_536.0).exp2();
        let error = (f64::from(exp2::exp2(z)) - real).abs();
        prop_assert!(error <= real * two(-19) + 0.5, "{z}: {error}");
    }

    #[test]
    fn a_sigmoid_is_within_its_error(x in integer()) {
        let value = f64::from(x) * two(-20);
        let real = two(30) / (1.0 + (-value).exp());
        let error = (f64::from(swiglu::sigmoid(x)) - real).abs();
        let bound = if x >= 0 { real * two(-17) } else { real * two(-16) + 1.0 };
        prop_assert!(error <= bound + 1.0, "{value}: {error}");
    }

    #[test]
    fn a_gated_product_is_within_its_error(gate in integer(), up in integer()) {
        let (g, u) = (f64::from(gate) * two(-20), f64::from(up) * two(-20));
        let silu = g / (1.0 + (-g).exp());
        let real = silu * u * two(16);
        let expected = real.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
        let silu_error = silu.abs() * two(-16) + g.abs() * two(-29) + two(-21);
        let bound = silu_error * u.abs() * two(16) + 0.5;
        let error = (f64::from(swiglu::gated(gate, up)) - expected).abs();
        prop_assert!(error <= bound, "{g} {u}: {error} {bound}");
    }

    #[test]
    fn a_product_gated_by_gelu_is_within_its_error(gate in integer(), up in integer()) {
        let (g, u) = (f64::from(gate) * two(-20), f64::from(up) * two(-20));
        let argument = (8.0 / std::f64::consts::PI).sqrt() * (g + 0.044_715 * g.powi(3));
        let share = 1.0 / (1.0 + (-argument).exp());
        let gelu = g * share;
        let expected = (gelu * u * two(16)).clamp(f64::from(i32::MIN), f64::from(i32::MAX));
        // The share changes by at most its own part for each unit of its argument.
        let argument_error = g.abs().min(16.0) * two(-19) + two(-21);
        let relative = two(-16) + argument_error;
        let gelu_error = gelu.abs() * relative + g.abs() * two(-29) + two(-21);
        let bound = gelu_error * u.abs() * two(16) + 0.5;
        let error = (f64::from(geglu::gated(gate, up)) - expected).abs();
        prop_assert!(error <= bound, "{g} {u}: {error} {bound}");
    }

    #[test]
    fn a_cached_vector_is_within_half_a_scale(values in vector(32)) {
        let mut cache = KvCache::new(&TestModel::TINY, 32);
        cache.store(1, 3, &[1 << 27; 32], &values);
        let head = cache.layer(1).values(0);
        let scale = f64::from(head.scales[3]);
        let limit = f64::from(rope::PROJECTION_LIMIT);
        for (&v, &q) in values.iter().zip(&head.quants[96..128]) {
            prop_assert!(q >= -127);
            let v = f64::from(v).clamp(-limit, limit);
            prop_assert!((v - f64::from(q) * scale).abs() <= scale / 2.0);
        }
        prop_assert_eq!(cache.layer(1).keys(0).scales[3], (1u32 << 27).div_ceil(127));
    }

    #[test]
    fn attention_follows_the_formula(
        seed: u64,
        positions in 1usize..100,
        query_size in 12u32..19,
        key_size in 12u32..19,
        value_size in 4u32..26,
        window in prop::option::of(1u32..80),
    ) {
        check_attention(seed, positions, window, [query_size, key_size, value_size])?;
    }
}

const WIDE: Architecture = Architecture {
    layers: 1,
    heads: 4,
    kv_heads: 2,
    head_dim: 64,
    ..TestModel::TINY
};

/// Attention of every position, compared with a softmax in f64 over the content of the cache.
fn check_attention(
    seed: u64,
    positions: usize,
    window: Option<u32>,
    sizes: [u32; 3],
) -> Result<(), TestCaseError> {
    let mut random = Random::new(seed);
    let mut draw = |count: usize, bits: u32| -> Vec<i32> {
        (0..count)
            .map(|_| random.within(1 << bits) as i32)
            .collect()
    };
    let queries = draw(positions * 256, sizes[0]);
    let (keys, values) = (
        draw(positions * 128, sizes[1]),
        draw(positions * 128, sizes[2]),
    );
    let mut cache = KvCache::new(&WIDE, 128);
    cache.store(0, 0, &keys, &values);
    let layer = cache.layer(0);
    let mut output = vec![0; queries.len()];
    attention::attention(layer, 4, window, 0, &queries, &mut output);

    let dequantised = |head: noema_numerics::cache::HeadCache<'_>, t: usize, i: usize| {
        f64::from(head.quants[t * 64 + i]) * f64::from(head.scales[t * 2 + i / 32])
    };
    for position in 0..positions {
        let seen = attention::seen(window, position);
        for head in 0..4 {
            let at = position * 256 + head * 64;
            let (query, output) = (&queries[at..at + 64], &output[at..at + 64]);
            let (keys, values) = (layer.keys(head / 2), layer.values(head / 2));
            let largest = f64::from(query.iter().map(|q| q.unsigned_abs()).max().unwrap());
            let mut delta: f64 = 0.0;
            let scores: Vec<f64> = seen
                .clone()
                .map(|t| {
                    let key = (0..64).map(|i| dequantised(keys, t, i));
                    let total: f64 = key.clone().map(f64::abs).sum();
                    // Error of the score in units of one: blocks of the query, then z's rounding.
                    let query_error = (largest * two(-14)).max(1.0) * two(-16);
                    delta = delta.max(query_error * total * two(-16) / 8.0 + two(-16));
                    let dot: f64 = key.zip(query).map(|(k, &q)| k * f64::from(q)).sum();
                    dot * two(-32) / 8.0
                })
                .collect();
            let most = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for (i, &out) in output.iter().enumerate() {
                let real: f64 = seen
                    .clone()
                    .zip(&weights)
                    .map(|(t, weight)| weight * dequantised(values, t, i))
                    .sum::<f64>()
                    / sum;
                let size = seen
                    .clone()
                    .map(|t| dequantised(values, t, i).abs())
                    .fold(0.0, f64::max)
                    .max(
                        f64::from(
                            seen.clone()
                                .map(|t| values.scales[t * 2 + i / 32])
                                .max()
                                .unwrap(),
                        ) * 127.0,
                    );
                let bound = size * (2.0 * delta.exp_m1() + two(-10)) + 1.0;
                prop_assert!(
                    (f64::from(out) - real).abs() <= bound,
                    "{out} {real} {bound}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn an_embedding_is_the_stored_weight() {
    let bytes = tiles(20, 64, &mut Random::new(5));
    for exponent in [-23, -16, -3] {
        let table = Linear::new(20, 64, exponent, &bytes).unwrap();
        for token in [0, 17, 19] {
            let mut row = [0; 64];
            embedding::embedding(&table, token, &mut row);
            for (k, &x) in row.iter().enumerate() {
                let (q, s) = table.weight(token, k);
                let real = f64::from(q) * f64::from(s) * two(i32::from(exponent) + 14);
                let real = real.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
                assert!((f64::from(x) - real).abs() <= 0.5);
            }
        }
    }
}

#[test]
fn the_power_table_is_the_nearest_integers() {
    for (index, &power) in exp2::TABLE.iter().enumerate() {
        let real = two(30) * (index as f64 / 256.0).exp2();
        assert!((f64::from(power) - real).abs() <= 0.500_01);
    }
}

#[test]
fn a_power_never_rises_above_one_and_falls_to_zero() {
    assert_eq!(exp2::exp2(0), exp2::ONE);
    assert_eq!(exp2::exp2(i32::MAX), exp2::ONE);
    assert_eq!(exp2::exp2(i32::MIN), 0);
    let mut last = exp2::ONE;
    for z in (-40 * 65_536..0).rev().step_by(7) {
        let power = exp2::exp2(z);
        assert!(power <= last);
        last = power;
    }
    assert_eq!(last, 0);
}
