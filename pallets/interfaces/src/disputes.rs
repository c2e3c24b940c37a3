//! What keeps disputes, and what decides them.

use alloc::vec::Vec;
use noema_claims::{Claim, Decision};
use noema_protocol::ClaimId;

/// Decides disputes.
pub trait Referee<AccountId, BlockNumber> {
    /// Takes the dispute over `leaf` of `claim`, and concludes it later with [`Disputes::conclude`], outside
    /// of this function. Where the claim has ended by another cause, no decision is needed: the referee drops the
    /// dispute in a turn of its own. A claim can have many disputes, so its end leaves them alone.
    fn open(claim: &Claim<AccountId, BlockNumber>, leaf: u32);

    /// Takes a further challenger of a leaf whose dispute it has. A referee that hears no challenger has nothing to do.
    fn joined(_claim: &Claim<AccountId, BlockNumber>, _leaf: u32, _challenger: &AccountId) {}

    /// Tokens of all leaves that a validator has to execute for the referee, and has not committed to.
    fn backlog(validator: &AccountId) -> u64;
}

/// Keeps disputes while a referee decides them.
pub trait Disputes<AccountId> {
    /// The challengers of the leaf; empty where no dispute over it is open.
    fn challengers(claim: ClaimId, leaf: u32) -> Vec<AccountId>;

    /// Ends the dispute over a leaf. Each of `payees`, jurors or the winner of a game, is paid the fee of a juror as often
    /// as it is in the list, out of the stakes of the losing side and as far as they reach. Does nothing where no such
    /// dispute is open.
    fn conclude(claim: ClaimId, leaf: u32, decision: Decision, payees: &[AccountId]);
}
