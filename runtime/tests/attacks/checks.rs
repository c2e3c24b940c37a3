//! Attacks by single operators in an answer or a check: copying, committing without revealing, staying
//! silent, going offline, and claiming twice.

use crate::world::*;
use frame_support::{assert_noop, assert_ok};
use noema_claims::{ClaimStage, SeatState};
use noema_protocol::{ClaimId, RequestId};
use noema_runtime::{parameters::REQUEST_RULES, AccountId, Claims, Inference, Runtime};
use pallet_inference::{RefundReason, RequestPhase, Requests};

const VALIDATORS: u32 = 6;

fn numbers() -> impl Iterator<Item = u32> {
    [WORKER].into_iter().chain(validators())
}

fn validators() -> impl Iterator<Item = u32> {
    VALIDATOR..VALIDATOR + VALIDATORS
}

/// The validators that were drawn for a claim.
fn seats(id: ClaimId) -> Vec<AccountId> {
    let claim = Claims::claim_info(id).expect("it is kept").claim;
    claim
        .seats
        .iter()
        .map(|seat| seat.validator.clone())
        .collect()
}

fn number_of(account: &AccountId) -> u32 {
    numbers()
        .find(|number| who(*number) == *account)
        .expect("it is one of them")
}

/// Runs requests until an answer is checked. Returns its claim, whose validators have to commit.
fn checked(play: &mut Play) -> ClaimId {
    for _ in 0..100 {
        let id = ask(ASKER);
        block();
        let claim = play.submit(WORKER, id, true);
        loop {
            block();
            match Claims::claim_info(claim).expect("it is kept").claim.stage {
                ClaimStage::Undrawn => {}
                ClaimStage::Committing { .. } => return claim,
                _ => break,
            }
        }
        play.until_over();
    }
    panic!("none of a hundred answers is checked");
}

#[test]
fn a_reveal_that_is_copied_is_silence() {
    chain(1, || {
        operators(1, VALIDATORS);
        let mut play = Play::new(numbers());
        let claim = checked(&mut play);
        let [first, second] = &seats(claim)[..] else {
            panic!("two are drawn");
        };
        let copier = number_of(second);
        play = play.conduct([copier], Conduct::Silent);
        let before = wealth([copier]);
        play.act();
        let seat = Claims::claim_info(claim).expect("it is kept").claim.seats[0].clone();
        let SeatState::Committed(commitment) = seat.state else {
            panic!("the honest validator has committed");
        };
        assert_ok!(Claims::commit_check(by(copier), claim, 0, commitment));
        block();
        let shown = play.reveal_call(claim, first);
        play.act();
        assert_noop!(
            dispatch(shown, copier),
            pallet_claims::Error::<Runtime>::CommitmentDiffers
        );
        play.until_over();
        let lost = gained([copier], before);
        println!("copying a reveal: {lost:+.3} NOEMA");
        assert_eq!(lost, -noema(SEAT));
    });
}

#[test]
fn not_revealing_and_not_committing_cost_the_same() {
    for (what, conduct) in [
        ("committing without revealing", Conduct::Withholds),
        ("keeping silent", Conduct::Silent),
    ] {
        chain(2, || {
            operators(1, VALIDATORS);
            let mut play = Play::new(numbers());
            let claim = checked(&mut play);
            let idler = number_of(&seats(claim)[0]);
            play = play.conduct([idler], conduct);
            let before = [wealth([idler]), wealth([WORKER])];
            play.act();
            play.until_over();
            let (lost, earned) = (gained([idler], before[0]), gained([WORKER], before[1]));
            println!("{what}: {lost:+.3} NOEMA, and the worker is paid {earned:+.4}");
            assert_eq!(lost, -noema(SEAT));
            assert!(earned > 0.0, "the other validator confirms it");
        });
    }
}

