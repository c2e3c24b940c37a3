//! The [`ChainView`] of one operator, on a real chain.

use super::perform::perform;
use super::read::At;
use super::rounds::OpenRounds;
use super::types::{CheckDue, DueStep, Idle, OpenAnswer, RequestPhase, RequestState, VerdictDue};
use super::{ChainError, Link};
use crate::keys::Key;
use crate::roles::{
    Action, Answered, ChainView, ChainViewError, Duties, Duty, DutyOutcome, DutyStep, Identity,
    Part, Question, Reward, Rewards, Task, Workload,
};
use crate::store::AccountBytes;
use async_trait::async_trait;
use futures::future::BoxFuture;
use noema_protocol::{ClaimId, Job, RequestId};
use sp_core::H256;
use std::sync::Arc;

/// Reads the duties of one controller and signs with its hot key.
pub struct NodeView {
    link: Arc<Link>,
    key: Key,
    controller: AccountBytes,
    serves: bool,
    validates: bool,
    takes_part: bool,
    rounds: OpenRounds,
}

impl NodeView {
    /// The chain for the operator with this hot key; it reads the duties of the operator's roles.
    pub fn new(link: Arc<Link>, key: Key, operator: &Identity) -> Self {
        Self {
            link,
            key,
            controller: operator.controller,
            serves: operator.serves,
            validates: operator.validates,
            takes_part: operator.rounds.is_some(),
            rounds: OpenRounds::default(),
        }
    }

    async fn finalized(&self) -> Result<At, ChainError> {
        self.link.node()?.finalized().await
    }
}

#[async_trait]
impl ChainView for NodeView {
    async fn duties(&self) -> Result<Duties, ChainViewError> {
        let node = self.link.node()?;
        let at = node.finalized().await?;
        let operator = &self.controller;
        let (info, answers, checks, verdicts, rounds) = futures::try_join!(
            at.operator(operator),
            if_wanted(self.serves, at.assignments(operator)),
            if_wanted(self.validates, at.checks_due(operator)),
            if_wanted(self.validates, at.verdicts_due(operator)),
            if_wanted(self.takes_part, self.rounds.read(&node, &at)),
        )?;
        let info = info.ok_or_else(|| {
            ChainViewError::Missing(format!(
                "the operator {} is no longer registered; register it again with: noema-worker register operator",
                crate::keys::address(operator)
            ))
        })?;
        let answers = answers.into_iter().map(Duty::from);
        let checks = checks.into_iter().map(Duty::from);
        let verdicts = verdicts.into_iter().map(Duty::from);
        let mut due: Vec<_> = answers.chain(checks).chain(verdicts).collect();
        due.sort_by_key(|duty| duty.until);
        Ok(Duties {
            block: at.number(),
            due,
            rounds,
            is_absent: info.idle == Some(Idle::Absent),
        })
    }

    async fn task(&self, duty: &Duty) -> Result<Option<Task>, ChainViewError> {
        let at = self.finalized().await?;
        Ok(match duty.part {
            Part::Answer(request) => self.answer(&at, request).await?,
            Part::Check { claimed, point, .. } => {
                let leaf = leaf(&at, claimed).await?;
                leaf.zip(duty.part.subject()).map(|(leaf, subject)| Task {
                    subject,
                    work: Workload::Check { leaf, point },
                })
            }
            Part::Verdict { claim, .. } => verdict(&at, claim).await?,
        })
    }

    async fn rewards(&self) -> Result<Rewards, ChainViewError> {
        let at = self.finalized().await?;
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

    async fn perform(
        &self,
        action: &Action,
    ) -> Result<BoxFuture<'static, DutyOutcome>, ChainViewError> {
        let node = self.link.node()?;
        if let Action::AnnounceHolding { checkpoint, blob } = action {
            // The chain refuses a holding that it has already.
            let at = node.finalized().await?;
            let known = at.holders(checkpoint).await?;
            let is_known = known
                .iter()
                .any(|holding| holding.holder.0 == self.controller && holding.blob == *blob);
            if is_known {
                let block = at.number();
                return Ok(Box::pin(async move { DutyOutcome::Included { block } }));
            }
        }
        Ok(perform(&node, action, &self.key).await?)
    }
}

