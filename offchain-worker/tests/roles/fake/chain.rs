//! A fake chain that lists duties and rounds of training, and records submissions.

use super::CONTROLLER;
use async_trait::async_trait;
use futures::future::BoxFuture;
use noema_protocol::{CheckpointId, Job, Role, RoundId, SessionId};
use noema_rounds::{RoundContext, RoundEffect, RoundError};
use noema_session_transport::SessionFacts;
use noema_worker::roles::rounds::{Round, RoundStep};
use noema_worker::roles::{
    Action, ChainView, ChainViewError, Duties, Duty, DutyOutcome, LeafDemand, Rewards, Task,
};
use noema_worker::store::AccountBytes;
use sp_core::H256;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

/// The state of the fake chain.
#[derive(Default)]
pub(crate) struct ChainState {
    pub(crate) block: u64,
    /// The duties of the operator of [`CONTROLLER`], with their tasks.
    pub(crate) due: Vec<(Duty, Task)>,
    pub(crate) is_absent: bool,
    /// A round of each programme, open or closed.
    pub(crate) rounds: Vec<Round>,
    /// The holders of checkpoints.
    pub(crate) holders: BTreeSet<(CheckpointId, AccountBytes)>,
    /// The operators that failed in a duty of a round.
    pub(crate) offenders: Vec<AccountBytes>,
    /// The steps that rounds refused.
    pub(crate) refused: Vec<(AccountBytes, RoundError)>,
    /// The sessions that the operator serves, and those that have ended.
    pub(crate) sessions: Vec<SessionFacts>,
    pub(crate) ended_sessions: Vec<SessionFacts>,
    /// The leaves that it has to post.
    pub(crate) demands: Vec<LeafDemand>,
    /// The duties that were submitted, in order.
    pub(crate) performed: Vec<Action>,
    /// Their fate; `None` leaves it open.
    pub(crate) fate: Option<DutyOutcome>,
    /// Whether all calls fail.
    pub(crate) away: bool,
    /// Whether tasks cannot be read.
    pub(crate) unreadable: bool,
    /// The jobs whose tasks were read.
    pub(crate) read: Vec<Job>,
    /// The rewards to claim; `None` if they cannot be read.
    pub(crate) rewards: Option<Rewards>,
    /// The number of times that they were read.
    pub(crate) rewards_asked: u32,
}

impl ChainState {
    /// Ends a block, and the phases of rounds that end with it.
    pub(crate) fn end_block(&mut self) {
        self.block += 1;
        let now = self.block as u32;
        let mut effects = Vec::new();
        for round in &mut self.rounds {
            let claimed = round.claim.map(|claim| claim.checkpoint);
            let holders = self.holders.iter().filter(|(id, _)| claimed == Some(*id));
            effects.extend(round.advance(&RoundContext {
                now,
                randomness: Some(H256::from_low_u64_be(u64::from(now) + round.id.0)),
                parent_is_canonical: true,
                holders: holders.count() as u32,
            }));
        }
        for effect in effects {
            if let RoundEffect::Offended(account, _) = effect {
                self.offenders.push(account);
            }
        }
    }

    /// A step that is submitted in this block is included in the next one.
    fn say(&mut self, account: AccountBytes, id: RoundId, step: RoundStep) -> DutyOutcome {
        let block = self.block + 1;
        let now = block as u32;
        let mut rounds = self.rounds.iter_mut();
        let round = rounds.find(|round| round.id == id).expect("is there");
        let said = match step {
            RoundStep::Join(Role::Trainer) => round.join_as_trainer(account, now),
            RoundStep::Join(_) => round.join_as_validator(account, 100, now),
            RoundStep::CommitContribution(commitment) => round.commit(&account, commitment, now),
            RoundStep::RevealContribution(contribution, salt) => {
                round.reveal(&account, contribution, salt, now)
            }
            RoundStep::CommitScores(commitment) => round.commit_scores(&account, commitment, now),
            RoundStep::RevealScores(sheet, salt) => round.reveal_scores(&account, sheet, salt, now),
            RoundStep::Claim(claim) => round.claim(&account, claim, now),
            RoundStep::ObjectToScores(sheet) => round.object_to_scores(&account, sheet, now),
            RoundStep::ObjectToClaim(claim) => round.object_to_claim(&account, claim, now),
        };
        match said {
            Ok(()) => DutyOutcome::Included { block },
            Err(error) => {
                let reason = format!("{error:?}");
                self.refused.push((account, error));
                DutyOutcome::Refused(reason)
            }
        }
    }
}

