//! The end of a request with its claim, and the removal of its storage.

use crate::{mock::*, *};
use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage, Settlement, Verification};
use noema_interfaces::OnClaimEnded;
use noema_protocol::{ClaimId, Job, RequestId, RoundId};

fn answered() -> (RequestId, ClaimId, AccountId) {
    let (id, worker) = ask_and_assign();
    (id, answer(id), worker)
}

fn world() -> TestExt {
    TestExt::new()
        .endow(ASKER)
        .endow(20)
        .endow(21)
        .workers([10])
}

#[test]
fn a_claim_that_is_final_pays_worker_and_validators() {
    world().execute_with(|| {
        let (id, claim, worker) = answered();
        end_claim_with(claim, TRUE, &[20, 21]);
        // A tenth of each payment burns: 5 of 56, and 2 of 22 twice.
        let expected = Payments {
            worker: 51,
            validators: 40,
            burned: 9,
            refunded: LIMIT - ANSWER_PRICE - CHECK_FEE,
        };
        assert_eq!(request(id).payments, expected);
        assert_eq!(expected.total(), LIMIT);
        assert_eq!(
            phase(id),
            RequestPhase::Settled {
                claim,
                verification: Verification::Confirmed
            }
        );
        let payment = |to| Payment { to, amount: 20 };
        System::assert_last_event(
            Event::Settled {
                request: id,
                requester: ASKER,
                worker,
                verification: Verification::Confirmed,
                worker_paid: 51,
                validators_paid: vec![payment(20), payment(21)],
                burned: 9,
                refunded: LIMIT - ANSWER_PRICE - CHECK_FEE,
            }
            .into(),
        );
        assert_eq!(free(ASKER), FUNDS - STORAGE - ANSWER_PRICE - CHECK_FEE);
        assert_eq!(locks(worker), []);
    });
}

#[test]
fn without_a_check_its_fee_goes_back() {
    world().execute_with(|| {
        let (id, claim, _) = answered();
        let verification = Verification::NotDrawn;
        end_claim(claim, ClaimOutcome::Final(verification));
        assert_eq!(
            phase(id),
            RequestPhase::Settled {
                claim,
                verification
            }
        );
        assert_eq!(request(id).payments.refunded, LIMIT - ANSWER_PRICE);
        assert_eq!(free(ASKER), FUNDS - STORAGE - ANSWER_PRICE);
    });
}

#[test]
fn a_claim_that_falls_gives_everything_back() {
    world().execute_with(|| {
        let (id, claim, worker) = answered();
        end_claim(claim, FALSE);
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(request(id).payments.refunded, LIMIT);
        assert_eq!(free(ASKER), FUNDS - STORAGE);
        assert_eq!(bond(worker), BOND - STAKE);
        System::assert_last_event(
            Event::Refunded {
                request: id,
                requester: ASKER,
                amount: LIMIT,
                reason: RefundReason::FalseAnswer,
            }
            .into(),
        );
    });
}

#[test]
fn a_claim_that_no_validator_confirmed_gives_everything_back_and_costs_the_worker_nothing() {
    world().execute_with(|| {
        let (id, claim, worker) = answered();
        end_claim(claim, ClaimOutcome::Unconfirmed);
        assert_eq!(refunded_for(id), Some(RefundReason::Unconfirmed));
        let expected = Payments {
            refunded: LIMIT,
            ..Payments::default()
        };
        assert_eq!(request(id).payments, expected);
        assert_eq!((on_hold(ASKER), free(ASKER)), (0, FUNDS - STORAGE));
        assert_eq!((bond(worker), locks(worker)), (BOND, vec![]));
        assert!(!is_absent(worker));
        System::assert_last_event(
            Event::Refunded {
                request: id,
                requester: ASKER,
                amount: LIMIT,
                reason: RefundReason::Unconfirmed,
            }
            .into(),
        );
        // The receipt stays as long as the record.
        assert!(request(id).receipt(id).is_some());
        advance(20);
        assert!(!Requests::<Test>::contains_key(id));
    });
}

#[test]
fn a_claim_whose_dispute_is_not_decided_is_a_false_answer() {
    world().execute_with(|| {
        let (id, claim, worker) = answered();
        end_claim(claim, ClaimOutcome::Fallen(ClaimFault::Undecided(0)));
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(request(id).payments.refunded, LIMIT);
        assert_eq!(bond(worker), BOND - STAKE);
    });
}

#[test]
fn prompt_and_answer_go_first_and_the_record_later() {
    world().execute_with(|| {
        let (id, claim, _) = answered();
        advance(30);
        assert!(
            Prompts::<Test>::contains_key(id),
            "the prompt stays while the claim is open"
        );
        end_claim(claim, TRUE);
        advance(9);
        assert!(Prompts::<Test>::contains_key(id) && Answers::<Test>::contains_key(id));
        let state = Inference::request_state(id).expect("the record stays");
        assert_eq!(state.claim_stage, Some(ClaimStage::Ended(TRUE)));
        next_block();
        assert!(!Prompts::<Test>::contains_key(id) && !Answers::<Test>::contains_key(id));
        let state = Inference::request_state(id).expect("the record stays");
        assert_eq!(
            (state.prompt.len(), state.tokens.len(), state.text.len()),
            (0, 0, 0)
        );
        assert!(state.receipt.is_some(), "the receipt stays");
        assert_eq!((state.claim, state.claim_stage), (Some(claim), None));
        advance(9);
        assert!(Requests::<Test>::contains_key(id));
        next_block();
        assert!(!Requests::<Test>::contains_key(id));
        System::assert_last_event(Event::Pruned { request: id }.into());
    });
}