impl NodeView {
    /// The task of answering a request, if this operator is still drawn for it.
    async fn answer(&self, at: &At, id: RequestId) -> Result<Option<Task>, ChainError> {
        let Some(state) = at.request(id).await? else {
            return Ok(None);
        };
        let is_due = matches!(state.phase, RequestPhase::Answering { .. })
            && state
                .assignment
                .as_ref()
                .is_some_and(|assignment| assignment.worker.0 == self.controller);
        if !is_due {
            return Ok(None);
        }
        let question = question(id, &state)?;
        Ok(Some(Task {
            subject: question.seed,
            work: Workload::Answer(question),
        }))
    }
}

impl From<OpenAnswer> for Duty {
    fn from(answer: OpenAnswer) -> Self {
        Self {
            part: Part::Answer(answer.request),
            step: DutyStep::Execute,
            checkpoint: answer.checkpoint,
            until: answer.deadline.into(),
        }
    }
}

impl From<CheckDue> for Duty {
    fn from(check: CheckDue) -> Self {
        Self {
            part: Part::Check {
                claim: check.claim,
                leaf: check.leaf,
                claimed: check.job,
                point: check.point,
            },
            step: check.step.into(),
            checkpoint: check.checkpoint,
            until: check.until.into(),
        }
    }
}

impl From<VerdictDue> for Duty {
    fn from(verdict: VerdictDue) -> Self {
        Self {
            part: Part::Verdict {
                claim: verdict.claim,
                leaf: verdict.leaf,
            },
            step: verdict.step.into(),
            checkpoint: verdict.checkpoint,
            until: verdict.until.into(),
        }
    }
}

impl From<DueStep> for DutyStep {
    fn from(step: DueStep) -> Self {
        match step {
            DueStep::Commit => Self::Execute,
            DueStep::Reveal => Self::Reveal,
        }
    }
}

async fn if_wanted<T>(
    is_wanted: bool,
    read: impl Future<Output = Result<Vec<T>, ChainError>>,
) -> Result<Vec<T>, ChainError> {
    match is_wanted {
        true => read.await,
        false => Ok(Vec::new()),
    }
}

/// The disputed leaf of a claim.
async fn verdict(at: &At, id: ClaimId) -> Result<Option<Task>, ChainViewError> {
    let Some(info) = at.claim(id).await? else {
        return Ok(None);
    };
    let subject: H256 = info.claim.terms.root;
    let leaf = leaf(at, info.job).await?;
    Ok(leaf.map(|leaf| Task {
        subject,
        work: Workload::Verdict(leaf),
    }))
}

/// The answer of a claim; `None` if the chain no longer has it.
async fn leaf(at: &At, claimed: Job) -> Result<Option<Answered>, ChainViewError> {
    let Job::Request(id) = claimed else {
        return Err(ChainViewError::Incompatible {
            what: "claim".into(),
            reason: format!("it is about {claimed}, which this program cannot execute"),
        });
    };
    let Some(state) = at.request(id).await? else {
        return Ok(None);
    };
    // A prompt has at least a byte, and an answer a token. If they were removed, the leaf cannot be executed,
    // but that does not make it false.
    if state.prompt.is_empty() || state.tokens.is_empty() {
        return Err(ChainViewError::Missing(format!(
            "the chain has removed the prompt and the answer of request {id}, so that it cannot be executed again"
        )));
    }
    Ok(Some(Answered {
        question: question(id, &state)?,
        tokens: state.tokens,
        text: text("answer", state.text)?,
        receipt: state.receipt.ok_or_else(|| missing(id, "receipt"))?,
    }))
}

fn question(id: RequestId, state: &RequestState) -> Result<Question, ChainError> {
    let assignment = state
        .assignment
        .as_ref()
        .ok_or_else(|| missing(id, "worker"))?;
    Ok(Question {
        request: id,
        checkpoint: state.checkpoint,
        prompt: text("prompt", state.prompt.clone())?,
        parameters: state.parameters,
        seed: assignment.seed,
    })
}

fn text(what: &str, bytes: Vec<u8>) -> Result<String, ChainError> {
    String::from_utf8(bytes).map_err(|error| ChainError::Incompatible {
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
