//! The rounds of training that an operator takes part in, and its progress in each.

use super::rounds::{subject, Exchange, Found, Round, RoundDuty, RoundWork, Setup};
use super::Identity;
use crate::store::{AccountBytes, Ticket};
use noema_protocol::{CheckpointId, Job, RoundId};
use noema_rounds::Phase;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An operator's part in rounds of training.
pub(super) struct Rounds {
    pub(super) work: Arc<RoundWork>,
    /// The open rounds, and closed ones for which a task still runs.
    pub(super) attended: BTreeMap<RoundId, AttendedRound>,
    /// The checkpoints whose holding by the operator is on chain.
    pub(super) announced: BTreeSet<CheckpointId>,
    /// The rounds whose records are kept; `None` before the first removal.
    pub(super) kept: Option<BTreeSet<RoundId>>,
}

/// A round, and the operator's progress in it.
pub(super) struct AttendedRound {
    /// The round as of the latest turn.
    pub(super) round: Arc<Round>,
    pub(super) is_open: bool,
    /// Whether its programme was started before all others.
    pub(super) is_first: bool,
    /// The task that runs.
    pub(super) running: Option<Running>,
    /// Results that are not on disk, by their subject.
    pub(super) found: BTreeMap<H256, Found>,
    /// Why the operator cannot continue, logged once.
    pub(super) trouble: Option<String>,
}

pub(super) struct Running {
    pub(super) phase: Phase<u32>,
    /// The duty and its subject, if there is a duty.
    pub(super) owed: Option<(RoundDuty, H256)>,
}

impl Rounds {
    /// The part of this operator; `None` if it takes part in no rounds.
    pub(super) fn new(
        identity: &Identity,
        setup: Setup,
        exchange: Arc<dyn Exchange>,
    ) -> Option<Self> {
        let role = identity.rounds?;
        let (account, name) = (identity.controller, identity.name.clone());
        Some(Self {
            work: Arc::new(RoundWork::new(account, name, role, setup, exchange)),
            attended: BTreeMap::new(),
            announced: BTreeSet::new(),
            kept: None,
        })
    }

    /// Whether a trainer trains or saves its state.
    pub(super) fn is_training(&self) -> bool {
        self.work.is_training()
    }

    /// Forgets all announcements: the chain may be another one.
    pub(super) fn doubt(&mut self) {
        self.announced.clear();
    }

    /// Records that a holding is on chain.
    pub(super) fn announced(&mut self, checkpoint: CheckpointId) {
        self.announced.insert(checkpoint);
    }

    /// The duty in a round as of the latest turn, at block `now`.
    pub(super) fn owed(&self, id: RoundId, now: u32) -> Option<(RoundDuty, Ticket)> {
        let attended = self.attended.get(&id).filter(|attended| attended.is_open)?;
        let round = &attended.round;
        let duty = self.work.owed(round, attended.is_first, now)?;
        let claimed = round.claim.map(|claim| claim.checkpoint);
        let is_announced = claimed.is_some_and(|claimed| self.announced.contains(&claimed));
        if duty == RoundDuty::Hold && is_announced {
            return None;
        }
        let ticket = Ticket {
            job: Job::Round(id),
            subject: subject(duty, round, &self.work.account),
        };
        Some((duty, ticket))
    }
}

impl AttendedRound {
    pub(super) fn new(round: Arc<Round>) -> Self {
        Self {
            round,
            is_open: true,
            is_first: false,
            running: None,
            found: BTreeMap::new(),
            trouble: None,
        }
    }

    /// Whether the task that runs is outdated.
    pub(super) fn is_outdated(&self, account: &AccountBytes) -> bool {
        self.running.as_ref().is_some_and(|running| {
            let owed = running.owed;
            let is_about_another =
                owed.is_some_and(|(duty, about)| subject(duty, &self.round, account) != about);
            !self.is_open || running.phase != self.round.phase || is_about_another
        })
    }
}
