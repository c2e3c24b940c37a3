//! The chain and the workers for a gateway: the sessions that it opens and pays, from one account.
//!
//! What it does with them is [`noema_gateway`].

mod receipts;

pub use receipts::{ChainReceipts, LocalModel};

use crate::chain::calls::{CloseSession, OpenSession, TopUp};
use crate::chain::types::Balance;
use crate::chain::{ChainError, Link};
use crate::keys::Key;
use crate::payer::{self, PayerFault};
use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use noema_artefacts::Fetcher;
use noema_gateway::{
    ask_session, resume_session, EarlierSessions, Market, OnTokens, OpenFault, PaidSession,
    WorkerId, WorkerOffer,
};
use noema_protocol::{CheckpointId, SamplingParameters, SessionId};
use noema_session_transport::{
    ConnectionFault, PaidAnswer, PayerRecord, PayerSession, PayerStore, SessionError,
};
use noema_sessions::{PayerError, SessionPrices, SessionTerms, Stage};
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use tokio::sync::watch;
use tokio::time::{sleep, Instant};
use tracing::{info, warn};

/// How long a new session waits for its seed, and for its worker to know it.
const SEEDED: Duration = Duration::from_secs(120);
/// How long a worker that is not reached has of that.
const REACHED: Duration = Duration::from_secs(10);
/// The time between two attempts to open it with its worker.
const AGAIN: Duration = Duration::from_secs(1);
/// Answers of an earlier start whose conversations may still be cached.
const EARLIER: usize = 16;
/// The time after a top-up in which its worker learns of it.
const LEARNT: Duration = Duration::from_secs(1);
/// Workers that are connected to at a time: one accepts a bounded number of strangers from one address.
const TOGETHER: usize = 8;
/// How long sessions of a start that was cut off wait for their seeds.
const UNSEEDED: Duration = Duration::from_secs(20);
/// How long another hot key of a worker, which has signed with it, may take to be final.
const RENEWED: Duration = Duration::from_secs(15);

/// The workers of one checkpoint, and the account that pays them.
#[derive(Clone)]
pub struct ChainMarket {
    /// The connection to the node.
    pub link: Arc<Link>,
    /// The endpoint from which workers are reached.
    pub fetcher: Fetcher,
    /// The store of the sessions.
    pub store: Arc<PayerStore>,
    /// The account that opens and closes sessions.
    pub account: Key,
    /// The key that signs vouchers.
    pub voucher_key: Key,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The most tokens of prompt and answer together.
    pub leaf_tokens: u32,
}

/// How long a session is waited for.
struct Patience {
    until: Instant,
    /// The same where its worker is not reached: it shows only once the session has its seed.
    reached_until: Option<Instant>,
}

impl Patience {
    const fn until(until: Instant) -> Self {
        Self {
            until,
            reached_until: None,
        }
    }

