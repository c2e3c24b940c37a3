//! Changing the inputs of a draw once its randomness is known, and choosing the time of a draw.

use crate::world::*;
use frame_support::{assert_ok, storage::with_transaction};
use noema_claims::{ClaimEffect, Validators, ValueHistory};
use noema_protocol::{ClaimId, Prices, RequestId, Role};
use noema_runtime::{AccountId, Balance, Claims, Operators, Runtime, RuntimeOrigin, System};
use pallet_inference::{RequestPhase, Requests};
use sp_core::H256;
use sp_runtime::{DispatchError, TransactionOutcome};

const SEEDS: u64 = 12;
const CHECKS: usize = 6;
const OPERATORS: u32 = 5;

/// An operator's action at a time when it knows the randomness of a draw.
type Change = (&'static str, fn(u32));

/// As validator or worker number `attacker`.
const CHANGES: [Change; 5] = [
    ("topping up a bond fiftyfold", |attacker| {
        let origin = RuntimeOrigin::signed(who(attacker));
        assert_ok!(Operators::bond_extra(origin, 49 * BOND));
    }),
    ("changing a price", |attacker| {
        let origin = RuntimeOrigin::signed(who(attacker));
        let prices = Prices {
            per_prompt_byte: 5 * PRICES.per_prompt_byte,
            ..PRICES
        };
        // Refused for a validator, which has no prices.
        let _ = Operators::set_prices(origin, prices);
    }),
    ("stopping to serve", |attacker| {
        let origin = RuntimeOrigin::signed(who(attacker));
        assert_ok!(Operators::stop_serving(origin, CHECKPOINT));
    }),
    ("leaving", |attacker| {
        assert_ok!(Operators::start_unbonding(RuntimeOrigin::signed(who(
            attacker
        ))));
    }),
    ("joining with fifty times the bond", |attacker| {
        let role = match attacker {
            WORKER => Role::Worker,
            _ => Role::Validator,
        };
        register(attacker + 50, role, 50 * BOND, PRICES);
    }),
];

/// The worker drawn for a request, and its prices, where `change` comes before the draw.
fn drawn_worker(seed: u64, change: impl FnOnce()) -> (AccountId, Prices<Balance>) {
    let mut drawn = None;
    chain(seed, || {
        operators(OPERATORS, 0);
        let id = ask(ASKER);
        change();
        block();
        let assignment = Requests::<Runtime>::get(id).and_then(|request| request.assignment);
        drawn = assignment.map(|assignment| (assignment.worker, assignment.prices));
    });
    drawn.expect("a worker has room")
}

/// The validators drawn to check an answer, none where it is not checked, where `change` comes once both
/// random values of the draw are known.
fn drawn_validators(seed: u64, change: impl FnOnce()) -> Vec<AccountId> {
    let mut drawn = Vec::new();
    chain(seed, || {
        operators(1, OPERATORS);
        let id = ask(ASKER);
        block();
        let claim = submit(WORKER, id, true).expect("it is the worker's");
        let waits = || Claims::claim_info(claim).expect("it is kept").claim.draws == 0;
        for _ in 0..4 {
            block();
            assert!(waits());
        }
        change();
        (0..2).for_each(|_| block());
        let claim = Claims::claim_info(claim).expect("it is kept").claim;
        let seats = claim.seats.iter().map(|seat| seat.validator.clone());
        drawn = seats.collect();
    });
    drawn
}

#[test]
fn what_is_changed_once_the_randomness_is_known_changes_no_draw() {
    let workers: Vec<_> = (0..SEEDS).map(|seed| drawn_worker(seed, || {})).collect();
    // Two answers in nine are checked.
    let checks: Vec<_> = (0..)
        .map(|seed| (seed, drawn_validators(seed, || {})))
        .filter(|(_, drawn)| !drawn.is_empty())
        .take(CHECKS)
        .collect();
    for (what, change) in CHANGES {
        let of_workers = (0..SEEDS)
            .zip(&workers)
            .filter(|(seed, drawn)| drawn_worker(*seed, || change(WORKER)) != **drawn)
            .count();
        let of_checks = checks
            .iter()
            .filter(|(seed, drawn)| drawn_validators(*seed, || change(VALIDATOR)) != *drawn)
            .count();
        println!(
            "{what}: {of_workers} of {SEEDS} draws of workers and {of_checks} of {CHECKS} of validators differ"
        );
        assert_eq!((of_workers, of_checks), (0, 0), "{what}");
    }
}

/// A bond that was increased long before is drawn more often: the draws above do depend on bonds.
#[test]
fn a_bond_that_was_there_in_time_counts() {
    let hits = (0..SEEDS)
        .filter(|seed| {
            let mut is_hit = false;
            chain(*seed, || {
                operators(OPERATORS, 0);
                let origin = RuntimeOrigin::signed(who(WORKER));
                assert_ok!(Operators::bond_extra(origin, 49 * BOND));
                notice();
                let id = ask(ASKER);
                block();
                let request = Requests::<Runtime>::get(id).expect("it was made");
                let worker = request.assignment.map(|assignment| assignment.worker);
                is_hit = worker == Some(who(WORKER));
            });
            is_hit
        })
        .count();
    println!("with 50 of 54 parts of all bonds: {hits} of {SEEDS} draws");
    assert!(hits > 8, "{hits}");
}

const CLAIMS: u32 = 400;
const WORKERS: u32 = 4;

/// Accepts any validator: only the existence of a draw matters.
struct Any;

impl Validators<AccountId> for Any {
    fn draw(&mut self, _: H256, _: u32, _: u32, _: &dyn Fn(&AccountId) -> bool) -> Vec<AccountId> {
        vec![who(VALIDATOR)]
    }

    fn backlog(&self, _: &AccountId) -> u64 {
        0
    }
}

/// Whether a check of the answer would be waived if it were drawn with the values that are known now.
fn is_waived_by_known_values(number: u32, id: RequestId) -> bool {
    with_transaction(|| {
        let claim = submit(number, id, true).expect("it is the worker's");
        let mut claim = Claims::claim_info(claim).expect("it was made").claim;
        claim.unknown_since = 0;
        let beacon = pallet_claims::LatestValues::<Runtime>::get();
        let randomness = claim.draw_randomness(&beacon, &ValueHistory::default());
        let effects = claim.advance(System::block_number(), u32::MAX, randomness, &mut Any);
        let is_waived = effects.contains(&ClaimEffect::Waived);
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(is_waived))
    })
    .expect("nothing else fails")
}

