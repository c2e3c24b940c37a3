//! The comparison on SmolLM2-135M-Instruct, with few tokens; `scripts/equality.sh` runs more.
//!
//! `NOEMA_SMOLLM2_GGUF=<path to SmolLM2-135M-Instruct.Q4_1.gguf> cargo test -p noema-equality
//! --test equality smollm2`; passes with a remark where it is not set.

use noema_equality::run::{open, Comparison, Settings};
use noema_model::import::ImportOptions;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[test]
fn every_executor_agrees_on_the_real_model() {
    let source = std::env::var_os("NOEMA_SMOLLM2_GGUF").map(PathBuf::from);
    let Some(source) = source.filter(|source| source.is_file()) else {
        eprintln!("SKIPPED: NOEMA_SMOLLM2_GGUF does not name the model's file.");
        return;
    };
    // The folder of the worker's tests.
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smollm2");
    let options = ImportOptions {
        program: Some(env!("CARGO_BIN_EXE_noema-equality").into()),
        ..ImportOptions::default()
    };
    let checkpoint = open(&source, &home, &options).expect("the model is imported");
    let checkpoint = Arc::new(checkpoint);
    let settings = Settings {
        tokens: 24,
        cases: 16,
        seed: 3,
    };
    let mut comparison = Comparison::new(settings).expect("every operator executes");
    let report = comparison.run(checkpoint).expect("everything executes");
    for row in &report.rows {
        assert_eq!(row.differences, 0, "{}", row.name);
        assert_eq!(row.tokens, report.tokens);
    }
    assert!(report.tokens >= 24);
}
