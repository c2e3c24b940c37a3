//! The overflow bounds, at their ends. Tests build the crate with overflow checks; where an inner loop wraps
//! on purpose, the results are compared with exact ones.

use noema_numerics::{
    attention,
    cache::KvCache,
    geglu, layout, linear,
    model::{Gains, Linear},
    norm, swiglu,
    testing::{Random, TestModel},
    tile::{self, TILE_BYTES, TILE_QUANTS},
    Architecture, Blocks, ForwardPass, Scalar, Transformer,
};

/// The longest row of the largest weights (-128 included) times the largest mantissas.
#[test]
fn the_longest_row_of_the_largest_products_is_exact() {
    let columns = Architecture::MAX_COLUMNS as usize;
    for (q, input) in [(127i8, i32::MAX), (-128, i32::MAX), (-128, i32::MIN)] {
        let tile = tile::encode(&[[q; 32]; 16], &[u16::MAX; 16]);
        let bytes = tile.repeat(columns / 32);
        let values = vec![input; columns];
        let blocks = Blocks::quantise(&values, columns, 0);
        let (mantissas, shifts) = blocks.view().row(0);
        let exact: i128 = mantissas
            .iter()
            .zip(0..)
            .map(|(&a, k): (&i16, usize)| {
                (i128::from(a) * i128::from(q) * 65_535) << shifts[k / 32]
            })
            .sum();
        // The right shift is as large as the number of result bits above i32.
        let weights = Linear::new(16, columns, -45, &bytes).unwrap();
        let mut output = [0; 16];
        linear::linear(&weights, blocks.view(), 0, &mut output);
        let rounded = (exact + (1 << 44)) >> 45;
        assert_eq!(output, [i32::try_from(rounded).unwrap(); 16], "{q} {input}");
    }
}

/// The same with exponents at both ends of their span, so that the sum is widest.
#[test]
fn the_widest_span_of_exponents_is_exact() {
    let columns = Architecture::MAX_COLUMNS as usize;
    let tile = tile::encode(&[[-128; 32]; 16], &[u16::MAX; 16]);
    let bytes = tile.repeat(columns / 32);
    let mut values = vec![i32::MAX; columns];
    values[..32].fill((1 << 20) - 1);
    let blocks = Blocks::quantise(&values, columns, 0);
    let (mantissas, shifts) = blocks.view().row(0);
    assert_eq!((shifts[0], shifts[1]), (6, 17));
    let exact: i128 = mantissas
        .iter()
        .enumerate()
        .map(|(k, &a)| (i128::from(a) * -128 * 65_535) << shifts[k / 32])
        .sum();
    assert!((exact >> 6).unsigned_abs() < 1 << 63);
    let weights = Linear::new(16, columns, -45, &bytes).unwrap();
    let mut output = [0; 16];
    linear::linear(&weights, blocks.view(), 0, &mut output);
    assert_eq!(i128::from(output[0]), (exact + (1 << 44)) >> 45);
}

#[test]
fn a_result_beyond_the_output_saturates() {
    let bytes = tile::encode(&[[127; 32]; 16], &[u16::MAX; 16]);
    for (exponent, fraction) in [(127, 100), (0, 31), (20, -16)] {
        let weights = Linear::new(16, 32, exponent, &bytes).unwrap();
        for (value, expected) in [(1 << 30, i32::MAX), (-(1 << 30), i32::MIN), (0, 0)] {
            let blocks = Blocks::quantise(&[value; 32], 32, 16);
            let mut output = [1; 16];
            linear::linear(&weights, blocks.view(), fraction, &mut output);
            assert_eq!(output, [expected; 16]);
        }
    }
    let weights = Linear::new(16, 32, -128, &bytes).unwrap();
    let mut output = [1; 16];
    let blocks = Blocks::quantise(&[i32::MAX; 32], 32, 16);
    linear::linear(&weights, blocks.view(), 16, &mut output);
    assert_eq!(output, [0; 16]);
}

#[test]
fn a_norm_takes_any_input_gain_and_length() {
    for n in [32, 64, 576, 32_768] {
        for value in [0, 1, -1, (1 << 24) - 1, i32::MAX, i32::MIN] {
            for gain in [0, 1 << 30, i32::MAX, i32::MIN] {
                let bytes = gain.to_le_bytes().repeat(n);
                let mut output = vec![0; n];
                for epsilon in [0, u32::MAX] {
                    norm::norm_row(
                        &Gains::new(-29, &bytes),
                        epsilon,
                        &vec![value; n],
                        &mut output,
                    );
                }
                // One element far above the others gives the largest normalised value.
                let mut spike = vec![0; n];
                spike[0] = value;
                norm::norm_row(&Gains::new(-29, &bytes), 0, &spike, &mut output);
                if value > 1 && gain == 1 << 30 {
                    let expected = (n as f64).sqrt() * f64::from(1 << 22);
                    assert!((f64::from(output[0]) / expected - 1.0).abs() < 1e-6);
                }
            }
        }
    }
}

