use crate::{mock::*, Call, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{
    prove_hidden, ClaimFault, ClaimOutcome, ClaimStage, Decision, SeatState, Verification,
};
use noema_protocol::{hashing, ClaimId};
use noema_sessions::merkle_proof;
use pallet_duties::AsDuty;

fn path(leaf: u32) -> Vec<sp_core::H256> {
    merkle_proof(&session_leaves(), leaf).expect("the claim has this leaf")
}

fn post_call(id: ClaimId, leaf: u32) -> Call<Test> {
    let (prompt, answer) = tokens(leaf);
    Call::post_leaf {
        claim: id,
        leaf,
        receipt: Box::new(session_receipt(leaf)),
        path: path(leaf),
        prompt,
        answer,
    }
}

fn demand_call(id: ClaimId, leaf: u32) -> Call<Test> {
    Call::demand_leaf { claim: id, leaf }
}

fn reveal_session(id: ClaimId, validator: AccountId, leaf: u32) -> sp_runtime::DispatchResult {
    let call = Call::reveal_session_check {
        claim: id,
        leaf,
        receipt: Box::new(session_receipt(leaf)),
        path: path(leaf),
        proof: proof(id, validator, leaf),
        salt: salt(validator),
    };
    dispatch(call, key(validator))
}

/// A claim of a session whose drawn validators may commit.
fn drawn() -> (ClaimId, Vec<(AccountId, u32)>) {
    let id = make(session_terms()).expect("the claim can be made");
    until_committing(id);
    let seats = seats(id);
    (id, seats)
}

#[test]
fn a_claim_of_a_session_is_checked_leaf_by_leaf_and_paid() {
    test(|| {
        let (id, drawn) = drawn();
        assert_eq!(drawn.len(), 6, "two validators for each of three leaves");
        for (validator, leaf) in &drawn {
            commit(id, *validator, *leaf);
        }
        until_revealing(id);
        for (validator, leaf) in &drawn {
            assert_ok!(reveal_session(id, *validator, *leaf));
        }
        let outcome = ClaimOutcome::Final(Verification::Confirmed);
        assert_eq!(until_ended(id), outcome);
        assert_eq!(payable(WORKER), 27_000);
        let paid: u128 = (VALIDATOR..VALIDATOR + VALIDATORS).map(payable).sum();
        assert_eq!(paid, 6 * 90);
    });
}

#[test]
fn silence_at_one_of_three_leaves_costs_the_claimant_the_price_of_that_leaf() {
    test(|| {
        let (id, first) = drawn();
        let silent = first[0].1;
        for _ in 0..200 {
            let claim = claim(id);
            let open = claim.seats.iter().filter(|seat| seat.leaf != silent);
            for seat in open {
                match (claim.stage, seat.state) {
                    (ClaimStage::Committing { .. }, SeatState::Seated) => {
                        commit(id, seat.validator, seat.leaf);
                    }
                    (ClaimStage::Revealing { .. }, SeatState::Committed(_)) => {
                        assert_ok!(reveal_session(id, seat.validator, seat.leaf));
                    }
                    _ => {}
                }
            }
            blocks(1);
        }
        assert_eq!(claim(id).outcome(), Some(ClaimOutcome::Unconfirmed));
        // Two leaves for 10,000 each, of which a tenth burns, and four checks.
        assert_eq!(payable(WORKER), 18_000);
        assert_eq!(total(PAYER), FUNDS - 20_000 - 4 * 100);
        assert_eq!(bond(WORKER), BOND);
    });
}

#[test]
fn a_demanded_leaf_is_posted_and_its_check_is_not_paid() {
    test(|| {
        let (id, drawn) = drawn();
        let (validator, leaf) = drawn[0];
        assert_ok!(dispatch(demand_call(id, leaf), key(validator)));
        let due = Claims::demands_due(key(WORKER));
        assert_eq!((due.len(), due[0].leaf), (1, leaf));
        let duty = post_call(id, leaf).as_duty(&key(WORKER), 1);
        let duty = duty.expect("it is a duty").expect("the duty is open");
        assert_eq!(duty.until, due[0].until);
        assert_ok!(dispatch(post_call(id, leaf), key(WORKER)));
        System::assert_last_event(Event::LeafPosted { claim: id, leaf }.into());
        assert_eq!(Claims::demands_due(WORKER), []);
        for (validator, leaf) in &drawn {
            commit(id, *validator, *leaf);
        }
        until_revealing(id);
        for (validator, leaf) in &drawn {
            assert_ok!(reveal_session(id, *validator, *leaf));
        }
        until_ended(id);
        let paid = drawn.iter().filter(|seat| **seat != (validator, leaf));
        let paid: Vec<_> = paid.map(|(validator, _)| *validator).collect();
        assert_eq!(paid.len(), 5);
        for validator in VALIDATOR..VALIDATOR + VALIDATORS {
            let checks = paid.iter().filter(|other| **other == validator).count();
            assert_eq!(payable(validator), checks as u128 * 90);
        }
        // It was the only one that could not read the leaf: 21 tokens are posted at its cost.
        assert_eq!(bond(validator), BOND - 21);
        assert_eq!(bond(WORKER), BOND);
    });
}

#[test]
fn a_leaf_that_the_claimant_serves_to_none_is_posted_at_no_cost_of_its_validators() {
    test(|| {
        let (id, drawn) = drawn();
        let leaf = drawn[0].1;
        let both: Vec<AccountId> = drawn
            .iter()
            .filter(|(_, seat)| *seat == leaf)
            .map(|(validator, _)| *validator)
            .collect();
        for validator in &both {
            assert_ok!(dispatch(demand_call(id, leaf), key(*validator)));
        }
        assert_ok!(dispatch(post_call(id, leaf), key(WORKER)));
        for (validator, leaf) in &drawn {
            commit(id, *validator, *leaf);
        }
        until_revealing(id);
        for (validator, leaf) in &drawn {
            assert_ok!(reveal_session(id, *validator, *leaf));
        }
        until_ended(id);
        assert_eq!(both.len(), 2);
        for validator in both {
            assert_eq!(bond(validator), BOND);
        }
    });
}

#[test]
fn a_withheld_leaf_costs_the_stake() {
    test(|| {
        let before = total(PAYER);
        let (id, drawn) = drawn();
        let (validator, leaf) = drawn[0];
        assert_ok!(dispatch(demand_call(id, leaf), key(validator)));
        let outcome = ClaimOutcome::Fallen(ClaimFault::Withheld(leaf));
        assert_eq!(until_ended(id), outcome);
        assert_eq!(bond(WORKER), BOND - 20_000);
        assert_eq!(total(PAYER), before);
        assert_noop!(
            dispatch(post_call(id, leaf), key(WORKER)),
            Error::<Test>::Ended
        );
    });
}

#[test]
fn only_a_validator_that_was_drawn_demands_and_only_once() {
    test(|| {
        let (id, drawn) = drawn();
        let (validator, leaf) = drawn[0];
        let call = demand_call(id, leaf);
        assert_noop!(
            dispatch(call.clone(), STRANGER),
            Error::<Test>::NotAnOperator
        );
        assert_noop!(dispatch(call.clone(), key(WORKER)), Error::<Test>::NotDrawn);
        let duty = call.as_duty(&key(validator), 1);
        assert!(matches!(duty, Some(Ok(_))));
        assert_ok!(dispatch(call.clone(), key(validator)));
        let again = call.as_duty(&key(validator), 1);
        assert_eq!(again, Some(Err(Error::<Test>::AlreadyDemanded.into())));
        assert_noop!(
            dispatch(call, key(validator)),
            Error::<Test>::AlreadyDemanded
        );
        let public = make(terms()).expect("the claim can be made");
        until_committing(public);
        let (validator, leaf) = seats(public)[0];
        assert_noop!(
            dispatch(demand_call(public, leaf), key(validator)),
            Error::<Test>::LeafIsPublic
        );
    });
}

#[test]
fn only_the_claimant_posts_and_only_the_tokens_of_the_receipt() {
    test(|| {
        let (id, drawn) = drawn();
        let (validator, leaf) = drawn[0];
        assert_noop!(
            dispatch(post_call(id, leaf), key(WORKER)),
            Error::<Test>::NotDemanded
        );
        assert_ok!(dispatch(demand_call(id, leaf), key(validator)));
        assert_noop!(
            dispatch(post_call(id, leaf), key(validator)),
            Error::<Test>::NotClaimant
        );
        let other = (leaf + 1) % 3;
        let mut call = post_call(id, other);
        if let Call::post_leaf { leaf: posted, .. } = &mut call {
            *posted = leaf;
        }
        assert_noop!(
            dispatch(call, key(WORKER)),
            Error::<Test>::ReceiptNotInClaim
        );
        let mut call = post_call(id, leaf);
        if let Call::post_leaf { answer, .. } = &mut call {
            answer.push(1);
        }
        assert_noop!(
            dispatch(call, key(WORKER)),
            Error::<Test>::TokensNotInReceipt
        );
        assert_ok!(dispatch(post_call(id, leaf), key(WORKER)));
        assert_noop!(
            dispatch(post_call(id, leaf), key(WORKER)),
            Error::<Test>::NotDemanded
        );
    });
}

#[test]
fn a_leaf_beyond_the_terms_of_its_claim_cannot_be_posted() {
    let beyond = [
        noema_claims::ClaimTerms {
            leaf_tokens: 20,
            ..session_terms()
        },
        noema_claims::ClaimTerms {
            checkpoint: noema_protocol::CheckpointId::default(),
            ..session_terms()
        },
    ];
    for terms in beyond {
        test(|| {
            let id = make(terms.clone()).expect("the claim can be made");
            assert_ok!(Claims::challenge(RuntimeOrigin::signed(STRANGER), id, 1));
            assert_noop!(
                dispatch(post_call(id, 1), key(WORKER)),
                Error::<Test>::ReceiptNotInTerms
            );
            let outcome = ClaimOutcome::Fallen(ClaimFault::Withheld(1));
            assert_eq!(until_ended(id), outcome);
        });
    }
}

#[test]
fn the_referee_gets_a_dispute_when_its_leaf_is_posted() {
    test(|| {
        let id = make(session_terms()).expect("the claim can be made");
        assert_ok!(Claims::challenge(RuntimeOrigin::signed(STRANGER), id, 2));
        assert_eq!(told(|told| told.opened.len()), 0);
        assert_ok!(dispatch(post_call(id, 2), key(WORKER)));
        assert_eq!(told(|told| told.opened.clone()), [(id, 2)]);
        // Another challenge joins the dispute.
        assert_ok!(Claims::challenge(RuntimeOrigin::signed(OTHER), id, 2));
        assert_eq!(told(|told| told.opened.len()), 1);
        let stage = claim(id).stage;
        assert_eq!(stage, ClaimStage::Undrawn);
        use noema_interfaces::Disputes;
        Claims::conclude(id, 2, Decision::False, &[]);
        let outcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(2));
        assert_eq!(claim(id).outcome(), Some(outcome));
    });
}

