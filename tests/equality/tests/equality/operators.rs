//! Each operator, with the definition compiled natively and to Wasm.

use noema_equality::guest::Guest;
use noema_numerics::{
    testing::{golden, Case, TensorOperator},
    Scalar,
};
use proptest::prelude::*;
use std::sync::LazyLock;

/// One guest for all tests.
fn guest() -> &'static Guest {
    static GUEST: LazyLock<Guest> = LazyLock::new(Guest::load);
    &GUEST
}

fn is_equal(operator: TensorOperator, seed: u64) -> Result<(), TestCaseError> {
    let case = Case::random(operator, seed);
    let found = guest().operator(&case).expect("executes");
    prop_assert!(found == case.run(&Scalar), "{operator:?} of seed {seed}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn linear_layers_are_equal(seed: u64) {
        is_equal(TensorOperator::Linear, seed)?;
    }

    #[test]
    fn norms_are_equal(seed: u64) {
        is_equal(TensorOperator::Norm, seed)?;
    }

    #[test]
    fn rotations_are_equal(seed: u64) {
        is_equal(TensorOperator::Rope, seed)?;
    }

    #[test]
    fn caches_are_equal(seed: u64) {
        is_equal(TensorOperator::Store, seed)?;
    }

    #[test]
    fn attention_is_equal(seed: u64) {
        is_equal(TensorOperator::Attention, seed)?;
    }

    #[test]
    fn gated_products_are_equal(seed: u64) {
        is_equal(TensorOperator::Swiglu, seed)?;
    }

    #[test]
    fn blocks_are_equal(seed: u64) {
        is_equal(TensorOperator::Quantise, seed)?;
    }

    #[test]
    fn embeddings_are_equal(seed: u64) {
        is_equal(TensorOperator::Embedding, seed)?;
    }

    #[test]
    fn samples_are_equal(seed: u64) {
        is_equal(TensorOperator::Sample, seed)?;
    }

    #[test]
    fn products_gated_by_gelu_are_equal(seed: u64) {
        is_equal(TensorOperator::Geglu, seed)?;
    }

    #[test]
    fn norms_of_heads_are_equal(seed: u64) {
        is_equal(TensorOperator::HeadNorm, seed)?;
    }

    #[test]
    fn a_bias_is_equal(seed: u64) {
        is_equal(TensorOperator::Bias, seed)?;
    }
}

#[test]
fn the_ends_of_every_range_are_equal() {
    for case in Case::extremes() {
        let found = guest().operator(&case).expect("executes");
        assert!(found == case.run(&Scalar), "{:?}", case.operator());
    }
}

#[test]
fn the_golden_vectors_hold_in_wasm() {
    let found = guest().golden().expect("executes");
    let frozen = golden::frozen();
    assert_eq!(found.len(), frozen.len());
    for (name, hash) in found {
        assert_eq!(frozen.get(name.as_str()), Some(&hash.as_str()), "{name}");
    }
}

#[test]
fn a_panic_in_wasm_says_why() {
    let case = Case::Swiglu {
        columns: 31,
        gate: vec![0; 31],
        up: vec![0; 31],
    };
    let error = guest().operator(&case).expect_err("no blocks of 31");
    assert!(error.to_string().contains("multiple of 32"), "{error}");
}
