//! Checking and judging: whether a leaf is what its checkpoint yields, and the result that follows.

use super::engines::ExecutionError;
use super::{Answered, Reexecution};
use crate::store::{Product, StoredCheck};
use noema_claims::{merkle_root, prove_hidden, HiddenProof, Seat, SeatState};
use noema_model::engine::{Check, CheckVerdict};
use noema_protocol::{hashing, Verdict};
use sp_core::H256;

/// The fault of a leaf, as text; `None` if the leaf is true.
pub(super) fn fault(leaf: &Answered, found: &Reexecution) -> Option<String> {
    match found {
        Reexecution::Unanswerable(reason) => Some(format!(
            "the checkpoint has no answer to this prompt: {reason}"
        )),
        Reexecution::Checked(check) => misstatement(leaf).or_else(|| match check.verdict {
            CheckVerdict::Invalid(fault) => Some(fault.to_string()),
            CheckVerdict::Valid => unyielded(leaf, check),
        }),
    }
}

/// A difference between the receipt and the request or the answer. For claims of requests, the chain has
/// already compared them; other claims may differ.
fn misstatement(leaf: &Answered) -> Option<String> {
    let Answered {
        question,
        tokens,
        text,
        receipt,
    } = leaf;
    let differs = |what: &str| Some(format!("the receipt states another {what}"));
    if receipt.request != question.request {
        differs("request")
    } else if receipt.checkpoint != question.checkpoint {
        differs("checkpoint")
    } else if receipt.prompt_hash != hashing::prompt_hash(question.prompt.as_bytes()) {
        differs("prompt")
    } else if receipt.parameters != question.parameters {
        differs("set of parameters")
    } else if receipt.seed != question.seed {
        differs("seed")
    } else if usize::try_from(receipt.answer_tokens) != Ok(tokens.len()) {
        differs("number of tokens than the answer has")
    } else if receipt.answer_hash != hashing::answer_hash(tokens, text.as_bytes()) {
        differs("answer")
    } else {
        None
    }
}

/// A statement of the receipt, beyond tokens and text, that the execution does not yield.
fn unyielded(leaf: &Answered, check: &Check) -> Option<String> {
    let receipt = &leaf.receipt;
    if receipt.prompt_tokens != check.prompt_tokens {
        return Some(format!(
            "the receipt counts {} prompt tokens, there are {}",
            receipt.prompt_tokens, check.prompt_tokens
        ));
    }
    (receipt.hidden_root != merkle_root(&check.hidden))
        .then(|| "the hidden root is not that of the execution".into())
}

/// The result of a check: the hidden state at the position that `point` determines if the leaf is true, a
/// challenge if it is false.
pub(super) fn check(
    leaf: &Answered,
    point: u64,
    found: &Reexecution,
    is_false: bool,
) -> Result<Product, ExecutionError> {
    let (false, Reexecution::Checked(check)) = (is_false, found) else {
        return Ok(Product::Challenge);
    };
    let proof = proof(point, &check.hidden).ok_or_else(|| {
        ExecutionError::Failed("the execution yields no hidden state at the drawn position".into())
    })?;
    Ok(Product::Check(StoredCheck {
        receipt: Box::new(leaf.receipt),
        proof,
        salt: salt()?,
    }))
}

/// The verdict of a juror on a leaf.
pub(super) fn verdict(is_false: bool) -> Result<Product, ExecutionError> {
    let verdict = match is_false {
        true => Verdict::False,
        false => Verdict::True,
    };
    Ok(Product::Verdict {
        verdict,
        salt: salt()?,
    })
}

pub(super) fn proof(point: u64, hidden: &[H256]) -> Option<HiddenProof> {
    let seat = Seat {
        validator: (),
        leaf: 0,
        point,
        state: SeatState::Seated,
    };
    let position = seat.position(u32::try_from(hidden.len()).ok()?)?;
    prove_hidden(hidden, position)
}

pub(super) fn salt() -> Result<H256, ExecutionError> {
    let mut salt = H256::zero();
    getrandom::fill(&mut salt.0).map_err(|error| {
        ExecutionError::Failed(format!("the system has no randomness for a salt: {error}"))
    })?;
    Ok(salt)
}
