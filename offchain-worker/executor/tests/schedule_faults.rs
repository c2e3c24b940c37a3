//! An executor that fails does not end the process and does not change results.

mod support;

use noema_executor::{
    schedule::Fallback, Cancel, Executor, ExecutorError, ScheduleError, ScheduleOptions, Scheduler,
};
use noema_numerics::{testing::TestModel, Checked, Generated};
use proptest::prelude::*;
use std::{ops::ControlFlow, sync::Arc, thread};
use support::{cpu, hooked::Hooked, lend, tokens, Ask};

const PLENTY: u64 = 1 << 30;

fn lost() -> ExecutorError {
    ExecutorError::DeviceLost {
        device: "The test's device".into(),
        reason: "unplugged".into(),
    }
}

fn full() -> ExecutorError {
    ExecutorError::OutOfMemory {
        device: "The test's device".into(),
        what: "a pass",
        needed: 2,
        available: 1,
    }
}

/// A failure of an executor.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Lost,
    Full,
    Panics,
    /// Wrong numbers in every pass up to the faulty one, which is detected.
    Wrong,
    /// Fewer rows than requested.
    Short,
}

/// Fails after `passes` passes; for some faults, these compute wrong numbers.
fn faulty(source: &Arc<TestModel>, fault: Fault, passes: usize) -> Box<dyn Executor> {
    Hooked::boxed(cpu(source, PLENTY), move |pass, cpu, segments, output| {
        cpu.run(segments, output)?;
        let last = pass >= passes;
        match fault {
            Fault::Wrong if !last => output.logits.iter_mut().for_each(|logit| *logit ^= 0x5555),
            Fault::Wrong => {
                return Err(ExecutorError::WrongNumbers {
                    device: "The test's device".into(),
                    what: "a self-test".into(),
                })
            }
            Fault::Lost if last => return Err(lost()),
            Fault::Full if last => return Err(full()),
            Fault::Panics if last => panic!("the driver's binding panicked"),
            Fault::Short if last => {
                output.logits.pop();
                output.hidden.clear();
            }
            _ => {}
        }
        Ok(())
    })
}

fn fallback(source: &Arc<TestModel>) -> Fallback {
    let source = source.clone();
    Box::new(move || Ok(Box::new(cpu(&source, PLENTY)) as Box<dyn Executor>))
}

fn start(executor: Box<dyn Executor>, fallback: Option<Fallback>) -> Scheduler {
    let options = ScheduleOptions {
        positions: 8,
        positions_alone: 16,
        ..ScheduleOptions::default()
    };
    Scheduler::start(executor, fallback, None, options).expect("the scheduler starts")
}

fn answer(scheduler: &Scheduler, ask: &Ask) -> Result<Generated, ScheduleError> {
    let go_on = &mut |_| ControlFlow::Continue(());
    scheduler.answer(&ask.prompt, &ask.request(), &Cancel::default(), go_on)
}

fn check(scheduler: &Scheduler, ask: &Ask, answer: &[u32]) -> Result<Checked, ScheduleError> {
    scheduler.check(&ask.prompt, answer, &ask.request(), &Cancel::default())
}

fn asks(seed: u64, count: usize) -> Vec<Ask> {
    (0..count as u64)
        .map(|index| {
            let mut ask = Ask::new(tokens(seed ^ index, 5 + 30 * index as usize), 30);
            ask.seed = [index as u8; 32];
            ask
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_fallback_finishes_what_was_begun(
        seed in 0u64..1 << 32,
        fault in prop::sample::select(vec![
            Fault::Lost,
            Fault::Full,
            Fault::Panics,
            Fault::Wrong,
            Fault::Short,
        ]),
        passes in 0usize..40,
        count in 1usize..5,
    ) {
        let source = lend(seed);
        let scheduler = start(faulty(&source, fault, passes), Some(fallback(&source)));
        let asks = asks(seed, count);
        thread::scope(|scope| {
            for ask in &asks {
                let (scheduler, source) = (&scheduler, &source);
                let expected = ask.answer(source);
                let tokens = expected.tokens.clone();
                scope.spawn(move || {
                    let found = answer(scheduler, ask);
                    // An answer of wrong numbers that ended before they were detected stays.
                    if !matches!(fault, Fault::Wrong) {
                        assert_eq!(found, Ok(expected));
                    }
                });
                scope.spawn(move || {
                    let found = check(scheduler, ask, &tokens);
                    if !matches!(fault, Fault::Wrong) {
                        assert_eq!(found, Ok(ask.check(source, &tokens)));
                    }
                });
            }
        });
        // After enough passes the fault is over: every later result is right.
        for ask in asks.iter().cycle().take(8) {
            let _ = answer(&scheduler, ask);
        }
        let expected = asks[0].answer(&source);
        prop_assert_eq!(answer(&scheduler, &asks[0]), Ok(expected));
    }
}

#[test]
fn an_answer_begun_with_wrong_numbers_is_begun_anew() {
    let source = lend(9);
    let ask = Ask::new(tokens(9, 10), 30);
    let expected = ask.answer(&source);
    assert!(expected.tokens.len() > 10);
    let scheduler = start(faulty(&source, Fault::Wrong, 5), Some(fallback(&source)));
    assert_eq!(answer(&scheduler, &ask), Ok(expected.clone()));
    let scheduler = start(faulty(&source, Fault::Wrong, 1), Some(fallback(&source)));
    assert_eq!(
        check(&scheduler, &ask, &expected.tokens),
        Ok(ask.check(&source, &expected.tokens))
    );
}

#[test]
fn without_a_fallback_a_lost_device_is_named_from_then_on() {
    let source = lend(1);
    let ask = Ask::new(tokens(1, 40), 30);
    let scheduler = start(faulty(&source, Fault::Lost, 4), None);
    for _ in 0..2 {
        assert_eq!(answer(&scheduler, &ask), Err(lost().into()));
        assert_eq!(check(&scheduler, &ask, &[1]), Err(lost().into()));
    }
}

#[test]
fn without_a_fallback_a_full_device_goes_on_with_the_next_request() {
    let source = lend(1);
    let ask = Ask::new(tokens(1, 40), 30);
    let executor = Hooked::boxed(
        cpu(&source, PLENTY),
        |pass, cpu, segments, output| match pass {
            2 => Err(full()),
            _ => cpu.run(segments, output),
        },
    );
    let scheduler = start(executor, None);
    assert_eq!(answer(&scheduler, &ask), Err(full().into()));
    assert_eq!(answer(&scheduler, &ask), Ok(ask.answer(&source)));
}

#[test]
fn a_fallback_that_does_not_start_leaves_the_first_error() {
    let source = lend(1);
    let nowhere: Fallback = Box::new(|| Err(ExecutorError::Threads("none".into())));
    let scheduler = start(faulty(&source, Fault::Lost, 0), Some(nowhere));
    let ask = Ask::new(tokens(1, 40), 30);
    assert_eq!(answer(&scheduler, &ask), Err(lost().into()));
}

#[test]
fn a_fallback_that_fails_as_well_is_the_end() {
    let source = lend(1);
    let second: Fallback = {
        let source = source.clone();
        Box::new(move || Ok(faulty(&source, Fault::Panics, 1)))
    };
    let scheduler = start(faulty(&source, Fault::Full, 1), Some(second));
    let ask = Ask::new(tokens(1, 40), 30);
    assert!(matches!(
        answer(&scheduler, &ask),
        Err(ScheduleError::Executor(ExecutorError::DeviceLost { reason, .. }))
            if reason.contains("panicked")
    ));
}
