//! A seeded model to lend, and the results that the definition gives for it.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

pub mod hooked;

use noema_executor::{CpuExecutor, CpuOptions};
use noema_numerics::{
    check, generate,
    testing::{Random, TestModel},
    Checked, Generated, GenerationParameters, Sampling, Scalar, Transformer,
};
use std::{ops::ControlFlow, sync::Arc};

pub fn lend(seed: u64) -> Arc<TestModel> {
    Arc::new(TestModel::tiny(seed))
}

pub fn cpu(source: &Arc<TestModel>, cache_bytes: u64) -> CpuExecutor {
    let options = CpuOptions {
        threads: Some(2),
        cache_bytes,
    };
    CpuExecutor::new(source.clone(), options).expect("the executor starts")
}

pub fn tokens(seed: u64, count: usize) -> Vec<u32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.below(128) as u32).collect()
}

pub const STOPS: &[u32] = &[3, 77];

/// A request with everything that determines its answer.
#[derive(Clone, Debug)]
pub struct Ask {
    pub prompt: Vec<u32>,
    pub sampling: Sampling,
    pub seed: [u8; 32],
    pub max_tokens: u32,
}

impl Ask {
    pub fn new(prompt: Vec<u32>, max_tokens: u32) -> Self {
        Self {
            prompt,
            sampling: Sampling {
                temperature_milli: 900,
                top_k: 0,
                top_p_milli: 1_000,
            },
            seed: [7; 32],
            max_tokens,
        }
    }

    pub fn request(&self) -> GenerationParameters<'static> {
        GenerationParameters {
            sampling: self.sampling,
            seed: self.seed,
            max_tokens: self.max_tokens,
            stop_tokens: STOPS,
        }
    }

    /// Its answer by the definition.
    pub fn answer(&self, source: &TestModel) -> Generated {
        let mut alone = Transformer::new(source.model(), Scalar, u32::MAX);
        let go_on = |_| ControlFlow::Continue(());
        generate(&mut alone, &self.prompt, &self.request(), go_on).expect("answers")
    }

    /// The finding of the definition on `answer`.
    pub fn check(&self, source: &TestModel, answer: &[u32]) -> Checked {
        let mut alone = Transformer::new(source.model(), Scalar, u32::MAX);
        check(&mut alone, &self.prompt, answer, &self.request()).expect("checks")
    }
}
