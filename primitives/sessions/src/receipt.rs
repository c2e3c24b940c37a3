//! Asks and receipts: what the two sides state about one answer.

use crate::Agreement;
use noema_economics::Balance;
use noema_protocol::{apply, hashing, sent, CheckpointId, SamplingParameters, SessionId};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// What the payer asks for: 48 bytes, beside the tokens of the prompt.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
pub struct Ask {
    /// The number of the answer in its session, counted from zero.
    pub n: u32,
    /// [`hashing::tokens_hash`] of the prompt.
    pub prompt_hash: H256,
    /// Tokens of the prompt, at least 1.
    pub prompt_tokens: u32,
    /// How the answer is sampled, and the most tokens that it may have.
    pub parameters: SamplingParameters,
}

/// Why an answer ended.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
#[serde(rename_all = "snake_case")]
pub enum AnswerEnd {
    /// Its last token is a stop token.
    Stop,
    /// It has as many tokens as were asked for.
    Length,
    /// The payer ended it.
    ByPayer,
}

/// A worker's statement about one answer of a session: 245 bytes. Its hash is a leaf of a claim.
///
/// The leaf is true where each field is right, not only the tokens and hidden states that execution yields: session,
/// terms, `n` (the first answer of the claim and the leaf's number), `first`, seed and price are those of the session on
/// chain: see [`Self::misstatement`]. Validators compare them, and so does the chain in a dispute: of a receipt that is
/// posted it verifies no more than that it is in the claim.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct SessionReceipt {
    /// The session.
    pub session: SessionId,
    /// The number of the answer in its session, counted from zero.
    pub n: u32,
    /// The number of the first answer of the bundle that this one belongs to.
    pub first: u32,
    /// The hash of the session's terms.
    pub terms: H256,
    /// The checkpoint that answered.
    pub checkpoint: CheckpointId,
    /// [`hashing::tokens_hash`] of the prompt.
    pub prompt_hash: H256,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens at the beginning of the prompt whose keys and values were cached.
    pub cached_tokens: u32,
    /// The parameters as asked for.
    pub parameters: SamplingParameters,
    /// [`hashing::answer_seed`] of the session's seed and `n`.
    pub seed: H256,
    /// [`hashing::tokens_hash`] of the answer.
    pub answer_hash: H256,
    /// Tokens of the answer, a closing stop token included; at least 1.
    pub answer_tokens: u32,
    /// Why it ended.
    pub end: AnswerEnd,
    /// Its price, by the prices of the terms.
    pub price: Balance,
    /// The Merkle root over the hashes of the final hidden states from which the answer's tokens are sampled,
    /// one for each of `answer_tokens`. Only execution yields them.
    pub hidden_root: H256,
}

impl SessionReceipt {
    /// What the receipt misstates of the session, of the parameters or of its place in a claim: `leaf` counts from the
    /// answer `first` of the session. `None` where it is right but for what only execution yields.
    pub fn misstatement(
        &self,
        agreement: &Agreement,
        first: u32,
        leaf: u32,
    ) -> Option<&'static str> {
        let max_tokens = self.parameters.max_tokens.into();
        let most = self.prompt_tokens.checked_add(max_tokens);
        let price =
            agreement
                .prices
                .price(self.prompt_tokens, self.cached_tokens, self.answer_tokens);
        let statements = [
            (self.session == agreement.session, "session"),
            (self.terms == agreement.terms, "set of terms"),
            (self.checkpoint == agreement.checkpoint, "checkpoint"),
            (Some(self.n) == first.checked_add(leaf), "number"),
            (self.first == first, "first answer"),
            (self.seed == agreement.seed_of(self.n), "seed"),
            (price == Some(self.price), "price"),
            (
                self.parameters.validate().is_ok(),
                "set of sampling parameters than there can be",
            ),
            (
                most.is_some_and(|most| most <= agreement.leaf_tokens),
                "length than the terms allow",
            ),
        ];
        let wrong = statements.into_iter().find(|(is_right, _)| !is_right);
        wrong.map(|(_, what)| what)
    }

    /// Its hash: the leaf of a claim, and the payload that the worker's hot key signs. The hash of the terms in it
    /// binds the chain.
    pub fn hash(&self) -> H256 {
        hashing::session_receipt_hash(self)
    }
}
