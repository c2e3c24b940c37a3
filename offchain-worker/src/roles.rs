//! The behaviour of an operator in all roles, independent of the access to chain, model and network.
//!
//! An operator is level-triggered, not edge-triggered: at each finalized block it reads its *current* duties
//! from the [`ChainView`], compares them with its records in the [`Store`](crate::store), and takes the next
//! step. A missed event, a lost connection or a killed process loses nothing: the next turn reads the same
//! duty again.
//!
//! All duties take the same path, those of workers, validators and jurors as well as those in
//! [rounds of training](rounds):
//!
//! ```text
//! listed ──► computed, and on disk ──►  submitted  ──► done
//!   answer                             submitted
//!   check                              committed, revealed; or challenged; the leaf of a session demanded
//!   verdict                            committed, revealed
//!   move of a game                     opened, shown, pointed or proven
//!   contribution, scores               committed, revealed
//!   next checkpoint                    claimed; announced as a holding
//! ```
//!
//! The answers of sessions are given beside the loop, too, by [`noema_session_transport`]; the loop tells it what the
//! chain knows of them, submits its claims, and posts the leaves that validators demand.
//!
//! A [game](crate::games) is played by both sides in the same way: the chain lists the move that is due, as the claimant
//! or as a challenger, and it follows from the operator's own trace. A move has a clock, so that it never waits for
//! answers.
//!
//! Long work runs in tasks beside the loop, and so does waiting for the fate of a submission. So the loop
//! never blocks: an operator that trains for hours still meets the deadline of a check.

mod action;
mod attend;
mod attended;
mod claim;
mod claimed;
mod engines;
mod listed;
mod listing;
mod operator;
mod operator_tasks;
mod queue;
mod records;
pub mod rounds;
mod serve;
mod session_checks;
mod sessions;
mod steps;
mod tasks;
mod turns;
mod validate;
mod view;
mod work;

pub use action::Action;
pub use engines::{Engines, ExecutionError, LoadedEngines};
pub use noema_executor::Cancel;
pub use operator::{OperatorLoop, Pace};
pub use session_checks::{ClaimedAnswer, LeafError, LeafSource};
pub use view::{ChainView, ChainViewError, Duties, DutyOutcome, LeafDemand, Reward, Rewards};

use crate::games::PlayedGame;
use crate::store::AccountBytes;
use noema_model::engine::Check;
use noema_protocol::{CheckpointId, ClaimId, Job, Receipt, RequestId, Role, SamplingParameters};
use sp_core::H256;

/// The input from which an answer is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The request.
    pub request: RequestId,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The prompt; the chain has checked that it is UTF-8.
    pub prompt: String,
    /// The sampling parameters.
    pub parameters: SamplingParameters,
    /// The sampling seed that the chain drew.
    pub seed: H256,
}

/// An answer as the chain recorded it: a leaf of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The question.
    pub question: Question,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// The text.
    pub text: String,
    /// The worker's receipt.
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
        /// The job that was claimed.
        claimed: Job,
        /// Determines the position in the answer whose hidden state it has to show; see
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
    /// It has to move in the game over a leaf, as the claimant or as a challenger.
    Move {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash of the moves that it owes in this game.
        steps: H256,
    },
}

impl Part {
    /// The job behind which a part of the operator's bond is locked.
    pub const fn job(&self) -> Job {
        match *self {
            Self::Answer(request) => Job::Request(request),
            Self::Check { claim, leaf, .. } => Job::Check(claim, leaf),
            Self::Verdict { claim, leaf } | Self::Move { claim, leaf, .. } => {
                Job::Dispute(claim, leaf)
            }
        }
    }

    /// The subject of the part, as in [`Task::subject`], if the chain's list of duties contains it.
    pub fn subject(&self) -> Option<H256> {
        match self {
            Self::Check { point, .. } => Some(H256::from_low_u64_be(*point)),
            Self::Answer(_) | Self::Verdict { .. } | Self::Move { .. } => None,
        }
    }
}

/// The step that the chain expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DutyStep {
    /// To execute, and to submit the result: the answer, the commitment, or the challenge.
    Execute,
    /// To reveal the committed result.
    Reveal,
}

/// A duty of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Its part.
    pub part: Part,
    /// The step that the chain expects.
    pub step: DutyStep,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// The last block in which it is accepted.
    pub until: u64,
}

/// Everything that an operator needs to perform a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Distinguishes the duty from others for a job of the same number: from earlier ones, and from those on
    /// a restarted chain with the same genesis block. It depends on randomness of the chain: the seed of an
    /// answer, the point of a check, or the root of a disputed claim, which binds its seeds; in a game with the moves so
    /// far.
    pub subject: H256,
    /// The work.
    pub work: Workload,
}

/// The work of a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workload {
    /// To answer a question.
    Answer(Question),
    /// To re-execute a leaf, and to show the hidden state at a position of its answer.
    Check {
        /// The leaf.
        leaf: Answered,
        /// Determines the position; see [`Part::Check`].
        point: u64,
    },
    /// To re-execute a leaf, and to decide whether it is true.
    Verdict(Answered),
    /// To read a leaf of a session from its claimant or from the chain, and to check it as another leaf.
    SessionCheck {
        /// The leaf.
        claimed: Box<ClaimedAnswer>,
        /// Determines the position; see [`Part::Check`].
        point: u64,
    },
    /// To read a leaf of a session from the chain, and to decide whether it is true.
    SessionVerdict(Box<ClaimedAnswer>),
    /// To read a leaf of a session from the chain, and to make the next move in the game over it.
    Move(Box<PlayedGame>),
}

/// The result of the re-execution of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reexecution {
    /// The comparison of the answer with what the checkpoint yields.
    Checked(Check),
    /// The checkpoint has no answer to the prompt, for this reason: any answer to it is false.
    Unanswerable(String),
}

/// The identity and the roles of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that holds the bond.
    pub controller: AccountBytes,
    /// The name used in logs: the address of the controller.
    pub name: String,
    /// Whether it answers requests.
    pub serves: bool,
    /// Whether it checks answers and serves in juries.
    pub validates: bool,
    /// Its role in rounds of training, if it takes part in them: trainer or validator.
    pub rounds: Option<Role>,
    /// Whether it claims the rewards of its controller.
    pub claims: bool,
}
