use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_economics::Balance;
use noema_protocol::{CheckpointId, SessionId};
use noema_sessions::{SessionPrices, Stage};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

/// A checkpoint that was never registered.
const UNKNOWN: CheckpointId = CheckpointId(H256::repeat_byte(9));

/// The arguments of an opening that is accepted.
struct Arguments {
    checkpoint: CheckpointId,
    worker: Option<AccountId>,
    leaf_tokens: u32,
    price_limit: SessionPrices,
    amount: Balance,
}

fn opened(change: impl FnOnce(&mut Arguments)) -> DispatchResult {
    let mut arguments = Arguments {
        checkpoint: CHECKPOINT,
        worker: Some(WORKER),
        leaf_tokens: LEAF_TOKENS,
        price_limit: ANY_PRICE,
        amount: HELD,
    };
    change(&mut arguments);
    frame_support::storage::with_storage_layer(|| {
        Sessions::open_session(
            RuntimeOrigin::signed(PAYER),
            arguments.checkpoint,
            arguments.worker,
            VOUCHER_KEY,
            arguments.leaf_tokens,
            arguments.price_limit,
            arguments.amount,
        )
    })
}

#[test]
fn opening_holds_the_amount_and_burns_the_price_of_storage() {
    test(|| {
        let issued = Balances::total_issuance();
        assert_ok!(opened(|_| {}));
        let id = SessionId(0);
        assert_eq!(held(PAYER), HELD);
        assert_eq!(total(PAYER), FUNDS - 50);
        assert_eq!(Balances::total_issuance(), issued - 50);
        System::assert_last_event(
            Event::Opened {
                session: id,
                payer: PAYER,
                checkpoint: CHECKPOINT,
                worker: Some(WORKER),
                held: HELD,
                storage_burned: 50,
            }
            .into(),
        );
        assert_eq!(stage(id), Stage::Unseeded);
        // Four bytes a token, and a tenth for a cached one.
        let prices = SessionPrices {
            per_prompt_token: 4,
            per_cached_token: 1,
            per_answer_token: 10,
        };
        assert_eq!(session(id).prices, prices);
    });
}

#[test]
fn sessions_that_could_not_be_served_are_refused() {
    test(|| {
        type Change = fn(&mut Arguments);
        let refusals: [(Change, Error<Test>); 11] = [
            (|a| a.amount = 999, Error::AmountTooLow),
            (|a| a.checkpoint = UNKNOWN, Error::CheckpointUnknown),
            (
                |a| a.checkpoint = CheckpointId::default(),
                Error::CheckpointInactive,
            ),
            (|a| a.leaf_tokens = 1, Error::LeafTokensOutOfRange),
            (|a| a.leaf_tokens = 101, Error::LeafTokensOutOfRange),
            (|a| a.worker = Some(STRANGER), Error::WorkerUnavailable),
            (|a| a.worker = Some(VALIDATOR), Error::WorkerUnavailable),
            (|a| a.price_limit.per_answer_token = 9, Error::PricesTooHigh),
            (|a| a.price_limit.per_prompt_token = 3, Error::PricesTooHigh),
            (|a| a.amount = FUNDS + 1, Error::FundsTooLow),
            (|a| a.amount = FUNDS - 20, Error::FundsTooLow),
        ];
        for (change, error) in refusals {
            assert_noop!(opened(change), error);
        }
        assert_ok!(opened(|a| a.leaf_tokens = 100));
    });
}

#[test]
fn a_worker_whose_bond_covers_no_claim_is_refused() {
    test(|| {
        let mut rules = rules();
        rules.min_stake = BOND + 1;
        TestRules::set(rules);
        assert_noop!(opened(|_| {}), Error::<Test>::BondTooLow);
        // None can be drawn either: the session ends, and everything but the price of storage returns.
        assert_ok!(opened(|a| a.worker = None));
        blocks(2);
        assert!(matches!(stage(SessionId(0)), Stage::Ended(_)));
        assert_eq!((held(PAYER), total(PAYER)), (0, FUNDS - 50));
    });
}

#[test]
fn no_session_is_opened_under_rules_that_cannot_work() {
    test(|| {
        let mut unworkable = rules();
        unworkable.close = 0;
        TestRules::set(unworkable);
        assert_noop!(opened(|_| {}), Error::<Test>::RulesUnworkable);
        // Eight drawn leaves would not be enough.
        let mut unworkable = rules();
        unworkable.stake_percent = 24;
        TestRules::set(unworkable);
        assert_noop!(opened(|_| {}), Error::<Test>::RulesUnworkable);
        TestRules::set(rules());
        let mut unworkable = claim_rules();
        unworkable.windows.commit = 0;
        TestClaimRules::set(unworkable);
        assert_noop!(opened(|_| {}), Error::<Test>::RulesUnworkable);
    });
}

#[test]
fn a_session_keeps_the_rules_with_which_it_was_opened() {
    test(|| {
        let id = open();
        let mut other = rules();
        other.min_claim = 1;
        TestRules::set(other);
        let voucher = Sides::of(id).answer(5);
        assert_noop!(claim(&voucher), Error::<Test>::ClaimTooSmall);
        assert_eq!(session(id).rules, rules());
    });
}

#[test]
fn a_top_up_adds_to_the_hold_and_restarts_the_lifetime() {
    test(|| {
        let id = open();
        let Stage::Open { until } = stage(id) else {
            panic!("the session is open");
        };
        blocks(7);
        let top_up = |by, amount| {
            frame_support::storage::with_storage_layer(|| {
                Sessions::top_up(RuntimeOrigin::signed(by), id, amount)
            })
        };
        assert_noop!(top_up(STRANGER, 5_000), Error::<Test>::NotPayer);
        assert_noop!(top_up(PAYER, 999), Error::<Test>::AmountTooLow);
        assert_noop!(top_up(PAYER, FUNDS), Error::<Test>::FundsTooLow);
        assert_ok!(top_up(PAYER, 5_000));
        assert_eq!(held(PAYER), HELD + 5_000);
        // Eight blocks after its seed.
        assert_eq!(stage(id), Stage::Open { until: until + 8 });
        assert_ok!(close(id, PAYER));
        assert_noop!(top_up(PAYER, 5_000), Error::<Test>::Closing);
        blocks(8);
        assert_noop!(top_up(PAYER, 5_000), Error::<Test>::Ended);
        let unknown = Sessions::top_up(RuntimeOrigin::signed(PAYER), SessionId(9), 5_000);
        assert_eq!(unknown, Err(Error::<Test>::SessionUnknown.into()));
        let unsigned = Sessions::top_up(RuntimeOrigin::none(), id, 5_000);
        assert_eq!(unsigned, Err(DispatchError::BadOrigin));
    });
}
