//! The price of a request, and the burned part of a payment.

use crate::{Balance, EconomicsError};
use noema_protocol::Prices;
use sp_arithmetic::Permill;

/// The most a request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// For the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// Set aside for the validators that check the answer; the unspent part goes back to the requester.
    pub check_fee: Balance,
    /// The sum of the two above.
    pub total: Balance,
}

/// A payment of which a part is burned: `paid + burned` is the payment, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetPayment {
    /// To the payee.
    pub paid: Balance,
    /// Destroyed, rounded down.
    pub burned: Balance,
}

/// The price of an answer of `answer_tokens` tokens to a prompt of `prompt_bytes` bytes.
pub fn answer_price(
    prices: &Prices<Balance>,
    prompt_bytes: u32,
    answer_tokens: u32,
) -> Result<Balance, EconomicsError> {
    let prompt = prices.per_prompt_byte.checked_mul(prompt_bytes.into());
    let output = prices.per_answer_token.checked_mul(answer_tokens.into());
    prompt
        .zip(output)
        .and_then(|(prompt, output)| prompt.checked_add(output))
        .ok_or(EconomicsError::PriceOverflow)
}

/// The most that a worker with `prices` and the validators that check it can cost.
///
/// # Errors
/// [`EconomicsError::PriceOverflow`] if that is no representable amount.
pub fn quote(
    prices: &Prices<Balance>,
    prompt_bytes: u32,
    max_tokens: u32,
    check_fee: Balance,
) -> Result<Quote, EconomicsError> {
    let answer_max = answer_price(prices, prompt_bytes, max_tokens)?;
    let total = answer_max
        .checked_add(check_fee)
        .ok_or(EconomicsError::PriceOverflow)?;
    Ok(Quote {
        answer_max,
        check_fee,
        total,
    })
}

/// Burns `share` of a payment.
pub fn burn_part(payment: Balance, share: Permill) -> NetPayment {
    let burned = share.mul_floor(payment).min(payment);
    NetPayment {
        paid: payment.saturating_sub(burned),
        burned,
    }
}
