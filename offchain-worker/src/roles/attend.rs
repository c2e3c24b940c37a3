//! Duties in rounds of training: a task beside the loop computes a result, which is stored and submitted.

use super::attended::{AttendedRound, Running};
use super::operator::OperatorLoop;
use super::operator_tasks::{Attended, Done, TaskKey};
use super::queue::OpenDuty;
use super::rounds::{Found, Round, RoundDuty, RoundStep, RoundsError};
use super::tasks::{Ended, TaskError};
use super::Action;
use crate::store::{JobRecord, JobStage, Ticket};
use noema_model::printable::one_line;
use noema_protocol::{Job, RoundId};
use noema_training::TrainingError;
use sp_core::H256;
use std::collections::BTreeSet;
use std::sync::Arc;
use tracing::{debug, warn};

/// An operator's progress with a duty in a round.
enum Standing {
    /// The result is ready to be submitted.
    Found(Found),
    /// A task has to compute the result first.
    Missing,
    /// The operator cannot continue at the moment.
    Waits,
}

impl From<RoundsError> for TaskError {
    fn from(error: RoundsError) -> Self {
        if matches!(error, RoundsError::Training(TrainingError::Stopped { .. })) {
            return Self::Stopped;
        }
        // The reason may quote data from other operators.
        let reason = one_line(&error.to_string());
        match error.waits_for_others() {
            true => Self::Later(reason),
            false => Self::Failed(reason),
        }
    }
}

impl OperatorLoop {
    /// Takes the next step in each open round. A failure in one round does not affect the others.
    pub(super) async fn look_at_rounds(&mut self, rounds: Vec<Round>) {
        let now = self.now();
        let Some(state) = &mut self.rounds else {
            return;
        };
        state.work.look(now);
        for attended in state.attended.values_mut() {
            attended.is_open = false;
        }
        let mut open = Vec::with_capacity(rounds.len());
        for (place, round) in rounds.into_iter().enumerate() {
            let (id, round) = (round.id, Arc::new(round));
            open.push(id);
            let attended = state.attended.entry(id);
            let attended = attended.or_insert_with(|| AttendedRound::new(round.clone()));
            if attended.round.phase != round.phase && attended.running.is_none() {
                // Failures in the previous phase do not count in this one.
                self.tasks.cancel(&TaskKey::Round(id));
            }
            attended.round = round;
            attended.is_open = true;
            attended.is_first = place == 0;
        }
        for (id, attended) in &state.attended {
            if attended.is_outdated(&state.work.account) {
                self.tasks.cancel(&TaskKey::Round(*id));
            }
        }
        self.forget_rounds();
        for id in open {
            self.attend(id).await;
        }
    }

    /// Handles the end of a task for a round.
    pub(super) async fn attended(&mut self, id: RoundId, ended: Ended<TaskKey, Done>) {
        if self.note_attended(id, ended) {
            self.attend(id).await;
        }
    }

    /// Records the result of a task for a round. Returns whether the next step may follow at once.
    pub(super) fn note_attended(&mut self, id: RoundId, ended: Ended<TaskKey, Done>) -> bool {
        let rounds = self.rounds.as_mut();
        let Some(attended) = rounds.and_then(|rounds| rounds.attended.get_mut(&id)) else {
            return false;
        };
        attended.running = None;
        match ended.result {
            Ok(Done::Attended(Attended { subject, found })) => {
                attended.trouble = None;
                match found {
                    Found::Nothing => return false,
                    Found::Shared => return true,
                    found => attended.found.insert(subject, found),
                };
                let job = Job::Round(id);
                self.keep_found(id, &Ticket { job, subject });
                true
            }
            Ok(Done::Executed(_)) => false,
            // Its phase is over, or the operator stops.
            Err(TaskError::Stopped) => true,
            // A wait that exceeds the phase, such as the fetch of a checkpoint, is reported as well.
            Err(TaskError::Later(reason) | TaskError::Unread { reason, .. }) => {
                self.is_kept_from_round(id, reason);
                ended.was_cancelled
            }
            Err(TaskError::Failed(reason) | TaskError::Permanent(reason)) => {
                self.metrics.execution_failures.inc();
                self.is_kept_from_round(id, reason);
                ended.was_cancelled
            }
        }
    }

