//! Whole passes: every executor of this machine generates and checks the same answers.

use noema_equality::{compare::differences, plan::splits, source::SharedModel, subject, Task};
use noema_numerics::{testing::TestModel, Architecture};
use std::sync::Arc;

/// A model whose head is not tied and whose queries share keys.
const UNTIED: Architecture = Architecture {
    heads: 4,
    kv_heads: 2,
    head_dim: 64,
    vocabulary: 121,
    tied_head: false,
    ..TestModel::TINY
};

fn tasks(architecture: &Architecture) -> Vec<Task> {
    let vocabulary = architecture.vocabulary;
    (0..6u32)
        .map(|task| Task {
            prompt: (0..1 + task * 29)
                .map(|i| (i * i + task) % vocabulary)
                .collect(),
            answer: None,
            max_tokens: 20 + task,
            stop_tokens: vec![task],
            temperature_milli: [0, 800, 2_000][task as usize % 3],
            top_k: [0, 20][task as usize % 2],
            top_p_milli: [1_000, 900, 500][task as usize % 3],
            seed: [task as u8; 32],
            splits: splits(0, task as usize),
        })
        .collect()
}

/// Executors that the test runner guarantees take part: with `NOEMA_REQUIRE_GPU_TESTS`, a graphics device.
#[test]
fn every_kind_of_executor_takes_part() {
    let names: Vec<String> = subject::all()
        .iter()
        .map(|subject| subject.name())
        .collect();
    let has = |kind: &str| names.iter().any(|name| name.starts_with(kind));
    for kind in ["cpu", "kernels, portable", "scalar", "Wasm"] {
        assert!(has(kind), "{kind} is missing from {names:?}");
    }
    let required = std::env::var("NOEMA_REQUIRE_GPU_TESTS").is_ok_and(|value| value == "1");
    assert!(has("gpu") || !required, "{names:?}");
}

#[test]
fn every_executor_generates_and_checks_the_same_answers() {
    let differing = TestModel::VARIANTS.iter().chain(TestModel::MIXTURES);
    for architecture in [TestModel::TINY, UNTIED].iter().chain(differing) {
        let source = Arc::new(SharedModel::from(TestModel::seeded(*architecture, 5)));
        let generate = tasks(architecture);
        let mut subjects = subject::all();
        let expected = subjects[0]
            .execute(&generate, &source, &|_| ())
            .expect("executes");
        let check: Vec<Task> = generate
            .iter()
            .zip(&expected)
            .enumerate()
            .map(|(at, (task, evidence))| Task {
                answer: Some(evidence.tokens.clone()),
                splits: splits(3, at),
                ..task.clone()
            })
            .collect();
        for subject in &mut subjects {
            for tasks in [&generate, &check] {
                let found = subject.execute(tasks, &source, &|_| ()).expect("executes");
                for (expected, found) in expected.iter().zip(&found) {
                    assert_eq!(differences(expected, found), 0, "{}", subject.name());
                }
            }
        }
    }
}

/// The comparison reports a difference if there is one.
#[test]
fn one_changed_weight_is_seen() {
    let test = TestModel::tiny(6);
    let mut changed = test.clone();
    changed.weights[100] ^= 1;
    let tasks = tasks(&test.architecture);
    let (test, changed) = (
        Arc::new(SharedModel::from(test)),
        Arc::new(SharedModel::from(changed)),
    );
    for subject in &mut subject::all() {
        let mut run = |source| subject.execute(&tasks, source, &|_| ()).expect("executes");
        let (one, other) = (run(&test), run(&changed));
        let differing: usize = one.iter().zip(&other).map(|(a, b)| differences(a, b)).sum();
        assert!(differing > 0, "{}", subject.name());
    }
}
