//! What a device answers has a trace, which the processor computes.

use super::device;
use crate::{
    gpu::GpuOptions,
    trace::tests::support::{sampling, World, SEED},
    Cancel, CpuKernels, ExecutedTrace, Executor, GpuExecutor, Output, Segment,
};
use noema_numerics::{hidden, seeded::TestModel, Sampler};
use noema_protocol::{hashing::merkle_leaf, merkle};
use noema_trace::{AnswerExecution, TokensOf, TracedExecution};
use sp_core::H256;

#[test]
fn an_answer_of_the_device_has_the_trace_of_the_definition() {
    let Some(device) = device() else { return };
    let (sampling, most) = (sampling(800, 40, 950), 4);
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    for architecture in [
        TestModel::TINY,
        TestModel::EVERY_DIFFERENCE,
        TestModel::GEMMA,
    ] {
        let defined = World::answer(architecture, 40, most, sampling);
        let (mut tokens, prompt) = (defined.given.clone(), defined.given.len());
        let model = defined.model.model();
        let gpu = GpuExecutor::new(device, &model, GpuOptions::default());
        let mut gpu = gpu.expect("room");
        let sequence = gpu.open(prompt + most as usize).expect("room");
        let (mut sampler, mut output) = (Sampler::new(sampling, SEED), Output::default());
        let (mut start, mut states) = (0, Vec::new());
        for _ in 0..most {
            let count = tokens.len() - start;
            let segment = Segment {
                sequence,
                start,
                tokens: &tokens[start..],
                wanted: count - 1..count,
            };
            gpu.run(&[segment], &mut output).expect("fits");
            states.extend(hidden::hashes(output.hidden.view()).map(H256));
            start = tokens.len();
            tokens.push(sampler.sample(&output.logits, start as u32));
        }
        let (given, answer) = tokens.split_at(prompt);
        let TracedExecution::Answer(stated) = defined.execution else {
            panic!("an answer")
        };
        let mut subject = defined.subject();
        subject.execution = TracedExecution::Answer(AnswerExecution {
            prompt: TokensOf::new(given),
            answer: TokensOf::new(answer),
            hidden_root: merkle::root(states.iter().map(merkle_leaf)),
            ..stated
        });
        subject.answer = answer.to_vec();
        let cancel = Cancel::default();
        let trace = ExecutedTrace::new(subject, kernels.clone(), &mut |_| (), &cancel);
        let mut trace = trace.expect("a trace");
        assert_eq!(trace.outcome(&cancel), Ok(true), "{architecture:?}");
        let leaves = defined.leaves();
        assert_eq!(trace.root(), merkle::root(leaves.iter().map(merkle_leaf)));
    }
}
