use crate::{mock::*, Error, Event, Served, Servers};
use frame_support::{assert_noop, assert_ok, storage::with_storage_layer};
use noema_protocol::interfaces::Role;
use pallet_duties::AsDuty;

/// Whether the call is a duty of the hot key of `controller`.
fn is_duty(controller: AccountId) -> bool {
    let call = crate::Call::<Test>::follow_canonical { checkpoint: LLAMA };
    call.as_duty(&key_of(controller), System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

#[test]
fn follow_canonical_should_move_the_operator_in_each_of_its_roles() {
    test(|| {
        register(ALICE, BOTH, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        ActiveCheckpoints::make_canonical(OTHER);
        assert!(is_duty(ALICE));
        assert_eq!(
            Served::<Test>::get(ALICE),
            vec![LLAMA],
            "asking changes nothing"
        );
        assert_ok!(Operators::follow_canonical(signed(key_of(ALICE)), LLAMA));
        assert_eq!(Served::<Test>::get(ALICE), vec![OTHER]);
        for role in [Role::Worker, Role::Validator] {
            assert_eq!(Servers::<Test>::get(LLAMA, role), Vec::<AccountId>::new());
            assert_eq!(Servers::<Test>::get(OTHER, role), vec![ALICE]);
        }
        System::assert_last_event(
            Event::ServingStarted {
                controller: ALICE,
                checkpoint: OTHER,
            }
            .into(),
        );
        assert!(!is_duty(ALICE), "there is nothing to follow any more");
    });
}

#[test]
fn follow_canonical_should_only_leave_the_old_one_where_both_are_served() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::serve(signed(ALICE), OTHER));
        ActiveCheckpoints::make_canonical(OTHER);
        assert_ok!(Operators::follow_canonical(signed(key_of(ALICE)), LLAMA));
        assert_eq!(Served::<Test>::get(ALICE), vec![OTHER]);
        assert_eq!(Servers::<Test>::get(OTHER, Role::Worker), vec![ALICE]);
    });
}

#[test]
fn follow_canonical_should_refuse_where_there_is_nothing_to_follow() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let follow = || Operators::follow_canonical(signed(key_of(ALICE)), LLAMA);
        assert_noop!(follow(), Error::<Test>::NoSuccessor);
        ActiveCheckpoints::make_canonical(LLAMA);
        assert_noop!(follow(), Error::<Test>::NoSuccessor);
        ActiveCheckpoints::make_canonical(OTHER);
        assert_noop!(follow(), Error::<Test>::NotServing);
        assert!(!is_duty(ALICE));
    });
}

#[test]
fn follow_canonical_should_refuse_all_but_the_hot_key_of() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        ActiveCheckpoints::make_canonical(OTHER);
        for other in [ALICE, BOB] {
            assert_noop!(
                Operators::follow_canonical(signed(other), LLAMA),
                Error::<Test>::NotAKey
            );
        }
    });
}

#[test]
fn follow_canonical_should_leave_all_as_it_is_where_there_is_no_room() {
    test(|| {
        for larger in [4, 5, 6] {
            register(larger, WORKER, MIN_BOND * 2);
            assert_ok!(Operators::serve(signed(larger), OTHER));
        }
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        ActiveCheckpoints::make_canonical(OTHER);
        assert!(!is_duty(ALICE));
        // As the dispatcher does it: what the call has changed is undone.
        let follow = || Operators::follow_canonical(signed(key_of(ALICE)), LLAMA);
        assert_noop!(with_storage_layer(follow), Error::<Test>::ServersFull);
    });
}
