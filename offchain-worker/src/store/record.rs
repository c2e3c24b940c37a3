//! Records of jobs on disk.

use super::AccountBytes;
use crate::games::Move;
use codec::{Decode, Encode};
use noema_claims::HiddenProof;
use noema_protocol::{Job, Receipt, Verdict};
use noema_rounds::{Contribution, ScoreSheet};
use noema_sessions::SessionReceipt;
use sp_core::H256;
use std::ops::RangeInclusive;

/// Operator, kind of job, number, leaf.
pub(super) type Key = (AccountBytes, u8, u64, u32);

/// The kind of job that a round is.
const ROUND: u8 = 3;

/// The key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobKey {
    /// The operator's controller.
    pub operator: AccountBytes,
    /// The job.
    pub job: Job,
}

impl JobKey {
    pub(super) fn encoded(&self) -> Key {
        let (kind, number, leaf) = match self.job {
            Job::Request(request) => (0, request.0, 0),
            Job::Check(claim, leaf) => (1, claim.0, leaf),
            Job::Dispute(claim, leaf) => (2, claim.0, leaf),
            Job::Round(round) => (ROUND, round.0, 0),
            Job::Session(session, n) => (4, session.0, n),
        };
        (self.operator, kind, number, leaf)
    }
}

/// The keys of an operator's rounds.
pub(super) fn rounds_of(operator: AccountBytes) -> RangeInclusive<Key> {
    (operator, ROUND, 0, 0)..=(operator, ROUND, u64::MAX, u32::MAX)
}

/// Identifies one duty among all for jobs of the same number: earlier ones, and those of another chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// The job.
    pub job: Job,
    /// Its subject; see [`Task::subject`](crate::roles::Task::subject).
    pub subject: H256,
}

/// An operator's progress with a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct JobRecord {
    /// The job's subject; see [`Task::subject`](crate::roles::Task::subject).
    pub subject: H256,
    /// The progress.
    pub stage: JobStage,
}

/// An operator's progress with a job. A job that is only listed or being executed is not on disk.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum JobStage {
    /// Executed, with the result to submit.
    Executed(Product),
    /// Nothing is left to do.
    Done {
        /// The block of the last step.
        block: u64,
    },
}

/// The result of a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Product {
    /// An answer.
    Answer(StoredAnswer),
    /// A check of a leaf that is true.
    Check(StoredCheck),
    /// A challenge: the leaf is false.
    Challenge,
    /// A juror's verdict.
    Verdict {
        /// The verdict.
        verdict: Verdict,
        /// The salt of the commitment.
        salt: H256,
    },
    /// A trainer's contribution to a round. The update itself is a file.
    Contribution {
        /// Its hash and its size.
        contribution: Contribution,
        /// The salt of the commitment.
        salt: H256,
    },
    /// A validator's scores of the contributions to a round.
    Scores {
        /// The scores.
        sheet: ScoreSheet,
        /// The salt of the commitment.
        salt: H256,
    },
    /// A check of a leaf of a session that is true.
    SessionCheck(Box<StoredSessionCheck>),
    /// A move in a game.
    Move(Box<Move>),
}

/// An answer as it is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredAnswer {
    /// Tokens of the answer.
    pub tokens: Vec<u32>,
    /// Text of the answer.
    pub text: String,
    /// Its receipt.
    pub receipt: Box<Receipt>,
}

/// The result of a check, as it is committed to and revealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredCheck {
    /// The receipt of the leaf.
    pub receipt: Box<Receipt>,
    /// The proof of the hidden state at the validator's position.
    pub proof: HiddenProof,
    /// The salt of the commitment.
    pub salt: H256,
}

/// The result of a check of an answer of a session, as it is committed to and revealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredSessionCheck {
    /// The receipt of the leaf.
    pub receipt: SessionReceipt,
    /// The siblings of its hash, up to the root of the claim.
    pub path: Vec<H256>,
    /// The proof of the hidden state at the validator's position.
    pub proof: HiddenProof,
    /// The salt of the commitment.
    pub salt: H256,
}
