use crate::{
    mock::*, Agenda, Config, Disputes, FirstNew, FirstOfMany, HoldReason, NextClaim, Pallet, Turns,
    UndrawnSpan, WeightInfo,
};
use frame_support::{assert_ok, traits::Hooks, weights::WeightMeter};
use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage, Permill, DRAW_SPREAD};
use noema_protocol::ClaimId;

/// Hundreds of claims made in one block end, even if a block takes few turns.
#[test]
fn turns_that_a_block_has_no_time_for_are_taken_later() {
    test(|| {
        // Room for a few turns, and for draws for claims of one leaf, in a block.
        PollBudget::set(Pallet::<Test>::heaviest_step().saturating_mul(2));
        let ids: Vec<ClaimId> = (0..100)
            .map(|_| {
                let mut terms = terms();
                terms.rules.min_check_rate = Permill::from_parts(1);
                (terms.payment, terms.check_fee, terms.stake) = (0, 0, 900);
                make(terms).expect("the claim can be made")
            })
            .collect();
        blocks(150);
        for id in ids {
            let ended = told(|told| told.ended.iter().any(|(_, claim, _)| *claim == id));
            assert!(ended, "{id}");
        }
        blocks(100);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        let (start, end) = UndrawnSpan::<Test>::get();
        assert_eq!(start, end);
        assert_eq!(FirstNew::<Test>::get(), NextClaim::<Test>::get());
    });
}

/// A claim of many leaves waits for the second step of its draw, and claims of one leaf do not wait for it.
#[test]
fn claims_of_many_leaves_are_drawn_in_two_steps_and_in_order() {
    test(|| {
        let many: Vec<ClaimId> = (0..3)
            .map(|_| make(session_terms()).expect("the claim can be made"))
            .collect();
        let one = make(terms()).expect("the claim can be made");
        let (mut drawn, mut after) = (Vec::new(), None);
        for block in 1..=2 + 2 + DRAW_SPREAD + 2 {
            blocks(1);
            for id in many.iter().chain([&one]) {
                if !claim(*id).drawn.is_empty() && !drawn.contains(id) {
                    drawn.push(*id);
                    if *id == one {
                        after = Some(block);
                    }
                }
            }
        }
        assert_eq!(
            after,
            Some(3),
            "from the first two values that are young enough"
        );
        drawn.retain(|id| *id != one);
        assert_eq!(drawn, many, "in the order of their numbers");
        for id in many {
            assert_eq!(claim(id).drawn.len(), 3);
            assert_eq!(until_ended(id), ClaimOutcome::Unconfirmed, "all are silent");
        }
        assert_eq!(FirstOfMany::<Test>::get(), NextClaim::<Test>::get());
    });
}

#[test]
fn the_last_commitment_leaves_the_turn_of_the_claim() {
    let turn = |id: ClaimId| {
        let kept = crate::Claims::<Test>::get(id).expect("the claim is kept");
        kept.turn.expect("the claim has a turn")
    };
    let committed = |late: bool| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let entered = turn(id);
        if late {
            blocks(entered - 1 - System::block_number());
        }
        for (validator, leaf) in seats(id) {
            commit(id, validator, leaf);
        }
        assert_eq!(turn(id), entered);
        let ClaimStage::Revealing { until } = claim(id).stage else {
            panic!("all have committed");
        };
        (id, entered, until)
    };
    test(|| {
        let (id, entered, until) = committed(false);
        assert!(until + 1 < entered);
        blocks(entered - 1 - System::block_number());
        assert!(matches!(claim(id).stage, ClaimStage::Revealing { .. }));
        blocks(1);
        assert_eq!(claim(id).stage, ClaimStage::Undrawn, "both were silent");
    });
    test(|| {
        let (id, entered, until) = committed(true);
        blocks(1);
        assert_eq!(System::block_number(), entered);
        assert_eq!(turn(id), until + 1, "the turn was early");
        blocks(until - System::block_number());
        for (validator, leaf) in seats(id) {
            reveal(id, validator, leaf);
        }
        assert!(matches!(claim(id).stage, ClaimStage::Challengeable { .. }));
    });
}

