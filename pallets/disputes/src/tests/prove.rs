use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use noema_claims::{ClaimFault, ClaimOutcome};
use noema_disputes::{EvidenceError, Fault, GameEnd, GameError, LineEnd};
use sp_core::H256;

const FALSE: ClaimOutcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));

#[test]
fn a_challenger_goes_down_to_the_wrong_step_and_proves_it() {
    test(|| {
        let claim = opened(&wrong());
        descend(CHALLENGER, claim, &wrong(), 20);
        assert_eq!(game(claim).shown, 3);
        assert_eq!(prove(CHALLENGER, claim, &wrong(), 20), Ok(Pays::No));
        assert_eq!(outcome(claim), Some(FALSE));
        assert!(!has_game(claim));
        assert!(!has_line(claim, CHALLENGER));
        let end = GameEnd::Fallen(Fault::WrongStep(20));
        let told = Event::Concluded {
            claim,
            leaf: 0,
            end,
            by: Some(CHALLENGER),
        };
        assert!(events().contains(&told));
    });
}

#[test]
fn every_forged_step_is_found_at_once_where_its_leaves_are_known() {
    for step in 0..STEPS {
        test(|| {
            let trace = Trace::forged(SEED, STEPS, &[(step, 1)]);
            let claim = opened(&trace);
            assert_eq!(prove(CHALLENGER, claim, &trace, step), Ok(Pays::No));
            assert_eq!(outcome(claim), Some(FALSE));
        });
    }
}

#[test]
fn no_step_of_a_right_trace_proves_anything() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        for step in 0..STEPS {
            assert_noop!(
                prove(OUTSIDER, claim, &trace, step),
                Error::<Test>::StepIsRight
            );
        }
    });
}

#[test]
fn any_account_proves_without_a_line_at_the_cost_of_a_fee() {
    test(|| {
        let claim = challenged(&wrong());
        assert_noop!(prove(OUTSIDER, claim, &wrong(), 20), Error::<Test>::NotOpen);
        assert_ok!(open(claim, &wrong()));
        assert_noop!(
            prove(OUTSIDER, claim, &wrong(), 19),
            Error::<Test>::StepIsRight
        );
        let before = (total(OUTSIDER), total(CHALLENGER));
        assert_eq!(prove(OUTSIDER, claim, &wrong(), 20), Ok(Pays::No));
        // The challengers of the leaf are paid. The proof may be a copy of theirs.
        assert_eq!(total(OUTSIDER), before.0);
        assert!(total(CHALLENGER) > before.1);
        // Its own line ends in its turn.
        assert!(has_line(claim, CHALLENGER));
        blocks(40);
        assert!(!has_line(claim, CHALLENGER));
    });
}

#[test]
fn a_proof_that_shows_nothing_costs_its_line() {
    type Change = fn(&mut noema_disputes::StepProof<SumInputs>);
    let evidence = GameError::Evidence;
    let cases: [(Change, GameError); 6] = [
        (|_| {}, GameError::StepIsRight),
        (|proof| proof.node = H256::zero(), GameError::NotInTrace),
        (|proof| proof.step = STEPS, GameError::NotInTrace),
        (|proof| proof.siblings.truncate(1), GameError::NotInTrace),
        (
            |proof| proof.evidence.truncate(1),
            evidence(EvidenceError::Malformed),
        ),
        (
            |proof| proof.evidence[0].0 = 7,
            evidence(EvidenceError::NotInTrace),
        ),
    ];
    for (change, error) in cases {
        test(|| {
            let trace = right();
            let claim = opened(&trace);
            let mut proof = trace.proof(33);
            change(&mut proof);
            let call = || prove_call(claim, &trace, proof.clone());
            // An account without a line is refused.
            assert_noop!(dispatch(call(), OUTSIDER), Error::<Test>::from(error));
            let done = dispatch(call(), CHALLENGER).expect("it is a move");
            assert_eq!(done.pays_fee, Pays::Yes);
            assert!(!has_line(claim, CHALLENGER));
            let told = Event::LineEnded {
                claim,
                leaf: 0,
                challenger: CHALLENGER,
                end: LineEnd::WrongProof(error),
            };
            assert_eq!(events().pop(), Some(told));
            go_to(game(claim).joins_until + 1);
            assert!(!has_game(claim), "no line is left");
            assert_eq!(outcome(claim), None);
        });
    }
}

#[test]
fn a_proof_is_about_the_statement_of_its_claim() {
    test(|| {
        let claim = opened(&right());
        assert_noop!(
            prove(OUTSIDER, claim, &wrong(), 20),
            Error::<Test>::OtherStatement
        );
        // Of another claim, with the same seed.
        let other = Trace::right(SEED, STEPS - 1);
        assert_noop!(
            prove(OUTSIDER, claim, &other, 20),
            Error::<Test>::OtherStatement
        );
        let elsewhere = opened(&wrong());
        assert_ok!(prove(OUTSIDER, elsewhere, &wrong(), 20));
        assert_noop!(
            prove(OUTSIDER, elsewhere, &wrong(), 20),
            Error::<Test>::NotDisputed
        );
        assert_eq!(outcome(claim), None);
    });
}

#[test]
fn a_proof_that_is_too_long_is_not_executed() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let mut proof = trace.proof(33);
        proof.evidence = vec![(0, vec![H256::zero(); 3_000])];
        let call = || prove_call(claim, &trace, proof.clone());
        assert_noop!(dispatch(call(), CHALLENGER), Error::<Test>::EvidenceTooLong);
        assert!(has_line(claim, CHALLENGER));
    });
}

#[test]
fn the_trace_of_one_step_needs_no_round() {
    test(|| {
        let trace = Trace::forged(SEED, 1, &[(0, 8)]);
        let claim = opened(&trace);
        assert_ok!(prove(CHALLENGER, claim, &trace, 0));
        assert_eq!(outcome(claim), Some(FALSE));
    });
}
