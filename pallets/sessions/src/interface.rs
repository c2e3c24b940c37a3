//! The interface to other pallets: what a session agreed on, and the end of each claim, which the
//! claims pallet reports.

use crate::{Config, OpenClaims, Pallet, Sessions};
use noema_claims::{ClaimOutcome, Settlement};
use noema_interfaces::OnClaimEnded;
use noema_protocol::{ClaimId, Job};
use noema_sessions::Agreement;

impl<T: Config> Pallet<T> {
    /// What the session of a job agreed on, and the number of the answer that is the first leaf of its claim; `None` where
    /// the claim has ended, or is no session's.
    pub fn agreement_of(job: Job) -> Option<(Agreement, u32)> {
        let Job::Session(id, number) = job else {
            return None;
        };
        let open = OpenClaims::<T>::get(id, number)?;
        let terms = Sessions::<T>::get(id)?.terms(id)?;
        Some((terms.agreement(Self::genesis()), open.first))
    }
}

impl<T: Config> OnClaimEnded<T::AccountId> for Pallet<T> {
    fn ended(
        job: Job,
        claim: ClaimId,
        outcome: ClaimOutcome,
        settlement: &Settlement<T::AccountId>,
    ) {
        Self::end_claim(job, claim, outcome, settlement);
    }
}
