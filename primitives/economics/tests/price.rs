//! Quotes and payments: no unit is created or lost.

use noema_economics::{answer_price, burn_part, quote, Balance, EconomicsError, Permill};
use noema_protocol::Prices;
use proptest::prelude::*;

fn prices(per_prompt_byte: Balance, per_answer_token: Balance) -> Prices<Balance> {
    Prices {
        per_prompt_byte,
        per_answer_token,
    }
}

/// Prices with which no request exceeds the largest amount.
fn payable_prices() -> impl Strategy<Value = Prices<Balance>> {
    (any::<u64>(), any::<u64>()).prop_map(|(byte, token)| prices(byte.into(), token.into()))
}

#[test]
fn quote_adds_prompt_answer_and_check() {
    let quote = quote(&prices(2, 10), 5, 64, 30).expect("the amounts are small");
    assert_eq!(quote.answer_max, 2 * 5 + 10 * 64);
    assert_eq!(quote.check_fee, 30);
    assert_eq!(quote.total, 680);
}

#[test]
fn quote_refuses_what_no_amount_can_hold() {
    let overflow = Err(EconomicsError::PriceOverflow);
    assert_eq!(quote(&prices(Balance::MAX, 0), 2, 1, 0), overflow);
    assert_eq!(quote(&prices(0, Balance::MAX), 1, 2, 0), overflow);
    assert_eq!(quote(&prices(Balance::MAX, 1), 1, 1, 0), overflow);
    assert_eq!(quote(&prices(0, Balance::MAX), 1, 1, 1), overflow);
}

proptest! {
    #[test]
    fn a_quote_covers_every_answer_within_it(
        prices in payable_prices(),
        prompt_bytes: u32,
        max_tokens: u32,
        part in 0.0f64..=1.0,
        check_fee in any::<u64>().prop_map(u128::from),
    ) {
        let tokens = (f64::from(max_tokens) * part) as u32;
        let quote = quote(&prices, prompt_bytes, max_tokens, check_fee).expect("payable");
        let price = answer_price(&prices, prompt_bytes, tokens).expect("payable");
        prop_assert!(price <= quote.answer_max);
        prop_assert_eq!(quote.answer_max + quote.check_fee, quote.total);
    }

    #[test]
    fn quote_grows_with_everything_that_is_asked(
        prices in payable_prices(),
        prompt_bytes in 0..u32::MAX,
        max_tokens in 0..u32::MAX,
        check_fee in any::<u64>().prop_map(u128::from),
    ) {
        let total = |bytes, tokens, fee| quote(&prices, bytes, tokens, fee).expect("payable").total;
        let base = total(prompt_bytes, max_tokens, check_fee);
        prop_assert_eq!(base + prices.per_prompt_byte, total(prompt_bytes + 1, max_tokens, check_fee));
        prop_assert_eq!(base + prices.per_answer_token, total(prompt_bytes, max_tokens + 1, check_fee));
        prop_assert_eq!(base + 1, total(prompt_bytes, max_tokens, check_fee + 1));
    }

    #[test]
    fn a_burned_part_is_its_share_and_loses_nothing(payment: u128, share in 0u32..=1_000_000) {
        let share = Permill::from_parts(share);
        let net = burn_part(payment, share);
        prop_assert_eq!(net.paid.checked_add(net.burned), Some(payment));
        prop_assert_eq!(net.burned, share.mul_floor(payment));
    }
}
