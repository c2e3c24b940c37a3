//! The subject of a duty in a round: it distinguishes the results for rounds of the same number.

use super::{Round, RoundDuty};
use crate::store::AccountBytes;
use codec::Encode;
use sp_core::H256;

/// The subject of `duty` of `account` in `round`: the hash of all inputs of its result. A restarted chain has
/// rounds of the same numbers, and scores to which a validator objected are decided again.
pub(in crate::roles) fn subject(duty: RoundDuty, round: &Round, account: &AccountBytes) -> H256 {
    match duty {
        RoundDuty::Join => hash(&(round.parent, round.dataset.root)),
        RoundDuty::Contribute | RoundDuty::RevealContribution => assigned(round, account),
        RoundDuty::Score | RoundDuty::RevealScores | RoundDuty::AuditScores => contributed(round),
        RoundDuty::Claim | RoundDuty::AuditClaim => hash(&(contributed(round), round.rulings())),
        RoundDuty::Hold => hash(&(contributed(round), round.claim)),
    }
}

/// The input of a trainer.
fn assigned(round: &Round, account: &AccountBytes) -> H256 {
    let mut trainers = round.trainers.iter();
    let trainer = trainers.find(|trainer| trainer.account == *account);
    let shards = trainer.map(|trainer| &trainer.shards);
    hash(&(round.parent, round.dataset.root, shards))
}

/// The input of scoring.
fn contributed(round: &Round) -> H256 {
    let contributors = round.contributors().into_iter();
    let contributions: Vec<_> = contributors.map(|trainer| trainer.contribution).collect();
    let on = (&round.dataset.root, &round.evaluation);
    hash(&(round.parent, on, contributions))
}

fn hash(of: &impl Encode) -> H256 {
    H256(*blake3::hash(&of.encode()).as_bytes())
}