#[test]
fn a_gated_product_takes_any_input() {
    for gate in [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX] {
        for up in [i32::MIN, -1, 0, 1, i32::MAX] {
            let product = swiglu::gated(gate, up);
            if gate <= -(64 << 20) {
                assert_eq!(product, 0, "{gate} {up}");
            }
        }
    }
    assert_eq!(swiglu::gated(i32::MAX, i32::MIN), i32::MIN);
    assert_eq!(swiglu::gated(i32::MAX, i32::MAX), i32::MAX);
}

#[test]
fn a_product_gated_by_gelu_takes_any_input() {
    for gate in [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX] {
        for up in [i32::MIN, -1, 0, 1, i32::MAX] {
            let product = geglu::gated(gate, up);
            if gate <= -(64 << 20) {
                assert_eq!(product, 0, "{gate} {up}");
            }
        }
    }
    assert_eq!(geglu::gated(i32::MAX, i32::MIN), i32::MIN);
    assert_eq!(geglu::gelu(i32::MAX), i32::MAX);
    // Just outside and inside the range whose cube is taken.
    for gate in [geglu::LIMIT - 1, geglu::LIMIT, geglu::LIMIT + 1] {
        assert_eq!((geglu::gelu(gate), geglu::gelu(-gate)), (gate, 0));
    }
}

/// The widest head with the largest queries and keys, and a long run of equal positions.
#[test]
fn attention_takes_the_largest_of_everything() {
    let architecture = Architecture {
        layers: 1,
        heads: 1,
        kv_heads: 1,
        head_dim: Architecture::MAX_HEAD_DIM,
        context_length: 4_096,
        ..TestModel::TINY
    };
    let width = architecture.head_dim as usize;
    for sign in [1, -1] {
        let mut cache = KvCache::new(&architecture, 4_096);
        let rows = 4_096;
        cache.store(
            0,
            0,
            &vec![sign * (1 << 27); rows * width],
            &vec![sign * i32::MAX; rows * width],
        );
        let mut output = vec![0; width];
        let query = vec![1 << 28; width];
        attention::attention(cache.layer(0), 1, None, rows - 1, &query, &mut output);
        // All values are the clamped extreme, so their average is too.
        for out in output {
            let expected = f64::from(sign * (1 << 26));
            assert!(
                (f64::from(out) / expected - 1.0).abs() < 1.0 / 127.0,
                "{out}"
            );
        }
    }
}

#[test]
fn attention_over_nothing_but_zeros_is_zero() {
    let mut cache = KvCache::new(&TestModel::TINY, 64);
    cache.store(0, 0, &[0; 40 * 32], &[0; 40 * 32]);
    let mut output = vec![1; 64];
    attention::attention(cache.layer(0), 2, None, 39, &[0; 64], &mut output);
    assert_eq!(output, [0; 64]);
}

/// Any bytes of the right length are a model that executes: the worst, and random ones.
#[test]
fn any_bytes_execute() {
    let architecture = TestModel::TINY;
    let length = layout::weights_bytes(&architecture).unwrap() as usize;
    let count = layout::tensor_count(&architecture).unwrap();
    let mut random = Random::new(3);
    let noise: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
    let worst: Vec<u8> = (0..length)
        .map(|at| {
            if at % TILE_BYTES < TILE_QUANTS {
                0x80
            } else {
                0xff
            }
        })
        .collect();
    for weights in [
        vec![0; length],
        vec![0xff; length],
        vec![0x7f; length],
        worst,
        noise,
    ] {
        for exponent in [i8::MIN, -29, -8, 0, 16, i8::MAX] {
            let exponents = vec![exponent; count];
            let model = noema_numerics::Model::new(&architecture, &exponents, &weights).unwrap();
            let mut transformer = Transformer::new(model, Scalar, 64);
            let mut hidden = Blocks::default();
            let tokens: Vec<u32> = (0..40).map(|t| t * 3).collect();
            transformer.forward(0, &tokens, 0..40, &mut hidden).unwrap();
            let mut logits = Vec::new();
            transformer.logits(hidden.view(), &mut logits);
            assert_eq!(logits.len(), 40 * 128);
        }
    }
}
