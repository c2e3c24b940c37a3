//! Answering: the receipt of a worker's answer.

use super::Question;
use crate::store::StoredAnswer;
use noema_claims::merkle_root;
use noema_model::engine::Answer;
use noema_protocol::{hashing, Receipt};

/// The answer as it is submitted, with its receipt.
pub(super) fn stated(question: &Question, answer: Answer) -> StoredAnswer {
    let receipt = Receipt {
        request: question.request,
        checkpoint: question.checkpoint,
        prompt_hash: hashing::prompt_hash(question.prompt.as_bytes()),
        parameters: question.parameters,
        seed: question.seed,
        answer_hash: hashing::answer_hash(&answer.tokens, answer.text.as_bytes()),
        prompt_tokens: answer.prompt_tokens,
        answer_tokens: u32::try_from(answer.tokens.len()).unwrap_or(u32::MAX),
        hidden_root: merkle_root(&answer.hidden),
    };
    StoredAnswer {
        tokens: answer.tokens,
        text: answer.text,
        receipt: Box::new(receipt),
    }
}
