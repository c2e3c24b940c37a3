use crate::{mock::*, DisputeStage, Error, Event, JurorState};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::Verdict;
use sp_core::H256;

fn story(run: impl FnOnce()) {
    TestExt::new().validators(10..13).execute_with(run);
}

/// All have committed to `Verdict::True`, and may reveal.
fn revealing() -> Vec<AccountId> {
    open_and_draw();
    let jurors = jurors();
    for juror in &jurors {
        assert_ok!(commit(*juror, Verdict::True));
    }
    next_stage();
    jurors
}

#[test]
fn a_juror_reveals_once_until_the_last_block() {
    story(|| {
        let jurors = revealing();
        go_to_deadline();
        assert_ok!(reveal(jurors[0], Verdict::True));
        let state = dispute().first.juror(&jurors[0]).map(|juror| juror.state);
        assert_eq!(state, Some(JurorState::Revealed(Verdict::True)));
        let event = Event::VerdictRevealed {
            claim: CLAIM,
            leaf: LEAF,
            juror: jurors[0],
            verdict: Verdict::True,
        };
        assert_eq!(events().pop(), Some(event));
        assert_noop!(
            reveal(jurors[0], Verdict::True),
            Error::<Test>::AlreadyRevealed
        );
    });
}

#[test]
fn a_reveal_is_too_early_while_others_commit() {
    story(|| {
        open_and_draw();
        let juror = jurors()[0];
        assert_ok!(commit(juror, Verdict::True));
        assert_noop!(reveal(juror, Verdict::True), Error::<Test>::TooEarly);
    });
}

#[test]
fn a_reveal_after_the_last_block_is_too_late() {
    story(|| {
        let jurors = revealing();
        assert_ok!(reveal(jurors[0], Verdict::True));
        assert_ok!(reveal(jurors[1], Verdict::True));
        go_to_deadline();
        block();
        assert!(matches!(dispute().stage, DisputeStage::Appealable { .. }));
        assert_noop!(reveal(jurors[2], Verdict::True), Error::<Test>::TooLate);
    });
}

#[test]
fn only_what_was_committed_can_be_revealed() {
    story(|| {
        let jurors = revealing();
        assert_noop!(
            reveal(jurors[0], Verdict::False),
            Error::<Test>::CommitmentDiffers
        );
        let salt = H256::repeat_byte(1);
        let origin = RuntimeOrigin::signed(key(jurors[0]));
        assert_noop!(
            Jury::reveal_verdict(origin, CLAIM, LEAF, Verdict::True, salt),
            Error::<Test>::CommitmentDiffers
        );
    });
}

#[test]
fn a_copy_of_a_commitment_cannot_be_revealed() {
    story(|| {
        open_and_draw();
        let jurors = jurors();
        let copied = commitment(jurors[0], Verdict::True);
        assert_ok!(commit(jurors[0], Verdict::True));
        let copier = RuntimeOrigin::signed(key(jurors[1]));
        assert_ok!(Jury::commit_verdict(copier.clone(), CLAIM, LEAF, copied));
        next_stage();
        assert_ok!(reveal(jurors[0], Verdict::True));
        // The salt is public now, but does not help: the commitment names the juror that made it.
        assert_noop!(
            Jury::reveal_verdict(copier, CLAIM, LEAF, Verdict::True, salt(jurors[0])),
            Error::<Test>::CommitmentDiffers
        );
    });
}

#[test]
fn without_a_commitment_there_is_nothing_to_reveal() {
    story(|| {
        open_and_draw();
        let jurors = jurors();
        assert_ok!(commit(jurors[0], Verdict::True));
        next_stage();
        assert_noop!(
            reveal(jurors[1], Verdict::True),
            Error::<Test>::NotCommitted
        );
    });
}

#[test]
fn others_have_nothing_to_reveal() {
    TestExt::new().validators(10..16).execute_with(|| {
        let jurors = revealing();
        let other = (10..16).find(|one| !jurors.contains(one)).expect("one");
        assert_noop!(reveal(other, Verdict::True), Error::<Test>::NotAJuror);
        let origin = RuntimeOrigin::signed(jurors[0]);
        assert_noop!(
            Jury::reveal_verdict(origin, CLAIM, LEAF, Verdict::True, salt(jurors[0])),
            Error::<Test>::NotAnOperator
        );
        let origin = RuntimeOrigin::signed(key(jurors[0]));
        assert_noop!(
            Jury::reveal_verdict(origin, CLAIM, LEAF + 1, Verdict::True, salt(jurors[0])),
            Error::<Test>::NotDisputed
        );
    });
}

#[test]
fn the_time_to_appeal_begins_when_all_that_committed_have_revealed() {
    story(|| {
        open_and_draw();
        let jurors = jurors();
        // The third is silent, and is not waited for once the window to commit is over.
        assert_ok!(commit(jurors[0], Verdict::False));
        assert_ok!(commit(jurors[1], Verdict::False));
        next_stage();
        assert_ok!(reveal(jurors[0], Verdict::False));
        assert_ok!(reveal(jurors[1], Verdict::False));
        block();
        let until = System::block_number() + APPEAL_WINDOW;
        assert_eq!(dispute().stage, DisputeStage::Appealable { until });
        let event = Event::AppealOpened {
            claim: CLAIM,
            leaf: LEAF,
            verdict: Verdict::False,
            until,
        };
        assert_eq!(events().pop(), Some(event));
    });
}

#[test]
fn a_jury_without_a_commitment_is_closed_without_time_to_reveal() {
    TestExt::new().validators(10..18).execute_with(|| {
        open_and_draw();
        go_to_deadline();
        block();
        let dispute = dispute();
        assert_eq!(dispute.instance, crate::Instance::Second);
        assert!(matches!(dispute.stage, DisputeStage::Undrawn { .. }));
    });
}
