//! The view functions that are more than a read of the storage.

use crate::{
    Config, OpenClaims, Pallet, SessionInfo, SessionInfoOf, SessionOf, SessionOffer, Sessions,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use noema_interfaces::{Claims, Operators};
use noema_protocol::{CheckpointId, ClaimId, Job, Role, SessionId};
use noema_sessions::SessionTerms;

impl<T: Config> Pallet<T> {
    pub(crate) fn info_of(id: SessionId) -> Option<SessionInfoOf<T>> {
        let session = Sessions::<T>::get(id)?;
        let mut open_claims: Vec<_> = OpenClaims::<T>::iter_prefix(id).collect();
        open_claims.sort_by_key(|(number, _)| *number);
        Some(SessionInfo {
            terms: session.terms(id).map(|terms| terms.hash(Self::genesis())),
            left: match session.ended_at {
                Some(_) => 0,
                None => session.account.left(),
            },
            session,
            open_claims,
        })
    }

    pub(crate) fn terms_of(id: SessionId) -> Option<SessionTerms<T::AccountId>> {
        Sessions::<T>::get(id)?.terms(id)
    }

    pub(crate) fn claims_of(id: SessionId) -> Vec<(u32, ClaimId)> {
        let kept = T::Claims::kept().into_iter();
        let mut claims: Vec<_> = kept
            .filter_map(|(claim, job)| match job {
                Job::Session(session, number) if session == id => Some((number, claim)),
                _ => None,
            })
            .collect();
        claims.sort_unstable();
        claims
    }

    pub(crate) fn sessions_where(is_wanted: impl Fn(&SessionOf<T>) -> bool) -> Vec<SessionId> {
        let mut wanted: Vec<_> = Sessions::<T>::iter()
            .filter(|(_, session)| is_wanted(session))
            .map(|(id, _)| id)
            .collect();
        wanted.sort_unstable();
        wanted
    }

    pub(crate) fn served_by(operator: T::AccountId) -> Vec<SessionId> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        Self::sessions_where(|session| {
            session.ended_at.is_none() && session.worker.as_ref() == Some(&controller)
        })
    }

    pub(crate) fn offers(
        checkpoint: &CheckpointId,
        leaf_tokens: u32,
    ) -> Vec<SessionOffer<T::AccountId>> {
        let rules = T::Rules::get();
        let least = rules.stake(rules.min_claim, leaf_tokens);
        let mut offers: Vec<_> = T::Operators::roster(Role::Worker, checkpoint)
            .into_iter()
            // One that has stopped serving can still be drawn in this term, and not be named any more.
            .filter_map(|worker| {
                T::Operators::candidate_for(Role::Worker, checkpoint, &worker.controller)
            })
            .filter(|worker| T::Operators::bond(&worker.controller) >= least)
            .filter_map(|worker| {
                Some(SessionOffer {
                    prices: rules.prices(&worker.prices)?,
                    most_claimable: rules.most_claimable(worker.free, leaf_tokens),
                    worker: worker.controller,
                })
            })
            .collect();
        offers.sort_by_key(|offer| {
            let prices = &offer.prices;
            prices
                .per_answer_token
                .saturating_add(prices.per_prompt_token)
        });
        offers
    }
}
