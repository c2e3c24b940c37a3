//! The [`ChainView`] of one operator, on a real chain.

use super::perform::perform;
use super::read::At;
use super::rounds::OpenRounds;
use super::types::{
    CheckDue, DemandDue, DueStep, Idle, MoveDue, OpenAnswer, RequestPhase, RequestState,
    SessionInfo, VerdictDue,
};
use super::{ChainError, Link};
use crate::keys::Key;
use crate::roles::{
    Action, Answered, ChainView, ChainViewError, ClaimedAnswer, Duties, Duty, DutyOutcome,
    DutyStep, Identity, LeafDemand, Part, Question, Reward, Rewards, Task, Workload,
};
use crate::store::AccountBytes;
use async_trait::async_trait;
use codec::Encode;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use noema_protocol::{hashing, ClaimId, Job, RequestId, SessionId};
use noema_session_transport::{OpenBundle, SessionFacts};
use noema_sessions::SessionTerms;
use sp_core::H256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the duties of one controller and signs with its hot key.
pub struct NodeView {
    link: Arc<Link>,
    key: Key,
    controller: AccountBytes,
    serves: bool,
    validates: bool,
    takes_part: bool,
    rounds: OpenRounds,
    /// The terms of the operator's sessions, which never change; `None` if it serves none.
    terms: Option<Mutex<Terms>>,
}

type Terms = BTreeMap<SessionId, SessionTerms<AccountBytes>>;

