//! Validators in collusion with a worker, or against one, and a challenger that is always wrong.
//!
//! The jury assumes that colluding validators have less than half of the bonds. The effect of more than a third is
//! printed, and not asserted: its README has the probabilities. The colluding validators state the falsehood in
//! every jury, whatever their seats. Slashed operators resume at once, after a notice of two terms of four blocks.

use crate::world::*;
use noema_protocol::RequestId;
use noema_runtime::Runtime;
use pallet_inference::{RequestPhase, Requests};

const REQUESTS: u32 = 100;
const WORKERS: u32 = 2;
const VALIDATORS: u32 = 12;

fn workers() -> impl Iterator<Item = u32> {
    WORKER..WORKER + WORKERS
}

/// The first `count` validators.
fn validators(count: u32) -> impl Iterator<Item = u32> {
    VALIDATOR..VALIDATOR + count
}

/// The result of a simulation, per request, in NOEMA.
struct Outcome {
    /// The workers' gain.
    workers: f64,
    /// The gain of the validators in collusion with, or against, the workers.
    colluders: f64,
    /// The gain of all other validators and of the appellants.
    others: f64,
    /// The number of settled requests.
    settled: usize,
}

/// Runs requests whose answers are all true or all false, with `colluding` of the twelve validators on the
/// other side, which appeals against right verdicts if `appeals`.
fn play(is_true: bool, colluding: u32, appeals: bool, challenges: bool) -> Outcome {
    let mut outcome = None;
    chain(u64::from(colluding), || {
        operators(WORKERS, VALIDATORS);
        let (worker, colluder) = match is_true {
            true => (Conduct::Honest, Conduct::Denies),
            false => (Conduct::Lies, Conduct::Lies),
        };
        let mut play = Play::new(workers().chain(validators(VALIDATORS)))
            .conduct(workers(), worker)
            .conduct(validators(colluding), colluder);
        play.appellants = [Some(WATCHER), appeals.then_some(STRANGER)];
        play.challenger = challenges.then_some(STRANGER);
        let others = || {
            validators(VALIDATORS)
                .skip(colluding as usize)
                .chain([WATCHER])
        };
        let colluders = || validators(colluding).chain([STRANGER]);
        let before = [wealth(workers()), wealth(colluders()), wealth(others())];
        let ids = play.requests(ASKER, REQUESTS);
        let part = |gained: f64| gained / f64::from(REQUESTS);
        outcome = Some(Outcome {
            workers: part(gained(workers(), before[0])),
            colluders: part(gained(colluders(), before[1])),
            others: part(gained(others(), before[2])),
            settled: settled(&ids),
        });
    });
    outcome.expect("it was played")
}

fn settled(ids: &[RequestId]) -> usize {
    let is_settled = |id: &&RequestId| {
        let request = Requests::<Runtime>::get(**id).expect("it is kept for a week");
        matches!(request.phase, RequestPhase::Settled { .. })
    };
    ids.iter().filter(is_settled).count()
}

#[test]
fn false_answers_lose_where_two_thirds_of_the_validators_are_honest() {
    for colluding in [0, 4, 6, 8] {
        for appeals in [false, true] {
            let Outcome {
                workers,
                colluders,
                others,
                settled,
            } = play(false, colluding, appeals, false);
            let percent = 100 * colluding / VALIDATORS;
            let appealing = if appeals {
                "appealing"
            } else {
                "not appealing"
            };
            println!(
                "false answers, {percent} % of validators colluding, {appealing}: workers {workers:+.4}, \
                 colluders {colluders:+.4}, others {others:+.4} NOEMA an answer, {settled} of {REQUESTS} paid"
            );
            if 3 * colluding <= VALIDATORS {
                assert!(workers + colluders < 0.0, "{percent} %");
            }
        }
    }
}

#[test]
fn denying_true_answers_loses_where_two_thirds_of_the_validators_are_honest() {
    for colluding in [4, 6, 8] {
        for challenges in [false, true] {
            let Outcome {
                workers,
                colluders,
                others,
                settled,
            } = play(true, colluding, true, challenges);
            let percent = 100 * colluding / VALIDATORS;
            let challenged = if challenges {
                "all challenged"
            } else {
                "challenged where drawn"
            };
            println!(
                "true answers, {percent} % of validators denying, {challenged}: workers {workers:+.4}, \
                 deniers {colluders:+.4}, others {others:+.4} NOEMA an answer, {settled} of {REQUESTS} paid"
            );
            if 3 * colluding <= VALIDATORS {
                assert!(colluders < 0.0, "{percent} %");
            }
        }
    }
}

#[test]
fn a_challenger_that_is_wrong_a_hundred_times_pays_for_each() {
    chain(5, || {
        operators(WORKERS, VALIDATORS);
        let mut play = Play::new(workers().chain(validators(VALIDATORS)));
        play.challenger = Some(STRANGER);
        let before = [wealth([STRANGER]), wealth(workers()), wealth([ASKER])];
        let ids = play.requests(ASKER, REQUESTS);
        let [challenger, claimants, asker] = [
            gained([STRANGER], before[0]),
            gained(workers(), before[1]),
            gained([ASKER], before[2]),
        ];
        println!(
            "a hundred wrong challenges: challenger {challenger:+.3}, workers {claimants:+.3}, requester \
             {asker:+.3} NOEMA, {} of {REQUESTS} paid",
            settled(&ids)
        );
        assert_eq!(settled(&ids), ids.len(), "each answer is paid all the same");
        let stakes = noema(STAKE) * f64::from(REQUESTS);
        assert!((challenger + stakes).abs() < 1e-6, "it loses each stake");
        assert!(claimants > 0.9 * noema(ANSWER) * f64::from(REQUESTS) - 1e-6);
    });
}
