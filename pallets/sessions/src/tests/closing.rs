use crate::{mock::*, Agenda, Error, Event, Sessions as Kept, Turn, WeightInfo};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use noema_interfaces::Claims as _;
use noema_protocol::{ClaimId, SessionId};
use noema_sessions::{Ended, Stage};
use pallet_duties::AsDuty;

#[test]
fn closing_gives_the_worker_a_window_and_returns_the_rest() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(5);
        let now = System::block_number();
        assert_ok!(close(id, PAYER));
        let until = now + 2 + 5;
        assert_eq!(stage(id), Stage::Closing { until });
        System::assert_last_event(Event::ClosingBegan { session: id, until }.into());
        assert_noop!(close(id, PAYER), Error::<Test>::Closing);
        blocks(7);
        // The last block of the window; a small claim is accepted now.
        assert_ok!(claim(&voucher));
        blocks(1);
        let rest = HELD - price(5) - 60;
        let closed = Event::Closed {
            session: id,
            why: Ended::Closed,
            released: rest,
        };
        System::assert_has_event(closed.into());
        assert_eq!(held(PAYER), price(5) + 60);
        assert_noop!(claim(&voucher), Error::<Test>::Ended);
        assert_noop!(close(id, PAYER), Error::<Test>::Ended);
    });
}

#[test]
fn a_worker_without_a_voucher_gets_nothing_and_the_payer_everything() {
    test(|| {
        let id = open();
        assert_ok!(close(id, PAYER));
        blocks(8);
        assert_eq!(stage(id), Stage::Ended(Ended::Closed));
        assert_eq!((held(PAYER), total(PAYER)), (0, FUNDS - 50));
    });
}

#[test]
fn a_session_is_cancelled_before_its_seed() {
    test(|| {
        let id = open_with(Some(WORKER), HELD).expect("the session can be opened");
        assert_noop!(close(id, key(WORKER)), Error::<Test>::NotSeeded);
        assert_ok!(close(id, PAYER));
        assert_eq!(stage(id), Stage::Ended(Ended::Cancelled));
        assert_eq!(held(PAYER), 0);
        blocks(2);
        assert_eq!(session(id).seed, None);
        blocks(20);
        assert_eq!(Kept::<Test>::get(id), None);
    });
}

#[test]
fn a_worker_closes_and_waives_the_rest_of_its_window() {
    test(|| {
        let id = open();
        let call = crate::Call::<Test>::close_session { session: id };
        assert_noop!(close(id, STRANGER), Error::<Test>::NotParty);
        assert_noop!(close(id, key(OTHER_WORKER)), Error::<Test>::NotParty);
        assert!(matches!(call.as_duty(&key(WORKER), 1), Some(Ok(_))));
        let other = call.as_duty(&key(OTHER_WORKER), 1);
        assert_eq!(other, Some(Err(Error::<Test>::NotWorker.into())));
        let payer = call.as_duty(&PAYER, 1);
        assert_eq!(payer, Some(Err(Error::<Test>::NotAnOperator.into())));
        assert_ok!(close(id, key(WORKER)));
        assert!(matches!(stage(id), Stage::Closing { .. }));
        assert_noop!(end(id, PAYER), Error::<Test>::NotWorker);
        assert_noop!(end(id, key(OTHER_WORKER)), Error::<Test>::NotWorker);
        assert_ok!(end(id, WORKER));
        assert_eq!(stage(id), Stage::Ended(Ended::Closed));
        assert_eq!(held(PAYER), 0);
        assert_noop!(close(id, key(WORKER)), Error::<Test>::Ended);
        assert_noop!(end(id, key(WORKER)), Error::<Test>::Ended);
        assert!(matches!(call.as_duty(&key(WORKER), 1), Some(Err(_))));
        assert_noop!(close(SessionId(9), PAYER), Error::<Test>::SessionUnknown);
    });
}

#[test]
fn a_close_that_is_repeated_or_comes_second_ends_no_window() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        let close_call = crate::Call::<Test>::close_session { session: id };
        let ending = |claimed| crate::Call::<Test>::end_session {
            session: id,
            claimed,
        };
        assert_noop!(dispatch(ending(0), key(WORKER)), Error::<Test>::NotClosing);
        assert_ok!(close(id, PAYER));
        // The worker closed in the same block, and the payer repeats the duty that it saw in the pool.
        assert_noop!(close(id, key(WORKER)), Error::<Test>::Closing);
        let repeated = close_call.as_duty(&key(WORKER), 1);
        assert_eq!(repeated, Some(Err(Error::<Test>::Closing.into())));
        // What the worker signed for the state after its claim is refused before it.
        let early = ending(1).as_duty(&key(WORKER), 1);
        assert_eq!(early, Some(Err(Error::<Test>::OtherCount.into())));
        assert_ok!(claim(&voucher));
        let stranger = ending(1).as_duty(&STRANGER, 1);
        assert_eq!(stranger, Some(Err(Error::<Test>::NotAnOperator.into())));
        assert!(matches!(ending(1).as_duty(&key(WORKER), 1), Some(Ok(_))));
        assert_ok!(dispatch(ending(1), key(WORKER)));
        assert_eq!(held(PAYER), price(50) + price(50) / 5);
    });
}

