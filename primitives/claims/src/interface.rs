//! The interfaces between the pallet that keeps claims and other pallets.

use crate::{Beacon, Claim, ClaimOutcome, ClaimTerms, RelayBlock, Settlement};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use noema_economics::Balance;
use noema_protocol::{ClaimId, Job};
use scale_info::TypeInfo;

/// The randomness of the relay chain, for draws that wait for fresh values.
pub trait RelayRandomness {
    /// The relay chain block on which the present block is built.
    fn relay_block() -> RelayBlock;

    /// The latest values of the relay chain's randomness.
    fn beacon() -> Beacon;
}

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
    /// locked. [`ClaimTerms::payment`] and [`ClaimTerms::check_fee`] are on hold already. The implementation
    /// takes over hold and lock, and ends both with the claim.
    ///
    /// # Errors
    /// As [`Claim::new`].
    fn make(job: Job, terms: ClaimTerms<AccountId, BlockNumber>) -> Result<ClaimId, Self::Error>;

    /// A claim that has not been pruned.
    fn claim(id: ClaimId) -> Option<Claim<AccountId, BlockNumber>>;

    /// Tokens of all leaves that a validator was drawn to check and has not committed to.
    fn backlog(validator: &AccountId) -> u64;

    /// The amount on hold for the payer's claims that have not ended: for audits, not for blocks.
    fn held(payer: &AccountId) -> Balance;
}

/// Receives the end of each claim.
pub trait OnClaimEnded<AccountId> {
    /// The claim for work done as `job` has ended, and its money was divided as `settlement` states.
    fn ended(job: Job, claim: ClaimId, outcome: ClaimOutcome, settlement: &Settlement<AccountId>);
}

impl<AccountId> OnClaimEnded<AccountId> for () {
    fn ended(_: Job, _: ClaimId, _: ClaimOutcome, _: &Settlement<AccountId>) {}
}

/// The decision of a dispute over a leaf.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Decision {
    /// The checkpoint yields the leaf: its challengers lose their stakes.
    True,
    /// The checkpoint does not yield the leaf: the claim falls.
    False,
    /// No decision was possible. The claim falls, and the challengers lose their stakes: no outcome is free
    /// for a party that cheats.
    Undecided,
}

/// Decides disputes.
pub trait Referee<AccountId, BlockNumber> {
    /// Takes the dispute over `leaf` of `claim`, and concludes it later with [`Disputes::conclude`], outside
    /// of this function.
    fn open(claim: &Claim<AccountId, BlockNumber>, leaf: u32);

    /// Drops a dispute: the claim has ended by another cause, so no decision is needed.
    fn close(claim: ClaimId, leaf: u32);

    /// Tokens of all leaves that a validator has to execute for the referee, and has not committed to.
    fn backlog(validator: &AccountId) -> u64;
}

/// Keeps disputes while a referee decides them.
pub trait Disputes<AccountId> {
    /// The challengers of the leaf; empty where no dispute over it is open.
    fn challengers(claim: ClaimId, leaf: u32) -> Vec<AccountId>;

    /// Ends the dispute over a leaf. Each of `jurors` is paid for its part out of the stakes of the losing
    /// side, as far as they reach. Does nothing where no such dispute is open.
    fn conclude(claim: ClaimId, leaf: u32, decision: Decision, jurors: &[AccountId]);
}