/// Confirming without execution costs the same, once any account shows that the leaf is false.
#[test]
fn confirming_a_false_leaf_costs_as_much_as_silence() {
    let mut confirmed = 0;
    for seed in 0..20 {
        chain(seed, || {
            operators(1, 2 * VALIDATORS);
            let numbers = || {
                [WORKER]
                    .into_iter()
                    .chain(VALIDATOR..VALIDATOR + 2 * VALIDATORS)
            };
            let mut play = Play::new(numbers()).conduct([WORKER], Conduct::Lies);
            let id = ask(ASKER);
            block();
            let claim = play.submit(WORKER, id, false);
            // A watching account challenges it, and honest jurors decide.
            challenge(WATCHER, claim);
            block();
            while seats(claim).is_empty() && !play.is_over() {
                play.act();
                block();
            }
            let drawn = seats(claim);
            let colluders: Vec<_> = numbers()
                .filter(|number| drawn.contains(&who(*number)))
                .collect();
            let before: Vec<_> = colluders.iter().map(|number| wealth([*number])).collect();
            play = play.conduct(colluders.iter().copied(), Conduct::Lies);
            play.act();
            play.until_over();
            for (number, before) in colluders.into_iter().zip(before) {
                let lost = gained([number], before);
                println!("confirming a false leaf: {lost:+.3} NOEMA");
                assert!(lost <= -noema(SEAT));
                confirmed += 1;
            }
        });
    }
    assert!(confirmed > 0, "two answers in nine are checked");
}

#[test]
fn a_worker_that_vanishes_loses_a_part_of_each_stake() {
    chain(4, || {
        operators(2, VALIDATORS);
        let numbers = numbers().chain([WORKER + 1]);
        let mut play = Play::new(numbers).conduct([WORKER], Conduct::Silent);
        let before = [wealth([WORKER]), wealth([ASKER])];
        let ids = play.requests(ASKER, 20);
        let requests = ids.iter().filter_map(Requests::<Runtime>::get);
        let missed: u32 = requests.map(|request| request.attempts).sum();
        let settled = ids.iter().filter(|id| {
            let request = Requests::<Runtime>::get(**id).expect("it is kept");
            matches!(request.phase, RequestPhase::Settled { .. })
        });
        let lost = gained([WORKER], before[0]);
        println!(
            "vanishing with {missed} requests: {lost:+.4} NOEMA; {} of 20 requests are answered by the other",
            settled.count()
        );
        assert!(missed > 0);
        let share = noema(REQUEST_RULES.silence(STAKE));
        assert!(
            (lost + share * f64::from(missed)).abs() < 1e-6,
            "{share} each"
        );
    });
}

#[test]
fn an_answer_is_claimed_once() {
    chain(5, || {
        operators(1, VALIDATORS);
        let mut play = Play::new(numbers());
        let id: RequestId = ask(ASKER);
        block();
        let before = wealth([WORKER]);
        play.submit(WORKER, id, true);
        for is_true in [true, false] {
            assert_noop!(
                submit(WORKER, id, is_true),
                pallet_inference::Error::<Runtime>::AlreadyAnswered
            );
        }
        play.until_over();
        assert_noop!(
            submit(WORKER, id, true),
            pallet_inference::Error::<Runtime>::AlreadyAnswered
        );
        let paid = gained([WORKER], before);
        println!("claiming twice: paid {paid:+.4} NOEMA, as for one answer");
        assert!((paid - 0.9 * noema(ANSWER)).abs() < 1e-9);
    });
}

/// A requester without an answer gets everything back except the price of storage.
#[test]
fn no_answer_costs_the_requester_its_storage_only() {
    chain(6, || {
        operators(1, VALIDATORS);
        let mut play = Play::new(numbers()).conduct([WORKER], Conduct::Silent);
        let before = [wealth([ASKER]), wealth([WORKER])];
        let [id] = play.requests(ASKER, 1)[..] else {
            panic!("one was asked");
        };
        let request = Requests::<Runtime>::get(id).expect("it is kept");
        let reason = RefundReason::NoAnswer;
        assert_eq!(request.phase, RequestPhase::Refunded { reason });
        let (asker, worker) = (gained([ASKER], before[0]), gained([WORKER], before[1]));
        println!("an answer that never comes: requester {asker:+.5}, worker {worker:+.4} NOEMA");
        assert!((asker + noema(request.storage_burned)).abs() < 1e-9);
        assert!(Inference::queue(CHECKPOINT).waiting == 0);
    });
}
