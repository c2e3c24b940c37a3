use crate::{mock::*, Error, Event, Keys};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchResult;

fn rotate_key(controller: AccountId, key: AccountId) -> DispatchResult {
    let proof = possession(controller, key);
    Operators::rotate_key(signed(controller), key, proof)
}

#[test]
fn rotate_key_stops_the_old_key_and_starts_the_new() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let old = key_of(ALICE);
        assert_ok!(rotate_key(ALICE, 555));
        let report = |key| Operators::report_device(signed(key), gpu());
        assert_noop!(report(old), Error::<Test>::NotAKey);
        assert_ok!(report(555));
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
fn rotate_key_refuses_keys_in_use() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        register(BOB, WORKER, MIN_BOND);
        for key in [key_of(ALICE), key_of(BOB)] {
            assert_noop!(rotate_key(ALICE, key), Error::<Test>::KeyTaken);
        }
        assert_noop!(rotate_key(ALICE, ALICE), Error::<Test>::KeyIsController);
    });
}

#[test]
fn rotate_key_refuses_a_stranger() {
    test(|| {
        assert_noop!(rotate_key(ALICE, 555), Error::<Test>::NotRegistered);
    });
}

#[test]
fn rotate_key_refuses_a_key_that_did_not_sign() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let proof = possession(ALICE, 556);
        assert_noop!(
            Operators::rotate_key(signed(ALICE), 555, proof),
            Error::<Test>::NotPossessed
        );
    });
}
