use crate::{mock::*, Error, Event, WorkDone};
use frame_support::{assert_noop, assert_ok};
use pallet_duties::AsDuty;

fn is_duty(by: AccountId, account: AccountId, epoch: u32) -> bool {
    let call = crate::Call::<Test>::claim { account, epoch };
    call.as_duty(&by, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

#[test]
fn claim_mints_the_part_of_the_work() {
    test(|| {
        answers(ALICE, 30);
        answers(BOB, 10);
        checks(BOB, 5);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 30);
        let claimed = Event::Claimed {
            account: ALICE,
            epoch: 0,
            amount: 30,
        };
        System::assert_last_event(claimed.into());
        assert_ok!(Issuance::claim(signed(BOB), BOB, 0));
        assert_eq!(balance(BOB), ENDOWMENT + 15);
    });
}

#[test]
fn claim_shares_a_pool_that_is_smaller_than_the_work() {
    test(|| {
        answers(ALICE, 3_000);
        answers(BOB, 1_000);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_ok!(Issuance::claim(signed(BOB), BOB, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 300);
        assert_eq!(balance(BOB), ENDOWMENT + 100);
    });
}

#[test]
fn claim_pays_the_account_and_not_the_caller() {
    test(|| {
        answers(ALICE, 30);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(BOB), ALICE, 0));
        assert_eq!(balance(ALICE), ENDOWMENT + 30);
        assert_eq!(balance(BOB), ENDOWMENT);
    });
}

#[test]
fn claim_pays_once() {
    test(|| {
        answers(ALICE, 30);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert_noop!(
            Issuance::claim(signed(ALICE), ALICE, 0),
            Error::<Test>::NothingToClaim
        );
        assert_eq!(balance(ALICE), ENDOWMENT + 30);
    });
}

#[test]
fn claim_refuses_who_did_nothing() {
    test(|| {
        answers(ALICE, 30);
        go_to_epoch(1);
        assert_noop!(
            Issuance::claim(signed(BOB), BOB, 0),
            Error::<Test>::NothingToClaim
        );
    });
}

#[test]
fn claim_refuses_a_reward_below_one_unit() {
    test(|| {
        answers(ALICE, u64::MAX);
        answers(BOB, 1);
        go_to_epoch(1);
        assert_noop!(
            Issuance::claim(signed(BOB), BOB, 0),
            Error::<Test>::NothingToClaim
        );
    });
}

#[test]
fn claim_waits_for_the_end_of_the_epoch() {
    test(|| {
        answers(ALICE, 30);
        for epoch in [0, 1, u32::MAX] {
            assert_noop!(
                Issuance::claim(signed(ALICE), ALICE, epoch),
                Error::<Test>::EpochNotClosed
            );
        }
    });
}

#[test]
fn claim_keeps_what_is_too_small_to_create_an_account() {
    test(|| {
        answers(UNFUNDED, 9);
        go_to_epoch(1);
        assert_noop!(
            Issuance::claim(signed(ALICE), UNFUNDED, 0),
            Error::<Test>::CannotReceive
        );
        assert!(!is_duty(ALICE, UNFUNDED, 0));
        assert!(WorkDone::<Test>::contains_key(0, UNFUNDED));

        let keep_alive =
            Balances::transfer_keep_alive(signed(ALICE), UNFUNDED, EXISTENTIAL_DEPOSIT);
        assert_ok!(keep_alive);
        assert_ok!(Issuance::claim(signed(ALICE), UNFUNDED, 0));
        assert_eq!(balance(UNFUNDED), EXISTENTIAL_DEPOSIT + 9);
    });
}

#[test]
fn claim_creates_an_account_that_is_due_enough() {
    test(|| {
        answers(UNFUNDED, 10);
        go_to_epoch(1);
        assert_ok!(Issuance::claim(signed(ALICE), UNFUNDED, 0));
        assert_eq!(balance(UNFUNDED), 10);
    });
}

#[test]
fn claim_is_possible_until_the_window_closes() {
    test(|| {
        answers(ALICE, 30);
        answers(BOB, 30);
        go_to_epoch(WINDOW);
        for _ in 1..EPOCH {
            next_block();
        }
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        System::set_block_number(System::block_number() + 1);
        <Issuance as frame_support::traits::Hooks<u64>>::on_initialize(System::block_number());
        // The record is still stored, but the claim window is over.
        assert!(WorkDone::<Test>::contains_key(0, BOB));
        assert_noop!(
            Issuance::claim(signed(BOB), BOB, 0),
            Error::<Test>::EpochExpired
        );
    });
}

#[test]
fn claim_is_a_duty_exactly_where_it_pays() {
    test(|| {
        answers(ALICE, 30);
        assert!(!is_duty(ALICE, ALICE, 0));
        go_to_epoch(1);
        assert!(is_duty(ALICE, ALICE, 0));
        assert!(is_duty(BOB, ALICE, 0));
        assert!(!is_duty(BOB, BOB, 0));
        assert_ok!(Issuance::claim(signed(ALICE), ALICE, 0));
        assert!(!is_duty(ALICE, ALICE, 0));
    });
}

#[test]
fn claim_refuses_who_did_not_sign() {
    test(|| {
        assert_noop!(
            Issuance::claim(RuntimeOrigin::none(), ALICE, 0),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}
