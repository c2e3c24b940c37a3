//! The state of a duty that the chain lists.

use super::{Duty, DutyStep, Task};
use crate::store::{Product, Ticket};
use std::sync::Arc;

/// A duty that the chain lists.
pub(super) struct Listed {
    /// The duty as it was last listed.
    pub(super) duty: Duty,
    pub(super) ticket: Ticket,
    /// Its task, read from the chain once; `None` if there is nothing to execute.
    pub(super) task: Option<Arc<Task>>,
    /// Whether the chain may be a different one than this was read from.
    pub(super) is_doubtful: bool,
    /// The result, while the store cannot write it.
    pub(super) unstored: Option<Product>,
    /// Why the operator cannot perform it, logged once.
    pub(super) trouble: Option<Trouble>,
    /// How often its leaf could not be read since it was demanded, if it was.
    pub(super) unread: u32,
}

/// Why an operator cannot perform a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    NotLoaded,
    GivenUp,
    NothingToReveal,
}

impl Listed {
    /// Whether this is still `duty` as the chain lists it now.
    pub(super) fn is_about(&self, duty: &Duty) -> bool {
        let goes_on = match (self.duty.step, duty.step) {
            (DutyStep::Execute, DutyStep::Reveal) => true,
            (before, now) => before == now && self.duty.until == duty.until,
        };
        !self.is_doubtful
            && goes_on
            && self.duty.part == duty.part
            && self.duty.checkpoint == duty.checkpoint
    }
}
