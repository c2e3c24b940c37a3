//! The sessions of a pool on chain, within its budget: opened, topped up, connected again, and closed.

use super::{Shared, Slot};
use crate::market::{is_lost, OpenFault, WorkerOffer};
use crate::{Bill, SourceFault};
use noema_economics::Balance;
use noema_session_transport::{PaidAnswer, SessionError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{timeout, Instant};
use tracing::{info, warn};

/// The time between two attempts to connect to a worker that failed: this, and twice as much after each.
const RECONNECT: Duration = Duration::from_secs(1);
/// Attempts after which a session is closed.
const MOST_RECONNECTS: u32 = 8;
/// How long a pool that stops waits for the last voucher of a session.
const LAST_VOUCHER: Duration = Duration::from_secs(2);

impl Shared {
    /// Opens a session, which [`choose`](Self::choose) counted, in a task of its own.
    pub(super) fn open_later(self: Arc<Self>, offer: WorkerOffer) {
        tokio::spawn(async move {
            let opened = self.market.open(offer, self.options.hold).await;
            {
                let mut state = self.state();
                state.opening = state.opening.saturating_sub(1);
                state.busy = state.busy.saturating_sub(1);
                match opened {
                    Ok(session) => {
                        // Rounding up is the market's; what is on hold counts.
                        let held = session.held();
                        state.committed = state
                            .committed
                            .saturating_sub(self.options.hold)
                            .saturating_add(held);
                        state.trouble = None;
                        state.free.push(Slot::new(session));
                    }
                    Err(error) => {
                        warn!(%error, "no session was opened");
                        state.committed = state.committed.saturating_sub(self.options.hold);
                        state.standings.failed(offer.worker, false, Instant::now());
                        // The next prompt tries another worker, or learns why there is none.
                        state.offers.retain(|other| other.worker != offer.worker);
                        // An opening that fails at its worker can burn its price, so it is not repeated at once.
                        if matches!(error, OpenFault::Chain(_)) {
                            state.offers_until = None;
                        }
                        state.trouble = Some(error.to_string());
                    }
                }
            }
            self.count_sessions();
            self.changed.notify_waiters();
        });
    }

    /// Pays for the last answer of a session, tops it up where it runs low, and frees it.
    pub(super) fn free_later(self: &Arc<Self>, mut slot: Slot) {
        let shared = self.clone();
        tokio::spawn(async move {
            if let Err(error) = slot.session.pay().await {
                if is_lost(&error) {
                    return shared.reconnect_later(slot);
                }
                // The voucher is sent again with the next ask.
                warn!(%error, "a worker did not take its voucher");
            }
            let (held, paid) = (slot.session.held(), slot.session.paid());
            let runs_low = held.saturating_sub(paid) < held / 4;
            let is_stopping = shared.state().is_stopping;
            if runs_low && !is_stopping {
                let topped_up = shared.top_up(&mut slot).await;
                let _ = topped_up.inspect_err(|fault| info!(%fault, "a session is not topped up"));
            }
            shared.free(slot);
        });
    }

    /// Frees a session; one with a worker that gave a false answer is closed.
    pub(super) fn free(self: &Arc<Self>, slot: Slot) {
        {
            let mut state = self.state();
            if state.left.contains(&slot.session.worker()) {
                drop(state);
                tokio::spawn(self.clone().close_session(slot));
                return;
            }
            state.busy = state.busy.saturating_sub(1);
            state.free.push(slot);
        }
        self.count_sessions();
        self.changed.notify_waiters();
    }

    /// Adds to the hold of a session, within the budget.
    pub(super) async fn top_up(&self, slot: &mut Slot) -> Result<(), SourceFault> {
        let amount = self.options.hold;
        {
            let mut state = self.state();
            let held = state.committed.saturating_add(amount);
            if held > self.options.budget {
                return Err(SourceFault::OutOfMoney);
            }
            state.committed = held;
        }
        let topped_up = slot.session.top_up(amount).await;
        topped_up.map_err(|error| {
            let mut state = self.state();
            state.committed = state.committed.saturating_sub(amount);
            SourceFault::Failed(error)
        })
    }

    /// Ends and receives the answer of a session that was asked for and not received, if there is one: its receipt is
    /// paid by whom it was asked for.
    pub(super) async fn receive_owed(&self, slot: &mut Slot) -> Result<(), SessionError> {
        let (_ended, mut end) = watch::channel(true);
        let received = slot.session.resume(&mut |_| (), &mut end).await?;
        let mut owed = slot.owed.take().unwrap_or_else(Bill::free);
        if let Some(PaidAnswer { receipt, .. }) = received {
            let stated = &receipt.receipt;
            info!(receipt = ?stated.hash(), session = %stated.session, n = stated.n, price = stated.price, "received an answer after its worker came back");
            owed.add(stated.price);
            self.metrics.late.inc();
            self.took(slot.session.worker(), &receipt, false);
        }
        Ok(())
    }

    /// Connects to the worker of a session again, in a task of its own; closes the session where that fails often.
    pub(super) fn reconnect_later(self: &Arc<Self>, mut slot: Slot) {
        let shared = self.clone();
        tokio::spawn(async move {
            let mut wait = RECONNECT;
            for _ in 0..MOST_RECONNECTS {
                if timeout(wait, shared.stopped()).await.is_ok() {
                    return shared.forget();
                }
                match shared.connect_again(&mut slot).await {
                    Ok(()) => {
                        // What the worker had cached may be gone.
                        slot.conversations.clear();
                        return shared.free_later(slot);
                    }
                    Err(error) => info!(%error, "a worker is not reached again"),
                }
                wait = wait.saturating_mul(2);
            }
            shared.close_session(slot).await;
        });
    }

    async fn connect_again(&self, slot: &mut Slot) -> Result<(), String> {
        slot.session.reconnect().await?;
        let received = self.receive_owed(slot).await;
        received.map_err(|error| error.to_string())?;
        slot.session.pay().await.map_err(|error| error.to_string())
    }

    /// Waits until the pool stops.
    async fn stopped(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.state().is_stopping {
                return;
            }
            changed.await;
        }
    }

    /// Closes a session that is counted as busy.
    pub(super) async fn close_session(self: Arc<Self>, mut slot: Slot) {
        let (held, paid) = (slot.session.held(), slot.session.paid());
        match timeout(LAST_VOUCHER, slot.session.pay()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => info!(%error, "a worker did not take its last voucher"),
            Err(_) => info!("a worker did not take its last voucher in time"),
        }
        match slot.session.close().await {
            Ok(()) => {
                let mut state = self.state();
                let left = held.saturating_sub(paid);
                state.committed = state.committed.saturating_sub(left);
            }
            // What it holds stays counted.
            Err(error) => warn!(%error, "a session is not closed"),
        }
        self.forget();
    }

    /// Counts one busy session less.
    fn forget(&self) {
        {
            let mut state = self.state();
            state.busy = state.busy.saturating_sub(1);
        }
        self.count_sessions();
        self.changed.notify_waiters();
    }

    /// Closes the free sessions that were not used for long, except one.
    pub(super) fn close_unused(self: &Arc<Self>) {
        let mut unused = Vec::new();
        {
            let mut state = self.state();
            let now = Instant::now();
            while let Some(place) = state
                .free
                .iter()
                .position(|slot| now.duration_since(slot.used) >= self.options.idle)
            {
                if state.free.len().saturating_add(state.busy) <= 1 {
                    break;
                }
                unused.push(state.free.swap_remove(place));
            }
            state.busy = state.busy.saturating_add(unused.len());
        }
        for slot in unused {
            tokio::spawn(self.clone().close_session(slot));
        }
    }

    /// The most that one answer can cost in this session.
    pub(super) fn most(slot: &Slot, prompt_tokens: usize, answer_tokens: u16) -> Balance {
        let tokens = u32::try_from(prompt_tokens).unwrap_or(u32::MAX);
        let prices = slot.session.prices();
        let most = prices.price(tokens, 0, answer_tokens.into());
        most.unwrap_or(Balance::MAX)
    }
}
