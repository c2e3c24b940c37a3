//! The duties that an operator has submitted and whose fate is open.
//!
//! A duty has no nonce, and its signature expires after some blocks. While the chain expects the duty, it may
//! be signed and submitted again, and is performed once. So nothing is kept on disk. Every turn offers all
//! duties that are due; the queue passes on those that are not under way and were not refused recently.

use super::{rounds, DutyOutcome, DutyStep};
use crate::store::Ticket;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use noema_protocol::{CheckpointId, ClaimId, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most blocks between two attempts at a duty that the chain refuses.
const LONGEST_PAUSE: u64 = 16;

/// A duty of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OpenDuty {
    /// A step of the work on an answer.
    Work(Ticket, DutyStep),
    /// A duty in a round of training.
    Round(Ticket, rounds::RoundDuty),
    /// The announcement that the operator holds a checkpoint.
    Holding(CheckpointId),
    /// The claim for an epoch.
    Claim(u32),
    /// The claim of the bundle of a session that begins with this answer.
    SessionClaim(SessionId, u32),
    /// The end of a session that closes.
    SessionEnd(SessionId),
    /// The post of a leaf.
    Post(ClaimId, u32),
    /// The demand for a leaf.
    Demand(ClaimId, u32),
    /// The end of an absence.
    Resume,
}

impl fmt::Display for OpenDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(ticket, DutyStep::Execute) => write!(f, "{}", ticket.job),
            Self::Work(ticket, DutyStep::Reveal) => write!(f, "reveal for {}", ticket.job),
            Self::Round(ticket, duty) => write!(f, "{duty} in {}", ticket.job),
            Self::Holding(checkpoint) => write!(f, "announcement to hold checkpoint {checkpoint}"),
            Self::Claim(epoch) => write!(f, "claim for epoch {epoch}"),
            Self::SessionClaim(session, first) => {
                write!(f, "claim of session {session} from answer {first} on")
            }
            Self::SessionEnd(session) => write!(f, "end of session {session}"),
            Self::Post(claim, leaf) => write!(f, "post of leaf {leaf} of claim {claim}"),
            Self::Demand(claim, leaf) => write!(f, "demand for leaf {leaf} of claim {claim}"),
            Self::Resume => f.write_str("end of the absence"),
        }
    }
}

/// A failed attempt at a duty.
struct Setback {
    reason: String,
    pause: u64,
    again_at: u64,
}

/// The duties under way.
#[derive(Default)]
pub(super) struct DutyQueue {
    /// The block of the latest turn.
    block: u64,
    open: BTreeSet<OpenDuty>,
    fates: FuturesUnordered<BoxFuture<'static, (OpenDuty, DutyOutcome)>>,
    setbacks: BTreeMap<OpenDuty, Setback>,
    /// The duties that are done, with their blocks: the state before that block still lists them as due.
    done: BTreeMap<OpenDuty, u64>,
}

impl DutyQueue {
    /// Begins a turn at `block`. Duties that were last tried long ago are forgotten: the chain no longer
    /// expects them.
    pub(super) fn begin(&mut self, block: u64) {
        self.block = block;
        self.setbacks
            .retain(|_, setback| block <= setback.again_at.saturating_add(LONGEST_PAUSE));
        self.done.retain(|_, done_in| block < *done_in);
    }

    /// Forgets which duties are done: the chain may be another one.
    pub(super) fn doubt(&mut self) {
        self.done.clear();
    }

    /// Whether a duty is to be submitted now.
    pub(super) fn is_due(&self, duty: &OpenDuty) -> bool {
        !self.open.contains(duty)
            && !self.done.contains_key(duty)
            && self
                .setbacks
                .get(duty)
                .is_none_or(|setback| self.block >= setback.again_at)
    }

    /// Whether an attempt at a duty failed.
    pub(super) fn has_failed(&self, duty: &OpenDuty) -> bool {
        self.setbacks.contains_key(duty)
    }

    /// Takes a duty that was submitted.
    pub(super) fn hand_over(&mut self, duty: OpenDuty, fate: BoxFuture<'static, DutyOutcome>) {
        self.open.insert(duty);
        self.fates.push(Box::pin(async move { (duty, fate.await) }));
    }