/// The number of checked claims, and of claims that the values known at their making would have checked,
/// where workers wait for a favourable block, or do not.
fn checked(chooses: bool) -> (u32, u32) {
    let (mut checked, mut foreseen) = (0, 0);
    chain(1, || {
        operators(WORKERS, 6);
        let numbers = (WORKER..WORKER + WORKERS).chain(VALIDATOR..VALIDATOR + 6);
        let mut play = Play::new(numbers);
        let mut made: Vec<ClaimId> = Vec::new();
        let mut open: Vec<RequestId> = Vec::new();
        let mut asked = 0;
        while asked < CLAIMS || !open.is_empty() {
            for _ in open.len()..40.min(open.len() + (CLAIMS - asked) as usize) {
                open.push(ask(ASKER));
                asked += 1;
            }
            block();
            open.retain(|id| {
                let request = Requests::<Runtime>::get(*id).expect("it was made");
                let RequestPhase::Answering { deadline } = request.phase else {
                    return true;
                };
                let worker = request.assignment.expect("a worker has it").worker;
                let number = (WORKER..WORKER + WORKERS)
                    .find(|number| who(*number) == worker)
                    .expect("it is one of the workers");
                let is_waived = is_waived_by_known_values(number, *id);
                if chooses && !is_waived && System::block_number() < deadline {
                    return true;
                }
                foreseen += u32::from(!is_waived);
                made.push(play.submit(number, *id, true));
                false
            });
            play.act();
        }
        play.until_over();
        let is_checked = |id: &&ClaimId| {
            let info = Claims::claim_info(**id).expect("it is kept for a day");
            !info.claim.drawn.is_empty()
        };
        checked = made.iter().filter(is_checked).count() as u32;
    });
    (checked, foreseen)
}

#[test]
fn waiting_with_a_claim_for_a_block_that_suits_avoids_no_check() {
    let (at_once, _) = checked(false);
    let (chosen, foreseen) = checked(true);
    println!(
        "of {CLAIMS} claims, {at_once} are checked where they are made at once, {chosen} where their \
         claimant chooses when; the values that it knew would have checked {foreseen}"
    );
    // 22.5 percent, give or take five standard deviations.
    let expected = 90;
    for seen in [at_once, chosen] {
        assert!(seen.abs_diff(expected) < 42, "{seen} of {CLAIMS}");
    }
    assert!(foreseen < 10, "it chose well: {foreseen}");
}
