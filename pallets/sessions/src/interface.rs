//! The interface to other pallets: the claims pallet reports the end of each claim.

use crate::{Config, Pallet};
use noema_claims::{ClaimOutcome, Settlement};
use noema_interfaces::OnClaimEnded;
use noema_protocol::{ClaimId, Job};

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
