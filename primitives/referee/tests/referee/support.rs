//! A chain that knows one claim of a session.

pub(crate) use crate::answer::{manifest, tree, World};
use noema_checkpoint::{Architecture, Manifest};
use noema_disputes::DisputedLeaf;
use noema_economics::Permill;
use noema_numerics::testing::TestModel;
use noema_protocol::{ClaimId, SessionId};
use noema_referee::{SessionClaims, SessionJudge};
use noema_sessions::{Agreement, SessionPrices, SessionRules};
use sp_core::H256;
use std::cell::RefCell;

pub(crate) const CLAIM: ClaimId = ClaimId(9);
/// The number of the answer that is the claim's first leaf, and the number of the disputed leaf.
pub(crate) const FIRST: u32 = 4;
pub(crate) const LEAF: u32 = 2;
thread_local! {
    static AGREEMENT: RefCell<Option<Agreement>> = const { RefCell::new(None) };
}

/// A chain with one claim of a session.
pub(crate) struct Chain;

impl SessionClaims for Chain {
    fn agreement(claim: ClaimId) -> Option<(Agreement, u32)> {
        let agreement = AGREEMENT.with_borrow(Clone::clone)?;
        (claim == CLAIM).then_some((agreement, FIRST))
    }
}

pub(crate) type Judge = SessionJudge<Chain>;

fn agreement(manifest: &Manifest) -> Agreement {
    Agreement {
        genesis: H256::repeat_byte(1),
        terms: H256::repeat_byte(2),
        session: SessionId(3),
        checkpoint: manifest.id(),
        leaf_tokens: 64,
        prices: SessionPrices {
            per_prompt_token: 5,
            per_cached_token: 1,
            per_answer_token: 20,
        },
        rules: SessionRules {
            lifetime: 100,
            close: 10,
            bytes_per_token: 4,
            cached_share: Permill::from_percent(10),
            check_share: Permill::from_percent(20),
            check_fee_per_token: 1,
            stake_percent: 100,
            min_stake: 1,
            stake_per_token: 1,
            min_held: 1,
            min_claim: 1,
            storage_price: 1,
            retention: 10,
        },
        seed: H256::repeat_byte(7),
    }
}

impl World {
    /// The answer of a model with seeded weights. The chain knows its session.
    pub(crate) fn new(architecture: Architecture, seed: u64) -> Self {
        let model = TestModel::seeded(architecture, seed);
        let manifest = manifest(&model);
        let agreement = agreement(&manifest);
        let world = Self::of(model, manifest, &agreement, (FIRST, LEAF));
        AGREEMENT.set(Some(agreement));
        world
    }

    pub(crate) fn subject(&self) -> DisputedLeaf {
        DisputedLeaf {
            claim: CLAIM,
            leaf: LEAF,
            checkpoint: self.manifest.id(),
        }
    }
}
