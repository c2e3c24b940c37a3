//! A connection to a worker: of a payer, or of a validator that was drawn for a leaf.

use crate::error::told;
use crate::frame::{self, Reader};
use crate::{
    ConnectionFault, FromWorker, LeafRequest, SessionLeaf, Sign, SignatureBytes, ToWorker, ALPN,
    MAX_MESSAGE, VERSIONS,
};
use iroh::endpoint::{
    ConnectError, ConnectOptions, Connection, QuicTransportConfig, SendStream, VarInt,
};
use iroh::{Endpoint, EndpointAddr, PublicKey, TransportAddr};
use noema_artefacts::Peer;
use noema_protocol::{hashing, ClaimId, SessionId};
use sp_core::H256;
use std::time::Duration;
use tokio::time::timeout;

/// Milliseconds without a packet after which a worker counts as gone.
const GONE: u32 = 9_000;
/// The time after which a packet shows that both sides are there: three of them may be lost.
const ALIVE: Duration = Duration::from_secs(2);

/// The time that a worker has.
#[derive(Clone, Copy, Debug)]
pub struct WorkerPatience {
    /// To accept a connection, and for each reply but an answer.
    pub reply: Duration,
    /// For the next tokens of an answer: others may be answered before.
    pub tokens: Duration,
    /// For all that follows on the early end of an answer.
    pub end: Duration,
}

impl Default for WorkerPatience {
    fn default() -> Self {
        Self {
            reply: Duration::from_secs(10),
            tokens: Duration::from_secs(300),
            end: Duration::from_secs(120),
        }
    }
}

/// A connection to a worker. The transport keeps it alive, and notices within nine seconds that the other side has gone.
#[derive(Clone, Debug)]
pub struct WorkerConnection {
    connection: Connection,
    pub(crate) patience: WorkerPatience,
    /// The public keys of this endpoint and of the worker's.
    keys: ([u8; 32], [u8; 32]),
}

impl WorkerConnection {
    /// Connects from `endpoint` to the endpoint that the worker published, which the connection proves to be its own.
    ///
    /// # Errors
    /// When it is not reached, or knows none of the versions of this program.
    pub async fn connect(
        endpoint: &Endpoint,
        worker: &Peer,
        patience: WorkerPatience,
    ) -> Result<Self, ConnectionFault> {
        let id = PublicKey::from_bytes(&worker.id.0)
            .map_err(|_| ConnectionFault::Unreachable("its id is not a public key".to_owned()))?;
        let addresses = worker.addresses.iter().copied().map(TransportAddr::Ip);
        let address = EndpointAddr::from_parts(id, addresses);
        let connection = match timeout(patience.reply, dial(endpoint, address)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                return Err(ConnectionFault::Unreachable(told(format_args!(
                    "{error:#}"
                ))))
            }
            Err(_) => {
                return Err(ConnectionFault::Unreachable(
                    "it does not answer in time".into(),
                ))
            }
        };
        let connected = Self {
            keys: (*endpoint.id().as_bytes(), worker.id.0),
            connection,
            patience,
        };
        let hello = ToWorker::Hello {
            lowest: *VERSIONS.start(),
            highest: *VERSIONS.end(),
        };
        match connected.exchange(&hello).await? {
            FromWorker::Hello { version } if VERSIONS.contains(&version) => Ok(connected),
            other => Err(unexpected(other)),
        }
    }

    /// Opens a session, for which `key` signs vouchers. Returns how many of its answers the worker has been paid for.
    pub(crate) async fn open(
        &self,
        genesis: H256,
        session: SessionId,
        key: &dyn Sign,
    ) -> Result<u32, ConnectionFault> {
        let (from, to) = self.keys;
        let payload = hashing::session_peer_payload(genesis, session, from, to);
        let open = ToWorker::Open {
            session,
            signature: key.sign(&payload),
        };
        match self.exchange(&open).await? {
            FromWorker::Opened { count } => Ok(count),
            other => Err(unexpected(other)),
        }
    }

    /// Asks for leaf `leaf` of a claim of the worker, as the validator with this hot key, which was drawn for it. What
    /// it receives is not verified.
    ///
    /// # Errors
    /// When the connection fails, or the worker refuses.
    pub async fn leaf(
        &self,
        genesis: H256,
        claim: ClaimId,
        leaf: u32,
        key: &dyn Sign,
    ) -> Result<SessionLeaf, ConnectionFault> {
        let (from, to) = self.keys;
        let payload = hashing::leaf_request_payload(genesis, claim, leaf, from, to);
        let signature: SignatureBytes = key.sign(&payload);
        let request = LeafRequest {
            claim,
            leaf,
            key: key.account(),
            signature,
        };
        match self.exchange(&ToWorker::Leaf(request)).await? {
            FromWorker::Leaf(leaf) => Ok(*leaf),
            other => Err(unexpected(other)),
        }
    }

    /// Sends a message, and waits for the reply.
    pub(crate) async fn exchange(&self, message: &ToWorker) -> Result<FromWorker, ConnectionFault> {
        let (mut send, mut reader) = self.stream(message).await?;
        let _ = send.finish();
        reader.next_within(self.patience.reply).await
    }

    /// Opens a stream that begins with this message.
    pub(crate) async fn stream(
        &self,
        message: &ToWorker,
    ) -> Result<(SendStream, Reader), ConnectionFault> {
        let opened = timeout(self.patience.reply, self.connection.open_bi()).await;
        let (mut send, receive) = opened
            .map_err(|_| ConnectionFault::Slow)?
            .map_err(|error| ConnectionFault::Broken(told(error)))?;
        self.send(&mut send, message).await?;
        Ok((send, Reader::new(receive, MAX_MESSAGE)))
    }

    pub(crate) async fn send(
        &self,
        stream: &mut SendStream,
        message: &ToWorker,
    ) -> Result<(), ConnectionFault> {
        frame::send(stream, message, MAX_MESSAGE, self.patience.reply).await
    }

    /// Closes the connection. Answers in progress on it are stopped.
    pub fn close(&self) {
        self.connection.close(0u32.into(), b"done");
    }
}

/// Connects with a short time-out, which holds for both sides: the lower one counts.
async fn dial(endpoint: &Endpoint, address: EndpointAddr) -> Result<Connection, ConnectError> {
    let transport = QuicTransportConfig::builder()
        .max_idle_timeout(Some(VarInt::from_u32(GONE).into()))
        .keep_alive_interval(ALIVE)
        .default_path_keep_alive_interval(ALIVE)
        // A worker opens no streams.
        .max_concurrent_bidi_streams(0u32.into())
        .max_concurrent_uni_streams(0u32.into())
        .build();
    let options = ConnectOptions::new().with_transport_config(transport);
    let connecting = endpoint.connect_with_opts(address, ALPN, options).await?;
    Ok(connecting.await?)
}

/// The fault of a reply that is not the expected one.
pub(crate) fn unexpected(reply: FromWorker) -> ConnectionFault {
    match reply {
        FromWorker::Refused(refusal) => ConnectionFault::Refused(refusal),
        _ => ConnectionFault::OutOfPlace,
    }
}