/// The fake chain for one operator.
#[derive(Clone)]
pub(crate) struct FakeChain {
    account: AccountBytes,
    state: Arc<Mutex<ChainState>>,
}

impl FakeChain {
    pub(crate) fn new() -> Self {
        let state = ChainState {
            block: 10,
            fate: Some(DutyOutcome::Included { block: 11 }),
            rewards: Some(Rewards::default()),
            ..ChainState::default()
        };
        Self {
            account: CONTROLLER,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The same chain for another operator.
    pub(crate) fn of(&self, account: AccountBytes) -> Self {
        let state = self.state.clone();
        Self { account, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, ChainState> {
        self.state.lock().expect("no test thread has panicked")
    }

    pub(crate) fn edit<T>(&self, change: impl FnOnce(&mut ChainState) -> T) -> T {
        change(&mut self.state())
    }

    /// Lists only these duties.
    pub(crate) fn expect(&self, due: impl IntoIterator<Item = (Duty, Task)>) {
        self.edit(|state| state.due = due.into_iter().collect());
    }

    pub(crate) fn expect_nothing(&self) {
        self.expect([]);
    }

    pub(crate) fn performed(&self) -> Vec<Action> {
        self.state().performed.clone()
    }

    fn reachable(state: &ChainState) -> Result<(), ChainViewError> {
        match state.away {
            true => Err(ChainViewError::Unreachable("the test took it away".into())),
            false => Ok(()),
        }
    }
}

fn unreadable() -> ChainViewError {
    ChainViewError::Incompatible {
        what: "view function".into(),
        reason: "the test took it away".into(),
    }
}

#[async_trait]
impl ChainView for FakeChain {
    async fn duties(&self) -> Result<Duties, ChainViewError> {
        let state = self.state();
        Self::reachable(&state)?;
        let due = state.due.iter().filter(|_| self.account == CONTROLLER);
        let rounds = state.rounds.iter();
        let open = rounds.filter(|round| round.outcome().is_none());
        Ok(Duties {
            block: state.block,
            due: due.map(|(duty, _)| *duty).collect(),
            rounds: open.cloned().collect(),
            is_absent: state.is_absent,
            sessions: state.sessions.clone(),
            demands: state.demands.clone(),
            free_bond: 1_000_000,
        })
    }

    async fn task(&self, duty: &Duty) -> Result<Option<Task>, ChainViewError> {
        let mut state = self.state();
        Self::reachable(&state)?;
        state.read.push(duty.part.job());
        if state.unreadable {
            return Err(unreadable());
        }
        let found = state.due.iter().find(|(listed, _)| listed == duty);
        Ok(found.map(|(_, task)| task.clone()))
    }

    async fn session(&self, id: SessionId) -> Result<Option<SessionFacts>, ChainViewError> {
        let state = self.state();
        Self::reachable(&state)?;
        let all = state.sessions.iter().chain(&state.ended_sessions);
        let mut found = all.filter(|facts| facts.terms.session == id);
        Ok(found.next().cloned())
    }

    async fn rewards(&self) -> Result<Rewards, ChainViewError> {
        let mut state = self.state();
        Self::reachable(&state)?;
        state.rewards_asked += 1;
        state.rewards.clone().ok_or_else(unreadable)
    }

    async fn perform(
        &self,
        action: &Action,
    ) -> Result<BoxFuture<'static, DutyOutcome>, ChainViewError> {
        let mut state = self.state();
        Self::reachable(&state)?;
        state.performed.push(action.clone());
        let outcome = match (state.fate.clone(), action) {
            (Some(DutyOutcome::Included { .. }), Action::Round(round, step)) => {
                state.say(self.account, *round, step.clone())
            }
            (
                Some(outcome @ DutyOutcome::Included { .. }),
                Action::AnnounceHolding { checkpoint, .. },
            ) => {
                state.holders.insert((*checkpoint, self.account));
                outcome
            }
            (Some(outcome), _) => outcome,
            (None, _) => return Ok(Box::pin(std::future::pending())),
        };
        Ok(Box::pin(async move { outcome }))
    }
}
