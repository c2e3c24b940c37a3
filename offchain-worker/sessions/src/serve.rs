//! The worker's end of connections.

use crate::entrance::{Entrance, EntranceLimits, Visitor};
use crate::frame::{self, Reader};
use crate::worker::{AnswerEvent, Answering};
use crate::{
    AskMessage, ConnectionFault, FromWorker, LeafRequest, ServedSessions, ToWorker, WorkerRefusal,
    MAX_GREETING, MAX_MESSAGE, VERSIONS,
};
use iroh::endpoint::{Connection, RecvStream, SendStream, VarInt};
use iroh::protocol::{AcceptError, ProtocolHandler};
use iroh::TransportAddr;
use noema_artefacts::PeerId;
use noema_protocol::SessionId;
use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::debug;

/// Codes with which connections are closed.
const BUSY: VarInt = VarInt::from_u32(1);
const NOT_READY: VarInt = VarInt::from_u32(2);
const OUT_OF_PLACE: VarInt = VarInt::from_u32(3);
const SILENT: VarInt = VarInt::from_u32(4);
const REPLACED: VarInt = VarInt::from_u32(5);
const UNUSED: VarInt = VarInt::from_u32(6);

/// Tokens that are sent in one message at most.
const TOGETHER: usize = 512;

/// What a worker accepts of its peers.
#[derive(Clone, Copy, Debug)]
pub struct AcceptorLimits {
    /// Most connections at a time.
    pub connections: usize,
    /// Most of them whose peers have not proven who they are: payers and validators find room beside these.
    pub strangers: usize,
    /// Most of those from one address of IPv4, or from one network of 64 bits of IPv6.
    pub strangers_of_network: usize,
    /// Most connections on which one session is open: a further one closes the oldest.
    pub connections_of_session: usize,
    /// Most streams of a connection at a time.
    pub streams: u32,
    /// The time that a peer has for each message that it begins, and to prove who it is.
    pub patience: Duration,
    /// The time that a peer has to take a message.
    pub stall: Duration,
    /// The time after which a connection without a session that is served, and without a stream, is closed.
    pub unused: Duration,
}

impl Default for AcceptorLimits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            strangers: 64,
            strangers_of_network: 16,
            connections_of_session: 4,
            streams: 16,
            patience: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            unused: Duration::from_secs(60),
        }
    }
}

/// Accepts connections of payers and validators, for the workers of a process. It is given to an endpoint first, and
/// serves as soon as there is something to serve.
#[derive(Clone)]
pub struct Acceptor(Arc<Shared>);

struct Shared {
    limits: AcceptorLimits,
    entrance: Arc<Entrance<Connection>>,
    serving: OnceLock<Serving>,
}

/// The workers, and the public key of the endpoint.
struct Serving {
    endpoint: PeerId,
    workers: Vec<Arc<ServedSessions>>,
}

impl Acceptor {
    /// An acceptor that serves nothing yet.
    pub fn new(limits: AcceptorLimits) -> Self {
        Self(Arc::new(Shared {
            limits,
            entrance: Entrance::new(EntranceLimits {
                connections: limits.connections,
                strangers: limits.strangers,
                strangers_of_network: limits.strangers_of_network,
                of_session: limits.connections_of_session,
            }),
            serving: OnceLock::new(),
        }))
    }

    /// Serves these workers from now on, at the endpoint with this key. Only the first call has an effect.
    pub fn serve(&self, endpoint: PeerId, workers: Vec<Arc<ServedSessions>>) {
        let _ = self.0.serving.set(Serving { endpoint, workers });
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acceptor").field(&self.0.limits).finish()
    }
}

impl ProtocolHandler for Acceptor {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let Some(visitor) = self.0.entrance.enter(address(&connection)) else {
            connection.close(BUSY, b"busy");
            return Ok(());
        };
        let Some(serving) = self.0.serving.get() else {
            connection.close(NOT_READY, b"not ready");
            return Ok(());
        };
        let to = serving.endpoint.0;
        serve(Arc::new(Peer::new(self.0.clone(), connection, visitor, to))).await;
        Ok(())
    }
}

/// The IP address of the other side, if it has one.
fn address(connection: &Connection) -> Option<IpAddr> {
    let paths = connection.paths();
    let mut addresses = paths.iter().map(|path| path.remote_addr().clone());
    addresses.find_map(|address| match address {
        TransportAddr::Ip(address) => Some(address.ip()),
        _ => None,
    })
}

