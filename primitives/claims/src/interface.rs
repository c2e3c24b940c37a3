//! What other parts of a chain ask of the keeper of claims, and what it tells them.

use crate::{Beacon, Claim, ClaimTerms, Outcome, RelayBlock, Settlement};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use noema_economics::Balance;
use noema_protocol::{ClaimId, Job};
use scale_info::TypeInfo;

/// The randomness of the relay chain, for draws that have to wait for fresh values.
pub trait RelayRandomness {
    /// The relay chain block on which the present block is built.
    fn relay_block() -> RelayBlock;

    /// The latest values of the relay chain's randomness.
    fn beacon() -> Beacon;
}

/// Keeps claims, and the money of those who pay for them.
pub trait Claims<AccountId, BlockNumber>: RelayRandomness {
    /// Why something is refused.
    type Error;

    /// Puts `amount` of the payer's funds on hold for claims to come.
    ///
    /// # Errors
    /// Where the payer's free balance is lower.
    fn hold(payer: &AccountId, amount: Balance) -> Result<(), Self::Error>;

    /// Gives `amount` of what is on hold back. Returns what was given back: less where less is on hold.
    fn release(payer: &AccountId, amount: Balance) -> Balance;

    /// Makes a claim for what was done as `job`, behind which [`ClaimTerms::stake`] of the claimant's
    /// bond is locked. [`ClaimTerms::payment`] and [`ClaimTerms::check_fee`] are on hold already. From
    /// now on the money and the lock are the keeper's, which ends both with the claim.
    ///
    /// # Errors
    /// As [`Claim::new`].
    fn make(job: Job, terms: ClaimTerms<AccountId, BlockNumber>) -> Result<ClaimId, Self::Error>;

    /// A claim that is not pruned.
    fn claim(id: ClaimId) -> Option<Claim<AccountId, BlockNumber>>;

    /// Tokens of all leaves that a validator was drawn to check and has not committed to.
    fn backlog(validator: &AccountId) -> u64;

    /// What the claims of a payer that have not ended have on hold: for audits, not for blocks.
    fn held(payer: &AccountId) -> Balance;
}

/// Learns how claims end.
pub trait OnClaimEnded<AccountId> {
    /// The claim for what was done as `job` has ended, and its money is where `settlement` says.
    fn ended(job: Job, claim: ClaimId, outcome: Outcome, settlement: &Settlement<AccountId>);
}

impl<AccountId> OnClaimEnded<AccountId> for () {
    fn ended(_: Job, _: ClaimId, _: Outcome, _: &Settlement<AccountId>) {}
}

/// What a dispute over a leaf came to.
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
    /// The leaf is what the checkpoint yields: those who challenged it lose what they staked.
    True,
    /// The leaf is not what the checkpoint yields: the claim falls.
    False,
    /// It could not be decided. The claim falls, and those who challenged it lose what they staked:
    /// no outcome is free for a liar.
    Undecided,
}

/// Decides disputes.
pub trait Referee<AccountId, BlockNumber> {
    /// Takes the dispute over `leaf` of `claim`, which is concluded with [`Disputes::conclude`],
    /// outside of this function.
    fn open(claim: &Claim<AccountId, BlockNumber>, leaf: u32);

    /// Drops a dispute: the claim has ended otherwise, and nothing is left to decide.
    fn close(claim: ClaimId, leaf: u32);

    /// Tokens of all leaves that a validator has to execute for the referee, and has not committed to.
    fn backlog(validator: &AccountId) -> u64;
}

/// Keeps disputes while a referee decides them.
pub trait Disputes<AccountId> {
    /// Who challenged the leaf; empty where no dispute over it is open.
    fn challengers(claim: ClaimId, leaf: u32) -> Vec<AccountId>;

    /// Ends the dispute over a leaf. Each of `jurors` is paid for its part out of what the losing side
    /// staked, as far as that reaches. Does nothing where no such dispute is open.
    fn conclude(claim: ClaimId, leaf: u32, decision: Decision, jurors: &[AccountId]);
}
