//! The steps of drawn validators: commit, then reveal.

use crate::{turns::Before, Config, Error, Event, KeptOf, Pallet, WeightInfo};
use frame_support::{ensure, weights::Weight};
use noema_claims::{verify_leaf, ClaimStage, HiddenProof};
use noema_interfaces::Operators;
use noema_protocol::{hashing, ClaimId, Receipt};
use noema_sessions::SessionReceipt;
use sp_core::H256;
use sp_runtime::DispatchError;

/// A claim that an operator changed, not yet stored.
pub(crate) struct Changed<T: Config> {
    pub(crate) operator: T::AccountId,
    /// What validators had to execute before.
    pub(crate) before: Before<T::AccountId>,
    /// The claim after the change.
    pub(crate) kept: KeptOf<T>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn controller(key: &T::AccountId) -> Result<T::AccountId, Error<T>> {
        T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)
    }

    /// Returns the weight.
    pub(crate) fn do_commit(
        key: T::AccountId,
        id: ClaimId,
        leaf: u32,
        commitment: H256,
    ) -> Result<Weight, DispatchError> {
        let Changed {
            operator: validator,
            before,
            kept,
        } = Self::commit(&key, id, leaf, commitment)?;
        Self::deposit_event(Event::CheckCommitted {
            claim: id,
            leaf,
            validator,
        });
        let (_, changes_turn) = Self::file_part(kept, &before);
        Ok(match changes_turn {
            true => T::WeightInfo::commit_check(),
            false => T::WeightInfo::commit_early(),
        })
    }

    /// The claim with the commitment; nothing is stored.
    pub(crate) fn commit(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
        commitment: H256,
    ) -> Result<Changed<T>, Error<T>> {
        let validator = Self::controller(key)?;
        let mut kept = Self::load(id)?;
        let before = Self::before(&kept.claim);
        kept.claim
            .commit(&validator, leaf, commitment, Self::now())?;
        Ok(Changed {
            operator: validator,
            before,
            kept,
        })
    }

    /// Returns the weight.
    pub(crate) fn do_reveal(
        key: T::AccountId,
        id: ClaimId,
        leaf: u32,
        receipt: &Receipt,
        path: &[H256],
        proof: &HiddenProof,
        salt: H256,
    ) -> Result<Weight, DispatchError> {
        let revealed = Self::reveal(&key, id, leaf, receipt, path, proof, salt)?;
        Ok(Self::file_reveal(revealed, id, leaf))
    }

    /// Returns the weight.
    pub(crate) fn do_reveal_session(
        key: T::AccountId,
        id: ClaimId,
        leaf: u32,
        receipt: &SessionReceipt,
        path: &[H256],
        proof: &HiddenProof,
        salt: H256,
    ) -> Result<Weight, DispatchError> {
        let revealed = Self::reveal_session(&key, id, leaf, receipt, path, proof, salt)?;
        Ok(Self::file_reveal(revealed, id, leaf))
    }

    /// Returns the weight.
    fn file_reveal(checked: Changed<T>, id: ClaimId, leaf: u32) -> Weight {
        let Changed {
            operator: validator,
            before,
            kept,
        } = checked;
        Self::deposit_event(Event::CheckRevealed {
            claim: id,
            leaf,
            validator,
        });
        match Self::file_part(kept, &before) {
            (ClaimStage::Revealing { .. }, false) => T::WeightInfo::reveal_early(),
            (ClaimStage::Challengeable { .. }, _) => T::WeightInfo::reveal_last(),
            _ => T::WeightInfo::reveal_check(),
        }
    }

    /// The claim with the reveal; nothing is stored.
    pub(crate) fn reveal(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
        receipt: &Receipt,
        path: &[H256],
        proof: &HiddenProof,
        salt: H256,
    ) -> Result<Changed<T>, Error<T>> {
        let answer = (receipt.hidden_root, receipt.answer_tokens);
        let hash = hashing::receipt_hash(receipt);
        Self::reveal_leaf(key, id, leaf, (hash, answer), path, proof, salt)
    }

    /// The same for a receipt of a session.
    pub(crate) fn reveal_session(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
        receipt: &SessionReceipt,
        path: &[H256],
        proof: &HiddenProof,
        salt: H256,
    ) -> Result<Changed<T>, Error<T>> {
        let answer = (receipt.hidden_root, receipt.answer_tokens);
        Self::reveal_leaf(key, id, leaf, (receipt.hash(), answer), path, proof, salt)
    }

    /// The claim with the reveal of the leaf with this hash, whose receipt states a root over that many hidden
    /// states.
    fn reveal_leaf(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
        (hash, answer): (H256, (H256, u32)),
        path: &[H256],
        proof: &HiddenProof,
        salt: H256,
    ) -> Result<Changed<T>, Error<T>> {
        let validator = Self::controller(key)?;
        let mut kept = Self::load(id)?;
        let before = Self::before(&kept.claim);
        let terms = &kept.claim.terms;
        ensure!(
            verify_leaf(terms.root, terms.leaves, leaf, hash, path),
            Error::<T>::ReceiptNotInClaim
        );
        kept.claim
            .reveal(&validator, leaf, answer, proof, salt, Self::now())?;
        Ok(Changed {
            operator: validator,
            before,
            kept,
        })
    }
}
