use crate::{mock::*, Error, Event, OpenClaim, OpenClaims};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{Availability, ClaimFault, ClaimOutcome, Decision, Verification};
use noema_interfaces::{Burden, Claims as _, Disputes, Operators as _};
use noema_protocol::{ClaimId, Job, RequestId, Role, SessionId};
use noema_sessions::{Stage, Voucher};
use pallet_duties::AsDuty;
use sp_core::H256;
use sp_runtime::testing::TestSignature;

#[test]
fn the_answers_of_a_session_are_the_leaves_of_one_claim() {
    test(|| {
        let id = open();
        let mut sides = Sides::of(id);
        for tokens in [50, 40, 30, 20] {
            sides.answer(tokens);
        }
        let voucher = sides.worker.close_bundle().expect("there are answers");
        assert_ok!(claim(&voucher));
        // 140 tokens of answers, and four prompts.
        let payment = 140 * 10 + 4 * 40;
        let claim_id = ClaimId(0);
        let made = Claims::claim(claim_id).expect("the claim is made");
        let terms = made.terms;
        assert_eq!((terms.claimant, terms.payer), (WORKER, PAYER));
        assert_eq!((terms.leaves, terms.root), (4, voucher.root));
        assert_eq!(terms.availability, Availability::FromClaimant);
        // A fifth of the mean price of 390, for each leaf.
        assert_eq!((terms.payment, terms.check_fee), (payment, 4 * 78));
        assert_eq!(terms.leaf_tokens, u64::from(LEAF_TOKENS));
        // Four times the dearest answer.
        let stake = 4 * price(50);
        let job = Job::Session(id, 0);
        assert_eq!((terms.exposure, terms.stake), (stake, stake));
        assert_eq!(Operators::locked(&WORKER, job), Some(stake));
        System::assert_last_event(
            Event::Claimed {
                session: id,
                number: 0,
                claim: claim_id,
                first: 0,
                leaves: 4,
                payment,
                check_fee: 312,
                stake,
            }
            .into(),
        );
        let open = OpenClaim {
            claim: claim_id,
            first: 0,
            leaves: 4,
        };
        assert_eq!(OpenClaims::<Test>::get(id, 0), Some(open));
        let outcome = until_ended(claim_id, &sides.receipts);
        assert_eq!(outcome, ClaimOutcome::Final(Verification::Confirmed));
        assert_eq!(payable(WORKER), payment - payment / 10);
        assert_eq!(OpenClaims::<Test>::get(id, 0), None);
        assert_eq!(Operators::locked(&WORKER, job), None);
        // Two leaves were drawn, each for two validators that get half of 78 each.
        let validators: u128 = (VALIDATOR..VALIDATOR + VALIDATORS).map(payable).sum();
        assert_eq!(validators, 4 * (39 - 3));
        assert_eq!(total(PAYER), FUNDS - 50 - payment - 4 * 39);
        assert_eq!(held(PAYER), HELD - payment - 312);
    });
}

#[test]
fn the_next_claim_continues_where_the_last_ended() {
    test(|| {
        let id = open();
        let mut sides = Sides::of(id);
        sides.answer(50);
        let first = sides.worker.close_bundle().expect("there is an answer");
        assert_ok!(claim(&first));
        sides.worker.set_claimed(1);
        sides.answer(50);
        let second = sides.answer(50);
        assert_eq!((second.first, second.count), (1, 3));
        assert_noop!(claim(&first), Error::<Test>::VoucherNotNext);
        assert_ok!(claim(&second));
        assert_noop!(claim(&second), Error::<Test>::VoucherNotNext);
        assert_eq!(session(id).account.amount, 3 * price(50));
        let open: Vec<_> = OpenClaims::<Test>::iter_prefix(id).collect();
        assert_eq!(open.len(), 2);
        let third = Voucher { first: 3, ..second };
        assert_noop!(claim(&third), Error::<Test>::NothingToClaim);
    });
}

