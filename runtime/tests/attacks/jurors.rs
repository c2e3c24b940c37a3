//! Disputes over answers that cost nothing: whether an honest verdict is worth its work, and what a dispute with
//! oneself yields.

use crate::world::*;
use noema_protocol::{ModelLimits, Prices, Role};
use noema_runtime::{
    constants::{MICROUNIT, MILLIUNIT, UNIT},
    parameters::{claim_rules, LIVE_FRESHNESS, REQUEST_RULES},
    Balance,
};

const VALIDATORS: u32 = 12;
/// The seats of the first jury.
const JURORS: Balance = 9;
/// The seats of both juries.
const FULL_JURIES: Balance = 36;
/// For 199 tokens: 100 of the prompt, 35 of the frame, 64 of the answer.
const FREE_STAKE: Balance = 199 * MILLIUNIT;
/// For the same.
const FEE: Balance = 199 * 10 * MICROUNIT;
/// The most that two validators get for a check of the answer: for 100 bytes and 64 tokens.
const CHECKS: Balance = 164 * 10 * MICROUNIT;

fn validators() -> impl Iterator<Item = u32> {
    VALIDATOR..VALIDATOR + VALIDATORS
}

/// Runs the dispute over a free answer that an account without a seat challenges, up to its end. Returns the
/// gains of worker, challenger and validators.
fn dispute(is_true: bool) -> [f64; 3] {
    let mut gains = [0.0; 3];
    chain(7, || {
        register(WORKER, Role::Worker, BOND, Prices::default());
        for number in validators() {
            register(number, Role::Validator, BOND, Prices::default());
        }
        notice();
        let mut play = Play::new([WORKER].into_iter().chain(validators()));
        let id = ask(ASKER);
        block();
        let before = [wealth([WORKER]), wealth([STRANGER]), wealth(validators())];
        let claim = play.submit(WORKER, id, is_true);
        challenge(STRANGER, claim);
        play.until_over();
        gains = [
            gained([WORKER], before[0]),
            gained([STRANGER], before[1]),
            gained(validators(), before[2]),
        ];
    });
    gains
}

#[test]
fn jurors_of_a_free_answer_that_is_false_are_paid_by_the_worker() {
    let [worker, challenger, validators] = dispute(false);
    println!(
        "a free answer that is false: worker {worker:+.5}, challenger {challenger:+.5}, validators \
         {validators:+.5} NOEMA"
    );
    assert!((worker + noema(FREE_STAKE)).abs() < 1e-6);
    // Where validators were drawn for the leaf as well, they get the challengers' part.
    let paid = noema(JURORS * FEE + FREE_STAKE / 2);
    assert!((challenger + validators - paid).abs() < 1e-6);
    assert!(validators > noema(JURORS * FEE) - 1e-6);
}

#[test]
fn jurors_of_a_free_answer_that_is_true_are_paid_by_the_challenger() {
    let [worker, challenger, validators] = dispute(true);
    println!(
        "a free answer that is true: worker {worker:+.5}, challenger {challenger:+.5}, validators \
         {validators:+.5} NOEMA"
    );
    assert!((challenger + noema(UNIT)).abs() < 1e-6);
    assert!((worker - noema(FEE)).abs() < 1e-6);
    let checks = validators - noema(JURORS * FEE);
    assert!((-1e-6..noema(CHECKS)).contains(&checks), "{checks}");
}

/// Worker, challenger and all validators are one party: no party is left that could pay it.
#[test]
fn a_dispute_with_oneself_yields_nothing() {
    for is_true in [false, true] {
        let gains = dispute(is_true);
        let all: f64 = gains.iter().sum();
        println!("a dispute with oneself over a free answer: {all:+.5} NOEMA");
        // Of the challenger's bond of 1 the claimant and nine jurors get ten fees. Of the stake, the
        // challenger gets half and nine jurors their fees.
        let burned = if is_true {
            UNIT - (JURORS + 1) * FEE
        } else {
            FREE_STAKE / 2 - JURORS * FEE
        };
        assert!(all < -noema(burned) + noema(CHECKS));
    }
}

/// At the rules of a live chain, for every length, tokenizer and template: what the worker of a free answer
/// stakes pays the jurors of both juries, and each of sixteen challengers more than its work.
#[test]
fn the_stake_of_a_free_answer_pays_all_jurors_and_challengers() {
    let rules = claim_rules(0, LIVE_FRESHNESS);
    for (tokens_per_byte, template_tokens) in [(1, 0), (1, 35), (1, 1_000), (3, 70)] {
        let limits = ModelLimits {
            context_length: u32::MAX,
            vocabulary: 49_152,
            tokens_per_byte,
            template_tokens,
        };
        for bytes in [1, 16, 65, 99, 100, 101, 138, 1_000, 2_012, 8_192] {
            for tokens in [1, 16, 64, 500, 1_024] {
                let terms = REQUEST_RULES
                    .terms(&limits, &Prices::default(), bytes, tokens)
                    .expect("the amounts are small");
                let leaf = limits.prompt_tokens(bytes) + u64::from(tokens);
                assert!(
                    terms.stake >= rules.stake_for_jurors(leaf),
                    "{limits:?} {bytes} {tokens}"
                );
                let share = rules.challenger_share.mul_floor(terms.stake);
                let challenger = share.min(rules.challenger_cap) / 16;
                assert!(
                    challenger > rules.least_juror_fee(leaf),
                    "{limits:?} {bytes} {tokens}"
                );
            }
        }
    }
    // The lock of a drawn validator pays the claimant and the first jury for 10,000 tokens.
    assert!((JURORS + 1) * rules.least_juror_fee(10_000) <= rules.validator_stake);
    // That of its seat pays both juries, whatever the length.
    for tokens in [1, 2_702, 2_703, 32_768] {
        let fees = (FULL_JURIES + 1) * rules.least_juror_fee(tokens);
        assert!(fees <= rules.seat_stake(tokens));
    }
}
