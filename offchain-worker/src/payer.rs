//! The sessions of a payer: what the chain knows of one, and a connection to its worker.
//!
//! What is asked and paid on that connection is [`noema_session_transport`].

use crate::artefacts;
use crate::chain::{ChainError, Node};
use crate::keys::address;
use crate::store::AccountBytes;
use noema_artefacts::Fetcher;
use noema_protocol::SessionId;
use noema_session_transport::{
    ConnectionFault, PayerSession, PayerStore, PayerTerms, SessionError, Sign, WorkerConnection,
    WorkerPatience,
};
use std::sync::Arc;

/// Why a session cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayerFault {
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The session has no seed yet, or can no longer be read.
    #[error("session {0} has no seed yet, or has ended; wait for the next blocks, or open another session")]
    NotOpen(SessionId),
    /// The worker has left.
    #[error("the worker {worker} of session {session} is no longer registered; close the session, and open another one")]
    WorkerLeft {
        /// The session.
        session: SessionId,
        /// The worker.
        worker: String,
    },
    /// The worker has no endpoint.
    #[error("the worker {worker} of session {session} has published no endpoint; close the session, and open one with another worker")]
    NoEndpoint {
        /// The session.
        session: SessionId,
        /// The worker.
        worker: String,
    },
    /// The worker is not reached, or refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<ConnectionFault> for PayerFault {
    fn from(fault: ConnectionFault) -> Self {
        Self::Session(fault.into())
    }
}

/// What the finalized chain knows of a session: its terms and its hold, and the hot key of its worker.
///
/// # Errors
/// When the chain cannot be read, or the session has no seed or no worker.
pub async fn terms(node: &Node, session: SessionId) -> Result<PayerTerms, PayerFault> {
    let at = node.finalized().await?;
    let (info, terms) = futures::try_join!(at.session(session), at.session_terms(session))?;
    let (Some(info), Some(terms)) = (info, terms) else {
        return Err(PayerFault::NotOpen(session));
    };
    let Some(operator) = at.operator(&terms.worker).await? else {
        let worker = address(&terms.worker);
        return Err(PayerFault::WorkerLeft { session, worker });
    };
    Ok(PayerTerms {
        genesis: node.genesis(),
        held: info.session.account.held,
        worker_key: operator.operator.key.0,
        terms,
    })
}

/// Reaches a worker at the endpoint that it published, and leaves it again.
///
/// # Errors
/// When the chain cannot be read, or the worker is not reached.
pub async fn reach(
    node: &Node,
    fetcher: &Fetcher,
    worker: &AccountBytes,
) -> Result<(), PayerFault> {
    let none = || ConnectionFault::Unreachable("it has published no endpoint".to_owned());
    let connection = connect(node, fetcher, worker).await?;
    connection.ok_or_else(none)?.close();
    Ok(())
}

/// A connection to a worker; `None` where it has published no endpoint.
async fn connect(
    node: &Node,
    fetcher: &Fetcher,
    worker: &AccountBytes,
) -> Result<Option<WorkerConnection>, PayerFault> {
    let at = node.finalized().await?;
    let Some(peer) = artefacts::peer(&at, worker).await? else {
        return Ok(None);
    };
    let patience = WorkerPatience::default();
    let connection = WorkerConnection::connect(fetcher.endpoint(), &peer, patience).await?;
    Ok(Some(connection))
}

/// Connects to the worker of a session at the endpoint that it published, and opens the session there, as it is in
/// `store`. `key` is its voucher key.
///
/// # Errors
/// As those of [`terms`], and when the worker is not reached or refuses.
pub async fn open(
    node: &Node,
    fetcher: &Fetcher,
    store: Arc<PayerStore>,
    key: Arc<dyn Sign>,
    session: SessionId,
) -> Result<PayerSession, PayerFault> {
    let terms = terms(node, session).await?;
    let worker = &terms.terms.worker;
    let Some(connection) = connect(node, fetcher, worker).await? else {
        let worker = address(worker);
        return Err(PayerFault::NoEndpoint { session, worker });
    };
    Ok(PayerSession::open(connection, store, key, &terms).await?)
}
