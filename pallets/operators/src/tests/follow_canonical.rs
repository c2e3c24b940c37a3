use crate::{mock::*, Error, Event, Served};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{CheckpointId, Role};
use noema_terms::TermIndex;
use pallet_duties::AsDuty;

/// Whether the call is a duty of the hot key of `controller`.
fn is_duty(controller: AccountId) -> bool {
    let call = crate::Call::<Test>::follow_canonical { checkpoint: LLAMA };
    call.as_duty(&key_of(controller), System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

fn served() -> Vec<CheckpointId> {
    let served = Served::<Test>::get(ALICE);
    served.iter().map(|serving| serving.checkpoint).collect()
}

#[test]
fn follow_canonical_moves_the_operator_in_each_of_its_roles() {
    test(|| {
        serving(ALICE, BOTH, MIN_BOND);
        pass_terms(2);
        ActiveCheckpoints::make_canonical(OTHER);
        assert!(is_duty(ALICE));
        assert_eq!(served(), vec![LLAMA], "asking changes nothing");
        assert_ok!(Operators::follow_canonical(signed(key_of(ALICE)), LLAMA));
        assert_eq!(served(), vec![OTHER]);
        assert!(
            !is_duty(ALICE),
            "the operator already serves the canonical checkpoint"
        );
        System::assert_last_event(
            Event::ServingStarted {
                controller: ALICE,
                checkpoint: OTHER,
                from: TermIndex(4),
            }
            .into(),
        );
        for (old, new) in [(1, 0), (1, 0), (0, 1)] {
            for role in [Role::Worker, Role::Validator] {
                let counts = (drawable(role, LLAMA).len(), drawable(role, OTHER).len());
                assert_eq!(counts, (old, new));
            }
            pass_terms(1);
        }
    });
}

#[test]
fn drawn_for_names_the_old_checkpoint_until_the_notice_has_passed() {
    test(|| {
        assert!(Operators::drawn_for(ALICE).is_empty());
        serving(ALICE, BOTH, MIN_BOND);
        serving(BOB, BOTH, MIN_BOND);
        assert_eq!(Operators::drawn_for(ALICE), [LLAMA]);
        pass_terms(2);
        ActiveCheckpoints::make_canonical(OTHER);
        assert_ok!(Operators::follow_canonical(signed(key_of(ALICE)), LLAMA));
        for _ in 0..2 {
            assert_eq!(Operators::drawn_for(ALICE), [LLAMA, OTHER]);
            pass_terms(1);
        }
        assert_eq!(Operators::drawn_for(ALICE), [OTHER]);
        assert_eq!(Operators::drawn_for(BOB), [LLAMA]);
    });
}

#[test]
fn follow_canonical_only_leaves_the_old_one_where_both_are_served() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), OTHER));
        ActiveCheckpoints::make_canonical(OTHER);
        assert_ok!(Operators::follow_canonical(signed(key_of(ALICE)), LLAMA));
        assert_eq!(served(), vec![OTHER]);
        pass_terms(2);
        assert_eq!(drawable(Role::Worker, OTHER).len(), 1);
    });
}

#[test]
fn follow_canonical_refuses_where_there_is_nothing_to_follow() {
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
fn follow_canonical_refuses_all_but_the_hot_key_of() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        ActiveCheckpoints::make_canonical(OTHER);
        for other in [ALICE, BOB] {
            assert_noop!(
                Operators::follow_canonical(signed(other), LLAMA),
                Error::<Test>::NotAKey
            );
        }
    });
}