    /// Whether no further attempt follows on one that began at `began` and failed like this.
    fn is_over(&mut self, fault: &PayerFault, began: Instant, now: Instant) -> bool {
        let is_unreached = match fault {
            PayerFault::NoEndpoint { .. } => true,
            PayerFault::Session(SessionError::Connection(fault)) => {
                // One that refuses may not know the session yet.
                !matches!(fault, ConnectionFault::Refused(_))
            }
            _ => false,
        };
        if !is_unreached {
            self.reached_until = None;
            return now >= self.until;
        }
        let reached_until = *self.reached_until.get_or_insert(began + REACHED);
        now >= self.until.min(reached_until)
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Opened {
    session: SessionId,
}

impl ChainMarket {
    async fn open_with_worker(&self, session: SessionId) -> Result<PayerSession, PayerFault> {
        let node = self.link.node()?;
        let key = Arc::new(self.voucher_key.clone());
        payer::open(&node, &self.fetcher, self.store.clone(), key, session).await
    }

    /// A session that the chain has, once it has its seed and its worker knows it.
    async fn connect(&self, session: SessionId, until: Instant) -> Result<ChainSession, String> {
        let mut patience = Patience::until(until);
        let opened = loop {
            let began = Instant::now();
            match self.open_with_worker(session).await {
                Ok(opened) => break opened,
                Err(fault) if patience.is_over(&fault, began, Instant::now()) => {
                    return Err(fault.to_string())
                }
                Err(fault) => tracing::debug!(%session, %fault, "the session is not open yet"),
            }
            sleep(AGAIN).await;
        };
        let node = self.link.node().map_err(|error| error.to_string())?;
        let terms = payer::terms(&node, session).await;
        let terms = terms.map_err(|fault| fault.to_string())?;
        let earlier = self.earlier(terms.terms.hash(terms.genesis)).await?;
        Ok(ChainSession {
            earlier,
            market: self.clone(),
            id: session,
            worker: terms.terms.worker,
            prices: terms.terms.prices,
            held: terms.held,
            paid: 0,
            session: Some(opened),
        })
    }

    /// Connects to the worker of an earlier session. Where it is not reached, the session comes without connection.
    async fn reconnect(&self, earlier: &Earlier) -> (ChainSession, bool) {
        let id = earlier.terms.session;
        match self.connect(id, Instant::now()).await {
            Ok(connected) => return (connected, true),
            Err(error) => {
                warn!(session = %id, %error, "a session is not used before its worker is reached");
            }
        }
        let lost = ChainSession {
            market: self.clone(),
            id,
            worker: earlier.terms.worker,
            prices: earlier.terms.prices,
            held: earlier.held,
            paid: earlier.paid,
            session: None,
            // What its worker had cached may be gone once it is reached.
            earlier: Vec::new(),
        };
        (lost, false)
    }

    /// The last conversations of the session with these terms, the oldest first.
    async fn earlier(&self, terms: H256) -> Result<Vec<Vec<u32>>, String> {
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || store.last_answers(terms, EARLIER)).await;
        let answers = read.map_err(|error| error.to_string())?;
        let answers = answers.map_err(|error| error.to_string())?.into_iter();
        let conversations = answers.map(|answer| [answer.prompt, answer.answer].concat());
        Ok(conversations.collect())
    }

    async fn read_offers(&self) -> Result<Vec<WorkerOffer>, ChainError> {
        let at = self.link.node()?.finalized().await?;
        let offers = at
            .session_offers(&self.checkpoint, self.leaf_tokens)
            .await?;
        // One without endpoint cannot be asked; whether one with an endpoint is reached shows when it is.
        let endpoints = at.endpoints().await?.into_iter();
        let reachable: BTreeSet<_> = endpoints.map(|(operator, _)| operator).collect();
        let able = offers
            .into_iter()
            .filter(|offer| offer.most_claimable > 0 && reachable.contains(&offer.worker.0));
        Ok(able
            .map(|offer| WorkerOffer {
                worker: offer.worker.0,
                prices: offer.prices,
            })
            .collect())
    }

    /// What the finalized chain knows of the sessions of this account, once all of them have their seeds, or have waited
    /// for it.
    async fn read_sessions(&self) -> Result<Vec<OnChain>, ChainError> {
        let until = Instant::now() + UNSEEDED;
        loop {
            let at = self.link.node()?.finalized().await?;
            let mut sessions = Vec::new();
            for id in at.payer_sessions(&self.account.account()).await? {
                let (info, terms) = futures::try_join!(at.session(id), at.session_terms(id))?;
                let Some(info) = info else { continue };
                sessions.push(OnChain {
                    held: info.session.account.held,
                    stage: info.session.account.stage,
                    terms,
                });
            }
            let waits = |session: &OnChain| matches!(session.stage, Stage::Unseeded);
            if !sessions.iter().any(waits) || Instant::now() >= until {
                return Ok(sessions);
            }
            sleep(AGAIN).await;
        }
    }

    async fn read_records(&self) -> Result<Vec<PayerRecord>, String> {
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || store.records()).await;
        let read = read.map_err(|error| error.to_string())?;
        read.map_err(|error| error.to_string())
    }
}

/// Which sessions on chain a gateway goes on with.
struct Own {
    genesis: H256,
    voucher_key: [u8; 32],
    checkpoint: CheckpointId,
    leaf_tokens: u32,
}

impl Own {
    /// The sessions that can go on, and what all others hold or have spent, as far as `records` know.
    fn earlier(&self, sessions: Vec<OnChain>, records: &[PayerRecord]) -> (Vec<Earlier>, Balance) {
        let mut spent: BTreeMap<H256, Balance> = records
            .iter()
            .map(|record| (record.side.agreement().terms, record.side.paid()))
            .collect();
        let mut committed: Balance = 0;
        let mut going_on = Vec::new();
        for OnChain { held, stage, terms } in sessions {
            let Some(terms) = terms else {
                // Its terms would tell whose it is.
                if matches!(stage, Stage::Unseeded) {
                    committed = committed.saturating_add(held);
                }
                continue;
            };
            let is_open = matches!(stage, Stage::Open { .. });
            if !is_open || terms.voucher_key != self.voucher_key {
                continue;
            }
            // What it has spent is within its hold.
            let paid = spent.remove(&terms.hash(self.genesis)).unwrap_or_default();
            let goes_on =
                terms.checkpoint == self.checkpoint && terms.leaf_tokens == self.leaf_tokens;
            match goes_on {
                true => going_on.push(Earlier { held, paid, terms }),
                false => committed = committed.saturating_add(held),
            }
        }
        let committed = spent.into_values().fold(committed, Balance::saturating_add);
        (going_on, committed)
    }
}

