//! What a request costs, and how its escrow is shared out.

use crate::{Balance, EconomicsError};
use noema_protocol::interfaces::Prices;
use sp_arithmetic::Permill;

/// The most a request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// For the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// Set aside for the validators that check the answer; refunded if none does.
    pub check_fee: Balance,
    /// What the requester puts in escrow: the two above.
    pub total: Balance,
}

/// How an escrow is shared out: `worker + checkers_total + refund` is the escrow, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// To the worker that answered.
    pub worker: Balance,
    /// To each of the validators that checked.
    pub per_checker: Balance,
    /// To all of them together.
    pub checkers_total: Balance,
    /// Back to the requester.
    pub refund: Balance,
}

/// An amount in equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// One part.
    pub each: Balance,
    /// All parts together.
    pub total: Balance,
    /// What the parts leave over: less than the number of parts, or the whole amount where there is
    /// no part.
    pub remainder: Balance,
}

/// A payment of which a part is burned: `paid + burned` is the payment, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetPayment {
    /// To the payee.
    pub paid: Balance,
    /// Destroyed, rounded down.
    pub burned: Balance,
}

/// The price of an answer of `output_tokens` tokens to a prompt of `prompt_bytes` bytes.
pub fn answer_price(
    prices: &Prices<Balance>,
    prompt_bytes: u32,
    output_tokens: u32,
) -> Result<Balance, EconomicsError> {
    let prompt = prices.per_prompt_byte.checked_mul(prompt_bytes.into());
    let output = prices.per_output_token.checked_mul(output_tokens.into());
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

/// Shares out `escrow` after an answer of `output_tokens` tokens.
///
/// `checkers` is the number of validators that checked the answer, `None` where it was not drawn
/// for a check; the `check_fee` is divided among them and goes back to the requester where there
/// are none. What the division leaves over goes back too. An escrow smaller than the price pays
/// the worker first.
pub fn settle(
    escrow: Balance,
    prices: &Prices<Balance>,
    prompt_bytes: u32,
    output_tokens: u32,
    checkers: Option<u32>,
    check_fee: Balance,
) -> Settlement {
    let price = answer_price(prices, prompt_bytes, output_tokens).unwrap_or(Balance::MAX);
    let worker = price.min(escrow);
    let left = escrow.saturating_sub(worker);
    let checks = divide(check_fee.min(left), checkers.unwrap_or(0));
    Settlement {
        worker,
        per_checker: checks.each,
        checkers_total: checks.total,
        refund: left.saturating_sub(checks.total),
    }
}

/// Divides `amount` into `parts` equal parts.
pub fn divide(amount: Balance, parts: u32) -> Division {
    let each = amount.checked_div(parts.into()).unwrap_or(0);
    let total = each.saturating_mul(parts.into());
    Division {
        each,
        total,
        remainder: amount.saturating_sub(total),
    }
}

/// Burns `share` of a payment.
pub fn burn_part(payment: Balance, share: Permill) -> NetPayment {
    let burned = share.mul_floor(payment).min(payment);
    NetPayment {
        paid: payment.saturating_sub(burned),
        burned,
    }
}
