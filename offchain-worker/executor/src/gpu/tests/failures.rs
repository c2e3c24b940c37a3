//! Refused input, and failures of a device.

use super::{device, open};
use crate::{
    gpu::{adapter, adapters, AdapterChoice, GpuDevice, GpuExecutor, GpuOptions, InjectedFault},
    Executor, ExecutorError, Output, Segment, Sequence,
};
use noema_numerics::{testing::TestModel, ForwardError};

fn executor(device: &GpuDevice, memory: Option<u64>) -> Result<GpuExecutor, ExecutorError> {
    let options = GpuOptions {
        memory,
        rows: Some(16),
    };
    GpuExecutor::new(device, &TestModel::tiny(1).model(), options)
}

fn segment(sequence: Sequence, start: usize, tokens: &[u32]) -> Segment<'_> {
    Segment {
        sequence,
        start,
        tokens,
        wanted: 0..tokens.len(),
    }
}

#[test]
fn what_cannot_be_executed_is_refused_and_changes_nothing() {
    let Some(device) = device() else { return };
    let mut gpu = executor(device, None).expect("room");
    let mut output = Output::default();
    let (a, b) = (gpu.open(10).expect("room"), gpu.open(10).expect("room"));
    let good = segment(a, 0, &[1, 2, 3]);
    gpu.run(std::slice::from_ref(&good), &mut output)
        .expect("fits");
    let mut refused = |segment: Segment<'_>, error: ForwardError| {
        let both = [
            Segment {
                start: 3,
                ..good.clone()
            },
            segment,
        ];
        let found = gpu.run(&both, &mut Output::default());
        assert_eq!(found, Err(ExecutorError::Refused(error)));
        // The first segment has not been executed either.
        let found = gpu.run(&[segment_at(a, 4)], &mut Output::default());
        let error = ForwardError::PositionNotCached {
            start: 4,
            cached: 3,
        };
        assert_eq!(found, Err(ExecutorError::Refused(error)));
    };
    fn segment_at(sequence: Sequence, start: usize) -> Segment<'static> {
        segment(sequence, start, &[0])
    }
    refused(
        segment(b, 1, &[1]),
        ForwardError::PositionNotCached {
            start: 1,
            cached: 0,
        },
    );
    refused(
        segment(b, 0, &[0; 11]),
        ForwardError::ContextFull {
            needed: 11,
            capacity: 10,
        },
    );
    refused(
        segment(b, 0, &[1, 128]),
        ForwardError::TokenOutOfRange {
            index: 1,
            token: 128,
            vocabulary: 128,
        },
    );
    refused(
        Segment {
            wanted: 1..3,
            ..segment(b, 0, &[1, 2])
        },
        ForwardError::WantedOutOfRange {
            start: 1,
            end: 3,
            tokens: 2,
        },
    );

    let twice = [segment_at(b, 0), segment_at(b, 0)];
    assert_eq!(gpu.run(&twice, &mut output), Err(ExecutorError::Sequence));
    gpu.close(b);
    gpu.close(b);
    let closed = gpu.run(&[segment_at(b, 0)], &mut output);
    assert_eq!(closed, Err(ExecutorError::Sequence));
    assert_eq!(gpu.copy_prefix(a, b, 1), Err(ExecutorError::Sequence));
    let c = gpu.open(2).expect("room");
    let error = ForwardError::ContextFull {
        needed: 3,
        capacity: 2,
    };
    assert_eq!(gpu.copy_prefix(a, c, 3), Err(ExecutorError::Refused(error)));
    let error = ForwardError::PositionNotCached {
        start: 4,
        cached: 3,
    };
    assert_eq!(gpu.copy_prefix(a, c, 4), Err(ExecutorError::Refused(error)));
}

#[test]
fn memory_is_capped() {
    let Some(device) = device() else { return };
    let needed = executor(device, None).expect("room").memory();
    for cap in [0, 1_000, needed / 2] {
        match executor(device, Some(cap)) {
            Err(ExecutorError::OutOfMemory {
                needed, available, ..
            }) => {
                assert!(needed > available && available <= cap);
            }
            other => panic!("{other:?}"),
        }
    }
    let mut gpu = executor(device, Some(needed + 20_000)).expect("room");
    let mut sequences = Vec::new();
    let error = loop {
        match gpu.open(32) {
            Ok(sequence) => sequences.push(sequence),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, ExecutorError::OutOfMemory { .. }),
        "{error}"
    );
    assert!(gpu.memory() <= needed + 20_000);
    assert!(sequences.len() > 1);
    sequences
        .into_iter()
        .for_each(|sequence| gpu.close(sequence));
    let large = gpu.open(64).expect("room again");
    gpu.run(&[segment(large, 0, &[1, 2])], &mut Output::default())
        .expect("room");
}

#[test]
fn a_device_that_is_lost_says_so_from_then_on() {
    let Some(device) = open() else { return };
    let mut gpu = executor(&device, None).expect("room");
    let sequence = gpu.open(100).expect("room");
    let mut output = Output::default();
    let tokens = [1; 60];
    device.inject(InjectedFault::Lost);
    for _ in 0..2 {
        let found = gpu.run(&[segment(sequence, 0, &tokens)], &mut output);
        assert!(
            matches!(found, Err(ExecutorError::DeviceLost { .. })),
            "{found:?}"
        );
    }
    let found = gpu.open(10);
    assert!(
        matches!(found, Err(ExecutorError::DeviceLost { .. })),
        "{found:?}"
    );
    gpu.close(sequence);
    let found = executor(&device, None);
    assert!(matches!(found, Err(ExecutorError::DeviceLost { .. })));
}

#[test]
fn a_wrong_number_can_be_injected_once() {
    let Some(device) = open() else { return };
    let mut gpu = executor(&device, None).expect("room");
    let sequence = gpu.open(10).expect("room");
    let [mut wrong, mut right] = [Output::default(), Output::default()];
    device.inject(InjectedFault::WrongNumbers);
    for output in [&mut wrong, &mut right] {
        gpu.run(&[segment(sequence, 0, &[1, 2])], output)
            .expect("fits");
    }
    assert_eq!(wrong.hidden, right.hidden);
    let differ = wrong
        .logits
        .iter()
        .zip(&right.logits)
        .filter(|(a, b)| a != b);
    assert_eq!(differ.count(), 1);
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let error = adapter(AdapterChoice::Index(999)).expect_err("there are fewer");
    let ExecutorError::NoDevice { wanted, hint } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(wanted, "gpu:999");
    assert!(hint.ends_with('.'), "{hint}");
}

#[test]
fn adapters_are_listed_by_index() {
    for (index, adapter) in adapters().iter().enumerate() {
        assert_eq!(adapter.index, index);
        assert!(!adapter.name.is_empty());
        eprintln!(
            "{index}: {} ({}), {}",
            adapter.name, adapter.kind, adapter.driver
        );
    }
}
