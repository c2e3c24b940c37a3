//! A request has the same result alone and in shared passes.

mod support;

use noema_executor::{
    schedule::{Observer, PassReport},
    Cancel, Executor, Owner, ScheduleError, ScheduleOptions, Scheduler, Segment,
};
use noema_numerics::{
    testing::{Random, TestModel},
    Checked, End, Generated,
};
use proptest::prelude::*;
use std::{
    ops::ControlFlow,
    sync::{mpsc, Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use support::{cpu, hooked::Hooked, lend, tokens, Ask};

const PLENTY: u64 = 1 << 30;

fn start(executor: Box<dyn Executor>, options: ScheduleOptions) -> Scheduler {
    Scheduler::start(executor, None, None, options).expect("the scheduler starts")
}

fn answer(scheduler: &Scheduler, ask: &Ask) -> Result<Generated, ScheduleError> {
    let mut told = Vec::new();
    let answer = scheduler.answer(
        &ask.prompt,
        &ask.request(),
        &Cancel::default(),
        &mut |token| {
            told.push(token);
            ControlFlow::Continue(())
        },
    );
    if let Ok(answer) = &answer {
        assert_eq!(told, answer.tokens);
    }
    answer
}

fn check(scheduler: &Scheduler, ask: &Ask, answer: &[u32]) -> Result<Checked, ScheduleError> {
    scheduler.check(&ask.prompt, answer, &ask.request(), &Cancel::default())
}

/// A request, its answer by the definition, and an answer to check with the expected finding.
struct Case {
    ask: Ask,
    answer: Generated,
    checked: (Vec<u32>, Checked),
}

/// Prompts with a common beginning, some longer than it, some within it.
fn cases(source: &TestModel, seed: u64, count: usize) -> Vec<Case> {
    let mut random = Random::new(seed);
    let common = tokens(seed, 30);
    (0..count)
        .map(|index| {
            let mut prompt = common.clone();
            prompt.truncate(1 + random.below(30) as usize);
            if random.below(4) > 0 {
                prompt.extend(tokens(seed + index as u64, random.below(90) as usize));
            }
            let mut ask = Ask::new(prompt, 1 + random.below(30) as u32);
            ask.sampling.temperature_milli = [0, 700, 1_500][random.below(3) as usize];
            ask.seed = [index as u8; 32];
            let answer = ask.answer(source);
            let mut other = answer.tokens.clone();
            match random.below(6) {
                0 => other.truncate(random.below(other.len() as u64 + 1) as usize),
                1 => other.extend([5; 7]),
                2 => {
                    let at = random.below(other.len() as u64) as usize;
                    other[at] = [other[at] ^ 1, 128, u32::MAX][random.below(3) as usize];
                }
                _ => {}
            }
            let checked = ask.check(source, &other);
            Case {
                ask,
                answer,
                checked: (other, checked),
            }
        })
        .collect()
}

/// Answers and checks every case, each on its own thread, in any order.
fn all_at_once(scheduler: &Scheduler, cases: &[Case], seed: u64) {
    let mut random = Random::new(seed);
    thread::scope(|scope| {
        for case in cases {
            let pauses = [random.below(3_000), random.below(3_000)];
            scope.spawn(move || {
                thread::sleep(Duration::from_micros(pauses[0]));
                assert_eq!(answer(scheduler, &case.ask), Ok(case.answer.clone()));
            });
            scope.spawn(move || {
                thread::sleep(Duration::from_micros(pauses[1]));
                let (tokens, found) = &case.checked;
                assert_eq!(check(scheduler, &case.ask, tokens), Ok(found.clone()));
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_result_does_not_depend_on_what_shares_the_batch(
        seed in 0u64..1 << 32,
        count in 1usize..8,
        sequences in 1usize..10,
        positions in 1usize..40,
        positions_alone in 1usize..100,
        rows in 1usize..20,
        prefix in prop_oneof![Just(0usize), 1usize..300],
    ) {
        let source = lend(seed);
        let cases = cases(&source, seed, count);
        let options = ScheduleOptions {
            sequences,
            positions,
            positions_alone,
            logits_bytes: rows * 128 * 4,
            prefix,
            ..ScheduleOptions::default()
        };
        let scheduler = start(Box::new(cpu(&source, PLENTY)), options);
        all_at_once(&scheduler, &cases, seed);
        // Again, now that there is a prefix to reuse.
        all_at_once(&scheduler, &cases, !seed);
    }

    #[test]
    fn a_cancelled_request_leaves_the_others_alone(
        seed in 0u64..1 << 32,
        count in 1usize..5,
        after in 1usize..6,
    ) {
        let source = lend(seed);
        let cases = cases(&source, seed, count);
        let scheduler = start(Box::new(cpu(&source, PLENTY)), ScheduleOptions::default());
        let (scheduler, cases) = (&scheduler, &cases);
        thread::scope(|scope| {
            for case in cases {
                scope.spawn(move || {
                    let mut told = 0;
                    let cut = scheduler
                        .answer(&case.ask.prompt, &case.ask.request(), &Cancel::default(), &mut |_| {
                            told += 1;
                            match told == after {
                                true => ControlFlow::Break(()),
                                false => ControlFlow::Continue(()),
                            }
                        })
                        .expect("stops");
                    assert!(case.answer.tokens.starts_with(&cut.tokens));
                    match cut.end {
                        End::Cancelled => assert!(cut.tokens.len() >= after),
                        end => assert_eq!(end, case.answer.end),
                    }
                });
                scope.spawn(move || {
                    let cancel = Cancel::default();
                    cancel.cancel();
                    let (tokens, found) = &case.checked;
                    let checked =
                        scheduler.check(&case.ask.prompt, tokens, &case.ask.request(), &cancel);
                    // It may be done before the cancellation is seen.
                    match checked {
                        Ok(checked) => assert_eq!(checked, *found),
                        Err(error) => assert_eq!(error, ScheduleError::Cancelled),
                    }
                });
            }
            all_at_once(scheduler, cases, seed);
        });
    }

    #[test]
    fn requests_that_do_not_fit_together_take_turns(
        seed in 0u64..1 << 32,
        count in 1usize..6,
        blocks in 8u64..16,
    ) {
        let source = lend(seed);
        let cases = cases(&source, seed, count);
        // The largest request needs less than 150 positions, in whole blocks of 32.
        let bytes = noema_numerics::KvCache::bytes(&source.architecture, 32);
        let scheduler = start(Box::new(cpu(&source, blocks * bytes)), ScheduleOptions::default());
        all_at_once(&scheduler, &cases, seed);
        all_at_once(&scheduler, &cases, !seed);
    }
}

#[test]
fn what_can_never_fit_is_refused_and_the_rest_goes_on() {
    let source = lend(2);
    let bytes = noema_numerics::KvCache::bytes(&source.architecture, 32);
    let scheduler = start(
        Box::new(cpu(&source, 2 * bytes)),
        ScheduleOptions::default(),
    );
    let small = Ask::new(tokens(2, 20), 8);
    let expected = small.answer(&source);
    assert_eq!(answer(&scheduler, &small), Ok(expected.clone()));
    let large = Ask::new(tokens(2, 20), 200);
    assert!(matches!(
        answer(&scheduler, &large),
        Err(ScheduleError::TooLarge(_))
    ));
    assert!(matches!(
        check(&scheduler, &large, &[5; 100]),
        Err(ScheduleError::TooLarge(_))
    ));
    assert_eq!(answer(&scheduler, &small), Ok(expected));
}

#[test]
fn what_the_definition_refuses_is_refused_at_the_door() {
    let source = lend(1);
    let scheduler = start(Box::new(cpu(&source, PLENTY)), ScheduleOptions::default());
    for prompt in [vec![], vec![1; 256], vec![5, 128]] {
        let ask = Ask::new(prompt, 4);
        assert!(matches!(
            answer(&scheduler, &ask),
            Err(ScheduleError::Refused(_))
        ));
        assert!(matches!(
            check(&scheduler, &ask, &[1]),
            Err(ScheduleError::Refused(_))
        ));
    }
}

/// An executor that, before each pass, reports that it waits, and then waits for a message; `work` sees the
/// segments of the pass.
fn gated(
    source: &Arc<TestModel>,
    mut work: impl FnMut(&[Segment<'_>]) + Send + 'static,
) -> (Box<dyn Executor>, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (open, gate) = mpsc::channel();
    let (here, waits) = mpsc::channel();
    let executor = Hooked::boxed(cpu(source, PLENTY), move |_, cpu, segments, output| {
        let _ = here.send(());
        // Once the test has dropped its end, the gate stays open.
        let _ = gate.recv();
        work(segments);
        cpu.run(segments, output)
    });
    (executor, open, waits)
}

fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "takes too long");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_full_queue_says_so() {
    let source = lend(3);
    let (executor, gate, waits) = gated(&source, |_| {});
    let scheduler = start(
        executor,
        ScheduleOptions {
            sequences: 1,
            waiting: 2,
            ..ScheduleOptions::default()
        },
    );
    let ask = Ask::new(tokens(3, 10), 6);
    let expected = ask.answer(&source);
    let cancel = Cancel::default();
    thread::scope(|scope| {
        // The next one starts once the one before has found its place: executed, then in the queue.
        let first = scope.spawn(|| answer(&scheduler, &ask));
        waits.recv().expect("a first pass");
        let second = scope.spawn(|| answer(&scheduler, &ask));
        until(|| scheduler.waiting() == 1);
        let third = scope.spawn(|| {
            scheduler.answer(&ask.prompt, &ask.request(), &cancel, &mut |_| {
                ControlFlow::Continue(())
            })
        });
        until(|| scheduler.waiting() == 2);
        let busy = Err(ScheduleError::Busy { waiting: 2 });
        assert_eq!(answer(&scheduler, &ask), busy);
        assert_eq!(
            check(&scheduler, &ask, &[1]),
            Err(ScheduleError::Busy { waiting: 2 })
        );
        // A request cancelled in the queue does not wait for its turn.
        cancel.cancel();
        gate.send(()).expect("the scheduler listens");
        let cancelled = third.join().expect("returns").expect("stops");
        assert_eq!((cancelled.tokens, cancelled.end), (vec![], End::Cancelled));
        drop(gate);
        for thread in [first, second] {
            assert_eq!(thread.join().expect("returns"), Ok(expected.clone()));
        }
    });
}

#[test]
fn answers_have_their_tokens_while_long_prompts_are_read() {
    let source = lend(4);
    let passes = Arc::new(Mutex::new(Vec::new()));
    let seen = passes.clone();
    let (executor, gate, waits) = gated(&source, move |segments| {
        let lengths = segments.iter().map(|segment| segment.tokens.len());
        seen.lock()
            .expect("no panic")
            .push(lengths.collect::<Vec<_>>());
    });
    let options = ScheduleOptions {
        positions: 8,
        pass: Duration::MAX,
        prefix: 0,
        ..ScheduleOptions::default()
    };
    let scheduler = start(executor, options);
    let short = Ask {
        sampling: noema_numerics::Sampling::GREEDY,
        ..Ask::new(tokens(4, 4), 60)
    };
    let long = Ask::new(tokens(5, 200), 1);
    let expected = short.answer(&source);
    assert!(expected.tokens.len() > 40, "{}", expected.tokens.len());
    thread::scope(|scope| {
        let answering = scope.spawn(|| answer(&scheduler, &short));
        waits.recv().expect("a first pass");
        let reading = scope.spawn(|| answer(&scheduler, &long));
        // The long prompt is admitted after the first token.
        until(|| scheduler.waiting() == 1);
        drop(gate);
        assert_eq!(answering.join().expect("returns"), Ok(expected));
        assert_eq!(reading.join().expect("returns"), Ok(long.answer(&source)));
    });
    let passes = passes.lock().expect("no panic");
    let shared: Vec<_> = passes.iter().filter(|pass| pass.len() == 2).collect();
    assert!(shared.len() > 10, "{passes:?}");
    assert!(
        shared.iter().all(|pass| pass[0] == 1 && pass[1] <= 8),
        "{shared:?}"
    );
}

#[test]
fn where_passes_take_long_the_first_admitted_ends_first() {
    const REQUESTS: usize = 6;
    let source = lend(4);
    let passes = Arc::new(Mutex::new(Vec::new()));
    let seen = passes.clone();
    let (executor, gate, waits) = gated(&source, move |segments| {
        let sequences = segments.iter().map(|segment| segment.sequence);
        seen.lock()
            .expect("no panic")
            .push(sequences.collect::<Vec<_>>());
        let positions: usize = segments.iter().map(|segment| segment.tokens.len()).sum();
        thread::sleep(Duration::from_millis(5 * positions as u64));
    });
    let options = ScheduleOptions {
        pass: Duration::from_millis(8),
        prefix: 0,
        ..ScheduleOptions::default()
    };
    let scheduler = start(executor, options);
    let ask = Ask {
        sampling: noema_numerics::Sampling::GREEDY,
        ..Ask::new(tokens(4, 4), 60)
    };
    let expected = ask.answer(&source);
    assert!(expected.tokens.len() > 40, "{}", expected.tokens.len());
    thread::scope(|scope| {
        // The others start once the first is in a pass, and are admitted in the next one.
        let first = scope.spawn(|| answer(&scheduler, &ask));
        waits.recv().expect("a first pass");
        let others = (1..REQUESTS).map(|_| scope.spawn(|| answer(&scheduler, &ask)));
        let answering: Vec<_> = std::iter::once(first).chain(others).collect();
        until(|| scheduler.waiting() == REQUESTS - 1);
        drop(gate);
        for thread in answering {
            assert_eq!(thread.join().expect("returns"), Ok(expected.clone()));
        }
    });
    let passes = passes.lock().expect("no panic");
    let mut admitted = Vec::new();
    for sequence in passes.iter().flatten() {
        if !admitted.contains(sequence) {
            admitted.push(*sequence);
        }
    }
    let last = |sequence| passes.iter().rposition(|pass| pass.contains(sequence));
    let ends: Vec<_> = admitted.iter().filter_map(last).collect();
    assert_eq!(ends.len(), REQUESTS);
    assert!(ends.is_sorted(), "{ends:?}");
    assert!(2 * ends[0] < ends[REQUESTS - 1], "{ends:?}");
}

#[test]
fn the_beginning_of_a_prompt_is_computed_once() {
    let source = lend(5);
    let positions = Arc::new(Mutex::new(0));
    let observer: Observer = {
        let positions = positions.clone();
        Box::new(move |pass: &PassReport| *positions.lock().expect("no panic") += pass.positions)
    };
    let options = ScheduleOptions::default();
    let executor = Box::new(cpu(&source, PLENTY));
    let scheduler = Scheduler::start(executor, None, Some(observer), options).expect("starts");
    let prompt = |end: &[u32]| [tokens(5, 100), end.to_vec()].concat();
    let taken = |ask: &Ask| {
        *positions.lock().expect("no panic") = 0;
        assert_eq!(answer(&scheduler, ask), Ok(ask.answer(&source)));
        // The report of a pass may come after its tokens: run another request first.
        let _ = check(&scheduler, ask, &[1]);
        *positions.lock().expect("no panic")
    };
    let first = taken(&Ask::new(prompt(&[1, 2, 3]), 1));
    let second = taken(&Ask::new(prompt(&[4, 5]), 1));
    let same = taken(&Ask::new(prompt(&[4, 5]), 1));
    // 103 + 1 of the check; 2 + 1; at least one position each.
    assert!(
        first >= 103 && second <= 4 && same <= 2,
        "{first} {second} {same}"
    );
}

#[test]
fn a_scheduler_that_is_dropped_ends_its_thread() {
    let source = lend(6);
    let kept = Arc::downgrade(&source);
    let scheduler = start(Box::new(cpu(&source, PLENTY)), ScheduleOptions::default());
    let ask = Ask::new(tokens(6, 10), 5);
    assert_eq!(answer(&scheduler, &ask), Ok(ask.answer(&source)));
    drop((scheduler, source));
    assert!(kept.upgrade().is_none(), "the executor is gone, too");
}

/// The answer for an owner, and the positions of the prompt that were cached.
fn owned(scheduler: &Scheduler, owner: u64, ask: &Ask) -> (Generated, usize) {
    scheduler
        .answer_owned(
            Owner(owner),
            &ask.prompt,
            &ask.request(),
            &Cancel::default(),
            &mut |_| ControlFlow::Continue(()),
        )
        .expect("answers")
}

#[test]
fn an_owner_reuses_what_it_left_and_gets_the_same_answer() {
    let source = lend(5);
    let scheduler = start(Box::new(cpu(&source, PLENTY)), ScheduleOptions::default());
    let mut prompt = tokens(1, 20);
    let mut left = 0;
    for turn in 0..4 {
        let ask = Ask::new(prompt.clone(), 6);
        let (generated, cached) = owned(&scheduler, 1, &ask);
        assert_eq!(generated, ask.answer(&source));
        assert_eq!(cached, left, "turn {turn}");
        // Another owner with the same prompt starts from nothing.
        assert_eq!(owned(&scheduler, 100 + turn, &ask), (generated.clone(), 0));
        prompt.extend(&generated.tokens);
        // The last token of an answer was not executed.
        left = prompt.len() - 1;
        prompt.extend(tokens(turn, 5));
    }
}

#[test]
fn a_second_conversation_leaves_the_first_one_cached() {
    let source = lend(6);
    let scheduler = start(Box::new(cpu(&source, PLENTY)), ScheduleOptions::default());
    let beginning = tokens(1, 10);
    let conversation = |seed| Ask::new([beginning.clone(), tokens(seed, 30)].concat(), 4);
    let (first, second) = (conversation(2), conversation(3));
    assert_eq!(owned(&scheduler, 1, &first).1, 0);
    let shared = owned(&scheduler, 1, &second).1;
    assert!(shared >= beginning.len(), "{shared}");
    for ask in [&first, &second, &first] {
        let (generated, cached) = owned(&scheduler, 1, ask);
        assert_eq!(generated, ask.answer(&source));
        assert_eq!(cached, ask.prompt.len() - 1);
    }
}

#[test]
fn what_is_kept_gives_way_to_requests() {
    let source = lend(7);
    // Room for about two sequences of the whole context.
    let context = source.architecture.context_length;
    let room = 2 * noema_numerics::KvCache::bytes(&source.architecture, context);
    let scheduler = start(
        Box::new(cpu(&source, room)),
        ScheduleOptions {
            prefix: 0,
            ..ScheduleOptions::default()
        },
    );
    let long = |seed| Ask::new(tokens(seed, context as usize - 8), 8);
    for owner in 0..5 {
        let ask = long(owner);
        assert_eq!(owned(&scheduler, owner, &ask).0, ask.answer(&source));
    }
    let ask = long(9);
    assert_eq!(answer(&scheduler, &ask), Ok(ask.answer(&source)));
}
