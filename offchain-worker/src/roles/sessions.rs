//! A worker's sessions: it claims their answers, ends those that close, and posts the leaves that are demanded.
//!
//! Which answers are unclaimed is in the store of the sessions; which claims the chain has, it states at each block. So
//! a claim or a post that got lost is submitted again.

use super::operator::OperatorLoop;
use super::queue::OpenDuty;
use super::tasks::blocking;
use super::{Action, Duties, LeafDemand};
use noema_protocol::SessionId;
use noema_session_transport::{
    OpenBundle, ServedSessions, SessionFacts, SessionStep, SessionStoreError, SessionTotals,
};
use std::sync::Arc;
use tracing::{error, warn};

/// Blocks between two removals of records that no claim needs.
const TIDY_EVERY: u64 = 32;
/// Sessions whose records are removed at a time: each takes a call to the node.
const TIDY_TOGETHER: usize = 8;

impl OperatorLoop {
    /// Takes what the chain knows of the operator's sessions, claims and ends what is due, and posts what is demanded.
    pub(super) async fn look_at_sessions(&mut self, duties: &mut Duties) {
        let Some(sessions) = self.sessions.clone() else {
            return;
        };
        self.count(&sessions.take_totals());
        let facts: Arc<[SessionFacts]> = std::mem::take(&mut duties.sessions).into();
        for demand in &duties.demands {
            self.post(&sessions, demand, &facts).await;
        }
        let (free, now) = (duties.free_bond, duties.block);
        let (served, known) = (sessions.clone(), facts.clone());
        let steps = match blocking(move || served.look(&known, free, now)).await {
            Ok(steps) => steps,
            Err(error) => return self.session_store_fails(&error),
        };
        for step in steps {
            let (duty, action) = match step {
                SessionStep::Claim(claim) => (
                    OpenDuty::SessionClaim(claim.voucher.session, claim.voucher.first),
                    Action::ClaimSession(claim),
                ),
                SessionStep::End { session, claimed } => (
                    OpenDuty::SessionEnd(session),
                    Action::EndSession { session, claimed },
                ),
            };
            self.perform(duty, &action).await;
        }
        if now >= self.tidies_at {
            self.tidies_at = now.saturating_add(TIDY_EVERY);
            self.tidy(sessions, facts).await;
        }
    }

    /// Posts a leaf, unless that is under way.
    async fn post(
        &mut self,
        sessions: &Arc<ServedSessions>,
        demand: &LeafDemand,
        facts: &[SessionFacts],
    ) {
        let LeafDemand { claim, leaf, .. } = *demand;
        let duty = OpenDuty::Post(claim, leaf);
        if !self.queue.is_due(&duty) {
            return;
        }
        let Some(open) = self.bundle(demand, facts).await else {
            return;
        };
        let (served, session) = (sessions.clone(), demand.session);
        let found = blocking(move || served.find_leaf(session, (open.first, open.leaves), leaf));
        match found.await {
            Ok(Some(posted)) => {
                let posted = Box::new(posted);
                let action = Action::PostLeaf {
                    claim,
                    leaf,
                    posted,
                };
                self.perform(duty, &action).await;
            }
            Ok(None) => {
                error!(operator = %self.identity.name, %claim, leaf, %session, until = demand.until, "a leaf of this operator was demanded, and is not in this store; another process made the claim, or the store was lost");
            }
            Err(error) => self.session_store_fails(&error),
        }
    }

    /// The answers of the claim of a demand.
    async fn bundle(&mut self, demand: &LeafDemand, facts: &[SessionFacts]) -> Option<OpenBundle> {
        let of = |facts: &SessionFacts| {
            let mut open = facts.open_claims.iter();
            open.find(|open| open.number == demand.number).copied()
        };
        let mut known = facts.iter();
        if let Some(facts) = known.find(|facts| facts.terms.session == demand.session) {
            return of(facts);
        }
        // A session that has ended is not listed.
        match self.chain.session(demand.session).await {
            Ok(facts) => facts.as_ref().and_then(of),
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, session = %demand.session, %error, "cannot read a session whose leaf was demanded; trying again at the next block");
                None
            }
        }
    }

    /// Removes what no claim needs any longer from the store of the sessions.
    async fn tidy(&mut self, sessions: Arc<ServedSessions>, facts: Arc<[SessionFacts]>) {
        let (served, now) = (sessions.clone(), self.block);
        let left = blocking(move || -> Result<Vec<SessionId>, SessionStoreError> {
            for facts in facts.iter() {
                served.tidy(facts.terms.session, Some(facts))?;
            }
            served.left_over(now)
        })
        .await;
        let left = match left {
            Ok(left) => left,
            Err(error) => return self.session_store_fails(&error),
        };
        for session in left.into_iter().take(TIDY_TOGETHER) {
            let facts = match self.chain.session(session).await {
                Ok(facts) => facts,
                Err(error) => {
                    warn!(operator = %self.identity.name, %session, %error, "cannot read a session that has ended");
                    return;
                }
            };
            let served = sessions.clone();
            let tidied = blocking(move || served.tidy(session, facts.as_ref())).await;
            if let Err(error) = tidied {
                return self.session_store_fails(&error);
            }
        }
    }

    /// Adds what was answered since the latest turn to the metrics.
    fn count(&self, totals: &SessionTotals) {
        let metrics = &self.metrics;
        metrics.session_answers.inc_by(totals.answers);
        metrics.session_tokens.inc_by(totals.answer_tokens);
        metrics.session_prompt_tokens.inc_by(totals.prompt_tokens);
        metrics.session_cached_tokens.inc_by(totals.cached_tokens);
    }

    fn session_store_fails(&mut self, error: &SessionStoreError) {
        self.metrics.store_errors.inc();
        error!(operator = %self.identity.name, %error, "the store of sessions failed; trying again at the next block");
    }
}
