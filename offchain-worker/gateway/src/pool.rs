//! The sessions of a gateway: it opens, tops up and closes them within a budget, chooses a worker for each prompt, and
//! goes on with another one where it fails.
//!
//! - **Choice.** Of the free sessions, the one that has most of the prompt cached; else the one whose worker is best by
//!   price and measured speed. While none is free, further ones are opened, up to a bound.
//! - **Failure.** A worker whose connection was lost is connected to once more, for a few seconds: the answer may be
//!   complete there. Otherwise the tokens that it sent have no receipt, and may be any words. Where none was passed on
//!   yet, they are taken back, and the next worker begins where they began. Where they were, they are part of the prompt
//!   for the next one, whose receipt states them as prompt, and the answer names them as unsigned. Where the first worker
//!   comes back, its part is ended, and its receipt is paid: it has computed these tokens.
//! - **Money.** What sessions hold, and what closed ones spent, is never more than the budget, starts before this one
//!   included.

mod answering;
mod replay;
mod spending;
mod standing;

use crate::market::{Market, PaidSession, WorkerId, WorkerOffer};
use crate::metrics::GatewayMetrics;
use crate::{AnswerSource, AnswerStream, Bill, PaidQuestion, Rechecks, SourceFault};
use async_trait::async_trait;
use noema_economics::Balance;
use noema_session_transport::SignedReceipt;
use noema_sessions::SessionPrices;
use standing::Standings;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{watch, Notify};
use tokio::time::{timeout_at, Instant};
use tracing::warn;

/// Conversations that a worker keeps for a session, at most.
const MOST_CONVERSATIONS: usize = 4;
/// Tokens that a prompt and a conversation share at least, so that the prompt is a part of it: more than the beginning
/// that a chat template writes into each.
const LEAST_SHARED: usize = 32;
/// How long offers of workers count.
const OFFERS_LAST: Duration = Duration::from_secs(30);
/// The time after which they are read again where that failed.
const OFFERS_AGAIN: Duration = Duration::from_secs(1);

/// How a pool uses the account of its payer.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The most that sessions hold and have spent, all together.
    pub budget: Balance,
    /// Whether what earlier starts have spent counts: for a budget of all starts, and not of this one.
    pub counts_earlier: bool,
    /// The amount with which a session is opened and topped up.
    pub hold: Balance,
    /// The highest prices at which a session is opened.
    pub price_limit: SessionPrices,
    /// The most sessions at a time; each has one answer at a time.
    pub most_sessions: usize,
    /// How long a prompt waits for a session.
    pub patience: Duration,
    /// How many workers, or parts of an answer, are tried after failures.
    pub attempts: u32,
    /// Sessions that nothing was asked in for this long are closed, except one.
    pub idle: Duration,
    /// The tokens that end an answer.
    pub stop_tokens: Vec<u32>,
}

/// The sessions of a gateway with the workers of one checkpoint.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    market: Arc<dyn Market>,
    options: PoolOptions,
    metrics: GatewayMetrics,
    rechecks: OnceLock<Arc<Rechecks>>,
    state: Mutex<State>,
    /// Told when a session becomes free, or fewer are open.
    changed: Notify,
}

struct State {
    free: Vec<Slot>,
    /// Sessions that answer, or are opened, topped up, connected again or closed.
    busy: usize,
    /// Those of them that are opened.
    opening: usize,
    /// Prompts that wait for a session.
    waiting: usize,
    /// What sessions hold, and closed ones have spent.
    committed: Balance,
    /// The workers that gave a false answer.
    left: BTreeSet<WorkerId>,
    offers: Vec<WorkerOffer>,
    offers_until: Option<Instant>,
    standings: Standings,
    /// Why the last attempt to open a session failed.
    trouble: Option<String>,
    is_stopping: bool,
}

/// A session, and what its worker has cached for it.
struct Slot {
    session: Box<dyn PaidSession>,
    conversations: VecDeque<Vec<u32>>,
    used: Instant,
    /// Who pays for the answer that was asked for and not received.
    owed: Option<Bill>,
}

