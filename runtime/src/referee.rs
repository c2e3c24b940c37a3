//! Who decides which dispute.
//!
//! | claim | decided by |
//! |---|---|
//! | of a session | a [game](crate::Disputes): the chain executes one step |
//! | of a session, about a checkpoint with operators that have no steps, as its claimant shows | a [jury](crate::Jury) |
//! | of a public request | a jury: no step splits a prompt into tokens |

use crate::{AccountId, BlockNumber, Disputes, Jury, Runtime, Sessions};
use noema_claims::Claim;
use noema_interfaces::Referee;
use noema_protocol::{ClaimId, Job};
use noema_referee::{SessionClaims, SessionJudge};
use noema_sessions::Agreement;

/// Judges the steps of sessions' answers.
pub type StepsOfSessions = SessionJudge<ClaimsOfSessions>;

/// The weights of steps.
pub type StepWeights = pallet_steps::Steps<pallet_steps::weights::SubstrateWeight<Runtime>>;

fn job_of(claim: ClaimId) -> Option<Job> {
    pallet_claims::Claims::<Runtime>::get(claim).map(|kept| kept.job)
}

/// The claims of sessions, and their terms.
pub struct ClaimsOfSessions;

impl SessionClaims for ClaimsOfSessions {
    fn agreement(claim: ClaimId) -> Option<(Agreement, u32)> {
        Sessions::agreement_of(job_of(claim)?)
    }
}

/// Lets the referee of its claim decide each dispute.
pub struct Referees;

impl Referees {
    fn plays(claim: &Claim<AccountId, BlockNumber>) -> bool {
        matches!(job_of(claim.id), Some(Job::Session(..)))
    }
}

impl Referee<AccountId, BlockNumber> for Referees {
    fn open(claim: &Claim<AccountId, BlockNumber>, leaf: u32) {
        match Self::plays(claim) {
            true => Disputes::open(claim, leaf),
            false => Jury::open(claim, leaf),
        }
    }

    fn joined(claim: &Claim<AccountId, BlockNumber>, leaf: u32, challenger: &AccountId) {
        match Self::plays(claim) {
            true => Disputes::joined(claim, leaf, challenger),
            false => Jury::joined(claim, leaf, challenger),
        }
    }

    fn backlog(validator: &AccountId) -> u64 {
        Disputes::backlog(validator).saturating_add(Jury::backlog(validator))
    }
}
