//! What makes claims, keeps them and receives their ends.

use crate::RelayRandomness;
use alloc::vec::Vec;
use noema_claims::{Claim, ClaimOutcome, ClaimTerms, Settlement};
use noema_economics::Balance;
use noema_protocol::{ClaimId, Job};

/// Keeps claims and their payers' money.
pub trait Claims<AccountId, BlockNumber>: RelayRandomness {
    /// Why a call is refused.
    type Error;

    /// Puts `amount` of the payer's funds on hold for later claims.
    ///
    /// # Errors
    /// Where the payer's free balance is lower.
    fn hold(payer: &AccountId, amount: Balance) -> Result<(), Self::Error>;

    /// Returns `amount` of the hold to the payer. Returns the amount released: less where less is on hold.
    fn release(payer: &AccountId, amount: Balance) -> Balance;

    /// Makes a claim for work done as `job`, behind which [`ClaimTerms::stake`] of the claimant's bond is
    /// locked. [`ClaimTerms::payment`], [`ClaimTerms::check_fee`] and `surplus` are on hold already. The
    /// implementation takes over hold and lock, and ends both with the claim. `surplus` is the part of the
    /// hold that the claim cannot cost: it goes back to the payer then, however the claim ends.
    ///
    /// # Errors
    /// As [`Claim::new`].
    fn make(
        job: Job,
        terms: ClaimTerms<AccountId, BlockNumber>,
        surplus: Balance,
    ) -> Result<ClaimId, Self::Error>;

    /// Removes the record of a claim that has ended. The pallet that made the claim calls this once, when the
    /// record is no longer needed.
    fn prune(id: ClaimId);

    /// A claim that has not been pruned.
    fn claim(id: ClaimId) -> Option<Claim<AccountId, BlockNumber>>;

    /// The claims that have not been pruned, each with its job: for audits.
    fn kept() -> Vec<(ClaimId, Job)>;

    /// For each payer of claims that have not ended: the most that they may cost, and what goes back with their ends.
    /// For audits, not for blocks.
    fn owed() -> Vec<(AccountId, Balance)>;

    /// The amount on hold for the payer's claims that have not ended: for audits, not for blocks.
    fn held(payer: &AccountId) -> Balance;

    /// The storage keys that all claims of a block share. The poll of claims is charged for them, once.
    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// Receives the end of each claim.
pub trait OnClaimEnded<AccountId> {
    /// The claim for work done as `job` has ended, and its money was divided as `settlement` states.
    fn ended(job: Job, claim: ClaimId, outcome: ClaimOutcome, settlement: &Settlement<AccountId>);
}

/// Tells both; each knows its own jobs.
impl<AccountId, First, Second> OnClaimEnded<AccountId> for (First, Second)
where
    First: OnClaimEnded<AccountId>,
    Second: OnClaimEnded<AccountId>,
{
    fn ended(job: Job, claim: ClaimId, outcome: ClaimOutcome, settlement: &Settlement<AccountId>) {
        First::ended(job, claim, outcome, settlement);
        Second::ended(job, claim, outcome, settlement);
    }
}

impl<AccountId> OnClaimEnded<AccountId> for () {
    fn ended(_: Job, _: ClaimId, _: ClaimOutcome, _: &Settlement<AccountId>) {}
}
