use crate::{mock::*, AuditFailure, Error};
use frame_support::{assert_noop, assert_ok};
use noema_interfaces::{Claims as _, Operators as _};
use noema_protocol::{ClaimId, Role, SessionId};

/// One hold covers what a session has left and what its claims may cost: each by itself is below it.
#[test]
fn the_audit_adds_what_sessions_and_claims_are_owed() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        assert_ok!(claim(&voucher));
        let left = session(id).account.left();
        assert_eq!(Claims::release(&PAYER, 1), 1);
        let (owed, held) = (HELD, held(PAYER));
        assert_eq!(held, owed - 1);
        assert!(held > left && held > HELD - left);
        assert_eq!(Claims::audit(), Ok(()));
        let payer = PAYER;
        let too_low = AuditFailure::HoldTooLow { payer, owed, held };
        assert_eq!(Sessions::audit(), Err(too_low));
        assert_ok!(Claims::hold(&PAYER, 1));
    });
}

#[test]
fn both_sides_see_their_sessions() {
    test(|| {
        assert_eq!(Sessions::session_info(SessionId(0)), None);
        let first = open();
        let second = open();
        assert_eq!(Sessions::payer_sessions(PAYER), [first, second]);
        assert_eq!(Sessions::payer_sessions(STRANGER), []);
        assert_eq!(Sessions::worker_sessions(WORKER), [first, second]);
        assert_eq!(Sessions::worker_sessions(key(WORKER)), [first, second]);
        assert_eq!(Sessions::worker_sessions(OTHER_WORKER), []);
        let voucher = Sides::of(second).answer(50);
        assert_ok!(claim(&voucher));
        let info = Sessions::session_info(second).expect("it is kept");
        assert_eq!(info.open_claims.len(), 1);
        assert_eq!(info.left, HELD - price(50) - price(50) / 5);
        let terms = Sessions::session_terms(second).expect("it has a seed");
        assert_eq!(info.terms, Some(voucher.terms));
        assert_eq!(terms.hash(voucher.genesis), voucher.terms);
        assert_ok!(close(first, key(WORKER)));
        assert_ok!(end(first, key(WORKER)));
        assert_eq!(Sessions::worker_sessions(WORKER), [second]);
        assert_eq!(Sessions::payer_sessions(PAYER), [first, second]);
        let ended = Sessions::session_info(first).expect("it is kept");
        assert_eq!(ended.left, 0);
    });
}

#[test]
fn the_claims_of_a_session_are_listed_until_their_records_are_removed() {
    test(|| {
        let id = open();
        let other = open();
        let mut sides = Sides::of(id);
        sides.answer(50);
        let voucher = sides.worker.close_bundle().expect("there is an answer");
        assert_ok!(claim(&voucher));
        assert_eq!(Sessions::session_claims(id), [(0, ClaimId(0))]);
        assert_eq!(Sessions::session_claims(other), []);
        until_ended(ClaimId(0), &sides.receipts);
        assert_eq!(Sessions::session_claims(id), [(0, ClaimId(0))]);
        assert_eq!(
            Sessions::session_info(id).map(|info| info.open_claims.len()),
            Some(0)
        );
        blocks(rules().retention + 1);
        assert_eq!(Sessions::session_claims(id), []);
    });
}

#[test]
fn a_quote_names_prices_and_what_the_bond_covers() {
    test(|| {
        let offers = Sessions::quote(CHECKPOINT, LEAF_TOKENS);
        let mut workers: Vec<_> = offers.iter().map(|offer| offer.worker).collect();
        workers.sort_unstable();
        assert_eq!(workers, [WORKER, OTHER_WORKER]);
        for offer in offers {
            assert_eq!(offer.prices.per_prompt_token, 4);
            assert_eq!(offer.most_claimable, BOND);
        }
        assert_eq!(Sessions::rules(), rules());
    });
}

#[test]
fn a_quote_names_no_worker_that_has_stopped_serving_or_leaves() {
    test(|| {
        let offered = || -> Vec<AccountId> {
            let offers = Sessions::quote(CHECKPOINT, LEAF_TOKENS);
            offers.iter().map(|offer| offer.worker).collect()
        };
        assert_ok!(Operators::stop_serving(
            RuntimeOrigin::signed(WORKER),
            CHECKPOINT
        ));
        // It can still be drawn until the term after next.
        let roster = Operators::roster(Role::Worker, &CHECKPOINT);
        assert!(roster.iter().any(|worker| worker.controller == WORKER));
        assert_eq!(offered(), [OTHER_WORKER]);
        assert_noop!(
            open_with(Some(WORKER), HELD),
            Error::<Test>::WorkerUnavailable
        );
        assert_ok!(Operators::start_unbonding(RuntimeOrigin::signed(
            OTHER_WORKER
        )));
        assert_eq!(offered(), [] as [AccountId; 0]);
    });
}