    /// Whether nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.fates.is_empty()
    }

    /// Whether the fate of a step of this work is open.
    pub(super) fn is_open_for(&self, ticket: Ticket) -> bool {
        [DutyStep::Execute, DutyStep::Reveal]
            .iter()
            .any(|step| self.open.contains(&OpenDuty::Work(ticket, *step)))
    }

    /// Waits for the fate of the next duty. Never ends while nothing is under way.
    pub(super) async fn next(&mut self) -> (OpenDuty, DutyOutcome) {
        match self.fates.next().await {
            Some(fate) => fate,
            None => std::future::pending().await,
        }
    }

    /// Records the outcome of a duty. Returns whether it is new: done, or failed for another reason than
    /// before. A duty that the chain refuses is tried less and less often; one that only got lost is tried at
    /// the next turn.
    pub(super) fn note(&mut self, duty: OpenDuty, outcome: &DutyOutcome) -> bool {
        self.open.remove(&duty);
        let (reason, first_pause) = match outcome {
            DutyOutcome::Included { block } => {
                self.setbacks.remove(&duty);
                // A late outcome from before a restart of the chain may name any block.
                let soon = self.block.saturating_add(LONGEST_PAUSE);
                self.done.insert(duty, (*block).min(soon));
                return true;
            }
            DutyOutcome::Refused(reason) => (reason, 1),
            DutyOutcome::Dropped(reason) | DutyOutcome::Unknown(reason) => (reason, 0),
        };
        let before = self.setbacks.get(&duty);
        let is_news = before.is_none_or(|setback| setback.reason != *reason);
        let pause = match before {
            Some(setback) if first_pause > 0 => setback
                .pause
                .saturating_mul(2)
                .clamp(first_pause, LONGEST_PAUSE),
            _ => first_pause,
        };
        self.setbacks.insert(
            duty,
            Setback {
                reason: reason.clone(),
                pause,
                again_at: self.block.saturating_add(pause),
            },
        );
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUTY: OpenDuty = OpenDuty::Resume;

    fn over(queue: &mut DutyQueue) {
        queue.hand_over(DUTY, Box::pin(std::future::pending()));
    }

    #[test]
    fn a_duty_under_way_is_not_handed_over_again() {
        let mut queue = DutyQueue::default();
        queue.begin(10);
        assert!(queue.is_due(&DUTY));
        over(&mut queue);
        assert!(!queue.is_due(&DUTY));
        assert!(queue.note(DUTY, &DutyOutcome::Included { block: 12 }));
        for (block, is_due) in [(11, false), (12, true)] {
            queue.begin(block);
            assert_eq!(
                queue.is_due(&DUTY),
                is_due,
                "as the chain was in block {block}"
            );
        }
    }

    #[test]
    fn what_was_done_on_another_chain_is_due_on_this_one() {
        let mut queue = DutyQueue::default();
        queue.begin(10);
        over(&mut queue);
        queue.note(DUTY, &DutyOutcome::Included { block: 12 });
        queue.doubt();
        queue.begin(3);
        assert!(queue.is_due(&DUTY));
        over(&mut queue);
        queue.note(DUTY, &DutyOutcome::Included { block: 5_000 });
        queue.begin(3 + LONGEST_PAUSE);
        assert!(queue.is_due(&DUTY));
    }

    #[test]
    fn a_refused_duty_is_tried_less_and_less_often_and_told_once() {
        let mut queue = DutyQueue::default();
        let refused = DutyOutcome::Refused("Inference::TooEarly".into());
        let mut tried = Vec::new();
        let mut told = 0;
        for block in 0..60 {
            queue.begin(block);
            if queue.is_due(&DUTY) {
                over(&mut queue);
                told += u32::from(queue.note(DUTY, &refused));
                tried.push(block);
            }
        }
        assert_eq!(tried, [0, 1, 3, 7, 15, 31, 47]);
        assert_eq!(told, 1);
        let other = DutyOutcome::Refused("Inference::TooLate".into());
        assert!(queue.note(DUTY, &other), "another reason is told");
    }

    #[test]
    fn a_lost_duty_is_tried_at_the_next_look() {
        let mut queue = DutyQueue::default();
        for block in 0..3 {
            queue.begin(block);
            assert!(queue.is_due(&DUTY));
            over(&mut queue);
            let is_news = queue.note(DUTY, &DutyOutcome::Dropped("the pool is full".into()));
            assert_eq!(is_news, block == 0);
        }
    }
}
