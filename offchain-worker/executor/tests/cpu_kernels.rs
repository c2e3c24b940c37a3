//! Every kernel of every instruction set that this machine has gives the bits of the definition.

use noema_executor::{cpu::LinearOutput, CpuKernels};
use noema_numerics::{
    model::{Gains, Linear},
    testing::{tiles, values, Random, TestModel},
    Blocks, Kernels, KvCache, Model, Scalar,
};
use proptest::prelude::*;

fn variants() -> Vec<CpuKernels> {
    let variants = CpuKernels::variants();
    assert!(!variants.is_empty());
    variants
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn linear_layers_are_exact(
        seed: u64,
        rows in 1usize..80,
        blocks in 1usize..8,
        batch in 1usize..37,
        exponent in -70i8..8,
        fraction in -8i32..24,
    ) {
        let mut random = Random::new(seed);
        let columns = blocks * 32;
        let bytes = tiles(rows, columns, &mut random);
        let weights = Linear::new(rows, columns, exponent, &bytes).expect("a matrix");
        let x = Blocks::quantise(&values(batch * columns, &mut random), columns, 16);
        let mut expected = vec![0; batch * rows];
        Scalar.linear(&weights, x.view(), fraction, &mut expected);
        for cpu in variants() {
            let mut found = vec![1; batch * rows];
            cpu.linear(&weights, x.view(), fraction, &mut found);
            prop_assert_eq!(&found, &expected, "{:?}", cpu);
        }
    }

    #[test]
    fn layers_computed_together_are_exact(
        seed: u64,
        rows in prop::collection::vec(1usize..200, 1..4),
        blocks in 1usize..6,
        batch in 1usize..12,
    ) {
        let mut random = Random::new(seed);
        let columns = blocks * 32;
        let bytes: Vec<Vec<u8>> = rows.iter().map(|&rows| tiles(rows, columns, &mut random)).collect();
        let weights: Vec<Linear<'_>> = rows
            .iter()
            .zip(&bytes)
            .map(|(&rows, bytes)| Linear::new(rows, columns, -20, bytes).expect("a matrix"))
            .collect();
        let x = Blocks::quantise(&values(batch * columns, &mut random), columns, 16);
        let blank = || rows.iter().map(|rows| vec![1; batch * rows]).collect::<Vec<_>>();
        let mut expected = blank();
        for (weights, output) in weights.iter().zip(&mut expected) {
            Scalar.linear(weights, x.view(), 9, output);
        }
        for cpu in variants() {
            let mut found = blank();
            let mut layers: Vec<LinearOutput<'_>> = weights
                .iter()
                .zip(&mut found)
                .map(|(&weights, output)| LinearOutput { weights, output })
                .collect();
            cpu.linears(&mut layers, x.view(), 9);
            prop_assert_eq!(&found, &expected, "{:?}", cpu);
        }
    }

    #[test]
    fn attention_is_exact(
        seed: u64,
        blocks in prop::sample::select(vec![1u32, 2, 3, 4, 5, 8]),
        kv_heads in 1u32..3,
        per_kv in 1u32..4,
        start in 0usize..70,
        batch in 1usize..40,
    ) {
        let mut random = Random::new(seed);
        let architecture = noema_numerics::Architecture {
            layers: 1,
            heads: kv_heads * per_kv,
            kv_heads,
            head_dim: blocks * 32,
            context_length: 128,
            ..TestModel::TINY
        };
        let (heads, width) = ((kv_heads * per_kv) as usize, architecture.attention_width());
        let kv_width = architecture.kv_width();
        let mut cache = KvCache::new(&architecture, 128);
        let clamp = |v: Vec<i32>| v.into_iter().map(|v| v.clamp(-(1 << 27), 1 << 27)).collect::<Vec<_>>();
        let positions = start + batch;
        let keys = clamp(values(positions * kv_width, &mut random));
        let cached_values = values(positions * kv_width, &mut random);
        cache.store(0, 0, &keys, &cached_values);
        let queries = clamp(values(batch * width, &mut random));
        let mut expected = vec![0; batch * width];
        Scalar.attention(cache.layer(0), heads, start, &queries, &mut expected);
        for cpu in variants() {
            let mut found = KvCache::new(&architecture, 128);
            cpu.store(&mut found, 0, 0, &keys, &cached_values);
            for head in 0..kv_heads as usize {
                let (found, expected) = (found.layer(0), cache.layer(0));
                for (found, expected) in [
                    (found.keys(head), expected.keys(head)),
                    (found.values(head), expected.values(head)),
                ] {
                    prop_assert_eq!(found.quants, expected.quants, "{:?}", cpu);
                    prop_assert_eq!(found.scales, expected.scales, "{:?}", cpu);
                }
            }
            let mut found = vec![1; batch * width];
            cpu.attention(cache.layer(0), heads, start, &queries, &mut found);
            prop_assert_eq!(&found, &expected, "{:?}", cpu);
        }
    }

    #[test]
    fn operators_by_position_are_exact(seed: u64, blocks in 1usize..6, batch in 1usize..6) {
        let mut random = Random::new(seed);
        let columns = blocks * 32;
        let (a, b) = (
            values(batch * columns, &mut random),
            values(batch * columns, &mut random),
        );
        let gains: Vec<u8> = (0..columns)
            .flat_map(|_| (random.within((1 << 30) - 1) as i32).to_le_bytes())
            .collect();
        let gains = Gains::new(-29, &gains);
        let run = |kernels: &dyn Kernels| {
            let mut out = [Blocks::default(), Blocks::default(), Blocks::default()];
            kernels.norm(&gains, 42_950, &a, &mut out[0]);
            kernels.swiglu(&a, &b, columns, &mut out[1]);
            kernels.quantise(&a, columns, 16, &mut out[2]);
            out
        };
        let expected = run(&Scalar);
        for cpu in variants() {
            prop_assert_eq!(&run(&cpu), &expected, "{:?}", cpu);
        }
    }
}

#[test]
fn rotations_are_exact() {
    let model = TestModel::tiny(5);
    let model: Model<'_> = model.model();
    let mut random = Random::new(9);
    for batch in [1, 7] {
        let rows = values(batch * 64, &mut random);
        let mut expected = rows.clone();
        Scalar.rope(&model.rope(), 11, 64, &mut expected);
        for cpu in variants() {
            let mut found = rows.clone();
            cpu.rope(&model.rope(), 11, 64, &mut found);
            assert_eq!(found, expected, "{cpu:?}");
        }
    }
}