/// What the finalized chain knows of a session.
struct OnChain {
    held: Balance,
    stage: Stage<u32>,
    terms: Option<SessionTerms<WorkerId>>,
}

/// A session of an earlier start that can go on.
struct Earlier {
    held: Balance,
    paid: Balance,
    terms: SessionTerms<WorkerId>,
}

#[async_trait]
impl Market for ChainMarket {
    async fn offers(&self) -> Result<Vec<WorkerOffer>, String> {
        self.read_offers().await.map_err(|error| error.to_string())
    }

    async fn open(
        &self,
        offer: WorkerOffer,
        amount: Balance,
    ) -> Result<Box<dyn PaidSession>, OpenFault> {
        let chain = |error: ChainError| OpenFault::Chain(error.to_string());
        let node = self.link.node().map_err(chain)?;
        // An opening burns its price, also where its worker never answers.
        let reached = payer::reach(&node, &self.fetcher, &offer.worker).await;
        reached.map_err(|fault| match fault {
            PayerFault::Chain(error) => chain(error),
            fault => OpenFault::Worker(fault.to_string()),
        })?;
        let call = OpenSession {
            checkpoint: self.checkpoint,
            worker: Some(AccountId32(offer.worker)),
            voucher_key: AccountId32(self.voucher_key.account()),
            leaf_tokens: self.leaf_tokens,
            price_limit: offer.prices,
            amount,
        };
        let included = node.submit(call, &self.account).await.map_err(chain)?;
        let opened: Option<Opened> = included.event("Sessions", "Opened").map_err(chain)?;
        let Some(Opened { session }) = opened else {
            let missing = "the call succeeded without the event Sessions.Opened";
            return Err(OpenFault::Chain(missing.to_owned()));
        };
        info!(%session, worker = %crate::keys::address(&offer.worker), "opened a session");
        match self.connect(session, Instant::now() + SEEDED).await {
            Ok(connected) => Ok(Box::new(connected)),
            Err(error) => {
                // What it holds returns; the worker cannot have answered.
                close(self, session).await.map_err(OpenFault::Chain)?;
                Err(OpenFault::Worker(error))
            }
        }
    }

    async fn reopen(&self) -> Result<EarlierSessions, String> {
        let sessions = self.read_sessions().await;
        let sessions = sessions.map_err(|error| error.to_string())?;
        let records = self.read_records().await?;
        let node = self.link.node().map_err(|error| error.to_string())?;
        let own = Own {
            genesis: node.genesis(),
            voucher_key: self.voucher_key.account(),
            checkpoint: self.checkpoint,
            leaf_tokens: self.leaf_tokens,
        };
        let (going_on, committed) = own.earlier(sessions, &records);
        let mut earlier = EarlierSessions {
            committed,
            ..EarlierSessions::default()
        };
        let connecting = going_on.into_iter().map(|session| {
            let market = self.clone();
            async move { market.reconnect(&session).await }
        });
        let mut connecting = stream::iter(connecting).buffer_unordered(TOGETHER);
        while let Some((session, is_connected)) = connecting.next().await {
            match is_connected {
                true => earlier.connected.push(Box::new(session)),
                false => earlier.lost.push(Box::new(session)),
            }
        }
        Ok(earlier)
    }
}

async fn close(market: &ChainMarket, session: SessionId) -> Result<(), String> {
    let node = market.link.node().map_err(|error| error.to_string())?;
    let closed = node.submit(CloseSession { session }, &market.account).await;
    closed.map_err(|error| error.to_string())?;
    info!(%session, "closed a session");
    Ok(())
}

/// A session on chain, with the connection to its worker.
struct ChainSession {
    market: ChainMarket,
    id: SessionId,
    worker: WorkerId,
    prices: SessionPrices,
    held: Balance,
    /// The price of all answers that were paid before there was a connection.
    paid: Balance,
    /// `None` before the worker was reached for the first time.
    session: Option<PayerSession>,
    /// The conversations of an earlier start, until they are asked for.
    earlier: Vec<Vec<u32>>,
}

