//! What is on disk of a job.

use super::AccountBytes;
use codec::{Decode, Encode};
use noema_claims::HiddenProof;
use noema_protocol::{Job, Receipt, Verdict};
use noema_rounds::{Contribution, ScoreSheet};
use sp_core::H256;
use std::ops::RangeInclusive;

/// Operator, kind of job, number, leaf.
pub(super) type Key = (AccountBytes, u8, u64, u32);

/// The kind of a round.
const ROUND: u8 = 3;

/// Names a record: whose it is, and of which job.
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
        };
        (self.operator, kind, number, leaf)
    }
}

/// Where the records of an operator's rounds are.
pub(super) fn rounds_of(operator: AccountBytes) -> RangeInclusive<Key> {
    (operator, ROUND, 0, 0)..=(operator, ROUND, u64::MAX, u32::MAX)
}

/// Names one duty among all of its number: those before it, and those of another chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// The job.
    pub job: Job,
    /// What it is about; see [`Task::subject`](crate::roles::Task::subject).
    pub subject: H256,
}

/// How far an operator got with a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// What the job is about; see [`Task::subject`](crate::roles::Task::subject).
    pub subject: H256,
    /// How far it got.
    pub stage: Stage,
}

/// How far an operator got with a job. What is only listed, or being executed, is not on disk.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Stage {
    /// Executed: this is what is handed over.
    Executed(Product),
    /// Nothing is left to do.
    Done {
        /// The block of the last step.
        block: u64,
    },
}

/// What was computed for a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Product {
    /// An answer.
    Answer(StoredAnswer),
    /// A check of a leaf that is true.
    Check(StoredCheck),
    /// The word that the leaf is false.
    Challenge,
    /// A juror's verdict.
    Verdict {
        /// What the juror says.
        verdict: Verdict,
        /// What keeps the commitment from being guessed.
        salt: H256,
    },
    /// A trainer's contribution to a round. The update itself is a file.
    Contribution {
        /// Its hash and its size.
        contribution: Contribution,
        /// What keeps the commitment from being guessed.
        salt: H256,
    },
    /// A validator's scores of the contributions to a round.
    Scores {
        /// The scores.
        sheet: ScoreSheet,
        /// What keeps the commitment from being guessed.
        salt: H256,
    },
}

/// An answer as it is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredAnswer {
    /// Tokens of the answer.
    pub tokens: Vec<u32>,
    /// Text of the answer.
    pub text: String,
    /// What is stated about it.
    pub receipt: Box<Receipt>,
}

/// What a check found, as it is committed to and revealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredCheck {
    /// The receipt of the leaf.
    pub receipt: Box<Receipt>,
    /// The hidden state at the validator's position.
    pub proof: HiddenProof,
    /// What keeps the commitment from being guessed.
    pub salt: H256,
}
