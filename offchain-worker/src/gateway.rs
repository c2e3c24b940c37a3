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
use noema_artefacts::Fetcher;
use noema_gateway::{
    ask_session, receive_earlier, Market, OnTokens, PaidSession, WorkerId, WorkerOffer,
};
use noema_protocol::{CheckpointId, SamplingParameters, SessionId};
use noema_session_transport::{PaidAnswer, PayerSession, PayerStore, SessionError};
use noema_sessions::{SessionPrices, Stage};
use sp_core::H256;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use tokio::sync::watch;
use tokio::time::{sleep, Instant};
use tracing::{info, warn};

/// How long a new session waits for its seed, and for its worker to know it.
const SEEDED: Duration = Duration::from_secs(120);
/// The time between two attempts to open it with its worker.
const AGAIN: Duration = Duration::from_secs(1);
/// Answers of an earlier start whose conversations may still be cached.
const EARLIER: usize = 16;
/// The time after a top-up in which its worker learns of it.
const LEARNT: Duration = Duration::from_secs(1);

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
        let opened = loop {
            match self.open_with_worker(session).await {
                Ok(opened) => break opened,
                Err(fault) if Instant::now() >= until => return Err(fault.to_string()),
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
            held: terms.held,
            session: opened,
        })
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

    /// The open sessions of the account for this checkpoint and this voucher key.
    async fn read_sessions(&self) -> Result<Vec<SessionId>, ChainError> {
        let at = self.link.node()?.finalized().await?;
        let mut own = Vec::new();
        for session in at.payer_sessions(&self.account.account()).await? {
            let Some(terms) = at.session_terms(session).await? else {
                continue;
            };
            let is_own = terms.voucher_key == self.voucher_key.account()
                && terms.checkpoint == self.checkpoint
                && terms.leaf_tokens == self.leaf_tokens;
            let info = at.session(session).await?;
            let is_open =
                info.is_some_and(|info| matches!(info.session.account.stage, Stage::Open { .. }));
            if is_own && is_open {
                own.push(session);
            }
        }
        Ok(own)
    }
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
    ) -> Result<Box<dyn PaidSession>, String> {
        let call = OpenSession {
            checkpoint: self.checkpoint,
            worker: Some(AccountId32(offer.worker)),
            voucher_key: AccountId32(self.voucher_key.account()),
            leaf_tokens: self.leaf_tokens,
            price_limit: offer.prices,
            amount,
        };
        let node = self.link.node().map_err(|error| error.to_string())?;
        let included = node.submit(call, &self.account).await;
        let included = included.map_err(|error| error.to_string())?;
        let opened: Option<Opened> = included
            .event("Sessions", "Opened")
            .map_err(|error| error.to_string())?;
        let Some(Opened { session }) = opened else {
            return Err("the call succeeded without the event Sessions.Opened".to_owned());
        };
        info!(%session, worker = %crate::keys::address(&offer.worker), "opened a session");
        match self.connect(session, Instant::now() + SEEDED).await {
            Ok(connected) => Ok(Box::new(connected)),
            Err(error) => {
                // What it holds returns; the worker cannot have answered.
                close(self, session).await?;
                Err(error)
            }
        }
    }

    async fn reopen(&self) -> Result<Vec<Box<dyn PaidSession>>, String> {
        let sessions = self.read_sessions().await;
        let sessions = sessions.map_err(|error| error.to_string())?;
        let mut opened: Vec<Box<dyn PaidSession>> = Vec::new();
        for session in sessions {
            match self.connect(session, Instant::now()).await {
                Ok(connected) => opened.push(Box::new(connected)),
                Err(error) => warn!(%session, %error, "a session is not used"),
            }
        }
        Ok(opened)
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
    held: Balance,
    session: PayerSession,
    /// The conversations of an earlier start, until they are asked for.
    earlier: Vec<Vec<u32>>,
}

#[async_trait]
impl PaidSession for ChainSession {
    fn worker(&self) -> WorkerId {
        self.worker
    }

    fn prices(&self) -> SessionPrices {
        self.session.side().agreement().prices
    }

    fn held(&self) -> Balance {
        self.held
    }

    fn paid(&self) -> Balance {
        self.session.side().paid()
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
        ask_session(&mut self.session, prompt, parameters, on_tokens, end).await
    }

    async fn pay(&mut self) -> Result<(), SessionError> {
        self.session.pay().await
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
        self.session.set_held(self.held);
        sleep(LEARNT).await;
        Ok(())
    }

    async fn reconnect(&mut self) -> Result<(), String> {
        self.session.connection().close();
        let opened = self.market.open_with_worker(self.id).await;
        self.session = opened.map_err(|fault| fault.to_string())?;
        self.session.set_held(self.held);
        let received = receive_earlier(&mut self.session).await;
        received.map_err(|error| error.to_string())
    }

    async fn close(&mut self) -> Result<(), String> {
        self.session.connection().close();
        close(&self.market, self.id).await
    }
}
