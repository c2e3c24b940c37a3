//! The chain as one operator sees it.

use super::calls::OperatorCall;
use super::read::At;
use super::types::{Idle, Phase as RequestPhase, RequestState, Standing, Task};
use super::{ChainError, Link};
use crate::keys::Key;
use crate::roles::{
    Action, Answered, Check, Duties, Job, Ledger, LedgerError, Outcome, Phase, Question, Reward,
    Rewards,
};
use crate::store::AccountBytes;
use async_trait::async_trait;
use futures::future::BoxFuture;
use noema_protocol::{CheckpointId, RequestId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Signs with one hot key and reads what concerns its controller.
pub struct ChainLedger {
    link: Arc<Link>,
    key: Key,
    controller: AccountBytes,
    audits: bool,
}

impl ChainLedger {
    /// A ledger for the operator with this hot key.
    pub fn new(link: Arc<Link>, key: Key, controller: AccountBytes, audits: bool) -> Self {
        Self {
            link,
            key,
            controller,
            audits,
        }
    }

    async fn read(&self, following: &[RequestId]) -> Result<Duties, LedgerError> {
        let node = self.link.node()?;
        let at = node.finalized().await?;
        let info = at.operator(&self.controller).await?.ok_or_else(|| {
            LedgerError::Missing(format!(
                "the operator {} is not registered any more; register it again with: noema-worker register operator",
                crate::keys::address(&self.controller)
            ))
        })?;
        let mut duties = Duties {
            block: at.number(),
            is_absent: info.idle == Some(Idle::Absent),
            ..Duties::default()
        };
        let pending: BTreeMap<_, _> = at
            .pending_jobs(&self.controller)
            .await?
            .into_iter()
            .map(|job| (RequestId(job.request), job))
            .collect();
        let mut wanted: BTreeSet<_> = following.iter().copied().collect();
        wanted.extend(pending.keys());
        for id in wanted {
            let Some(state) = at.request(id).await? else {
                continue;
            };
            let job = pending.get(&id);
            let deadline = job.map_or(0, |job| u64::from(job.deadline));
            match job.map(|job| &job.task) {
                Some(Task::Answer) => duties.jobs.push(Job {
                    question: question(id, &state)?,
                    attempt: count(state.missed.len()),
                    deadline,
                }),
                Some(Task::Commit) => {
                    duties
                        .checks
                        .extend(self.check(id, state, Phase::Commit, deadline)?);
                }
                Some(Task::Reveal) => {
                    duties
                        .checks
                        .extend(self.check(id, state, Phase::Reveal, deadline)?);
                }
                None => duties
                    .checks
                    .extend(self.check(id, state, Phase::Committed, 0)?),
            }
        }
        if self.audits {
            duties.open_answers = self.open_answers(&at).await?;
        }
        Ok(duties)
    }

    /// The check in which this validator sits, if it does and, while it only waits, has committed.
    fn check(
        &self,
        id: RequestId,
        state: RequestState,
        phase: Phase,
        deadline: u64,
    ) -> Result<Option<Check>, ChainError> {
        let seat = state.seats.iter().enumerate().find(|(_, seat)| {
            seat.validator.0 == self.controller && seat.standing == Standing::Sitting
        });
        let Some((index, seat)) = seat else {
            return Ok(None);
        };
        let waits = seat.commitment.is_some() && seat.opinion.is_none();
        if phase == Phase::Committed && !waits {
            return Ok(None);
        }
        Ok(Some(Check {
            round: count(index),
            answer: answered(id, &state)?,
            phase,
            deadline,
        }))
    }

    /// Answers that this operator has no part in and may object to.
    async fn open_answers(&self, at: &At) -> Result<Vec<Answered>, ChainError> {
        let mut open = Vec::new();
        for id in at.objectable().await? {
            let Some(state) = at.request(id).await? else {
                continue;
            };
            let is_party = state.requester.0 == self.controller
                || state
                    .assignment
                    .as_ref()
                    .is_some_and(|assignment| assignment.worker.0 == self.controller)
                || state
                    .seats
                    .iter()
                    .any(|seat| seat.validator.0 == self.controller);
            if !is_party && matches!(state.phase, RequestPhase::Objectable { .. }) {
                open.push(answered(id, &state)?);
            }
        }
        Ok(open)
    }
}

#[async_trait]
impl Ledger for ChainLedger {
    async fn duties(&self, following: &[RequestId]) -> Result<Duties, LedgerError> {
        self.read(following).await
    }

    async fn rewards(&self) -> Result<Rewards, LedgerError> {
        let at = self.link.node()?.finalized().await?;
        let pending = at.pending_reward(&self.controller).await?;
        let running = at.running_epoch().await?;
        Ok(Rewards {
            due: pending
                .due()
                .into_iter()
                .map(|claimable| Reward {
                    epoch: claimable.epoch,
                    amount: claimable.reward,
                })
                .collect(),
            epoch_ends: running.map_or(u64::MAX, |epoch| epoch.scheduled.ends_at.into()),
        })
    }

    async fn perform(&self, action: &Action) -> Result<BoxFuture<'static, Outcome>, LedgerError> {
        let node = self.link.node()?;
        let key = &self.key;
        let outcome = match OperatorCall::from(action) {
            OperatorCall::Submit(call) => node.perform(*call, key).await,
            OperatorCall::Commit(call) => node.perform(call, key).await,
            OperatorCall::Reveal(call) => node.perform(call, key).await,
            OperatorCall::Object(call) => node.perform(call, key).await,
            OperatorCall::Claim(call) => node.perform(call, key).await,
            OperatorCall::Resume(call) => node.perform(call, key).await,
        };
        Ok(outcome?)
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn text(what: &str, bytes: &[u8]) -> Result<String, ChainError> {
    String::from_utf8(bytes.to_vec()).map_err(|error| ChainError::Incompatible {
        what: what.to_owned(),
        reason: error.to_string(),
    })
}

fn missing(id: RequestId, what: &str) -> ChainError {
    ChainError::Incompatible {
        what: format!("record of request {id}"),
        reason: format!("it has no {what}"),
    }
}

fn question(id: RequestId, state: &RequestState) -> Result<Question, ChainError> {
    let assignment = state
        .assignment
        .as_ref()
        .ok_or_else(|| missing(id, "worker"))?;
    Ok(Question {
        request: id,
        checkpoint: CheckpointId(state.checkpoint),
        prompt: text("prompt", &state.prompt)?,
        parameters: state.parameters.clone().into(),
        seed: assignment.seed,
    })
}

fn answered(id: RequestId, state: &RequestState) -> Result<Answered, ChainError> {
    Ok(Answered {
        question: question(id, state)?,
        tokens: state.tokens.clone(),
        text: text("answer", &state.text)?,
        receipt: state
            .receipt
            .clone()
            .ok_or_else(|| missing(id, "receipt"))?
            .into(),
    })
}
