//! Quotes and settlements: no unit is created or lost.

use noema_economics::{
    answer_price, burn_part, divide, quote, settle, Balance, EconomicsError, Permill,
};
use noema_protocol::interfaces::Prices;
use proptest::prelude::*;

fn prices(per_prompt_byte: Balance, per_output_token: Balance) -> Prices<Balance> {
    Prices {
        per_prompt_byte,
        per_output_token,
    }
}

fn any_prices() -> impl Strategy<Value = Prices<Balance>> {
    (any::<u128>(), any::<u128>()).prop_map(|(byte, token)| prices(byte, token))
}

/// Prices that no prompt and no answer can take beyond the largest amount.
fn payable_prices() -> impl Strategy<Value = Prices<Balance>> {
    (any::<u64>(), any::<u64>()).prop_map(|(byte, token)| prices(byte.into(), token.into()))
}

#[test]
fn quote_should_add_prompt_answer_and_check() {
    let quote = quote(&prices(2, 10), 5, 64, 30).expect("the amounts are small");
    assert_eq!(quote.answer_max, 2 * 5 + 10 * 64);
    assert_eq!(quote.check_fee, 30);
    assert_eq!(quote.total, 680);
}

#[test]
fn quote_should_refuse_what_no_amount_can_hold() {
    let overflow = Err(EconomicsError::PriceOverflow);
    assert_eq!(quote(&prices(Balance::MAX, 0), 2, 1, 0), overflow);
    assert_eq!(quote(&prices(0, Balance::MAX), 1, 2, 0), overflow);
    assert_eq!(quote(&prices(Balance::MAX, 1), 1, 1, 0), overflow);
    assert_eq!(quote(&prices(0, Balance::MAX), 1, 1, 1), overflow);
}

#[test]
fn settle_should_return_the_check_fee_when_nobody_checked() {
    let paid = settle(680, &prices(2, 10), 5, 64, None, 30);
    assert_eq!(
        (paid.worker, paid.checkers_total, paid.refund),
        (650, 0, 30)
    );
    assert_eq!(paid, settle(680, &prices(2, 10), 5, 64, Some(0), 30));
}

#[test]
fn settle_should_return_what_does_not_divide() {
    let paid = settle(680, &prices(2, 10), 5, 64, Some(4), 30);
    assert_eq!(
        (paid.per_checker, paid.checkers_total, paid.refund),
        (7, 28, 2)
    );
}

#[test]
fn settle_should_pay_the_worker_first_when_the_escrow_is_short() {
    let paid = settle(100, &prices(2, 10), 5, 64, Some(2), 30);
    assert_eq!((paid.worker, paid.checkers_total, paid.refund), (100, 0, 0));
    let paid = settle(655, &prices(2, 10), 5, 64, Some(2), 30);
    assert_eq!((paid.worker, paid.checkers_total, paid.refund), (650, 4, 1));
}

proptest! {
    #[test]
    fn settlement_should_equal_the_escrow(
        escrow: u128,
        prices in prop_oneof![any_prices(), payable_prices()],
        prompt_bytes: u32,
        output_tokens: u32,
        checkers in proptest::option::of(any::<u32>()),
        check_fee in prop_oneof![any::<u128>(), any::<u64>().prop_map(u128::from)],
    ) {
        let paid = settle(escrow, &prices, prompt_bytes, output_tokens, checkers, check_fee);
        let out = paid
            .worker
            .checked_add(paid.checkers_total)
            .and_then(|sum| sum.checked_add(paid.refund));
        prop_assert_eq!(out, Some(escrow));
        prop_assert_eq!(
            paid.per_checker.checked_mul(checkers.unwrap_or(0).into()),
            Some(paid.checkers_total)
        );
    }

    #[test]
    fn a_quoted_escrow_should_cover_every_answer_within_it(
        prices in payable_prices(),
        prompt_bytes: u32,
        max_tokens: u32,
        part in 0.0f64..=1.0,
        checkers in 1u32..100,
        check_fee in any::<u64>().prop_map(u128::from),
    ) {
        let tokens = (f64::from(max_tokens) * part) as u32;
        let quote = quote(&prices, prompt_bytes, max_tokens, check_fee).expect("payable");
        let paid = settle(quote.total, &prices, prompt_bytes, tokens, Some(checkers), check_fee);
        prop_assert_eq!(Ok(paid.worker), answer_price(&prices, prompt_bytes, tokens));
        prop_assert_eq!(paid.per_checker, check_fee / u128::from(checkers));
    }

    #[test]
    fn quote_should_grow_with_everything_that_is_asked(
        prices in payable_prices(),
        prompt_bytes in 0..u32::MAX,
        max_tokens in 0..u32::MAX,
        check_fee in any::<u64>().prop_map(u128::from),
    ) {
        let total = |bytes, tokens, fee| quote(&prices, bytes, tokens, fee).expect("payable").total;
        let base = total(prompt_bytes, max_tokens, check_fee);
        prop_assert_eq!(base + prices.per_prompt_byte, total(prompt_bytes + 1, max_tokens, check_fee));
        prop_assert_eq!(base + prices.per_output_token, total(prompt_bytes, max_tokens + 1, check_fee));
        prop_assert_eq!(base + 1, total(prompt_bytes, max_tokens, check_fee + 1));
    }

    #[test]
    fn a_burned_part_should_be_its_share_and_lose_nothing(payment: u128, share in 0u32..=1_000_000) {
        let share = Permill::from_parts(share);
        let net = burn_part(payment, share);
        prop_assert_eq!(net.paid.checked_add(net.burned), Some(payment));
        prop_assert_eq!(net.burned, share.mul_floor(payment));
    }

    #[test]
    fn division_should_lose_nothing(amount: u128, parts: u32) {
        let division = divide(amount, parts);
        prop_assert_eq!(division.total, division.each * u128::from(parts));
        prop_assert_eq!(division.total + division.remainder, amount);
        prop_assert!(parts == 0 || division.remainder < parts.into());
    }
}
