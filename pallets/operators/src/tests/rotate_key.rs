use crate::{mock::*, Error, Event, Keys};
use frame_support::{assert_noop, assert_ok};

#[test]
fn rotate_key_should_stop_the_old_key_and_start_the_new() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let old = key_of(ALICE);
        assert_ok!(Operators::rotate_key(signed(ALICE), 555));
        assert_noop!(Operators::heartbeat(signed(old)), Error::<Test>::NotAKey);
        assert_ok!(Operators::heartbeat(signed(555)));
        assert_eq!(
            (System::sufficients(&old), System::sufficients(&555)),
            (0, 1)
        );
        assert_eq!(Keys::<Test>::iter().count(), 1);
        System::assert_has_event(
            Event::KeyRotated {
                controller: ALICE,
                old,
                new: 555,
            }
            .into(),
        );
    });
}

#[test]
fn rotate_key_should_refuse_keys_in_use() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        register(BOB, WORKER, MIN_BOND);
        for key in [key_of(ALICE), key_of(BOB)] {
            assert_noop!(
                Operators::rotate_key(signed(ALICE), key),
                Error::<Test>::KeyTaken
            );
        }
        assert_noop!(
            Operators::rotate_key(signed(ALICE), ALICE),
            Error::<Test>::KeyIsController
        );
    });
}

#[test]
fn rotate_key_should_refuse_a_stranger() {
    test(|| {
        assert_noop!(
            Operators::rotate_key(signed(ALICE), 555),
            Error::<Test>::NotRegistered
        );
    });
}