/// A connected peer.
struct Peer {
    shared: Arc<Shared>,
    connection: Connection,
    /// The public keys of its endpoint and of this one.
    from: [u8; 32],
    to: [u8; 32],
    is_greeted: AtomicBool,
    /// Its place, and the sessions that it has opened.
    visitor: Visitor<Connection>,
}

/// Serves the streams of a peer until the connection ends.
async fn serve(peer: Arc<Peer>) {
    let limits = peer.shared.limits;
    let connection = peer.connection.clone();
    connection.set_max_concurrent_bi_streams(VarInt::from_u32(limits.streams));
    let mut streams = JoinSet::new();
    let mut look = tokio::time::interval_at(Instant::now() + limits.patience, limits.patience);
    let mut used = Instant::now();
    loop {
        tokio::select! {
            accepted = connection.accept_bi() => match accepted {
                Ok((send, receive)) => {
                    streams.spawn(serve_stream(peer.clone(), send, receive));
                }
                Err(_) => break,
            },
            Some(_) = streams.join_next() => {}
            now = look.tick() => {
                if !peer.visitor.is_proven() {
                    connection.close(SILENT, b"opened no session in time");
                    break;
                }
                if !streams.is_empty() || peer.has_session() {
                    used = now;
                } else if now.duration_since(used) >= limits.unused {
                    connection.close(UNUSED, b"has no session that is served");
                    break;
                }
            }
        }
    }
}

/// Serves a stream; a peer that sends what has no place loses its connection.
async fn serve_stream(peer: Arc<Peer>, send: SendStream, receive: RecvStream) {
    let Err(fault) = peer.serve_stream(send, receive).await else {
        return;
    };
    debug!(%fault, "a peer broke off, or sent something else than was expected");
    if matches!(
        fault,
        ConnectionFault::Malformed(_)
            | ConnectionFault::TooLong { .. }
            | ConnectionFault::OutOfPlace
    ) {
        peer.connection
            .close(OUT_OF_PLACE, b"that has no place here");
    }
}

impl Peer {
    fn new(
        shared: Arc<Shared>,
        connection: Connection,
        visitor: Visitor<Connection>,
        to: [u8; 32],
    ) -> Self {
        Self {
            from: *connection.remote_id().as_bytes(),
            to,
            shared,
            connection,
            is_greeted: AtomicBool::new(false),
            visitor,
        }
    }

    async fn serve_stream(
        &self,
        mut send: SendStream,
        receive: RecvStream,
    ) -> Result<(), ConnectionFault> {
        let limits = &self.shared.limits;
        let limit = match self.visitor.is_proven() {
            true => MAX_MESSAGE,
            false => MAX_GREETING,
        };
        let mut reader = Reader::new(receive, limit);
        let message = reader.next_within(limits.patience).await?;
        let is_greeted = self.is_greeted.load(Ordering::Relaxed);
        let reply = match message {
            ToWorker::Hello { lowest, highest } if !is_greeted => self.greet(lowest, highest),
            ToWorker::Open { session, signature } if is_greeted => self.open(session, &signature),
            ToWorker::Ask(message) if is_greeted => {
                return self.answer(*message, send, reader).await;
            }
            ToWorker::Pay(signed) if is_greeted => match self.opened_at(signed.voucher.session) {
                Some(worker) => match worker.pay(*signed).await {
                    Ok(count) => FromWorker::Paid { count },
                    Err(refusal) => FromWorker::Refused(refusal),
                },
                None => FromWorker::Refused(WorkerRefusal::NotProven),
            },
            ToWorker::Leaf(request) if is_greeted => self.leaf(request).await,
            _ => return Err(ConnectionFault::OutOfPlace),
        };
        frame::send(&mut send, &reply, MAX_MESSAGE, limits.stall).await?;
        // The peer has the reply before the stream is dropped.
        let _ = send.finish();
        Ok(())
    }

    fn workers(&self) -> &[Arc<ServedSessions>] {
        match self.shared.serving.get() {
            Some(serving) => &serving.workers,
            None => &[],
        }
    }

