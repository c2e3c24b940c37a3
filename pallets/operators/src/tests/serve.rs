use crate::{mock::*, Error, Event, Served, Servers};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{interfaces::Role, CheckpointId};
use sp_core::H256;

#[test]
fn serve_should_list_the_operator_in_each_of_its_roles() {
    test(|| {
        register(ALICE, BOTH, MIN_BOND);
        register(BOB, VALIDATOR, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::serve(signed(BOB), LLAMA));
        assert_eq!(Servers::<Test>::get(LLAMA, Role::Worker), vec![ALICE]);
        assert_eq!(
            Servers::<Test>::get(LLAMA, Role::Validator),
            vec![ALICE, BOB]
        );
        assert_eq!(Served::<Test>::get(BOB), vec![LLAMA]);
        System::assert_last_event(
            Event::ServingStarted {
                controller: BOB,
                checkpoint: LLAMA,
            }
            .into(),
        );
    });
}

#[test]
fn serve_should_refuse_an_unknown_checkpoint() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::serve(signed(ALICE), CheckpointId(H256::zero())),
            Error::<Test>::CheckpointNotActive
        );
    });
}

#[test]
fn serve_should_refuse_a_stranger() {
    test(|| {
        assert_noop!(
            Operators::serve(signed(ALICE), LLAMA),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn serve_should_refuse_twice() {
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
fn serve_should_refuse_an_operator_that_is_leaving() {
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
fn serve_should_refuse_more_checkpoints_than_an_operator_may_serve() {
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
fn serve_should_displace_the_smallest_bond_from_a_full_list() {
    test(|| {
        for (controller, bond) in [(1, 300), (2, 200), (3, 400), (4, 201)] {
            register(controller, BOTH, bond);
            assert_ok!(Operators::serve(signed(controller), LLAMA));
        }
        assert_eq!(Servers::<Test>::get(LLAMA, Role::Worker), vec![1, 3, 4]);
        assert_eq!(Servers::<Test>::get(LLAMA, Role::Validator), vec![1, 3, 4]);
        assert!(Served::<Test>::get(2).is_empty());
        System::assert_has_event(
            Event::Displaced {
                controller: 2,
                checkpoint: LLAMA,
                by: 4,
            }
            .into(),
        );
    });
}

#[test]
fn serve_should_displace_whoever_is_not_live_from_a_full_list() {
    test(|| {
        for controller in 1..=3 {
            register(controller, WORKER, 500);
            assert_ok!(Operators::serve(signed(controller), LLAMA));
        }
        assert_ok!(Operators::start_unbonding(signed(2)));
        register(4, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(4), LLAMA));
        assert_eq!(Servers::<Test>::get(LLAMA, Role::Worker), vec![1, 3, 4]);
    });
}

#[test]
fn serve_should_refuse_a_full_list_without_a_smaller_bond() {
    test(|| {
        for controller in 1..=3 {
            register(controller, WORKER, 200);
            assert_ok!(Operators::serve(signed(controller), LLAMA));
        }
        register(4, WORKER, 200);
        assert_noop!(
            Operators::serve(signed(4), LLAMA),
            Error::<Test>::ServersFull
        );
    });
}

#[test]
fn stop_serving_should_leave_no_trace() {
    test(|| {
        register(ALICE, BOTH, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::stop_serving(signed(ALICE), LLAMA));
        assert_eq!(Servers::<Test>::iter().count(), 0);
        assert_eq!(Served::<Test>::iter().count(), 0);
        System::assert_last_event(
            Event::ServingStopped {
                controller: ALICE,
                checkpoint: LLAMA,
            }
            .into(),
        );
    });
}

#[test]
fn stop_serving_should_refuse_what_is_not_served() {
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
