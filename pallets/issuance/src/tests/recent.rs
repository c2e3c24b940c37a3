use crate::{mock::*, Epochs, Error, RunningWork, WorkDone};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{PerWork, Work};

const fn answered(amount: u64) -> PerWork<u64> {
    PerWork {
        inference: amount,
        check: 0,
        training: 0,
    }
}

#[test]
fn work_that_a_record_keeps_writes_no_entry() {
    test(|| {
        assert!(!credits(Work::Inference, ALICE, 20));
        assert!(!credits(Work::Inference, ALICE, 10));
        assert_eq!(WorkDone::<Test>::iter().count(), 0);
        assert_eq!(RunningWork::<Test>::get().inference, 30);
        assert_eq!(Issuance::pending_reward(ALICE).running, answered(30));
    });
}

#[test]
fn work_is_entered_with_the_first_work_of_another_epoch() {
    test(|| {
        credits(Work::Inference, ALICE, 30);
        go_to_epoch(2);
        assert!(!credits(Work::Inference, ALICE, 0), "no work is recorded");
        assert!(credits(Work::Inference, ALICE, 7));
        assert_eq!(WorkDone::<Test>::get(0, ALICE), Some(answered(30)));
        assert!(!WorkDone::<Test>::contains_key(2, ALICE));
        assert_eq!(Issuance::pending_reward(ALICE).running, answered(7));
        assert_ok!(Issuance::claim(signed(BOB), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 30);
    });
}

#[test]
fn claim_pays_for_work_that_a_record_keeps_once() {
    test(|| {
        credits(Work::Inference, ALICE, 30);
        answers(BOB, 10);
        go_to_epoch(1);
        assert_eq!(Issuance::pending_reward(ALICE).total, 30);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 30);
        let again = Issuance::claim(signed(ALICE), ALICE, 0);
        assert_noop!(again, Error::<Test>::NothingToClaim);
        assert!(
            !credits(Work::Inference, ALICE, 5),
            "nothing is left to enter"
        );
        assert!(!WorkDone::<Test>::contains_key(0, ALICE));
    });
}

#[test]
fn claim_pays_for_entered_work_and_work_that_a_record_keeps_together() {
    test(|| {
        answers(ALICE, 10);
        credits(Work::Inference, ALICE, 20);
        credits(Work::Check, ALICE, 3);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 33);
    });
}

#[test]
fn a_claim_for_one_epoch_leaves_the_work_of_another_in_the_record() {
    test(|| {
        answers(ALICE, 10);
        go_to_epoch(1);
        credits(Work::Inference, ALICE, 20);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 10);
        assert_eq!(Issuance::pending_reward(ALICE).running, answered(20));
    });
}

#[test]
fn work_is_entered_where_its_record_is_removed() {
    test(|| {
        answers(ALICE, 10);
        credits(Work::Inference, ALICE, 20);
        leaves(ALICE);
        assert_eq!(WorkDone::<Test>::get(0, ALICE), Some(answered(30)));
        credits(Work::Inference, ALICE, 5);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 35);
    });
}

#[test]
fn work_of_an_expired_epoch_is_not_entered() {
    test(|| {
        credits(Work::Inference, ALICE, 30);
        go_to_epoch(WINDOW + 1);
        next_block();
        assert_eq!(Epochs::<Test>::get(0), None);
        assert_eq!(Issuance::pending_reward(ALICE).total, 0);
        assert!(credits(Work::Inference, ALICE, 5));
        assert_eq!(WorkDone::<Test>::iter().count(), 0);
    });
}

#[test]
fn rewards_of_work_that_a_record_keeps_are_never_minted_once_expired() {
    test(|| {
        credits(Work::Inference, ALICE, 30);
        go_to_epoch(WINDOW + 1);
        let before = Issuance::supply().expect("the issuance started");
        next_block();
        let after = Issuance::supply().expect("the issuance started");
        assert_eq!(after.minted, before.minted);
        assert_eq!(after.unminted, before.unminted + 30);
    });
}
