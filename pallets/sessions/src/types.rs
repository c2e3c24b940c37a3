//! The types of the pallet's storage and interfaces.

use crate::{Agenda, AgendaCursor};
use alloc::vec::Vec;
use codec::Encode;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{ClaimRules, RelayBlock};
use noema_economics::Balance;
use noema_protocol::{apply, encoded, hashing, stored, CheckpointId, ClaimId, SessionId};
use noema_sessions::{Account, SessionPrices, SessionRules, SessionTerms};
use sp_core::H256;

/// A session of the runtime.
pub type SessionOf<T> = Session<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// All data on a session of the runtime.
pub type SessionInfoOf<T> = SessionInfo<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// The agenda of sessions and of the records of their claims.
pub(crate) type Turns<T> = noema_agenda::Agenda<Agenda<T>, AgendaCursor<T>>;

/// A session, from its opening until it is pruned.
#[apply(stored)]
pub struct Session<AccountId, BlockNumber> {
    /// The account that pays.
    pub payer: AccountId,
    /// The key that signs vouchers.
    pub voucher_key: AccountId,
    /// The controller of the worker; `None` until one is drawn.
    pub worker: Option<AccountId>,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The most tokens, of prompt and answer together, that one answer has.
    pub leaf_tokens: u32,
    /// The highest prices that the payer accepts.
    pub price_limit: SessionPrices,
    /// The prices; zero until the session has a worker.
    pub prices: SessionPrices,
    /// The rules of sessions at its opening.
    pub rules: SessionRules,
    /// The rules of claims at its opening.
    pub claim_rules: ClaimRules<BlockNumber>,
    /// Its money, what was claimed of it, and its stage.
    pub account: Account<BlockNumber>,
    /// Its seed, once that is known.
    pub seed: Option<H256>,
    /// The block of its opening.
    pub opened_at: BlockNumber,
    /// The randomness of its seed has to be younger than this relay chain block.
    pub unknown_since: RelayBlock,
    /// The block in which it ended.
    pub ended_at: Option<BlockNumber>,
    /// The block of its next turn in the agenda; `None` while it waits for its seed.
    pub turn: Option<BlockNumber>,
}

impl<AccountId: Clone + Encode, BlockNumber: Encode> Session<AccountId, BlockNumber> {
    /// Its terms; `None` before it has a worker and a seed.
    pub fn terms(&self, session: SessionId) -> Option<SessionTerms<AccountId>> {
        Some(SessionTerms {
            session,
            payer: self.payer.clone(),
            worker: self.worker.clone()?,
            voucher_key: self.voucher_key.clone(),
            checkpoint: self.checkpoint,
            leaf_tokens: self.leaf_tokens,
            prices: self.prices,
            rules: self.rules,
            claim_rules: hashing::blake2_256(&self.claim_rules.encode()),
            seed: self.seed?,
        })
    }
}

/// What is due in a block.
#[apply(stored)]
#[derive(Copy)]
pub enum Turn {
    /// A session closes, ends or is pruned.
    Session(SessionId),
    /// The record of a claim that has ended is removed.
    Claim(ClaimId),
}

/// A claim of a session that has not ended.
#[apply(stored)]
#[derive(Copy)]
pub struct OpenClaim {
    /// The claim.
    pub claim: ClaimId,
    /// The number of the answer that is its first leaf.
    pub first: u32,
    /// The number of its leaves.
    pub leaves: u32,
}

/// All data on a session.
#[apply(encoded)]
pub struct SessionInfo<AccountId, BlockNumber> {
    /// The record.
    pub session: Session<AccountId, BlockNumber>,
    /// The hash of its terms; `None` before it has a worker and a seed.
    pub terms: Option<H256>,
    /// The part of its hold that no claim took.
    pub left: Balance,
    /// Its claims that have not ended, by their number in the session.
    pub open_claims: Vec<(u32, OpenClaim)>,
}

/// A worker with which a session can be opened.
#[apply(encoded)]
pub struct SessionOffer<AccountId> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// The prices of a session.
    pub prices: SessionPrices,
    /// The largest claim for which its free bond suffices now, without the part that it reserves.
    pub most_claimable: Balance,
}