#[test]
fn what_is_refunded_is_pruned_too() {
    world().execute_with(|| {
        let id = ask(ASKER);
        frame_support::assert_ok!(cancel(ASKER, id));
        advance(20);
        assert!(!Requests::<Test>::contains_key(id) && !Prompts::<Test>::contains_key(id));
    });
}

#[test]
fn a_record_that_is_kept_no_longer_than_the_bodies_goes_with_them() {
    world()
        .rules(|rules| rules.retention = rules.body_retention)
        .execute_with(|| {
            let id = ask(ASKER);
            frame_support::assert_ok!(cancel(ASKER, id));
            advance(10);
            assert!(!Requests::<Test>::contains_key(id));
        });
}

#[test]
fn requests_are_pruned_in_order_and_wait_for_open_ones() {
    world().execute_with(|| {
        let (open, claim, _) = answered();
        let later: Vec<_> = (0..2).map(|_| ask(ASKER)).collect();
        for id in &later {
            frame_support::assert_ok!(cancel(ASKER, *id));
        }
        let has_prompt = |id: &RequestId| Prompts::<Test>::contains_key(id);
        let has_record = |id: &RequestId| Requests::<Test>::contains_key(id);
        let state = || {
            let state = PruningState::<Test>::get();
            (state.bodies, state.records, state.late)
        };
        let asked_at = Requests::<Test>::get(open).unwrap().requested_at;
        advance(asked_at + 10 - System::block_number());
        end_claim(claim, TRUE);
        advance(9);
        assert!(has_prompt(&open) && later.iter().all(has_prompt));
        next_block();
        assert!(!has_prompt(&open) && !later.iter().any(has_prompt));
        assert!(later.iter().all(has_record));
        assert_eq!(state(), (RequestId(3), open, 0));
        advance(10);
        assert!(!has_record(&open) && !later.iter().any(has_record));
        assert_eq!(state(), (RequestId(3), RequestId(3), 0));
    });
}

#[test]
fn a_request_that_stays_open_keeps_no_later_one() {
    world().execute_with(|| {
        let late: Vec<_> = (0..3).map(|_| answered()).collect();
        let later: Vec<_> = (0..2).map(|_| ask(ASKER)).collect();
        for id in &later {
            frame_support::assert_ok!(cancel(ASKER, *id));
        }
        let has_prompt = |id: &RequestId| Prompts::<Test>::contains_key(id);
        let has_record = |id: &RequestId| Requests::<Test>::contains_key(id);
        let bodies_and_records = |ids: &[RequestId]| {
            let prompts = ids.iter().filter(|id| has_prompt(id)).count();
            (prompts, ids.iter().filter(|id| has_record(id)).count())
        };
        let open: Vec<_> = late.iter().map(|(id, ..)| *id).collect();
        advance(15);
        assert_eq!(bodies_and_records(&later), (0, 2));
        assert_eq!(PruningState::<Test>::get().late, 3);
        advance(10);
        assert_eq!(bodies_and_records(&later), (0, 0));
        assert_eq!(bodies_and_records(&open), (3, 3));
        assert_eq!(Inference::do_audit(), Ok(()));

        // Each is pruned as long after its end as the others are.
        for (_, claim, _) in &late[1..] {
            end_claim(*claim, TRUE);
        }
        advance(9);
        assert_eq!(bodies_and_records(&open), (3, 3));
        next_block();
        assert_eq!(bodies_and_records(&open), (1, 3));
        advance(10);
        assert_eq!(bodies_and_records(&open), (1, 1));
        assert_eq!(Inference::do_audit(), Ok(()));
        end_claim(late[0].1, TRUE);
        advance(20);
        assert_eq!(bodies_and_records(&open), (0, 0));
        assert_eq!(LateRequests::<Test>::iter().count(), 0);
        assert_eq!(PruningState::<Test>::get().late, 0);
    });
}

#[test]
fn more_late_requests_than_a_block_visits_are_pruned_later() {
    world().execute_with(|| {
        let late: Vec<_> = (0..40).map(|_| answered()).collect();
        advance(40);
        assert_eq!(PruningState::<Test>::get().late, 40);
        for (_, claim, _) in &late {
            end_claim(*claim, TRUE);
        }
        // Each is visited in every third block.
        advance(12);
        assert_eq!(Prompts::<Test>::iter().count(), 0);
        assert_eq!(Requests::<Test>::iter().count(), 40);
        advance(10);
        assert_eq!(Requests::<Test>::iter().count(), 0);
        assert_eq!(PruningState::<Test>::get().late, 0);
    });
}

#[test]
fn claims_of_other_jobs_are_no_business_of_requests() {
    world().execute_with(|| {
        let (id, claim, _) = answered();
        let settlement = Settlement {
            claimant: Default::default(),
            validators: Vec::new(),
            payer: 0,
            slash: None,
            false_confirmations: Vec::new(),
        };
        let job = Job::Round(RoundId(id.0));
        Inference::ended(job, claim, TRUE, &settlement);
        assert_eq!(phase(id), RequestPhase::Claimed { claim });
    });
}