impl Slot {
    fn new(mut session: Box<dyn PaidSession>) -> Self {
        let earlier = session.earlier();
        let mut slot = Self {
            session,
            conversations: VecDeque::new(),
            used: Instant::now(),
            owed: None,
        };
        for conversation in earlier {
            slot.remember(conversation);
        }
        slot
    }

    /// The tokens at the beginning of `prompt` that are cached, as far as it is known.
    fn shared(&self, prompt: &[u32]) -> usize {
        let shared = |conversation: &Vec<u32>| {
            let same = conversation.iter().zip(prompt);
            same.take_while(|(one, other)| one == other).count()
        };
        let most = self.conversations.iter().map(shared).max();
        most.filter(|most| *most >= LEAST_SHARED)
            .unwrap_or_default()
    }

    /// Remembers a conversation, in the place of the one that it continues.
    fn remember(&mut self, conversation: Vec<u32>) {
        self.conversations
            .retain(|earlier| !conversation.starts_with(earlier));
        self.conversations.push_front(conversation);
        self.conversations.truncate(MOST_CONVERSATIONS);
        self.used = Instant::now();
    }
}

/// What a prompt without session does next.
enum Choice {
    Use(Box<Slot>),
    Open(WorkerOffer),
    Wait,
    Fail(SourceFault),
}

impl Pool {
    /// A pool without sessions. Those of an earlier start are taken over by [`resume`](Self::resume).
    pub fn new(market: Arc<dyn Market>, options: PoolOptions, metrics: GatewayMetrics) -> Self {
        let state = State {
            free: Vec::new(),
            busy: 0,
            opening: 0,
            waiting: 0,
            committed: 0,
            left: BTreeSet::new(),
            offers: Vec::new(),
            offers_until: None,
            standings: Standings::default(),
            trouble: None,
            is_stopping: false,
        };
        Self {
            shared: Arc::new(Shared {
                market,
                options,
                metrics,
                rechecks: OnceLock::new(),
                state: Mutex::new(state),
                changed: Notify::new(),
            }),
        }
    }

    /// Has the answers of its workers executed again from now on. Only the first call has an effect.
    pub fn recheck_with(&self, rechecks: Arc<Rechecks>) {
        let _ = self.shared.rechecks.set(rechecks);
    }

    /// Asks a worker for nothing more, and closes the sessions with it: it gave a false answer.
    pub fn leave(&self, worker: WorkerId) {
        let closed = {
            let mut state = self.shared.state();
            state.left.insert(worker);
            let of_worker = |slot: &mut Slot| slot.session.worker() == worker;
            let closed: Vec<Slot> = state.free.extract_if(.., of_worker).collect();
            state.busy = state.busy.saturating_add(closed.len());
            closed
        };
        for slot in closed {
            tokio::spawn(self.shared.clone().close_session(slot));
        }
    }

    /// Takes over the sessions of earlier starts, and what was spent then, and reads the offers of workers. Workers that
    /// are not reached are connected to later.
    ///
    /// # Errors
    /// When the chain or the store cannot be read.
    pub async fn resume(&self) -> Result<(), String> {
        let earlier = self.shared.market.reopen().await?;
        let lost = {
            let mut state = self.shared.state();
            let sessions = earlier.connected.iter().chain(&earlier.lost);
            let held = sessions.map(|session| session.held());
            let before = match self.shared.options.counts_earlier {
                true => earlier.committed,
                false => 0,
            };
            let held = held.fold(before, Balance::saturating_add);
            state.committed = state.committed.saturating_add(held);
            let connected = earlier.connected.into_iter().map(Slot::new);
            state.free.extend(connected);
            state.busy = state.busy.saturating_add(earlier.lost.len());
            earlier.lost
        };
        for session in lost {
            self.shared.reconnect_later(Slot::new(session));
        }
        self.shared.count_sessions();
        self.shared.refresh().await
    }

