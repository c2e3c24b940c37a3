//! The interface to other pallets: the claims pallet reports the end of each claim.

use crate::{Config, Pallet};
use noema_claims::{ClaimOutcome, OnClaimEnded, Settlement};
use noema_protocol::{ClaimId, Job};

impl<T: Config> OnClaimEnded<T::AccountId> for Pallet<T> {
    fn ended(
        job: Job,
        claim: ClaimId,
        outcome: ClaimOutcome,
        settlement: &Settlement<T::AccountId>,
    ) {
        Self::end(job, claim, outcome, settlement);
    }
}