/// A payer sends requests to its worker before it closes the session: each unit of their price locks twenty of the
/// worker's bond.
#[test]
fn what_draws_lock_does_not_keep_a_worker_from_its_last_claim() {
    for reserve in [0, 10_000] {
        test(|| {
            let origin = RuntimeOrigin::signed(WORKER);
            assert_ok!(Operators::set_reserve(origin, reserve));
            // Two terms of five blocks.
            blocks(10);
            let id = open();
            let voucher = Sides::of(id).answer(50);
            let worker = Operators::candidate_for(Role::Worker, &CHECKPOINT, &WORKER);
            let worker = worker.expect("it can be drawn");
            let request = |n| Job::Request(RequestId(n));
            for n in 0..10 {
                let _ = Operators::lock_drawn(&worker, request(n), 10_000, Burden::None);
            }
            let locked = (0..10).filter(|n| Operators::locked(&WORKER, request(*n)).is_some());
            assert_eq!(locked.count() as u128 * 10_000, BOND - reserve);
            assert_ok!(close(id, PAYER));
            if reserve == 0 {
                assert_noop!(claim(&voucher), Error::<Test>::BondExhausted);
            } else {
                assert_ok!(claim(&voucher));
            }
            (0..10).for_each(|n| Operators::release(&WORKER, request(n)));
        });
    }
}

#[test]
fn only_the_worker_claims_and_only_what_the_voucher_key_signed() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        let call = || claim_call(&voucher);
        assert_noop!(dispatch(call(), STRANGER), Error::<Test>::NotAnOperator);
        assert_noop!(
            dispatch(call(), key(OTHER_WORKER)),
            Error::<Test>::NotWorker
        );
        let signed = |who, voucher: &Voucher| crate::Call::<Test>::claim {
            voucher: Box::new(*voucher),
            signature: TestSignature(who, voucher.payload().as_bytes().to_vec()),
        };
        assert_noop!(
            dispatch(signed(PAYER, &voucher), key(WORKER)),
            Error::<Test>::BadSignature
        );
        let more = Voucher {
            amount: voucher.amount + 1,
            ..voucher
        };
        let forged = crate::Call::<Test>::claim {
            voucher: Box::new(more),
            signature: sign(&voucher),
        };
        assert_noop!(dispatch(forged, key(WORKER)), Error::<Test>::BadSignature);
        assert_ok!(dispatch(call(), key(WORKER)));
    });
}

#[test]
fn vouchers_of_other_terms_are_refused() {
    test(|| {
        let id = open();
        let right = Sides::of(id).answer(50);
        let other_terms = |change: fn(&mut Voucher)| {
            let mut voucher = right;
            change(&mut voucher);
            assert_noop!(claim(&voucher), Error::<Test>::VoucherOfOtherTerms);
        };
        other_terms(|voucher| voucher.genesis = H256::repeat_byte(1));
        other_terms(|voucher| voucher.terms = H256::repeat_byte(1));
        let mut voucher = right;
        voucher.session = SessionId(9);
        assert_noop!(claim(&voucher), Error::<Test>::SessionUnknown);
        // A relay replays the voucher of another session of the same two sides.
        let second = open();
        voucher.session = second;
        assert_noop!(claim(&voucher), Error::<Test>::VoucherOfOtherTerms);
        let unseeded = open_with(Some(WORKER), HELD).expect("the session can be opened");
        voucher.session = unseeded;
        assert_noop!(claim(&voucher), Error::<Test>::NotSeeded);
    });
}

#[test]
fn of_two_vouchers_for_the_same_answers_one_is_paid() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        let dearer = Voucher {
            amount: voucher.amount + 100,
            ..voucher
        };
        assert_ok!(claim(&voucher));
        assert_noop!(claim(&dearer), Error::<Test>::VoucherNotNext);
    });
}

#[test]
fn a_claim_takes_no_more_than_the_hold() {
    test(|| {
        let id = open();
        let right = Sides::of(id).answer(50);
        let most = Voucher {
            amount: HELD,
            ..right
        };
        assert_noop!(claim(&most), Error::<Test>::HoldTooLow);
        let most = Voucher {
            amount: u128::MAX,
            ..right
        };
        assert_noop!(claim(&most), Error::<Test>::Overflow);
        let small = Voucher {
            amount: 499,
            ..right
        };
        assert_noop!(claim(&small), Error::<Test>::ClaimTooSmall);
        // Five sixths are the price, and one the check fee.
        let most = Voucher {
            amount: HELD / 6 * 5,
            ..right
        };
        assert_ok!(claim(&most));
        assert_eq!(session(id).account.left(), 0);
    });
}

#[test]
fn a_claim_waits_for_free_bond() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        let other = Job::Session(SessionId(99), 0);
        assert_ok!(Operators::lock(&WORKER, other, BOND - 999));
        assert_noop!(claim(&voucher), Error::<Test>::BondExhausted);
        Operators::release(&WORKER, other);
        assert_ok!(claim(&voucher));
    });
}