impl ChainSession {
    fn connected(&mut self) -> Result<&mut PayerSession, SessionError> {
        let never = || ConnectionFault::Unreachable("it was not reached yet".to_owned());
        self.session.as_mut().ok_or_else(|| never().into())
    }

    async fn open_again(&mut self) -> Result<(), PayerFault> {
        if let Some(session) = &self.session {
            session.connection().close();
        }
        let mut opened = self.market.open_with_worker(self.id).await?;
        opened.set_held(self.held);
        self.session = Some(opened);
        Ok(())
    }

    /// The answer whose receipt another key has signed than the hot key that was known, where the chain has that key by
    /// now: the worker may have changed it. `seen` are the tokens that came with the receipt.
    async fn renewed(
        &mut self,
        error: SessionError,
        seen: &[u32],
        end: &mut watch::Receiver<bool>,
    ) -> Result<PaidAnswer, SessionError> {
        if !matches!(error, SessionError::Rules(PayerError::WrongSignature)) {
            return Err(error);
        }
        let before = self.connected()?.worker_key();
        let until = Instant::now() + RENEWED;
        while self.hot_key().await.is_none_or(|key| key == before) {
            if Instant::now() >= until {
                return Err(error);
            }
            sleep(AGAIN).await;
        }
        info!(session = %self.id, "the worker of a session has another hot key");
        let Ok(()) = self.open_again().await else {
            return Err(error);
        };
        // All of its tokens were passed on.
        let again = resume_session(self.connected()?, &mut |_| (), end).await?;
        again.filter(|again| again.tokens == seen).ok_or(error)
    }

    /// The hot key of the worker on the finalized chain.
    async fn hot_key(&self) -> Option<[u8; 32]> {
        let node = self.market.link.node().ok()?;
        let terms = payer::terms(&node, self.id).await.ok()?;
        Some(terms.worker_key)
    }
}

#[async_trait]
impl PaidSession for ChainSession {
    fn worker(&self) -> WorkerId {
        self.worker
    }

    fn prices(&self) -> SessionPrices {
        self.prices
    }

    fn held(&self) -> Balance {
        self.held
    }

    fn paid(&self) -> Balance {
        let session = self.session.as_ref();
        session.map_or(self.paid, |session| session.side().paid())
    }

    fn earlier(&mut self) -> Vec<Vec<u32>> {
        std::mem::take(&mut self.earlier)
    }

    async fn ask(
        &mut self,
        prompt: Vec<u32>,
        parameters: SamplingParameters,
        on_tokens: OnTokens<'_>,
        end: &mut watch::Receiver<bool>,
    ) -> Result<PaidAnswer, SessionError> {
        let mut seen = Vec::new();
        let mut passing = |tokens: &[u32]| {
            seen.extend_from_slice(tokens);
            on_tokens(tokens);
        };
        let session = self.connected()?;
        match ask_session(session, prompt, parameters, &mut passing, end).await {
            Err(error) => self.renewed(error, &seen, end).await,
            answered => answered,
        }
    }

    async fn resume(
        &mut self,
        on_tokens: OnTokens<'_>,
        end: &mut watch::Receiver<bool>,
    ) -> Result<Option<PaidAnswer>, SessionError> {
        let mut seen = Vec::new();
        let mut passing = |tokens: &[u32]| {
            seen.extend_from_slice(tokens);
            on_tokens(tokens);
        };
        match resume_session(self.connected()?, &mut passing, end).await {
            Err(error) => self.renewed(error, &seen, end).await.map(Some),
            answered => answered,
        }
    }

    async fn pay(&mut self) -> Result<(), SessionError> {
        match &mut self.session {
            Some(session) => session.pay().await,
            None => Ok(()),
        }
    }

    async fn top_up(&mut self, amount: Balance) -> Result<(), String> {
        let market = &self.market;
        let node = market.link.node().map_err(|error| error.to_string())?;
        let call = TopUp {
            session: self.id,
            amount,
        };
        let topped_up = node.submit(call, &market.account).await;
        topped_up.map_err(|error| error.to_string())?;
        self.held = self.held.saturating_add(amount);
        if let Some(session) = &mut self.session {
            session.set_held(self.held);
        }
        sleep(LEARNT).await;
        Ok(())
    }

    async fn reconnect(&mut self) -> Result<(), String> {
        self.open_again().await.map_err(|fault| fault.to_string())
    }

    async fn close(&mut self) -> Result<(), String> {
        if let Some(session) = &self.session {
            session.connection().close();
        }
        close(&self.market, self.id).await
    }
}

#[cfg(test)]
mod tests;
