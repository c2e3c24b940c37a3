use crate::{
    mock::*, AuditFailure, AuditReport, Drawable, Keys, Operators as Records, Served, Servers,
};
use frame_support::{assert_ok, traits::Hooks};
use noema_protocol::interfaces::Role;

#[test]
fn operator_should_tell_everything_recorded() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::report_device(signed(key_of(ALICE)), gpu()));
        let info = Operators::operator(ALICE).expect("registered");
        assert_eq!(info.serves, vec![LLAMA]);
        assert_eq!(info.device.expect("reported").device, gpu());
        assert_eq!(Operators::operator(BOB), None);
        assert_eq!(Operators::controller_of_key(key_of(ALICE)), Some(ALICE));
        let drawable = Drawable {
            controller: ALICE,
            weight: MIN_BOND,
            prices: PRICES,
        };
        assert_eq!(Operators::drawable(Role::Worker, LLAMA), vec![drawable]);
    });
}

#[test]
fn audit_should_sum_the_bonds() {
    test(|| {
        register(ALICE, WORKER, 300);
        register(BOB, VALIDATOR, 200);
        assert_eq!(
            Operators::audit(),
            Ok(AuditReport {
                operators: 2,
                bonded: 500
            })
        );
    });
}

#[test]
fn audit_should_find_what_is_wrong() {
    let after = |corrupt: fn()| {
        new_test_ext().execute_with(|| {
            register(ALICE, WORKER, 300);
            assert_ok!(Operators::serve(signed(ALICE), LLAMA));
            corrupt();
            Operators::audit().expect_err("the state was corrupted")
        })
    };
    assert_eq!(
        after(|| Records::<Test>::mutate(ALICE, |o| o.as_mut().expect("registered").bond += 1)),
        AuditFailure::BondIsNotHeld
    );
    assert_eq!(
        after(
            || Records::<Test>::mutate(ALICE, |o| o.as_mut().expect("registered").engagements = 9)
        ),
        AuditFailure::OverEngaged
    );
    assert_eq!(
        after(|| Keys::<Test>::remove(key_of(ALICE))),
        AuditFailure::KeyNotIndexed
    );
    assert_eq!(
        after(|| Keys::<Test>::insert(999, BOB)),
        AuditFailure::KeyWithoutOperator
    );
    assert_eq!(
        after(|| {
            System::dec_sufficients(&key_of(ALICE));
        }),
        AuditFailure::KeyNotSufficient
    );
    assert_eq!(
        after(|| Servers::<Test>::remove(LLAMA, Role::Worker)),
        AuditFailure::ServerNotListed
    );
    assert_eq!(
        after(|| {
            assert_ok!(Servers::<Test>::try_append(OTHER, Role::Worker, ALICE));
        }),
        AuditFailure::ListedWithoutServing
    );
    assert_eq!(
        after(|| {
            assert_ok!(Served::<Test>::try_append(BOB, LLAMA));
        }),
        AuditFailure::RecordWithoutOperator
    );
}

#[test]
fn the_configuration_should_be_sound() {
    new_test_ext().execute_with(<Operators as Hooks<u64>>::integrity_test);
}
