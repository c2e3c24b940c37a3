//! The speed-up of shared passes: tokens of several answers a second, and positions of several checks, on a
//! seeded model with the shape of SmolLM2-135M: `cargo bench --profile dev -p noema-executor --bench batch`.

use noema_executor::{Cancel, CpuExecutor, CpuOptions, ScheduleError, ScheduleOptions, Scheduler};
use noema_numerics::{testing::TestModel, Architecture, Generated, GenerationParameters, Sampling};
use std::{ops::ControlFlow, sync::Arc, thread, time::Instant};

const SHAPE: Architecture = TestModel::SMOLLM2_135M;

/// Tokens of a prompt and of an answer.
const TOKENS: u32 = 64;

fn prompt(index: u32) -> Vec<u32> {
    (0..TOKENS)
        .map(|i| (i * 7_919 + index * 104_729) % SHAPE.vocabulary)
        .collect()
}

fn request(temperature_milli: u16) -> GenerationParameters<'static> {
    GenerationParameters {
        sampling: Sampling {
            temperature_milli,
            top_k: 0,
            top_p_milli: 950,
        },
        seed: [1; 32],
        max_tokens: TOKENS,
        stop_tokens: &[],
    }
}

/// The seconds that `work` takes for `count` requests at once, and the result of each.
fn at_once<T: Send>(count: u32, work: impl Fn(u32) -> T + Sync) -> (f64, Vec<T>) {
    let begun = Instant::now();
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|index| {
                let work = &work;
                scope.spawn(move || work(index))
            })
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.map(|result| result.expect("no panic")).collect()
    });
    (begun.elapsed().as_secs_f64(), results)
}

fn main() {
    // `cargo test` also runs this target, but without this argument.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let source = Arc::new(TestModel::seeded(SHAPE, 1));
    let executor = CpuExecutor::new(source, CpuOptions::default()).expect("the executor starts");
    let options = ScheduleOptions::default();
    let scheduler =
        Scheduler::start(Box::new(executor), None, None, options).expect("the scheduler starts");
    let answer = |index, temperature| -> Result<Generated, ScheduleError> {
        scheduler.answer(
            &prompt(index),
            &request(temperature),
            &Cancel::default(),
            &mut |_| ControlFlow::Continue(()),
        )
    };
    answer(0, 0).expect("answers");
    for temperature in [0, 800] {
        let mut alone = 0.0;
        for count in [1, 2, 4, 8, 16] {
            let (seconds, answers) = at_once(count, |index| answer(index, temperature));
            let tokens: usize = answers
                .iter()
                .map(|answer| answer.as_ref().map_or(0, |answer| answer.tokens.len()))
                .sum();
            let speed = tokens as f64 / seconds;
            if count == 1 {
                alone = speed;
            }
            println!(
                "temperature {temperature}: {count:>2} answers to {TOKENS} tokens each  {speed:>7.1} tokens/s  ({:.2} x one)",
                speed / alone
            );
            if count == 8 {
                let tokens: Vec<_> = answers.into_iter().flatten().collect();
                let check = |index: u32| {
                    let answer = &tokens[index as usize].tokens;
                    let request = request(temperature);
                    scheduler
                        .check(&prompt(index), answer, &request, &Cancel::default())
                        .expect("checks")
                };
                for count in [1, 8] {
                    let (seconds, _) = at_once(count, check);
                    let positions = f64::from(count * (2 * TOKENS - 1));
                    println!(
                        "temperature {temperature}: {count:>2} checks of them            {:>7.1} positions/s",
                        positions / seconds
                    );
                }
            }
        }
    }
}
