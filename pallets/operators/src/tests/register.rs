use crate::{mock::*, Error, Event, Idle, Operator, Operators as Records};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::interfaces::Prices;
use sp_runtime::TokenError;

#[test]
fn register_should_hold_the_bond() {
    test(|| {
        register(ALICE, WORKER, 500);
        assert_eq!(held(ALICE), 500);
        assert_eq!(Balances::free_balance(ALICE), ENDOWMENT - 500);
        System::assert_last_event(
            Event::Registered {
                controller: ALICE,
                key: key_of(ALICE),
                roles: WORKER,
                bond: 500,
            }
            .into(),
        );
    });
}

#[test]
fn register_should_record_the_operator() {
    test(|| {
        advance_to(7);
        register(ALICE, WORKER, 500);
        let expected = Operator {
            key: key_of(ALICE),
            roles: WORKER,
            prices: PRICES,
            bond: 500,
            engagements: 0,
            heartbeat: 7,
            withdrawable_at: None,
        };
        assert_eq!(Records::<Test>::get(ALICE), Some(expected));
        assert_eq!(
            Operators::operator(ALICE).expect("registered").idle,
            None::<Idle>
        );
    });
}

#[test]
fn register_should_let_a_key_without_funds_sign() {
    test(|| {
        register(ALICE, BOTH, MIN_BOND);
        assert_eq!(total(key_of(ALICE)), 0);
        assert_eq!(System::sufficients(&key_of(ALICE)), 1);
        assert_ok!(Operators::heartbeat(signed(key_of(ALICE))));
    });
}

#[test]
fn register_should_ignore_the_prices_of_a_validator() {
    test(|| {
        register(ALICE, VALIDATOR, MIN_BOND);
        let operator = Records::<Test>::get(ALICE).expect("registered");
        assert_eq!(operator.prices, Prices::default());
    });
}

#[test]
fn register_should_refuse_a_second_time() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::register(signed(ALICE), VALIDATOR, 999, PRICES, MIN_BOND),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn register_should_refuse_an_operator_without_a_role() {
    test(|| {
        assert_noop!(
            Operators::register(signed(ALICE), Default::default(), 101, PRICES, MIN_BOND),
            Error::<Test>::NoRole
        );
    });
}

#[test]
fn register_should_refuse_a_small_bond() {
    test(|| {
        assert_noop!(
            Operators::register(signed(ALICE), WORKER, 101, PRICES, MIN_BOND - 1),
            Error::<Test>::BondTooSmall
        );
    });
}

#[test]
fn register_should_refuse_a_bond_that_the_caller_does_not_have() {
    test(|| {
        assert_noop!(
            Operators::register(signed(ALICE), WORKER, 101, PRICES, ENDOWMENT + 1),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn register_should_refuse_a_key_in_use() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::register(signed(BOB), WORKER, key_of(ALICE), PRICES, MIN_BOND),
            Error::<Test>::KeyTaken
        );
    });
}

#[test]
fn register_should_refuse_the_controller_as_key() {
    test(|| {
        assert_noop!(
            Operators::register(signed(ALICE), WORKER, ALICE, PRICES, MIN_BOND),
            Error::<Test>::KeyIsController
        );
    });
}
