use crate::{mock::*, DisputeStage, Error, Event, Instance, JurorState};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::Verdict;

const VALIDATORS: core::ops::Range<u64> = 10..13;

fn story(run: impl FnOnce()) {
    TestExt::new().validators(VALIDATORS).execute_with(run);
}

#[test]
fn a_juror_commits_once_until_the_last_block() {
    story(|| {
        open_and_draw();
        let juror = jurors()[0];
        go_to_deadline();
        assert_ok!(commit(juror, Verdict::True));
        let state = dispute().first.juror(&juror).map(|juror| juror.state);
        let expected = JurorState::Committed(commitment(juror, Verdict::True));
        assert_eq!(state, Some(expected));
        let told = events().pop();
        let event = Event::VerdictCommitted {
            claim: CLAIM,
            leaf: LEAF,
            juror,
        };
        assert_eq!(told, Some(event));
        assert_noop!(
            commit(juror, Verdict::False),
            Error::<Test>::AlreadyCommitted
        );
    });
}

#[test]
fn a_commitment_after_the_last_block_is_too_late() {
    story(|| {
        open_and_draw();
        let others = jurors();
        assert_ok!(commit(others[0], Verdict::True));
        go_to_deadline();
        block();
        assert!(matches!(dispute().stage, DisputeStage::Revealing { .. }));
        assert_noop!(commit(others[1], Verdict::True), Error::<Test>::TooLate);
    });
}

#[test]
fn a_commitment_is_too_late_even_where_the_turn_of_the_deadline_comes_later() {
    story(|| {
        open_and_draw();
        let juror = jurors()[0];
        go_to_deadline();
        let no_weight = frame_support::weights::Weight::zero();
        block_with(&mut frame_support::weights::WeightMeter::with_limit(
            no_weight,
        ));
        assert!(matches!(dispute().stage, DisputeStage::Committing { .. }));
        assert_noop!(commit(juror, Verdict::True), Error::<Test>::TooLate);
    });
}

#[test]
fn only_the_hot_key_of_a_juror_commits() {
    TestExt::new().validators(10..16).execute_with(|| {
        open();
        let origin = |who| RuntimeOrigin::signed(who);
        let hash = commitment(10, Verdict::True);
        assert_noop!(
            Jury::commit_verdict(origin(key(10)), CLAIM, LEAF, hash),
            Error::<Test>::NotAJuror
        );
        next_stage();
        let seated = jurors();
        let other = (10..16).find(|one| !seated.contains(one)).expect("one");
        assert_noop!(commit(other, Verdict::True), Error::<Test>::NotAJuror);
        let controller = origin(seated[0]);
        assert_noop!(
            Jury::commit_verdict(controller, CLAIM, LEAF, hash),
            Error::<Test>::NotAnOperator
        );
        assert_noop!(
            Jury::commit_verdict(origin(key(seated[0])), CLAIM, LEAF + 1, hash),
            Error::<Test>::NotDisputed
        );
        assert_noop!(
            Jury::commit_verdict(RuntimeOrigin::none(), CLAIM, LEAF, hash),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_juror_of_the_first_jury_has_no_seat_in_the_second_unless_it_was_drawn_again() {
    TestExt::new().validators(10..18).execute_with(|| {
        decide_first(Verdict::True);
        let first = jurors();
        assert_ok!(appeal(8));
        hit([13, first[1], 14, 15, 16]);
        next_stage();
        assert_eq!(dispute().instance, Instance::Second);
        assert_noop!(commit(first[0], Verdict::True), Error::<Test>::NotAJuror);
        assert_ok!(commit(first[1], Verdict::True));
    });
}

#[test]
fn the_time_to_reveal_begins_when_all_have_committed() {
    story(|| {
        open_and_draw();
        for juror in jurors() {
            assert!(matches!(dispute().stage, DisputeStage::Committing { .. }));
            assert_ok!(commit(juror, Verdict::True));
        }
        block();
        let until = System::block_number() + REVEAL_WINDOW;
        assert_eq!(dispute().stage, DisputeStage::Revealing { until });
    });
}
