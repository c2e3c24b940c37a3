//! Every kernel of every instruction set that this machine has gives the bits of the definition.

use noema_executor::CpuKernels;
use noema_numerics::{
    testing::{golden, Case, Operator},
    Scalar,
};
use proptest::prelude::*;

fn variants() -> Vec<CpuKernels> {
    let variants = CpuKernels::variants();
    assert!(!variants.is_empty());
    variants
}

fn is_exact(operator: Operator, seed: u64) -> Result<(), TestCaseError> {
    let case = Case::random(operator, seed);
    let expected = case.run(&Scalar);
    for cpu in variants() {
        prop_assert!(case.run(&cpu) == expected, "{:?}", cpu);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn linear_layers_are_exact(seed: u64) {
        is_exact(Operator::Linear, seed)?;
    }

    #[test]
    fn attention_is_exact(seed: u64) {
        is_exact(Operator::Attention, seed)?;
    }

    #[test]
    fn operators_by_position_are_exact(seed: u64) {
        for operator in [Operator::Norm, Operator::Rope, Operator::Swiglu, Operator::Quantise] {
            is_exact(operator, seed)?;
        }
    }
}

#[test]
fn the_ends_of_every_range_are_exact() {
    for case in Case::extremes() {
        let expected = case.run(&Scalar);
        for cpu in variants() {
            assert!(case.run(&cpu) == expected, "{cpu:?}: {:?}", case.operator());
        }
    }
}

#[test]
fn the_golden_vectors_are_exact() {
    for cpu in variants() {
        for (name, hash) in golden::results(&cpu) {
            assert_eq!(
                golden::frozen().get(name),
                Some(&hash.as_str()),
                "{cpu:?}: {name}"
            );
        }
    }
}
