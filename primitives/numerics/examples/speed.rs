//! Speed of the scalar reference on a model of SmolLM2-135M's shape with seeded weights.
//!
//! ```sh
//! cargo run -p noema-numerics --features testing --example speed
//! ```

use noema_numerics::{
    check, generate, testing::TestModel, Architecture, GenerationParameters, Sampling, Scalar,
    Transformer,
};
use std::{ops::ControlFlow, time::Instant};

const SHAPE: Architecture = TestModel::SMOLLM2_135M;

fn main() {
    let model = TestModel::seeded(SHAPE, 1);
    let prompt: Vec<u32> = (0..64).collect();
    let request = GenerationParameters {
        sampling: Sampling::GREEDY,
        seed: [0; 32],
        max_tokens: 33,
        stop_tokens: &[],
    };
    let mut executor = Transformer::new(model.model(), Scalar, 256);
    let mut started = Instant::now();
    let mut first = None;
    let answer = generate(&mut executor, &prompt, &request, |_| {
        if first.is_none() {
            first = Some(started.elapsed());
            started = Instant::now();
        }
        ControlFlow::Continue(())
    })
    .expect("an answer");
    let prefill = first.expect("at least one token");
    let decode = started.elapsed();
    println!(
        "prefill: {:.1} tokens/s",
        prompt.len() as f64 / prefill.as_secs_f64()
    );
    println!(
        "decode: {:.1} tokens/s",
        (answer.tokens.len() - 1) as f64 / decode.as_secs_f64()
    );
    let started = Instant::now();
    let checked = check(&mut executor, &prompt, &answer.tokens, &request).expect("a check");
    assert_eq!((checked.flaw, &checked.hidden), (None, &answer.hidden));
    println!(
        "check: {:.2} of the answer's time",
        started.elapsed().as_secs_f64() / (prefill + decode).as_secs_f64()
    );
}