    fn greet(&self, lowest: u16, highest: u16) -> FromWorker {
        let version = highest.min(*VERSIONS.end());
        if version < lowest || !VERSIONS.contains(&version) {
            return FromWorker::Refused(WorkerRefusal::Version {
                lowest: *VERSIONS.start(),
                highest: *VERSIONS.end(),
            });
        }
        self.is_greeted.store(true, Ordering::Relaxed);
        FromWorker::Hello { version }
    }

    fn open(&self, session: SessionId, signature: &[u8; 64]) -> FromWorker {
        let mut workers = self.workers().iter();
        let Some(worker) = workers.find(|worker| worker.serves(session)) else {
            return FromWorker::Refused(WorkerRefusal::NotServed);
        };
        match worker.open(session, signature, (self.from, self.to)) {
            Ok(count) => {
                let oldest = self.visitor.open(session, self.connection.clone());
                if let Some(oldest) = oldest {
                    oldest.close(REPLACED, b"the session is open on newer connections");
                }
                FromWorker::Opened { count }
            }
            Err(refusal) => FromWorker::Refused(refusal),
        }
    }

    /// Whether a session that is served is open on this connection.
    fn has_session(&self) -> bool {
        let opened = self.visitor.opened();
        let mut workers = self.workers().iter();
        workers.any(|worker| opened.iter().any(|session| worker.serves(*session)))
    }

    /// The worker of a session that is open on this connection.
    fn opened_at(&self, session: SessionId) -> Option<&Arc<ServedSessions>> {
        let is_open = self.visitor.has(session);
        let mut workers = self.workers().iter();
        workers.find(|worker| is_open && worker.serves(session))
    }

    async fn leaf(&self, request: LeafRequest) -> FromWorker {
        let mut refusal = WorkerRefusal::NoLeaf;
        for worker in self.workers() {
            match worker.leaf(request, (self.from, self.to)).await {
                Ok(leaf) => {
                    self.visitor.prove();
                    return FromWorker::Leaf(Box::new(leaf));
                }
                Err(WorkerRefusal::NoLeaf) => {}
                Err(other) => refusal = other,
            }
        }
        FromWorker::Refused(refusal)
    }

    /// Answers on a stream. An answer whose payer resets the stream, or stops reading it, is stopped.
    async fn answer(
        &self,
        message: AskMessage,
        mut send: SendStream,
        mut reader: Reader,
    ) -> Result<(), ConnectionFault> {
        let stall = self.shared.limits.stall;
        let Some(worker) = self.opened_at(message.session) else {
            let refused = FromWorker::Refused(WorkerRefusal::NotProven);
            return frame::send(&mut send, &refused, MAX_MESSAGE, stall).await;
        };
        let mut answering: Answering = worker.ask(message);
        let mut stopped = pin!(send.stopped());
        let (mut events, mut listens) = (Vec::new(), true);
        loop {
            tokio::select! {
                count = answering.events.recv_many(&mut events, TOGETHER) => {
                    let is_over = count == 0
                        || matches!(events.last(), Some(AnswerEvent::Done(_)));
                    for reply in replies(events.drain(..), count == 0) {
                        frame::send(&mut send, &reply, MAX_MESSAGE, stall).await?;
                    }
                    if is_over {
                        let _ = send.finish();
                        return Ok(());
                    }
                }
                said = reader.next::<ToWorker>(), if listens => match said? {
                    Some(ToWorker::End) => answering.end(),
                    Some(_) => return Err(ConnectionFault::OutOfPlace),
                    // The payer has nothing more to say, and reads on.
                    None => listens = false,
                },
                _ = &mut stopped => {
                    return Err(ConnectionFault::Broken("the payer stopped reading".into()));
                }
            }
        }
    }
}

/// The messages for these events: consecutive tokens share one. An answer that `broke` off without an end failed.
fn replies(events: impl Iterator<Item = AnswerEvent>, broke: bool) -> Vec<FromWorker> {
    let (mut replies, mut tokens) = (Vec::new(), Vec::new());
    let mut end = broke.then_some(FromWorker::Refused(WorkerRefusal::Failed));
    for event in events {
        match event {
            AnswerEvent::Token(token) => tokens.push(token),
            AnswerEvent::Done(Ok(receipt)) => end = Some(FromWorker::Answered(receipt)),
            AnswerEvent::Done(Err(refusal)) => end = Some(FromWorker::Refused(refusal)),
        }
    }
    if !tokens.is_empty() {
        replies.push(FromWorker::Tokens(tokens));
    }
    replies.extend(end);
    replies
}
