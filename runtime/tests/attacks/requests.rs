//! Requests to oneself, and requests that cannot be answered.

use crate::world::*;
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{SamplingParameters, Work};
use noema_runtime::{Inference, Issuance, Runtime, RuntimeOrigin, System};

const VALIDATORS: u32 = 6;
const REQUESTS: u32 = 100;

/// The reward that an account can claim of the subsidy by now, in NOEMA.
fn rewards(number: u32) -> f64 {
    noema(Issuance::pending_reward(who(number)).total)
}

#[test]
fn asking_oneself_burns_more_than_the_subsidy_gives_back() {
    for (whose, validators) in [("others'", 0), ("its own", VALIDATORS)] {
        chain(1, || {
            operators(1, VALIDATORS);
            let colluding = || {
                [ASKER, WORKER]
                    .into_iter()
                    .chain(VALIDATOR..VALIDATOR + validators)
            };
            let numbers = [WORKER]
                .into_iter()
                .chain(VALIDATOR..VALIDATOR + VALIDATORS);
            let mut play = Play::new(numbers);
            let before = wealth(colluding());
            play.requests(ASKER, REQUESTS);
            let cost = -gained(colluding(), before) / f64::from(REQUESTS);
            // After the epochs of that work.
            (0..130).for_each(|_| block());
            let back: f64 = colluding().map(rewards).sum::<f64>() / f64::from(REQUESTS);
            println!(
                "asking oneself with {whose} validators: {cost:.5} NOEMA a request, of which the subsidy gives \
                 back {back:.5}"
            );
            assert!(back < cost, "{back} of {cost}");
            assert!(back > 0.0, "the subsidy reaches: {:?}", Work::ALL);
        });
    }
}

/// Within the bounds of the checkpoint any prompt leaves room for its answer; requests beyond them are
/// refused. The checkpoint has a context of 2,048 tokens, a template of 35, and at most one token a byte.
#[test]
fn what_cannot_be_answered_is_not_accepted() {
    chain(2, || {
        operators(1, 0);
        let try_ask = |bytes: usize, tokens: u16| {
            Inference::request_inference(
                RuntimeOrigin::signed(who(ASKER)),
                CHECKPOINT,
                vec![b'x'; bytes],
                SamplingParameters::greedy(tokens),
                10 * LIMIT,
            )
        };
        let (mut accepted, mut refused) = (0, 0);
        for tokens in [1u16, 2, 64, 500, 1_000, 1_023, 1_024] {
            let room = 2_048 - 35 - usize::from(tokens);
            for bytes in [1, room - 1, room, room + 1, 2_048, 8_192] {
                if bytes <= room {
                    assert_ok!(try_ask(bytes, tokens));
                    accepted += 1;
                } else {
                    assert_noop!(
                        try_ask(bytes, tokens),
                        pallet_inference::Error::<Runtime>::ContextTooShort
                    );
                    refused += 1;
                }
            }
        }
        println!(
            "asking at the bounds: {accepted} accepted, each with room for its answer, {refused} refused"
        );
    });
}

/// The least cost of an accepted request without an answer, and the account that bears it.
#[test]
fn a_request_that_is_taken_back_costs_its_storage() {
    chain(3, || {
        operators(1, 0);
        let before = wealth([ASKER]);
        let id = ask(ASKER);
        assert_ok!(Inference::cancel_request(
            RuntimeOrigin::signed(who(ASKER)),
            id
        ));
        let cost = -gained([ASKER], before);
        println!("asking and taking back: {cost:.5} NOEMA burned, beside the fees");
        assert!(cost > 0.0);
        System::reset_events();
    });
}
