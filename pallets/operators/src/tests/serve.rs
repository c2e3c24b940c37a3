use crate::{mock::*, Error, Event, RosterPages, Served};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{CheckpointId, Role};
use noema_terms::TermIndex;
use sp_core::H256;

#[test]
fn serve_enters_the_rosters_of_each_role_from_the_term_after_next() {
    test(|| {
        serving(ALICE, BOTH, MIN_BOND);
        serving(BOB, VALIDATOR, 3 * MIN_BOND);
        System::assert_last_event(
            Event::ServingStarted {
                controller: BOB,
                checkpoint: LLAMA,
                from: TermIndex(2),
            }
            .into(),
        );
        for _ in 0..2 {
            assert!(drawable(Role::Worker, LLAMA).is_empty());
            assert!(drawable(Role::Validator, LLAMA).is_empty());
            pass_terms(1);
        }
        assert_eq!(drawable(Role::Worker, LLAMA), vec![(ALICE, 10)]);
        assert_eq!(
            drawable(Role::Validator, LLAMA),
            vec![(ALICE, 10), (BOB, 30)]
        );
        assert!(drawable(Role::Worker, OTHER).is_empty());
    });
}

#[test]
fn serve_refuses_an_unknown_checkpoint() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::serve(signed(ALICE), CheckpointId(H256::zero())),
            Error::<Test>::CheckpointNotActive
        );
    });
}

#[test]
fn serve_refuses_a_stranger() {
    test(|| {
        assert_noop!(
            Operators::serve(signed(ALICE), LLAMA),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn serve_refuses_twice() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_noop!(
            Operators::serve(signed(ALICE), LLAMA),
            Error::<Test>::AlreadyServing
        );
    });
}

#[test]
fn serve_refuses_an_operator_that_is_leaving() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        assert_noop!(
            Operators::serve(signed(ALICE), LLAMA),
            Error::<Test>::Leaving
        );
    });
}

#[test]
fn serve_refuses_more_checkpoints_than_an_operator_may_serve() {
    test(|| {
        let third = CheckpointId(H256::repeat_byte(3));
        ActiveCheckpoints::activate(third);
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::serve(signed(ALICE), OTHER));
        assert_noop!(
            Operators::serve(signed(ALICE), third),
            Error::<Test>::TooManyServed
        );
    });
}

#[test]
fn stop_serving_leaves_the_rosters_from_the_term_after_next() {
    test(|| {
        serving(ALICE, BOTH, MIN_BOND);
        pass_terms(2);
        assert_ok!(Operators::stop_serving(signed(ALICE), LLAMA));
        assert_eq!(Served::<Test>::iter().count(), 0);
        System::assert_last_event(
            Event::ServingStopped {
                controller: ALICE,
                checkpoint: LLAMA,
                from: TermIndex(4),
            }
            .into(),
        );
        for count in [1, 1, 0] {
            assert_eq!(drawable(Role::Worker, LLAMA).len(), count);
            assert_eq!(drawable(Role::Validator, LLAMA).len(), count);
            pass_terms(1);
        }
    });
}

#[test]
fn a_slot_is_used_again_once_it_cannot_be_read() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::stop_serving(signed(ALICE), LLAMA));
        pass_terms(2);
        serving(BOB, WORKER, MIN_BOND);
        let page = RosterPages::<Test>::get((LLAMA, Role::Worker, 0));
        assert_eq!(page.entries().len(), 1);
        pass_terms(2);
        assert_eq!(drawable(Role::Worker, LLAMA), vec![(BOB, 10)]);
    });
}

#[test]
fn stop_serving_refuses_what_is_not_served() {
    test(|| {
        assert_noop!(
            Operators::stop_serving(signed(ALICE), LLAMA),
            Error::<Test>::NotRegistered
        );
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::stop_serving(signed(ALICE), LLAMA),
            Error::<Test>::NotServing
        );
    });
}
