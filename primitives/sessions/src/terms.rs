//! The terms of a session, fixed when its seed is known, and the amounts that follow from them.

use crate::SessionRules;
use noema_economics::Balance;
use noema_protocol::{apply, hashing, sent, stored, CheckpointId, SessionId};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Most leaves of a claim for whose checks an amount is set aside: the most that are drawn from one claim.
pub const MOST_CHECKED: u32 = 8;

/// The prices of a session, in the smallest unit of the token.
#[apply(sent)]
#[derive(Copy, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "by-name",
    derive(scale_decode::DecodeAsType, scale_encode::EncodeAsType)
)]
pub struct SessionPrices {
    /// Per token of the prompt whose keys and values are not cached.
    pub per_prompt_token: Balance,
    /// Per token of the prompt whose keys and values are cached.
    pub per_cached_token: Balance,
    /// Per token of the answer.
    pub per_answer_token: Balance,
}

impl SessionPrices {
    /// Whether none is higher than its counterpart in `limit`.
    pub const fn within(&self, limit: &Self) -> bool {
        self.per_prompt_token <= limit.per_prompt_token
            && self.per_cached_token <= limit.per_cached_token
            && self.per_answer_token <= limit.per_answer_token
    }

    /// The price of an answer of `answer_tokens` tokens to a prompt of `prompt_tokens` tokens, of which
    /// `cached_tokens` are cached; `None` where more are cached than there are, or where the amount is not
    /// representable.
    pub fn price(
        &self,
        prompt_tokens: u32,
        cached_tokens: u32,
        answer_tokens: u32,
    ) -> Option<Balance> {
        let computed = prompt_tokens.checked_sub(cached_tokens)?;
        let prompt = self.per_prompt_token.checked_mul(computed.into())?;
        let cached = self.per_cached_token.checked_mul(cached_tokens.into())?;
        let answer = self.per_answer_token.checked_mul(answer_tokens.into())?;
        prompt.checked_add(cached)?.checked_add(answer)
    }
}

/// The terms of a session. Both sides read them from the chain, and every receipt and every voucher states their
/// hash. The id of the checkpoint fixes its numerics version, too.
#[apply(sent)]
pub struct SessionTerms<AccountId> {
    /// The session.
    pub session: SessionId,
    /// The account that pays.
    pub payer: AccountId,
    /// The controller of the worker.
    pub worker: AccountId,
    /// The voucher key, which signs vouchers for the payer.
    pub voucher_key: AccountId,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The most tokens, of prompt and answer together, that one answer has.
    pub leaf_tokens: u32,
    /// The prices.
    pub prices: SessionPrices,
    /// The rules of sessions with which it was opened.
    pub rules: SessionRules,
    /// BLAKE2b-256 of the encoded rules of claims with which it was opened.
    pub claim_rules: H256,
    /// The session's seed.
    pub seed: H256,
}

impl<AccountId: codec::Encode> SessionTerms<AccountId> {
    /// The hash of the terms on the chain with this `genesis`.
    pub fn hash(&self, genesis: H256) -> H256 {
        hashing::session_terms_hash(genesis, self)
    }

    /// What each side needs to know of the terms from answer to answer.
    pub fn agreement(&self, genesis: H256) -> Agreement {
        Agreement {
            genesis,
            terms: self.hash(genesis),
            session: self.session,
            checkpoint: self.checkpoint,
            leaf_tokens: self.leaf_tokens,
            prices: self.prices,
            rules: self.rules,
            seed: self.seed,
        }
    }
}

/// The part of the terms that receipts and vouchers depend on.
#[apply(stored)]
#[derive(Copy)]
pub struct Agreement {
    /// The hash of the chain's genesis block.
    pub genesis: H256,
    /// The hash of the terms.
    pub terms: H256,
    /// The session.
    pub session: SessionId,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The most tokens, of prompt and answer together, that one answer has.
    pub leaf_tokens: u32,
    /// The prices.
    pub prices: SessionPrices,
    /// The rules of sessions with which it was opened.
    pub rules: SessionRules,
    /// The session's seed.
    pub seed: H256,
}

impl Agreement {
    /// The sampling seed of answer number `n`.
    pub fn seed_of(&self, n: u32) -> H256 {
        hashing::answer_seed(self.seed, n)
    }

    /// The amount set aside for the checks of a claim of `leaves` answers that cost `amount` together: for each
    /// leaf that can be drawn a part of the mean price, and no less than the minimum for its tokens. `None` where
    /// it is not representable.
    pub fn check_fee(&self, leaves: u32, amount: Balance) -> Option<Balance> {
        check_fee(&self.rules, self.leaf_tokens, leaves, amount)
    }

    /// The amount that a claim of `leaves` answers that cost `amount` together takes from the session's hold: the
    /// price and the amount set aside for checks. `None` where it is not representable.
    pub fn claim_total(&self, leaves: u32, amount: Balance) -> Option<Balance> {
        self.check_fee(leaves, amount)?.checked_add(amount)
    }
}

/// See [`Agreement::check_fee`].
pub(crate) fn check_fee(
    rules: &SessionRules,
    leaf_tokens: u32,
    leaves: u32,
    amount: Balance,
) -> Option<Balance> {
    if leaves == 0 {
        return Some(0);
    }
    let mean = amount.div_ceil(leaves.into());
    let least = rules.check_fee_per_token.checked_mul(leaf_tokens.into())?;
    let each = rules.check_share.mul_ceil(mean).max(least);
    each.checked_mul(leaves.min(MOST_CHECKED).into())
}