#[test]
fn a_session_closes_at_the_end_of_its_lifetime() {
    test(|| {
        let id = open();
        let Stage::Open { until } = stage(id) else {
            panic!("the session is open");
        };
        blocks(until - System::block_number());
        assert!(matches!(stage(id), Stage::Open { .. }));
        blocks(1);
        let until = until + 1 + 2 + 5;
        assert_eq!(stage(id), Stage::Closing { until });
        blocks(8);
        assert_eq!(stage(id), Stage::Ended(Ended::Closed));
        assert_eq!(held(PAYER), 0);
    });
}

#[test]
fn the_record_is_kept_until_its_claims_have_ended() {
    test(|| {
        let mut slow = claim_rules();
        slow.windows.challenge = 60;
        TestClaimRules::set(slow);
        let id = open();
        let mut sides = Sides::of(id);
        let voucher = sides.answer(50);
        assert_ok!(claim(&voucher));
        assert_ok!(close(id, key(WORKER)));
        assert_ok!(end(id, key(WORKER)));
        for _ in 0..40 {
            check(ClaimId(0), &sides.receipts);
            blocks(1);
        }
        assert_eq!(session(id).account.open_claims, 1);
        assert_eq!(
            Claims::claim(ClaimId(0)).map(|claim| claim.outcome()),
            Some(None)
        );
        for _ in 0..40 {
            check(ClaimId(0), &sides.receipts);
            blocks(1);
            if session(id).account.open_claims == 0 {
                break;
            }
        }
        assert_eq!(session(id).account.open_claims, 0);
        blocks(21);
        assert_eq!(Kept::<Test>::get(id), None);
        assert_eq!(held(PAYER), 0);
        assert_eq!(payable(WORKER), price(50) - price(50) / 10);
    });
}

/// A number of claims that a block with a small budget does not remove.
const MANY: usize = 12;

/// Opens a session that outlives [`MANY`] claims.
fn open_long() -> SessionId {
    let mut long = rules();
    long.lifetime = 1_000;
    TestRules::set(long);
    open()
}

/// Claims [`MANY`] answers, each by itself, and waits until all of these claims have ended.
fn claim_many(id: SessionId) {
    let mut sides = Sides::of(id);
    for _ in 0..MANY {
        sides.answer(50);
        let voucher = sides.worker.close_bundle().expect("there is an answer");
        assert_ok!(claim(&voucher));
        sides.worker.set_claimed(voucher.count);
    }
    while session(id).account.open_claims > 0 {
        blocks(1);
    }
}

#[test]
fn the_record_of_a_claim_is_kept_for_the_retention() {
    test(|| {
        let id = open();
        let mut sides = Sides::of(id);
        assert_ok!(claim(&sides.answer(50)));
        until_ended(ClaimId(0), &sides.receipts);
        let end = System::block_number();
        let removal = Turn::Claim(ClaimId(0));
        assert!(Agenda::<Test>::contains_key(end + 20, removal));
        blocks(19);
        assert!(Claims::claim(ClaimId(0)).is_some());
        blocks(1);
        assert!(Claims::claim(ClaimId(0)).is_none());
        assert!(matches!(stage(id), Stage::Open { .. }));
    });
}

#[test]
fn a_session_with_many_claims_leaves_no_record_behind() {
    test(|| {
        let id = open_long();
        claim_many(id);
        assert!(kept_claims() > 0);
        assert_ok!(close(id, PAYER));
        blocks(2 + 5 + 1 + 20);
        assert_eq!(kept_claims(), 0);
        assert_eq!(Kept::<Test>::get(id), None);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        assert_eq!(held(PAYER), 0);
    });
}

#[test]
fn a_block_removes_no_more_claims_than_its_budget_allows() {
    test(|| {
        type Weights = <Test as crate::Config>::WeightInfo;
        let id = open_long();
        // Nothing is removed while the poll has no budget.
        PollBudget::set(Weight::zero());
        claim_many(id);
        blocks(20);
        assert_eq!(kept_claims(), MANY);
        let turn = Weights::turn()
            .max(Weights::prune())
            .max(Weights::prune_claim());
        let budget = Weights::poll_base().saturating_add(turn.saturating_mul(2));
        PollBudget::set(budget);
        let most = budget
            .checked_div_per_component(&Weights::prune_claim())
            .expect("a removal has a weight");
        while kept_claims() > 0 {
            let before = kept_claims();
            blocks(1);
            assert!((before - kept_claims()) as u64 <= most);
        }
    });
}