    /// Whether it has no session, not even one that is being opened.
    pub fn is_empty(&self) -> bool {
        let state = self.shared.state();
        state.free.is_empty() && state.busy == 0
    }

    /// Opens a session before it is needed, if there is none.
    pub fn warm(&self) {
        let mut state = self.shared.state();
        if state.free.is_empty() && state.busy == 0 {
            state.waiting = state.waiting.saturating_add(1);
            let choice = self.shared.choose(&mut state, &[], &[]);
            state.waiting = state.waiting.saturating_sub(1);
            drop(state);
            if let Choice::Open(offer) = choice {
                self.shared.clone().open_later(offer);
            }
        }
    }

    /// Reads the offers of workers again when they are old, and closes sessions that are not used. Ends when `stop` is
    /// true or has lost its sender.
    pub async fn maintain(&self, mut stop: watch::Receiver<bool>) {
        loop {
            let looked = async {
                tokio::time::sleep(OFFERS_LAST).await;
                if let Err(error) = self.shared.refresh().await {
                    warn!(%error, "the offers of workers cannot be read");
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = looked => self.shared.close_unused(),
            }
        }
    }

    /// Takes no more prompts, and waits until those in progress have ended and are paid, for `patience` at most.
    /// Sessions stay open on chain for the next start.
    pub async fn stop(&self, patience: Duration) {
        self.shared.state().is_stopping = true;
        self.shared.changed.notify_waiters();
        let deadline = Instant::now() + patience;
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let busy = self.shared.state().busy;
            if busy == 0 || timeout_at(deadline, changed).await.is_err() {
                return;
            }
        }
    }
}

#[async_trait]
impl AnswerSource for Pool {
    async fn ask(&self, question: PaidQuestion) -> Result<AnswerStream, SourceFault> {
        if self.shared.state().is_stopping {
            return Err(SourceFault::Stopping);
        }
        let (stream, sink) = AnswerStream::new();
        tokio::spawn(answering::run(self.shared.clone(), question, sink));
        Ok(stream)
    }

    fn dearest(&self, prompt_tokens: u32, answer_tokens: u32) -> Option<Balance> {
        let state = self.shared.state();
        let offers = self.shared.acceptable(&state).map(|offer| offer.prices);
        let open = state.free.iter().map(|slot| slot.session.prices());
        let prices = offers.chain(open);
        prices
            .filter_map(|prices| prices.price(prompt_tokens, 0, answer_tokens))
            .max()
    }

