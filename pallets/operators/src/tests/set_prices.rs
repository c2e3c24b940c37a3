use crate::{mock::*, Error, Event, Operators as Records};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{Prices, Role};
use noema_terms::TermIndex;

const DEARER: Prices<Balance> = Prices {
    per_prompt_byte: 3,
    per_answer_token: 30,
};

#[test]
fn set_prices_changes_what_a_worker_charges() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_ok!(Operators::set_prices(signed(ALICE), DEARER));
        assert_eq!(
            *Records::<Test>::get(ALICE)
                .expect("registered")
                .prices
                .latest(),
            DEARER
        );
        System::assert_last_event(
            Event::PricesSet {
                controller: ALICE,
                prices: DEARER,
                from: TermIndex(2),
            }
            .into(),
        );
    });
}

#[test]
fn set_prices_holds_from_the_term_after_next() {
    test(|| {
        serving(ALICE, WORKER, MIN_BOND);
        pass_terms(2);
        assert_ok!(Operators::set_prices(signed(ALICE), DEARER));
        for prices in [PRICES, PRICES, DEARER] {
            let drawable = Operators::drawable(Role::Worker, LLAMA);
            assert_eq!(drawable.first().map(|worker| worker.prices), Some(prices));
            pass_terms(1);
        }
    });
}

#[test]
fn set_prices_refuses_a_validator() {
    test(|| {
        register(ALICE, VALIDATOR, MIN_BOND);
        assert_noop!(
            Operators::set_prices(signed(ALICE), DEARER),
            Error::<Test>::NotAWorker
        );
    });
}

#[test]
fn set_prices_refuses_the_hot_key() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::set_prices(signed(key_of(ALICE)), DEARER),
            Error::<Test>::NotRegistered
        );
    });
}
