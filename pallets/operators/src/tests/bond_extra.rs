use crate::{mock::*, Error, Event, Idle};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{
    interfaces::{Offence, Operators as _},
    Job, RequestId,
};
use sp_runtime::TokenError;

#[test]
fn bond_extra_should_hold_more() {
    test(|| {
        register(ALICE, WORKER, 100);
        assert_ok!(Operators::bond_extra(signed(ALICE), 50));
        assert_eq!(held(ALICE), 150);
        System::assert_last_event(
            Event::BondIncreased {
                controller: ALICE,
                amount: 50,
                bond: 150,
            }
            .into(),
        );
    });
}

#[test]
fn bond_extra_should_end_a_suspension() {
    test(|| {
        register(ALICE, WORKER, 100);
        Operators::slash(
            &ALICE,
            Job::Request(RequestId(1)),
            Offence::MissedDeadline,
            1,
            &[],
        );
        assert_eq!(
            Operators::operator(ALICE).expect("registered").idle,
            Some(Idle::Suspended)
        );
        assert_ok!(Operators::bond_extra(signed(ALICE), 1));
        assert_eq!(Operators::operator(ALICE).expect("registered").idle, None);
    });
}

#[test]
fn bond_extra_should_refuse_a_stranger() {
    test(|| {
        assert_noop!(
            Operators::bond_extra(signed(ALICE), 50),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn bond_extra_should_refuse_more_than_the_caller_has() {
    test(|| {
        register(ALICE, WORKER, 100);
        assert_noop!(
            Operators::bond_extra(signed(ALICE), ENDOWMENT),
            TokenError::FundsUnavailable
        );
    });
}