#[test]
fn a_leaf_that_is_withheld_from_a_dispute_pays_its_challenger() {
    test(|| {
        let before = total(STRANGER);
        let id = make(session_terms()).expect("the claim can be made");
        assert_ok!(Claims::challenge(RuntimeOrigin::signed(STRANGER), id, 1));
        let outcome = ClaimOutcome::Fallen(ClaimFault::Withheld(1));
        assert_eq!(until_ended(id), outcome);
        assert_eq!(total(STRANGER), before + 4_000, "at most the cap");
        assert_eq!(told(|told| told.opened.len()), 0);
    });
}

#[test]
fn roots_and_proofs_are_those_of_both_crates() {
    for count in 1..=21u32 {
        let leaves: Vec<_> = (0..count)
            .map(|leaf| hashing::blake2_256(&leaf.to_le_bytes()))
            .collect();
        let mut tree = noema_sessions::ReceiptTree::default();
        leaves.iter().for_each(|leaf| assert!(tree.push(leaf)));
        let root = noema_claims::merkle_root(&leaves);
        assert_eq!(tree.root(), root);
        for index in 0..count {
            let proof = prove_hidden(&leaves, index).expect("there is this leaf");
            let siblings = merkle_proof(&leaves, index);
            assert_eq!(siblings, Some(proof.siblings.clone()));
            for place in 0..count + 1 {
                let here =
                    noema_claims::verify_leaf(root, count, place, proof.hidden, &proof.siblings);
                let there =
                    noema_sessions::verify_leaf(root, count, place, &proof.hidden, &proof.siblings);
                assert_eq!(here, there);
            }
        }
    }
}