    /// The rounds in which the operator cannot continue, with the reasons.
    pub fn troubles(&self) -> impl Iterator<Item = (RoundId, &str)> {
        let rounds = self.rounds.iter().flat_map(|rounds| &rounds.attended);
        rounds.filter_map(|(id, attended)| Some((*id, attended.trouble.as_deref()?)))
    }

    fn now(&self) -> u32 {
        u32::try_from(self.block).unwrap_or(u32::MAX)
    }

    /// Submits the result for the current duty in a round, or starts to compute it.
    async fn attend(&mut self, id: RoundId) {
        let now = self.now();
        let owed = self.rounds.as_ref().and_then(|rounds| rounds.owed(id, now));
        let Some((duty, ticket)) = owed else {
            return self.begin(id, None);
        };
        match self.standing(id, duty, &ticket) {
            Standing::Found(found) => {
                self.begin(id, None);
                self.hand_over_step(id, duty, ticket, &found).await;
            }
            Standing::Missing => self.begin(id, Some((duty, ticket.subject))),
            Standing::Waits => self.begin(id, None),
        }
    }

    fn standing(&mut self, id: RoundId, duty: RoundDuty, ticket: &Ticket) -> Standing {
        let found = match self.found(id, &ticket.subject).cloned() {
            Some(Found::Product(_)) if !self.keep_found(id, ticket) => return Standing::Waits,
            Some(found) => Some(found),
            None if duty.is_on_record() => match self.record(ticket) {
                Ok(Some(JobStage::Executed(product))) => Some(Found::Product(product)),
                Ok(_) => None,
                Err(error) => {
                    self.store_fails(&error);
                    return Standing::Waits;
                }
            },
            None => None,
        };
        if duty == RoundDuty::Join && !self.could_keep(id, found.is_some()) {
            return Standing::Waits;
        }
        match (found, duty) {
            (None, RoundDuty::RevealContribution | RoundDuty::RevealScores) => {
                self.is_kept_from_round(id, RoundsError::Forgotten.to_string());
                Standing::Waits
            }
            // Validators fetch the update as soon as it is revealed.
            (Some(_), RoundDuty::RevealContribution) if !self.shares_update(id) => {
                Standing::Missing
            }
            (Some(found), _) => Standing::Found(found),
            (None, _) => Standing::Missing,
        }
    }

    /// Whether the store can keep the results of a round: an operator that joins must not lose them. Checks
    /// the store before the work on joining begins.
    fn could_keep(&mut self, id: RoundId, is_ready: bool) -> bool {
        if !is_ready && self.store_trouble.is_none() && self.tasks.is_due(&TaskKey::Round(id)) {
            self.check_store();
        }
        self.store_trouble.is_none()
    }

    fn found(&self, id: RoundId, about: &H256) -> Option<&Found> {
        let attended = self.rounds.as_ref()?.attended.get(&id)?;
        attended.found.get(about)
    }

    /// Writes a product to disk if it is not there. Returns whether it is there now.
    fn keep_found(&mut self, id: RoundId, ticket: &Ticket) -> bool {
        let Some(Found::Product(product)) = self.found(id, &ticket.subject).cloned() else {
            return true;
        };
        let record = JobRecord {
            subject: ticket.subject,
            stage: JobStage::Executed(product),
        };
        let is_kept = self.write(ticket, &record);
        let rounds = self.rounds.as_mut().filter(|_| is_kept);
        if let Some(attended) = rounds.and_then(|rounds| rounds.attended.get_mut(&id)) {
            attended.found.remove(&ticket.subject);
        }
        is_kept
    }

    fn shares_update(&self, id: RoundId) -> bool {
        let rounds = self.rounds.as_ref();
        rounds.is_some_and(|rounds| rounds.work.shares_update(id))
    }

