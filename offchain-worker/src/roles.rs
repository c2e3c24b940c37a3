//! What an operator does, whatever its roles, apart from how it reaches the chain, the model and others.
//!
//! An operator is driven by level, not by edge: at each finalized block it asks the [`Ledger`] what the
//! chain expects of it *now*, compares that with what the [`Store`](crate::store) says it has computed, and
//! takes the next step. A missed event, a lost connection or a killed process changes nothing: the next look
//! shows the same duty again.
//!
//! All duties go the same way, those of workers, validators and jurors as those in
//! [rounds of training](rounds):
//!
//! ```text
//! listed ──► computed, and on disk ──► handed over ──► done
//!   answer                             submitted
//!   check                              committed, revealed; or challenged
//!   verdict                            committed, revealed
//!   contribution, scores               committed, revealed
//!   next checkpoint                    claimed, announced to be held
//! ```
//!
//! What takes time is a task beside the loop, and what is handed over waits for its fate there. So the loop
//! waits for nothing: an operator that trains for hours is in time for a check.

mod action;
mod attend;
mod attended;
mod claim;
mod execute;
mod ledger;
mod listing;
mod operator;
mod queue;
pub mod rounds;
mod serve;
mod steps;
mod tasks;
mod validate;
mod work;

pub use action::Action;
pub use execute::{EngineExecutor, ExecutionError, Executor};
pub use ledger::{Duties, Ledger, LedgerError, Outcome, Reward, Rewards};
pub use noema_executor::Cancel;
pub use operator::{Operator, Pace};

use crate::engine::Check;
use crate::store::AccountBytes;
use noema_protocol::interfaces::Role;
use noema_protocol::{CheckpointId, ClaimId, Job, Receipt, RequestId, SamplingParameters};
use sp_core::H256;

/// The question an answer is computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The request that asks.
    pub request: RequestId,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The prompt; the chain has checked that it is UTF-8.
    pub prompt: String,
    /// How tokens are chosen.
    pub parameters: SamplingParameters,
    /// The sampling seed that the chain drew.
    pub seed: H256,
}

/// An answer as the chain recorded it: a leaf of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What was asked.
    pub question: Question,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// The text.
    pub text: String,
    /// What the worker states.
    pub receipt: Receipt,
}

/// An operator's part in the work on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It answers this request.
    Answer(RequestId),
    /// It was drawn to check a leaf.
    Check {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// What the claimant says to have done.
        claimed: Job,
        /// Where in the answer the hidden state stands that it has to show; see
        /// [`noema_claims::Seat::point`].
        point: u64,
    },
    /// It is a juror in the dispute over a leaf.
    Verdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
}

impl Part {
    /// What a part of the operator's bond is locked behind.
    pub const fn job(&self) -> Job {
        match *self {
            Self::Answer(request) => Job::Request(request),
            Self::Check { claim, leaf, .. } => Job::Check(claim, leaf),
            Self::Verdict { claim, leaf } => Job::Dispute(claim, leaf),
        }
    }

    /// What the part is about, as [`Task::subject`] tells it, where the chain's list says it already.
    pub fn subject(&self) -> Option<H256> {
        match self {
            Self::Check { point, .. } => Some(H256::from_low_u64_be(*point)),
            Self::Answer(_) | Self::Verdict { .. } => None,
        }
    }
}

/// What the chain waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To execute, and to hand over what comes of it: the answer, the commitment, or the challenge.
    Execute,
    /// To reveal what was committed.
    Reveal,
}

/// Something that the chain expects of an operator now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Its part.
    pub part: Part,
    /// What the chain waits for.
    pub step: Step,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// The last block in which it is accepted.
    pub until: u64,
}

/// Everything that is needed to do a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Tells the duty from others of its number: from those before it, and from those on a chain
    /// that was begun anew with the same first block. It comes from randomness that the chain drew: the
    /// seed of an answer, the point of a check, the root of a disputed claim, which binds its seeds.
    pub subject: H256,
    /// What is executed.
    pub work: Work,
}

/// What is executed for a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A question is answered.
    Answer(Question),
    /// A leaf is executed again, to show the hidden state at a position of its answer.
    Check {
        /// The leaf.
        leaf: Answered,
        /// Where the position is; see [`Part::Check`].
        point: u64,
    },
    /// A leaf is executed again, to say whether it is true.
    Verdict(Answered),
}

/// What executing a leaf again showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reexecution {
    /// What the checkpoint yields, held against the answer.
    Checked(Check),
    /// The checkpoint has no answer to the prompt, for this reason: any answer to it is false.
    Unanswerable(String),
}

/// Who an operator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that holds the bond.
    pub controller: AccountBytes,
    /// The name used in logs: the address of the controller.
    pub name: String,
    /// Whether it answers.
    pub serves: bool,
    /// Whether it checks, and sits in juries.
    pub validates: bool,
    /// What it does in rounds of training, if it takes part in them: trainer or validator.
    pub rounds: Option<Role>,
    /// Whether it claims what its controller is due of subsidies.
    pub claims: bool,
}
