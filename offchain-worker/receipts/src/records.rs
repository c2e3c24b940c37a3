//! The records of pallets as the state has them.
//!
//! Metadata would have to be trusted, so records are decoded by position. Their layout belongs to the
//! storage version of their pallet, which the same proof shows.

use crate::AccountBytes;
use codec::{Decode, Encode};
use noema_claims::{Claim, ClaimRules, RelayBlock};
use noema_economics::Balance;
use noema_protocol::{hashing, CheckpointId, Job, SessionId};
use noema_sessions::{Account, SessionPrices, SessionRules, SessionTerms};
use sp_core::H256;

/// A session, as `Sessions.Sessions` has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SessionEntry {
    /// The account that pays.
    pub payer: AccountBytes,
    /// The key that signs vouchers.
    pub voucher_key: AccountBytes,
    /// The controller of the worker; `None` until one is drawn.
    pub worker: Option<AccountBytes>,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The most tokens, of prompt and answer together, that one answer has.
    pub leaf_tokens: u32,
    /// The highest prices that the payer accepts.
    pub price_limit: SessionPrices,
    /// The prices.
    pub prices: SessionPrices,
    /// The rules of sessions at its opening.
    pub rules: SessionRules,
    /// The rules of claims at its opening.
    pub claim_rules: ClaimRules<u32>,
    /// Its money, what was claimed of it, and its stage.
    pub account: Account<u32>,
    /// Its seed, once that is known.
    pub seed: Option<H256>,
    /// The block of its opening.
    pub opened_at: u32,
    /// The randomness of its seed has to be younger than this relay chain block.
    pub unknown_since: RelayBlock,
    /// The block in which it ended.
    pub ended_at: Option<u32>,
    /// The block of its next turn in the agenda.
    pub turn: Option<u32>,
}

impl SessionEntry {
    /// Its terms; `None` before it has a worker and a seed.
    pub fn terms(&self, session: SessionId) -> Option<SessionTerms<AccountBytes>> {
        Some(SessionTerms {
            session,
            payer: self.payer,
            worker: self.worker?,
            voucher_key: self.voucher_key,
            checkpoint: self.checkpoint,
            leaf_tokens: self.leaf_tokens,
            prices: self.prices,
            rules: self.rules,
            claim_rules: hashing::blake2_256(&self.claim_rules.encode()),
            seed: self.seed?,
        })
    }
}

/// A claim, as `Claims.Claims` has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ClaimEntry {
    /// The claim.
    pub claim: Claim<AccountBytes, u32>,
    /// The job that was claimed.
    pub job: Job,
    /// The part of the payer's amount on hold that the claim cannot cost.
    pub surplus: Balance,
    /// The block of its next turn in the agenda.
    pub turn: Option<u32>,
}
