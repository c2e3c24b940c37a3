use crate::{mock::*, Error, Event, Idle, Operators as Records};
use frame_support::{assert_noop, assert_ok};
use pallet_duties::AsDuty;

fn is_duty(who: AccountId) -> bool {
    let call = crate::Call::<Test>::heartbeat {};
    call.as_duty(&who, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

fn idle(controller: AccountId) -> Option<Idle> {
    Operators::operator(controller).expect("registered").idle
}

#[test]
fn heartbeat_should_keep_an_operator_live() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        advance_to(21);
        assert_eq!(idle(ALICE), None);
        advance_to(22);
        assert_eq!(idle(ALICE), Some(Idle::Silent));
        assert_ok!(Operators::heartbeat(signed(key_of(ALICE))));
        assert_eq!(idle(ALICE), None);
        assert_eq!(
            Records::<Test>::get(ALICE).expect("registered").heartbeat,
            22
        );
        System::assert_last_event(Event::HeartbeatReceived { controller: ALICE }.into());
    });
}

#[test]
fn heartbeat_should_refuse_whoever_is_no_key() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(Operators::heartbeat(signed(ALICE)), Error::<Test>::NotAKey);
        assert_noop!(Operators::heartbeat(signed(BOB)), Error::<Test>::NotAKey);
    });
}

#[test]
fn heartbeat_should_be_free_for_a_key_once_a_quarter_period() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert!(!is_duty(key_of(ALICE)));
        advance_to(6);
        assert!(is_duty(key_of(ALICE)));
        assert!(!is_duty(ALICE));
        assert!(!is_duty(BOB));
        assert_ok!(Operators::heartbeat(signed(key_of(ALICE))));
        assert!(!is_duty(key_of(ALICE)));
    });
}