#[test]
fn a_claim_is_a_duty_of_its_worker_while_it_would_succeed() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        let call = claim_call(&voucher);
        let duty = call.as_duty(&key(WORKER), 1);
        let duty = duty.expect("it is a duty").expect("the duty is open");
        assert_eq!(stage(id), Stage::Open { until: duty.until });
        let other = call.as_duty(&key(OTHER_WORKER), 1);
        assert_eq!(other, Some(Err(Error::<Test>::NotWorker.into())));
        assert_eq!(session(id).account.claims, 0, "nothing was claimed");
        assert_ok!(dispatch(call.clone(), key(WORKER)));
        let again = call.as_duty(&key(WORKER), 1);
        assert_eq!(again, Some(Err(Error::<Test>::VoucherNotNext.into())));
    });
}

#[test]
fn a_false_leaf_costs_the_stake_and_closes_the_session() {
    test(|| {
        let id = open();
        let mut sides = Sides::of(id);
        sides.answer(50);
        let voucher = sides.answer(50);
        assert_ok!(claim(&voucher));
        let claim_id = ClaimId(0);
        // The payer itself challenges an answer; the worker posts it, and it is false.
        assert_ok!(Claims::challenge(RuntimeOrigin::signed(PAYER), claim_id, 1));
        let receipt = sides.receipts[1];
        let leaves: Vec<H256> = sides.receipts.iter().map(|other| other.hash()).collect();
        assert_ok!(Claims::post_leaf(
            RuntimeOrigin::signed(key(WORKER)),
            claim_id,
            1,
            Box::new(receipt),
            noema_sessions::merkle_proof(&leaves, 1).expect("the claim has this leaf"),
            (0..10).collect(),
            (0..50).map(|token| 1 + token).collect(),
        ));
        Claims::conclude(claim_id, 1, Decision::False, &[]);
        let outcome = Claims::claim(claim_id)
            .expect("the claim is kept")
            .outcome();
        let fault = ClaimFault::FalseLeaf(1);
        assert_eq!(outcome, Some(ClaimOutcome::Fallen(fault)));
        let stake = 2 * price(50);
        assert_eq!(bond(WORKER), BOND - stake);
        assert_eq!(payable(WORKER), 0);
        // Everything returns, and half of the stake is the payer's.
        assert_eq!(total(PAYER), FUNDS - 50 + stake / 2);
        assert!(matches!(stage(id), Stage::Closing { .. }));
        blocks(2 + 5 + 1);
        assert_eq!(held(PAYER), 0);
    });
}

#[test]
fn a_withheld_leaf_costs_the_stake() {
    test(|| {
        let id = open();
        let voucher = Sides::of(id).answer(50);
        assert_ok!(claim(&voucher));
        assert_ok!(Claims::challenge(
            RuntimeOrigin::signed(PAYER),
            ClaimId(0),
            0
        ));
        blocks(6);
        let outcome = Claims::claim(ClaimId(0)).expect("it is kept").outcome();
        let fault = ClaimFault::Withheld(0);
        assert_eq!(outcome, Some(ClaimOutcome::Fallen(fault)));
        assert_eq!(bond(WORKER), BOND - 1_000);
        assert_eq!(total(PAYER), FUNDS - 50 + 500);
    });
}

#[test]
fn a_hundred_thousand_answers_are_one_claim_as_small_as_any() {
    use codec::Encode;
    use frame_support::dispatch::GetDispatchInfo;
    test(|| {
        let id = open();
        let few = Sides::of(id).answer(50);
        let many = Voucher {
            count: 100_000,
            amount: 50_000,
            dearest: 1,
            ..few
        };
        assert_eq!(
            claim_call(&few).encoded_size(),
            claim_call(&many).encoded_size()
        );
        assert!(claim_call(&many).encoded_size() < 1_024);
        let weight = claim_call(&many).get_dispatch_info().call_weight;
        assert!(weight.ref_time() <= 1_000_000_000, "{weight:?}");
        assert_ok!(claim(&many));
        let made = Claims::claim(ClaimId(0)).expect("the claim is made");
        assert_eq!(made.terms.leaves, 100_000);
        // The minimum for eight leaves: the mean price is below one unit.
        assert_eq!(made.terms.check_fee, 8 * 60);
    });
}