/// The number of sessions that are read at the same time.
const READ_TOGETHER: usize = 8;

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
            terms: None,
        }
    }

    /// Reads the operator's sessions, too, and the leaves that it has to post.
    #[must_use]
    pub fn with_sessions(mut self) -> Self {
        self.terms = Some(Mutex::default());
        self
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
        let serves_sessions = self.terms.is_some();
        let plays = serves_sessions || self.validates;
        let (info, answers, checks, verdicts, rounds, sessions, demands, moves) = futures::try_join!(
            at.operator(operator),
            if_wanted(self.serves, at.assignments(operator)),
            if_wanted(self.validates, at.checks_due(operator)),
            if_wanted(self.validates, at.verdicts_due(operator)),
            if_wanted(self.takes_part, self.rounds.read(&node, &at)),
            if_wanted(serves_sessions, known(at.worker_sessions(operator))),
            if_wanted(serves_sessions, known(at.demands_due(operator))),
            if_wanted(plays, known(at.moves_due(operator))),
        )?;
        let sessions = self.facts(&at, node.genesis(), sessions).await?;
        let info = info.ok_or_else(|| {
            ChainViewError::Missing(format!(
                "the operator {} is no longer registered; register it again with: noema-worker register operator",
                crate::keys::address(operator)
            ))
        })?;
        let answers = answers.into_iter().map(Duty::from);
        let checks = checks.into_iter().map(Duty::from);
        let verdicts = verdicts.into_iter().map(Duty::from);
        let moves = moves_of(moves, at.number());
        let due = answers.chain(checks).chain(verdicts).chain(moves);
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|duty| duty.until);
        Ok(Duties {
            block: at.number(),
            due,
            rounds,
            is_absent: info.idle == Some(Idle::Absent),
            sessions,
            demands: demands.into_iter().filter_map(demand).collect(),
            free_bond: info.operator.bond.saturating_sub(info.operator.locked),
        })
    }

    async fn task(&self, duty: &Duty) -> Result<Option<Task>, ChainViewError> {
        let at = self.finalized().await?;
        Ok(match duty.part {
            Part::Answer(request) => self.answer(&at, request).await?,
            Part::Check {
                claim,
                leaf,
                claimed: claimed @ Job::Session(..),
                point,
            } => {
                let found = claimed_answer(&at, self.genesis()?, (claim, leaf), claimed).await?;
                found
                    .zip(duty.part.subject())
                    .map(|(claimed, subject)| Task {
                        subject,
                        work: Workload::SessionCheck {
                            claimed: Box::new(claimed),
                            point,
                        },
                    })
            }
            Part::Check { claimed, point, .. } => {
                let leaf = leaf(&at, claimed).await?;
                leaf.zip(duty.part.subject()).map(|(leaf, subject)| Task {
                    subject,
                    work: Workload::Check { leaf, point },
                })
            }
            Part::Verdict { claim, leaf } => verdict(&at, self.genesis()?, (claim, leaf)).await?,
            Part::Move { claim, leaf, .. } => {
                let genesis = self.genesis()?;
                let open = at
                    .open_game(genesis, (claim, leaf), &self.controller)
                    .await?;
                open.map(|open| Task {
                    subject: open.turn(),
                    work: Workload::Move(Box::new(open)),
                })
            }
        })
    }

    async fn session(&self, session: SessionId) -> Result<Option<SessionFacts>, ChainViewError> {
        let at = self.finalized().await?;
        let (info, terms) = futures::try_join!(at.session(session), at.session_terms(session))?;
        Ok(info.zip(terms).map(|(info, terms)| facts(info, terms)))
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
    fn genesis(&self) -> Result<H256, ChainError> {
        Ok(self.link.node()?.genesis())
    }

    /// The facts on these sessions, of those that have a seed.
    async fn facts(
        &self,
        at: &At,
        genesis: H256,
        sessions: Vec<SessionId>,
    ) -> Result<Vec<SessionFacts>, ChainError> {
        let mut reads = Vec::with_capacity(sessions.len());
        for session in sessions {
            reads.push(self.facts_of(at, genesis, session));
        }
        let read: Vec<_> = stream::iter(reads).buffered(READ_TOGETHER).collect().await;
        let mut facts = Vec::with_capacity(read.len());
        for found in read {
            facts.extend(found?);
        }
        if let Some(terms) = &self.terms {
            let known = facts
                .iter()
                .map(|facts: &SessionFacts| (facts.terms.session, facts.terms.clone()));
            *terms.lock().unwrap_or_else(PoisonError::into_inner) = known.collect();
        }
        Ok(facts)
    }

    async fn facts_of(
        &self,
        at: &At,
        genesis: H256,
        session: SessionId,
    ) -> Result<Option<SessionFacts>, ChainError> {
        let Some(info) = at.session(session).await? else {
            return Ok(None);
        };
        // The terms are the same as long as their hash is, also on a chain that was restarted.
        let known = self.known_terms(session);
        let known = known.filter(|terms| info.terms == Some(terms.hash(genesis)));
        let terms = match known {
            Some(terms) => Some(terms),
            None => at.session_terms(session).await?,
        };
        Ok(terms.map(|terms| facts(info, terms)))
    }

    fn known_terms(&self, session: SessionId) -> Option<SessionTerms<AccountBytes>> {
        let terms = self.terms.as_ref()?.lock();
        let terms = terms.unwrap_or_else(PoisonError::into_inner);
        terms.get(&session).cloned()
    }

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

/// The duty in each game in which an account owes moves: they are made one after the other.
fn moves_of(due: Vec<MoveDue>, now: u64) -> Vec<Duty> {
    let mut duties: BTreeMap<(ClaimId, u32), Duty> = BTreeMap::new();
    let mut steps: BTreeMap<(ClaimId, u32), Vec<Vec<u8>>> = BTreeMap::new();
    for owed in due {
        let (claim, leaf) = (owed.claim, owed.leaf);
        steps
            .entry((claim, leaf))
            .or_default()
            .push(owed.step.encode());
        let until = now.saturating_add(owed.blocks.into());
        let duty = duties.entry((claim, leaf)).or_insert(Duty {
            part: Part::Move {
                claim,
                leaf,
                steps: H256::zero(),
            },
            step: DutyStep::Execute,
            checkpoint: owed.checkpoint,
            until,
        });
        duty.until = duty.until.min(until);
    }
    let duties = duties.into_iter().zip(steps.into_values());
    let duties = duties.map(|(((claim, leaf), duty), mut steps)| {
        steps.sort_unstable();
        let steps = hashing::blake2_256(&steps.encode());
        let part = Part::Move { claim, leaf, steps };
        Duty { part, ..duty }
    });
    duties.collect()
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

/// Nothing where the runtime has no sessions yet.
async fn known<T>(
    read: impl Future<Output = Result<Vec<T>, ChainError>>,
) -> Result<Vec<T>, ChainError> {
    match read.await {
        Err(ChainError::Incompatible { .. }) => Ok(Vec::new()),
        read => read,
    }
}

fn facts(info: SessionInfo, terms: SessionTerms<AccountBytes>) -> SessionFacts {
    let account = info.session.account;
    let open = info.open_claims.into_iter();
    SessionFacts {
        terms,
        held: account.held,
        claimed: account.count,
        stage: account.stage,
        open_claims: open
            .map(|(number, open)| OpenBundle {
                number,
                claim: open.claim,
                first: open.first,
                leaves: open.leaves,
            })
            .collect(),
    }
}

fn demand(due: DemandDue) -> Option<LeafDemand> {
    match due.job {
        Job::Session(session, number) => Some(LeafDemand {
            claim: due.claim,
            leaf: due.leaf,
            session,
            number,
            until: due.until.into(),
        }),
        Job::Request(_) | Job::Round(_) | Job::Check(..) | Job::Dispute(..) => None,
    }
}

/// The leaf of a claim of a session; `None` if the chain no longer has it.
pub(super) async fn claimed_answer(
    at: &At,
    genesis: H256,
    (claim, leaf): (ClaimId, u32),
    job: Job,
) -> Result<Option<ClaimedAnswer>, ChainError> {
    let Job::Session(session, number) = job else {
        return Ok(None);
    };
    let (info, terms, claimed) = futures::try_join!(
        at.session(session),
        at.session_terms(session),
        at.claim(claim)
    )?;
    let (Some(info), Some(terms), Some(claimed)) = (info, terms, claimed) else {
        return Ok(None);
    };
    let mut open = info.open_claims.iter();
    let Some((_, open)) = open.find(|(other, _)| *other == number) else {
        return Ok(None);
    };
    Ok(Some(ClaimedAnswer {
        claim,
        leaf,
        claimant: claimed.claim.terms.claimant.0,
        made_at: claimed.claim.made_at.into(),
        root: claimed.claim.terms.root,
        leaves: claimed.claim.terms.leaves,
        first: open.first,
        agreement: terms.agreement(genesis),
    }))
}

/// A disputed leaf of a claim.
async fn verdict(
    at: &At,
    genesis: H256,
    (id, leaf_index): (ClaimId, u32),
) -> Result<Option<Task>, ChainViewError> {
    let Some(info) = at.claim(id).await? else {
        return Ok(None);
    };
    let subject: H256 = info.claim.terms.root;
    if let Job::Session(..) = info.job {
        let claimed = claimed_answer(at, genesis, (id, leaf_index), info.job).await?;
        return Ok(claimed.map(|claimed| Task {
            subject,
            work: Workload::SessionVerdict(Box::new(claimed)),
        }));
    }
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

#[cfg(test)]
mod tests {
    use super::super::types::MoveStep;
    use super::*;
    use noema_disputes::Place;
    use noema_protocol::CheckpointId;

    fn owed(leaf: u32, challenger: u8, blocks: u32) -> MoveDue {
        let top = Place { row: 20, index: 0 };
        MoveDue {
            claim: ClaimId(7),
            leaf,
            checkpoint: CheckpointId(H256::repeat_byte(1)),
            step: MoveStep::Show(top, [challenger; 32]),
            blocks,
        }
    }

    #[test]
    fn moves_in_one_game_are_one_duty_until_the_first_is_due() {
        let duties = moves_of(vec![owed(0, 1, 9), owed(0, 2, 4), owed(1, 1, 6)], 100);
        assert_eq!(
            duties.iter().map(|duty| duty.until).collect::<Vec<_>>(),
            [104, 106]
        );
        let steps = |due| match moves_of(due, 100).first().map(|duty| duty.part) {
            Some(Part::Move { steps, .. }) => steps,
            part => panic!("a move was expected, not {part:?}"),
        };
        let both = steps(vec![owed(0, 1, 9), owed(0, 2, 4)]);
        assert_eq!(both, steps(vec![owed(0, 2, 3), owed(0, 1, 8)]));
        assert_ne!(both, steps(vec![owed(0, 2, 4)]));
    }
}