/// Where validators need most of their window, most claims have an early turn.
#[test]
fn a_turn_that_is_early_is_not_charged_as_silence() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let ClaimStage::Committing { until } = claim(id).stage else {
            panic!("validators commit");
        };
        blocks(until - System::block_number());
        for (validator, leaf) in seats(id) {
            commit(id, validator, leaf);
        }
        let now = until + 1;
        System::set_block_number(now);
        assert_eq!(Turns::<Test>::take_due(now, 1), [id]);
        let weight = Pallet::<Test>::take_turn(id, now, 0);
        assert!(matches!(claim(id).stage, ClaimStage::Revealing { .. }));
        let of_silence = <Test as Config>::WeightInfo::advance(2);
        assert!(weight.all_lt(of_silence), "{weight:?} of {of_silence:?}");
    });
}

/// A claim of many leaves can fall while many others are in dispute. Their bonds return with its end, and the turn is
/// charged for each; what the referee has of them is its own matter.
#[test]
fn a_fall_returns_the_bonds_of_all_disputes_and_is_charged_for_them() {
    test(|| {
        let id = make(session_terms()).expect("the claim can be made");
        for leaf in 0..3 {
            let origin = RuntimeOrigin::signed(STRANGER);
            assert_ok!(Claims::challenge(origin, id, leaf));
        }
        assert_ok!(Claims::challenge(RuntimeOrigin::signed(OTHER), id, 1));
        let bonds = [STRANGER, OTHER].map(|who| held(who, HoldReason::Challenge));
        assert_eq!(bonds, [60_000, 20_000]);
        let kept = crate::Claims::<Test>::get(id).expect("the claim is kept");
        let turn = kept.turn.expect("the leaves are demanded");
        blocks(turn - 1 - System::block_number());
        System::set_block_number(turn);
        assert_eq!(Turns::<Test>::take_due(turn, 1), [id]);
        let weight = Pallet::<Test>::take_turn(id, turn, 0);
        let outcome = ClaimOutcome::Fallen(ClaimFault::Withheld(0));
        assert_eq!(claim(id).outcome(), Some(outcome));
        type Weights = <Test as Config>::WeightInfo;
        let expected = Weights::settle(0)
            .saturating_add(Weights::close_disputes(3))
            .saturating_add(Weights::charge_demands(3));
        assert_eq!(weight, expected);
        assert_eq!(Disputes::<Test>::iter().count(), 0);
        let bonds = [STRANGER, OTHER].map(|who| held(who, HoldReason::Challenge));
        assert_eq!(bonds, [0, 0]);
        assert_eq!(
            total(STRANGER),
            FUNDS + 4_000,
            "for the leaf that is withheld"
        );
        assert_eq!(total(OTHER), FUNDS);
    });
}

#[test]
fn a_full_block_takes_no_turn_and_loses_none() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        for _ in 0..20 {
            let now = System::block_number() + 1;
            System::set_block_number(now);
            let mut meter = WeightMeter::with_limit(Default::default());
            Claims::on_poll(now, &mut meter);
            assert_eq!(meter.consumed(), Default::default());
        }
        assert_eq!(claim(id).stage, ClaimStage::Undrawn);
        check_honestly(id);
        until_ended(id);
    });
}

#[test]
fn constants_that_cannot_work_are_refused() {
    new_test_ext().execute_with(|| {
        Claims::integrity_test();
        PollBudget::set(Default::default());
        let result = std::panic::catch_unwind(Claims::integrity_test);
        assert!(result.is_err());
    });
}

/// The slowest validator of a check has the leaf to execute and its backlog of disputes.
#[test]
fn a_check_has_the_time_for_what_its_validators_have_to_execute_for_juries() {
    test(|| {
        let terms = terms();
        let (windows, tokens) = (terms.rules.windows, terms.leaf_tokens);
        let first = make(terms.clone()).expect("the claim can be made");
        until_committing(first);
        let now = System::block_number();
        let until = |id| match claim(id).stage {
            ClaimStage::Committing { until } => until,
            stage => panic!("{stage:?}"),
        };
        assert_eq!(until(first), now + windows.commit_window(tokens));
        check_honestly(first);

        // Every validator is a juror, and so is each drawn one.
        let owed = 1_000;
        told(|told| {
            let validators = (0..VALIDATORS).map(|index| VALIDATOR + index);
            told.backlogs = validators.map(|validator| (validator, owed)).collect();
        });
        let second = make(terms).expect("the claim can be made");
        until_committing(second);
        let now = System::block_number();
        let window = windows.commit_window(owed + tokens);
        assert_eq!(until(second), now + window);
        assert!(window > windows.commit_window(tokens));
    });
}
