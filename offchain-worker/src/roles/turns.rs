//! The loop that drives one operator in all its roles.

use super::attended::Rounds;
use super::operator::OperatorLoop;
use super::operator_tasks::TaskKey;
use super::queue::OpenDuty;
use super::{Action, ChainViewError, Duties, DutyOutcome};
use crate::metrics::Fate;
use noema_protocol::Job;
use tokio::sync::watch;
use tracing::{debug, info, warn};

impl OperatorLoop {
    /// Takes a turn at every change of `head` until `stop` turns true. Results, and the state of a training
    /// that is under way, are on disk by then; other unfinished work is repeated after the next start.
    pub async fn run(mut self, mut head: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        head.mark_changed();
        if self.engines.is_some() || self.rounds.is_some() {
            self.check_store();
        }
        loop {
            tokio::select! {
                biased;
                () = crate::stopped(&mut stop) => break,
                () = self.progress() => {
                    if !self.could_execute_more() {
                        continue;
                    }
                }
                changed = head.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
            let turned = tokio::select! {
                biased;
                () = crate::stopped(&mut stop) => break,
                turned = self.turn() => turned,
            };
            if let Err(error) = turned {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %error, "cannot read the chain; trying again at the next block");
            }
        }
        self.stop().await;
    }

    /// Cancels all tasks, but waits for trainers that save their states.
    async fn stop(&mut self) {
        self.tasks.cancel_all();
        let jobs = self.executing();
        if jobs > 0 {
            info!(operator = %self.identity.name, jobs, "stopping; the next start resumes the open jobs");
        }
        while self.rounds.as_ref().is_some_and(Rounds::is_training) {
            let ended = self.tasks.next().await;
            if let TaskKey::Round(round) = ended.key {
                self.note_attended(round, ended);
            }
        }
    }

    /// Reads the latest finalized block once and takes every step that needs no waiting. If the store fails,
    /// only the steps that need it wait.
    ///
    /// # Errors
    /// If the chain cannot be read; another turn tries again.
    pub async fn turn(&mut self) -> Result<(), ChainViewError> {
        let mut duties = match self.chain.duties().await {
            Ok(duties) => duties,
            Err(error) => {
                self.doubt();
                return Err(error);
            }
        };
        if duties.block < self.block {
            self.doubt();
        }
        self.block = duties.block;
        self.deferred = false;
        self.deferred_move = false;
        if self.store_trouble.is_some() {
            self.check_store();
        }
        self.tasks.begin(duties.block);
        self.queue.begin(duties.block);
        self.drop_unlisted(&duties.due);
        self.look_up(&duties.due).await;
        for duty in &duties.due {
            self.advance(duty).await;
        }
        self.look_at_rounds(std::mem::take(&mut duties.rounds))
            .await;
        self.look_at_sessions(&mut duties).await;
        self.resume(&duties).await;
        self.claim(&duties).await;
        Ok(())
    }

    /// Waits for the end of a task or the fate of a duty, and handles it. Never ends while nothing is under
    /// way.
    pub async fn progress(&mut self) {
        tokio::select! {
            ended = self.tasks.next() => match ended.key {
                TaskKey::Duty(ticket) | TaskKey::Move(ticket) => self.executed(ticket, ended).await,
                TaskKey::Round(round) => self.attended(round, ended).await,
            },
            (duty, outcome) = self.queue.next() => self.learned(duty, outcome),
        }
    }

    /// Whether an execution that was deferred at the latest turn can start.
    fn could_execute_more(&self) -> bool {
        let executes = self.deferred && self.executing() < self.pace.together;
        executes || (self.deferred_move && self.moving() < self.pace.moves)
    }

    /// Marks everything that was read from the chain as doubtful: a node that was unreachable, or whose chain
    /// is shorter than before, may have another chain with the same genesis block.
    fn doubt(&mut self) {
        for listed in self.listed.values_mut() {
            listed.is_doubtful = true;
        }
        self.queue.doubt();
        if let Some(rounds) = &mut self.rounds {
            rounds.doubt();
        }
    }

    fn learned(&mut self, duty: OpenDuty, outcome: DutyOutcome) {
        let operator = &self.identity.name;
        let is_news = self.queue.note(duty, &outcome);
        match &outcome {
            DutyOutcome::Included { block } => {
                self.metrics.transaction(Fate::Included);
                debug!(%operator, %duty, block, "the duty is final");
            }
            DutyOutcome::Refused(reason) => {
                self.metrics.transaction(Fate::Refused);
                if is_news {
                    warn!(%operator, %duty, %reason, "the chain refuses this duty");
                }
            }
            DutyOutcome::Dropped(reason) | DutyOutcome::Unknown(reason) => {
                self.metrics.transaction(Fate::Dropped);
                if is_news {
                    warn!(%operator, %duty, %reason, "the duty is not in a block yet; trying again while the chain expects it");
                }
            }
        }
        match (duty, outcome) {
            (OpenDuty::Claim(epoch), outcome) => self.claim_fate(epoch, &outcome),
            (OpenDuty::Work(ticket, step), DutyOutcome::Included { block }) => {
                self.included(ticket, step, block);
            }
            (OpenDuty::Holding(checkpoint), DutyOutcome::Included { block }) => {
                info!(%operator, %duty, block, "is final");
                if let Some(rounds) = &mut self.rounds {
                    rounds.announced(checkpoint);
                }
            }
            (OpenDuty::SessionClaim(..), DutyOutcome::Included { block }) => {
                self.metrics.session_claims.inc();
                info!(%operator, %duty, block, "is final");
            }
            (
                OpenDuty::Round(..) | OpenDuty::Post(..) | OpenDuty::SessionEnd(_),
                DutyOutcome::Included { block },
            ) => {
                info!(%operator, %duty, block, "is final");
            }
            (OpenDuty::Demand(claim, leaf), DutyOutcome::Included { block }) => {
                info!(%operator, %duty, block, "is final");
                if let Some(listed) = self.listed.get_mut(&Job::Check(claim, leaf)) {
                    listed.unread = 0;
                }
            }
            (
                OpenDuty::Work(..)
                | OpenDuty::Round(..)
                | OpenDuty::Holding(_)
                | OpenDuty::SessionClaim(..)
                | OpenDuty::SessionEnd(_)
                | OpenDuty::Post(..)
                | OpenDuty::Demand(..)
                | OpenDuty::Resume,
                _,
            ) => {}
        }
    }

    /// Ends an absence.
    async fn resume(&mut self, duties: &Duties) {
        if duties.is_absent {
            self.perform(OpenDuty::Resume, &Action::Resume).await;
        }
    }
}
