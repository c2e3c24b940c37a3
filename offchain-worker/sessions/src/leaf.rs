//! Leaves of claims: answers as a validator executes them again.

use codec::{Decode, Encode};
use noema_protocol::hashing;
use noema_sessions::{verify_leaf, SessionReceipt};
use sp_core::H256;

/// An answer of a session with its tokens, and its place in a claim.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SessionLeaf {
    /// The receipt.
    pub receipt: SessionReceipt,
    /// The siblings of its hash, up to the root of the claim.
    pub path: Vec<H256>,
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The tokens of the answer.
    pub answer: Vec<u32>,
}

impl SessionLeaf {
    /// Whether this is leaf `index` of the claim with this root and this number of leaves, and the tokens are those of
    /// the receipt. Nothing else in the receipt is verified.
    pub fn is_of(&self, root: H256, leaves: u32, index: u32) -> bool {
        let receipt = &self.receipt;
        let is_stated = |tokens: &[u32], count: u32, hash: H256| {
            u32::try_from(tokens.len()) == Ok(count) && hashing::tokens_hash(tokens) == hash
        };
        verify_leaf(root, leaves, index, &receipt.hash(), &self.path)
            && is_stated(&self.prompt, receipt.prompt_tokens, receipt.prompt_hash)
            && is_stated(&self.answer, receipt.answer_tokens, receipt.answer_hash)
    }
}
