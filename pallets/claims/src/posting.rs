//! Leaves that are not on chain: the demands of validators, and the claimant's posts.

use crate::{checking::Changed, ClaimOf, Config, Error, Event, Pallet};
use frame_support::ensure;
use noema_claims::verify_leaf;
use noema_interfaces::{Operators, Referee};
use noema_protocol::{hashing, ClaimId, Job};
use noema_sessions::SessionReceipt;
use sp_core::H256;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_demand(key: T::AccountId, id: ClaimId, leaf: u32) -> DispatchResult {
        let Changed {
            operator: validator,
            before,
            kept,
        } = Self::demand(&key, id, leaf)?;
        let until = kept.claim.demands.iter().find(|demand| demand.leaf == leaf);
        let until = until.map_or_else(Self::now, |demand| demand.until);
        Self::deposit_event(Event::LeafDemanded {
            claim: id,
            leaf,
            by: validator,
            until,
        });
        Self::file(kept, &before, Self::now());
        Ok(())
    }

    /// The claim with the demand; nothing is stored.
    pub(crate) fn demand(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
    ) -> Result<Changed<T>, Error<T>> {
        let validator = Self::controller(key)?;
        let mut kept = Self::load(id)?;
        let before = Self::before(&kept.claim);
        kept.claim.demand(&validator, leaf, Self::now())?;
        Ok(Changed {
            operator: validator,
            before,
            kept,
        })
    }

    /// Takes the price of the leaves that validators demanded by themselves, out of their locks.
    pub(crate) fn charge_demands(claim: &ClaimOf<T>) {
        for (validator, leaf) in claim.lone_demands() {
            let job = Job::Check(claim.id, leaf);
            T::Operators::spend(validator, job, claim.demand_price());
        }
    }

    pub(crate) fn do_post(
        key: T::AccountId,
        id: ClaimId,
        leaf: u32,
        receipt: &SessionReceipt,
        path: &[H256],
        prompt: &[u32],
        answer: &[u32],
    ) -> DispatchResult {
        let Changed { before, kept, .. } =
            Self::post(&key, id, leaf, receipt, path, prompt, answer)?;
        Self::deposit_event(Event::LeafPosted { claim: id, leaf });
        let claim = kept.claim.clone();
        Self::file(kept, &before, Self::now());
        if crate::Disputes::<T>::contains_key(id, leaf) {
            // The dispute has waited for the leaf.
            T::Referee::open(&claim, leaf);
        }
        Ok(())
    }

    /// The claim with the post; nothing is stored.
    pub(crate) fn post(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
        receipt: &SessionReceipt,
        path: &[H256],
        prompt: &[u32],
        answer: &[u32],
    ) -> Result<Changed<T>, Error<T>> {
        let claimant = Self::controller(key)?;
        let mut kept = Self::load(id)?;
        ensure!(
            kept.claim.terms.claimant == claimant,
            Error::<T>::NotClaimant
        );
        ensure!(kept.claim.outcome().is_none(), Error::<T>::Ended);
        let before = Self::before(&kept.claim);
        // Before anything is hashed: a claimant could otherwise have its node, and every other, hash for nothing.
        kept.claim.post(leaf, Self::now())?;
        let terms = &kept.claim.terms;
        let tokens = u64::from(receipt.prompt_tokens).saturating_add(receipt.answer_tokens.into());
        ensure!(
            receipt.checkpoint == terms.checkpoint && tokens <= terms.leaf_tokens,
            Error::<T>::ReceiptNotInTerms
        );
        ensure!(
            verify_leaf(terms.root, terms.leaves, leaf, receipt.hash(), path),
            Error::<T>::ReceiptNotInClaim
        );
        let is_stated = |tokens: &[u32], count: u32, hash: H256| {
            u32::try_from(tokens.len()) == Ok(count) && hashing::tokens_hash(tokens) == hash
        };
        ensure!(
            is_stated(prompt, receipt.prompt_tokens, receipt.prompt_hash)
                && is_stated(answer, receipt.answer_tokens, receipt.answer_hash),
            Error::<T>::TokensNotInReceipt
        );
        Ok(Changed {
            operator: claimant,
            before,
            kept,
        })
    }
}