    fn health(&self) -> Result<String, String> {
        let state = self.shared.state();
        let open = state.free.len().saturating_add(state.busy);
        let workers = self.shared.acceptable(&state).count();
        let line = format!("{open} sessions, {workers} workers\n");
        if state.is_stopping {
            return Err("stopping\n".into());
        }
        match &state.trouble {
            _ if open > state.opening || workers > 0 => Ok(line),
            Some(trouble) => Err(format!("{line}{trouble}\n")),
            None => Err(line),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acceptable<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a WorkerOffer> {
        let limit = &self.options.price_limit;
        state
            .offers
            .iter()
            .filter(|offer| offer.prices.within(limit) && !state.left.contains(&offer.worker))
    }

    /// Takes note of a receipt that was verified and paid.
    fn took(&self, worker: WorkerId, signed: &SignedReceipt, is_wanted: bool) {
        self.metrics.paid(signed);
        if let Some(rechecks) = self.rechecks.get() {
            rechecks.received(worker, signed, is_wanted);
        }
    }

    fn count_sessions(&self) {
        let state = self.state();
        let open = state.free.len().saturating_add(state.busy);
        let open = open.saturating_sub(state.opening);
        self.metrics
            .sessions
            .set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    async fn refresh(&self) -> Result<(), String> {
        let read = self.market.offers().await;
        let mut state = self.state();
        let lasts = if read.is_ok() {
            OFFERS_LAST
        } else {
            OFFERS_AGAIN
        };
        state.offers_until = Some(Instant::now() + lasts);
        match read {
            Ok(offers) => {
                state.offers = offers;
                Ok(())
            }
            Err(error) => {
                state.trouble = Some(error.clone());
                Err(error)
            }
        }
    }

    /// A session for a prompt, with none of the workers in `excluded`.
    async fn lease(
        self: &Arc<Self>,
        prompt: &[u32],
        excluded: &[WorkerId],
    ) -> Result<Slot, SourceFault> {
        let deadline = Instant::now() + self.options.patience;
        let is_old = self
            .state()
            .offers_until
            .is_none_or(|until| until <= Instant::now());
        if is_old && self.state().free.is_empty() {
            // Old offers are better than none.
            let _ = self.refresh().await;
        }
        let _waiting = Waiting::begin(self);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let choice = {
                let mut state = self.state();
                self.choose(&mut state, prompt, excluded)
            };
            match choice {
                Choice::Use(slot) => return Ok(*slot),
                Choice::Open(offer) => self.clone().open_later(offer),
                Choice::Fail(fault) => return Err(fault),
                Choice::Wait => {}
            }
            if timeout_at(deadline, changed).await.is_err() {
                return Err(SourceFault::Busy);
            }
        }
    }

    /// What to do about a prompt; counts the session that is used or opened as busy.
    fn choose(&self, state: &mut State, prompt: &[u32], excluded: &[WorkerId]) -> Choice {
        if state.is_stopping {
            return Choice::Fail(SourceFault::Stopping);
        }
        // Where all failed, they are asked again.
        let is_other = |worker: WorkerId| !excluded.contains(&worker);
        let knows_other = self.acceptable(state).any(|offer| is_other(offer.worker))
            || state
                .free
                .iter()
                .any(|slot| is_other(slot.session.worker()));
        let is_excluded = |worker: &WorkerId| knows_other && excluded.contains(worker);
        let now = Instant::now();
        let free = state.free.iter().enumerate();
        let best = free
            .filter(|(_, slot)| !is_excluded(&slot.session.worker()))
            .min_by_key(|(_, slot)| {
                let (worker, prices) = (slot.session.worker(), slot.session.prices());
                let shared = slot.shared(prompt);
                let score = state.standings.score(&worker, &prices, now);
                (std::cmp::Reverse(shared), score)
            })
            .map(|(place, _)| place);
        if let Some(place) = best {
            let slot = state.free.swap_remove(place);
            state.busy = state.busy.saturating_add(1);
            return Choice::Use(Box::new(slot));
        }
        let open = state.free.len().saturating_add(state.busy);
        let offer = self
            .acceptable(state)
            .filter(|offer| !is_excluded(&offer.worker))
            .min_by_key(|offer| state.standings.score(&offer.worker, &offer.prices, now))
            .copied();
        let held = state.committed.saturating_add(self.options.hold);
        let is_affordable = held <= self.options.budget;
        let may_open =
            is_affordable && open < self.options.most_sessions && state.opening < state.waiting;
        match offer {
            Some(offer) if may_open => {
                state.committed = held;
                state.busy = state.busy.saturating_add(1);
                state.opening = state.opening.saturating_add(1);
                Choice::Open(offer)
            }
            _ if state.busy > 0 => Choice::Wait,
            Some(_) if !is_affordable => Choice::Fail(SourceFault::OutOfMoney),
            Some(_) => Choice::Fail(SourceFault::Busy),
            None => {
                let trouble = state.trouble.clone();
                Choice::Fail(SourceFault::NoWorker(trouble.unwrap_or_else(|| {
                    "none offers sessions for the checkpoint within the price limit".to_owned()
                })))
            }
        }
    }
}

/// Counts a prompt as waiting.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn begin(shared: &'a Shared) -> Self {
        let mut state = shared.state();
        state.waiting = state.waiting.saturating_add(1);
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
    }
}