    /// Starts a task for a round, unless one runs or failed too recently: to compute the result of a duty, or
    /// else to share the files that other participants may need.
    fn begin(&mut self, id: RoundId, owed: Option<(RoundDuty, H256)>) {
        let key = TaskKey::Round(id);
        let Some(state) = self.rounds.as_mut().filter(|_| self.tasks.is_due(&key)) else {
            return;
        };
        let Some(attended) = state.attended.get_mut(&id) else {
            return;
        };
        let has_to_share = attended.is_open && state.work.has_to_share(&attended.round);
        if owed.is_none() && !has_to_share {
            return;
        }
        let (work, round) = (state.work.clone(), attended.round.clone());
        let (duty, subject) = (
            owed.map(|(duty, _)| duty),
            owed.map_or_else(H256::zero, |(_, subject)| subject),
        );
        if let Some(duty) = duty {
            debug!(operator = %self.identity.name, round = %id, %duty, "starts a task for a round");
        }
        attended.running = Some(Running {
            phase: round.phase,
            owed,
        });
        self.tasks.start(key, |cancel| async move {
            let found = work.attend(&round, duty, &cancel).await?;
            Ok(Done::Attended(Attended { subject, found }))
        });
    }

    async fn hand_over_step(
        &mut self,
        id: RoundId,
        duty: RoundDuty,
        ticket: Ticket,
        found: &Found,
    ) {
        let Some(state) = &self.rounds else {
            return;
        };
        let Some(round) = state
            .attended
            .get(&id)
            .map(|attended| attended.round.clone())
        else {
            return;
        };
        let holding = found.holding(&round);
        let holding = holding.filter(|(checkpoint, _)| !state.announced.contains(checkpoint));
        let step = state.work.step(duty, &round, found);
        if let Some((checkpoint, blob)) = holding {
            let action = Action::AnnounceHolding { checkpoint, blob };
            self.perform(OpenDuty::Holding(checkpoint), &action).await;
        }
        let Some(step) = step else {
            return;
        };
        let open = OpenDuty::Round(ticket, duty);
        let objects = matches!(
            step,
            RoundStep::ObjectToScores(_) | RoundStep::ObjectToClaim(_)
        );
        if objects && self.queue.is_due(&open) && !self.queue.has_failed(&open) {
            let operator = &self.identity.name;
            warn!(%operator, round = %id, "the decision of the round is wrong; submits an {duty}");
        }
        self.perform(open, &Action::Round(id, step)).await;
    }

    /// Forgets the rounds that are over, and removes their records and files.
    fn forget_rounds(&mut self) {
        let Some(state) = &mut self.rounds else {
            return;
        };
        // A task may still write to the records of its round.
        state.attended.retain(|id, attended| {
            let is_kept = attended.is_open || attended.running.is_some();
            if !is_kept {
                self.tasks.cancel(&TaskKey::Round(*id));
            }
            is_kept
        });
        let kept: BTreeSet<_> = state.attended.keys().copied().collect();
        if state.kept.as_ref() == Some(&kept) {
            return;
        }
        if let Err(error) = state.work.forget_files_but(&kept) {
            warn!(operator = %self.identity.name, %error, "cannot remove the files of rounds that are over");
            return;
        }
        match self.store.forget_rounds(self.identity.controller, &kept) {
            Ok(()) => state.kept = Some(kept),
            Err(error) => self.store_fails(&error),
        }
    }

    /// Logs once why the operator cannot continue with a round.
    fn is_kept_from_round(&mut self, id: RoundId, reason: String) {
        let rounds = self.rounds.as_mut();
        let Some(attended) = rounds.and_then(|rounds| rounds.attended.get_mut(&id)) else {
            return;
        };
        let operator = &self.identity.name;
        if attended.trouble.as_ref() == Some(&reason) {
            debug!(%operator, round = %id, %reason, "still cannot continue with the round");
            return;
        }
        warn!(%operator, round = %id, %reason, "cannot continue with the round; trying again");
        attended.trouble = Some(reason);
    }
}
