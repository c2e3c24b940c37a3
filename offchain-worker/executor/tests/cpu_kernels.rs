//! Every kernel of every instruction set that this machine has gives the bits of the definition.

use noema_executor::{
    cpu::{ExpertsOutput, LinearOutput},
    CpuKernels,
};
use noema_numerics::{
    experts::Experts,
    model::Linear,
    testing::{golden, tiles, values, Case, Random, TensorOperator},
    Blocks, Kernels, Scalar,
};
use proptest::prelude::*;

fn variants() -> Vec<CpuKernels> {
    let variants = CpuKernels::variants();
    assert!(!variants.is_empty());
    variants
}

fn is_exact(operator: TensorOperator, seed: u64) -> Result<(), TestCaseError> {
    let case = Case::random(operator, seed);
    let expected = case.run(&Scalar);
    for cpu in variants() {
        prop_assert!(case.run(&cpu) == expected, "{operator:?} with {cpu:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn linear_layers_are_exact(seed: u64) {
        is_exact(TensorOperator::Linear, seed)?;
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
                .map(|(&weights, output)| LinearOutput {
                    weights,
                    fraction: 9,
                    output,
                })
                .collect();
            cpu.linears(&mut layers, x.view());
            prop_assert_eq!(&found, &expected, "{:?}", cpu);
        }
    }

    #[test]
    fn mixtures_of_experts_are_exact(seed: u64) {
        for operator in [TensorOperator::Route, TensorOperator::Experts, TensorOperator::Mix] {
            is_exact(operator, seed)?;
        }
    }

    #[test]
    fn layers_of_the_same_experts_are_exact_together(
        seed: u64,
        rows in prop::collection::vec(1usize..6, 2),
        batch in 1usize..12,
    ) {
        const COLUMNS: usize = 96;
        const COUNT: usize = 5;
        const CHOSEN: usize = 3;
        let mut random = Random::new(seed);
        let bytes: Vec<Vec<u8>> = rows
            .iter()
            .map(|rows| tiles(COUNT * rows * 16, COLUMNS, &mut random))
            .collect();
        let weights: Vec<Experts<'_>> = rows
            .iter()
            .zip(&bytes)
            .map(|(rows, bytes)| {
                let stack = Linear::new(COUNT * rows * 16, COLUMNS, -20, bytes).expect("a matrix");
                Experts::new(stack, COUNT).expect("whole groups of rows")
            })
            .collect();
        let x = Blocks::quantise(&values(batch * COLUMNS, &mut random), COLUMNS, 16);
        let mut routes = vec![0; batch * 2 * CHOSEN];
        Scalar.route(&values(batch * COUNT, &mut random), COUNT, CHOSEN, true, &mut routes);
        let blank = || rows.iter().map(|rows| vec![1; batch * CHOSEN * rows * 16]).collect::<Vec<_>>();
        let mut expected = blank();
        for (weights, output) in weights.iter().zip(&mut expected) {
            Scalar.experts(weights, CHOSEN, &routes, x.view(), 9, output);
        }
        for cpu in variants() {
            let mut found = blank();
            let mut layers: Vec<ExpertsOutput<'_>> = weights
                .iter()
                .zip(&mut found)
                .map(|(&weights, output)| ExpertsOutput {
                    weights,
                    fraction: 9,
                    output,
                })
                .collect();
            cpu.expert_layers(&mut layers, CHOSEN, &routes, x.view());
            prop_assert_eq!(&found, &expected, "{:?}", cpu);
        }
    }

    #[test]
    fn the_cache_is_exact(seed: u64) {
        is_exact(TensorOperator::Store, seed)?;
    }

    #[test]
    fn attention_is_exact(seed: u64) {
        is_exact(TensorOperator::Attention, seed)?;
    }

    #[test]
    fn additions_are_exact(seed: u64, length in 0usize..10_000) {
        let mut random = Random::new(seed);
        let (delta, before) = (values(length, &mut random), values(length, &mut random));
        let mut expected = before.clone();
        Scalar.add(&delta, &mut expected);
        for cpu in variants() {
            let mut found = before.clone();
            cpu.add(&delta, &mut found);
            prop_assert_eq!(&found, &expected, "{:?}", cpu);
        }
    }

    #[test]
    fn operators_by_position_are_exact(seed: u64) {
        for operator in [
            TensorOperator::Norm,
            TensorOperator::HeadNorm,
            TensorOperator::Rope,
            TensorOperator::Swiglu,
            TensorOperator::Geglu,
            TensorOperator::Quantise,
        ] {
            is_exact(operator, seed)?;
        }
    }
}

#[test]
fn the_ends_of_every_range_are_exact() {
    for case in Case::extremes() {
        let expected = case.run(&Scalar);
        for cpu in variants() {
            assert!(
                case.run(&cpu) == expected,
                "{:?} with {cpu:?}",
                case.operator()
            );
        }
    }
}

#[test]
fn the_golden_vectors_are_exact() {
    let frozen = golden::frozen();
    for cpu in variants() {
        for (name, hash) in golden::results(&cpu) {
            assert_eq!(
                frozen.get(name),
                Some(&hash.as_str()),
                "{name} with {cpu:?}"
            );
        }
    }
}
