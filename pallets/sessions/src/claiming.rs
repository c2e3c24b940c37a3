//! Claims of sessions.

use crate::{Config, Error, Event, OpenClaim, OpenClaims, Pallet, SessionOf, Sessions};
use codec::{Decode, Encode};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{Availability, ClaimOutcome, ClaimTerms, Settlement};
use noema_interfaces::{Claims, Operators};
use noema_protocol::{ClaimId, Job, SessionId};
use noema_sessions::{Stage, Voucher};
use sp_core::H256;
use sp_runtime::{
    traits::{Verify, Zero},
    DispatchResult,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn load(id: SessionId) -> Result<SessionOf<T>, Error<T>> {
        Sessions::<T>::get(id).ok_or(Error::<T>::SessionUnknown)
    }

    /// The hash of the genesis block.
    pub(crate) fn genesis() -> H256 {
        let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        H256::decode(&mut hash.encode().as_slice()).unwrap_or_default()
    }

    pub(crate) fn do_claim(
        key: T::AccountId,
        voucher: &Voucher,
        signature: &T::Signature,
    ) -> DispatchResult {
        let worker = T::Operators::controller_of(&key).ok_or(Error::<T>::NotAnOperator)?;
        let id = voucher.session;
        let mut session = Self::load(id)?;
        let terms = session.terms(id).ok_or(Error::<T>::NotSeeded)?;
        ensure!(terms.worker == worker, Error::<T>::NotWorker);
        let first = session.account.count;
        let agreement = terms.agreement(Self::genesis());
        let part = session
            .account
            .claim(&agreement, voucher, Self::now())
            .map_err(Error::<T>::from)?;
        ensure!(
            signature.verify(voucher.payload().as_bytes(), &session.voucher_key),
            Error::<T>::BadSignature
        );
        let job = Job::Session(id, part.number);
        T::Operators::lock(&worker, job, part.stake).map_err(|_| Error::<T>::BondExhausted)?;
        let claim = T::Claims::make(
            job,
            ClaimTerms {
                claimant: worker,
                payer: session.payer.clone(),
                checkpoint: session.checkpoint,
                root: voucher.root,
                leaves: part.leaves,
                // The bound of the terms: with the claimant's lower count, validators would have too little time.
                leaf_tokens: session.leaf_tokens.into(),
                availability: Availability::FromClaimant,
                payment: part.payment,
                exposure: part.exposure,
                check_fee: part.check_fee,
                stake: part.stake,
                rules: session.claim_rules,
            },
            0,
        )
        .map_err(|_| Error::<T>::ClaimRefused)?;
        let open = OpenClaim {
            claim,
            first,
            leaves: part.leaves,
        };
        OpenClaims::<T>::insert(id, part.number, open);
        Self::file(id, session);
        Self::deposit_event(Event::Claimed {
            session: id,
            number: part.number,
            claim,
            first,
            leaves: part.leaves,
            payment: part.payment,
            check_fee: part.check_fee,
            stake: part.stake,
        });
        Ok(())
    }

    /// Takes the end of a claim. A session whose claim fell begins to close.
    pub(crate) fn end_claim(
        job: Job,
        claim: ClaimId,
        outcome: ClaimOutcome,
        settlement: &Settlement<T::AccountId>,
    ) {
        let Job::Session(id, number) = job else {
            return;
        };
        let Some(mut session) = Sessions::<T>::get(id) else {
            frame_support::defensive!("a session is kept until its claims have ended");
            return;
        };
        OpenClaims::<T>::remove(id, number);
        Self::file_removal(claim, session.rules.retention);
        let fell = matches!(outcome, ClaimOutcome::Fallen(_));
        let was_open = matches!(session.account.stage, Stage::Open { .. });
        let finality = session.claim_rules.windows.finality;
        session
            .account
            .end_claim(fell, &session.rules, Self::now(), finality);
        let closes = was_open && matches!(session.account.stage, Stage::Closing { .. });
        let until = Self::file(id, session);
        Self::deposit_event(Event::ClaimEnded {
            session: id,
            number,
            claim,
            paid: settlement.claimant.paid,
            refunded: settlement.payer,
        });
        if closes {
            Self::deposit_event(Event::ClosingBegan { session: id, until });
        }
    }
}
