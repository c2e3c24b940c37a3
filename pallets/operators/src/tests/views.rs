use crate::{
    mock::*, AuditFailure, AuditReport, Controllers, Drawable, Keys, Locks, Operators as Records,
    PresentTerm, RosterPages, Rosters, Served, Serving,
};
use frame_support::{assert_ok, traits::Hooks};
use noema_interfaces::Operators as _;
use noema_protocol::Role;
use noema_terms::TermIndex;

#[test]
fn operator_tells_everything_recorded() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::serve(signed(ALICE), LLAMA));
        assert_ok!(Operators::report_device(signed(key_of(ALICE)), gpu()));
        let info = Operators::operator(ALICE).expect("registered");
        assert_eq!(info.serves, vec![LLAMA]);
        assert_eq!(info.device.expect("reported").device, gpu());
        assert_eq!(Operators::operator(BOB), None);
        assert_eq!(Operators::controller_of_key(key_of(ALICE)), Some(ALICE));
        pass_terms(2);
        let drawable = Drawable {
            controller: ALICE,
            weight: 10,
            prices: PRICES,
        };
        assert_eq!(Operators::drawable(Role::Worker, LLAMA), vec![drawable]);
    });
}

#[test]
fn audit_sums_the_bonds() {
    test(|| {
        register(ALICE, WORKER, 300);
        register(BOB, VALIDATOR, 200);
        assert_ok!(Operators::lock(&BOB, job(1), 7));
        pay(CAROL, ALICE, 30);
        assert_eq!(
            Operators::audit(),
            Ok(AuditReport {
                operators: 2,
                bonded: 500,
                locked: 7,
                payable: 30,
            })
        );
    });
}

fn set_locked(amount: Balance) {
    Records::<Test>::mutate(ALICE, |operator| {
        operator.as_mut().expect("registered").locked = amount;
    });
}

fn set_payable(amount: Balance) {
    Records::<Test>::mutate(ALICE, |operator| {
        let operator = operator.as_mut().expect("registered");
        operator.ledger.payable = amount;
    });
}

#[test]
fn audit_finds_what_is_wrong() {
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
    assert_eq!(after(|| set_locked(1)), AuditFailure::LocksDiffer);
    assert_eq!(after(|| set_locked(301)), AuditFailure::OverLocked);
    assert_eq!(
        after(|| Controllers::<Test>::remove(0)),
        AuditFailure::IndexDiffers
    );
    assert_eq!(
        after(|| Controllers::<Test>::insert(7, ALICE)),
        AuditFailure::IndexDiffers
    );
    assert_eq!(after(|| set_payable(1)), AuditFailure::PurseTooSmall);
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
        after(|| RosterPages::<Test>::remove((LLAMA, Role::Worker, 0))),
        AuditFailure::SlotDiffers
    );
    assert_eq!(
        after(|| RosterPages::<Test>::insert(
            (LLAMA, Role::Worker, 1),
            noema_terms::Page::default()
        )),
        AuditFailure::StrayPage
    );
    assert_eq!(
        after(|| Served::<Test>::remove(ALICE)),
        AuditFailure::WeightWithoutServing
    );
    assert_eq!(
        after(|| {
            Rosters::<Test>::mutate(LLAMA, Role::Validator, |roster| {
                let stolen = Rosters::<Test>::get(LLAMA, Role::Worker);
                *roster = stolen;
            });
        }),
        AuditFailure::SumDiffers
    );
    assert_eq!(
        after(|| {
            assert_ok!(Served::<Test>::try_append(BOB, Serving::new(LLAMA)));
        }),
        AuditFailure::RecordWithoutOperator
    );
    assert_eq!(
        after(|| Locks::<Test>::insert(BOB, job(1), 1)),
        AuditFailure::RecordWithoutOperator
    );
}

#[test]
fn present_term_tells_when_the_next_begins() {
    test(|| {
        advance_to(23);
        let expected = PresentTerm {
            index: TermIndex(2),
            length: TERM,
            next_at: 30,
        };
        assert_eq!(Operators::present_term(), expected);
    });
}

#[test]
fn the_configuration_is_sound() {
    new_test_ext().execute_with(<Operators as Hooks<u64>>::integrity_test);
}
