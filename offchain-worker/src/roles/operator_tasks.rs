//! The tasks of an operator: the purpose and the result of each.

use super::rounds::Found;
use super::steps::Computed;
use super::{Part, Task};
use crate::store::Ticket;
use noema_protocol::RoundId;
use sp_core::H256;
use std::sync::Arc;

/// The purpose of an operator's task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TaskKey {
    /// A duty that the model executes.
    Duty(Ticket),
    /// A move in a game.
    Move(Ticket),
    /// A round of training.
    Round(RoundId),
}

impl TaskKey {
    /// The task of a duty outside rounds.
    pub(super) const fn of(part: &Part, ticket: Ticket) -> Self {
        match part {
            Part::Move { .. } => Self::Move(ticket),
            Part::Answer(_) | Part::Check { .. } | Part::Verdict { .. } => Self::Duty(ticket),
        }
    }
}

/// The result of an operator's task.
pub(super) enum Done {
    /// An execution.
    Executed(Executed),
    /// A step for a round of training.
    Attended(Attended),
}

/// The result of an execution.
pub(super) struct Executed {
    /// The task.
    pub(super) task: Arc<Task>,
    /// The result; `None` if it was cancelled.
    pub(super) computed: Option<Computed>,
}

/// The result of a task for a round.
pub(super) struct Attended {
    /// The subject of the result.
    pub(super) subject: H256,
    pub(super) found: Found,
}
