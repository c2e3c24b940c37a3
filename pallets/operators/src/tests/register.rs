use crate::{
    mock::*, Controllers, Error, Event, Idle, Operator, Operators as Records, Presence, Roles,
};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::Prices;
use noema_terms::{TermIndex, Versions};
use sp_runtime::{DispatchResult, TokenError};

fn try_register(
    controller: AccountId,
    roles: Roles,
    key: AccountId,
    bond: Balance,
) -> DispatchResult {
    let proof = possession(controller, key);
    Operators::register(signed(controller), roles, key, proof, PRICES, bond)
}

#[test]
fn register_holds_the_bond() {
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
fn register_records_the_operator() {
    test(|| {
        advance_to(7);
        register(ALICE, WORKER, 500);
        let expected = Operator {
            index: 0,
            key: key_of(ALICE),
            roles: WORKER,
            prices: Versions::constant(PRICES),
            bond: 500,
            reserved: Versions::constant(0),
            locked: 0,
            chosen: 0,
            locks: 0,
            presence: Presence::From(TermIndex(0)),
            withdrawable_at: None,
            ledger: Default::default(),
            load: Default::default(),
            check_backlog: 0,
            work: Default::default(),
        };
        assert_eq!(Records::<Test>::get(ALICE), Some(expected));
        assert_eq!(
            Operators::operator(ALICE).expect("registered").idle,
            None::<Idle>
        );
    });
}

#[test]
fn register_lets_a_key_without_funds_sign() {
    test(|| {
        register(ALICE, BOTH, MIN_BOND);
        assert_eq!(total(key_of(ALICE)), 0);
        assert_eq!(System::sufficients(&key_of(ALICE)), 1);
        assert_ok!(Operators::report_device(signed(key_of(ALICE)), gpu()));
    });
}

#[test]
fn register_ignores_the_prices_of_a_validator() {
    test(|| {
        register(ALICE, VALIDATOR, MIN_BOND);
        let operator = Records::<Test>::get(ALICE).expect("registered");
        assert_eq!(*operator.prices.latest(), Prices::default());
    });
}

#[test]
fn register_refuses_a_second_time() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            try_register(ALICE, VALIDATOR, 999, MIN_BOND),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn register_refuses_an_operator_without_a_role() {
    test(|| {
        assert_noop!(
            try_register(ALICE, Default::default(), 101, MIN_BOND),
            Error::<Test>::NoRole
        );
    });
}

#[test]
fn register_refuses_a_small_bond() {
    test(|| {
        assert_noop!(
            try_register(ALICE, WORKER, 101, MIN_BOND - 1),
            Error::<Test>::BondTooSmall
        );
    });
}

#[test]
fn register_refuses_a_bond_that_the_caller_does_not_have() {
    test(|| {
        assert_noop!(
            try_register(ALICE, WORKER, 101, ENDOWMENT + 1),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn register_refuses_a_key_in_use() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            try_register(BOB, WORKER, key_of(ALICE), MIN_BOND),
            Error::<Test>::KeyTaken
        );
    });
}

#[test]
fn register_refuses_the_controller_as_key() {
    test(|| {
        assert_noop!(
            try_register(ALICE, WORKER, ALICE, MIN_BOND),
            Error::<Test>::KeyIsController
        );
    });
}

#[test]
fn register_refuses_a_key_that_signed_for_another_or_did_not_sign() {
    test(|| {
        let key = key_of(ALICE);
        for proof in [possession(BOB, key), possession(ALICE, key_of(BOB))] {
            assert_noop!(
                Operators::register(signed(ALICE), WORKER, key, proof, PRICES, MIN_BOND),
                Error::<Test>::NotPossessed
            );
        }
    });
}

#[test]
fn register_never_gives_an_index_twice() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::start_unbonding(signed(ALICE)));
        advance_to(51);
        assert_ok!(Operators::withdraw_bond(signed(ALICE)));
        register(BOB, WORKER, MIN_BOND);
        register(ALICE, WORKER, MIN_BOND);
        let controllers = [0, 1, 2].map(Controllers::<Test>::get);
        assert_eq!(controllers, [None, Some(BOB), Some(ALICE)]);
    });
}
