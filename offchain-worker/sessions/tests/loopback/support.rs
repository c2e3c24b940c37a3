//! A chain, a model and keys of the tests; workers and payers that start, stop and are killed.

use async_trait::async_trait;
use codec::{DecodeAll, Encode};
use iroh::{
    endpoint::{presets, Connection},
    protocol::{DynProtocolHandler, Router},
    Endpoint, EndpointAddr, PublicKey, RelayMode, SecretKey, TransportAddr,
};
use noema_artefacts::{Peer, PeerId};
use noema_economics::{Balance, Permill};
use noema_protocol::{hashing, CheckpointId, ClaimId, SamplingParameters, SessionId};
use noema_session_transport::{
    Acceptor, AcceptorLimits, AnswerStop, ClaimStep, DrawnLeaf, DrawnLeaves, FromWorker,
    ModelFault, PayerSession, PayerStore, PayerTerms, ServedSessions, SessionAnswer, SessionError,
    SessionFacts, SessionLimits, SessionModel, SessionQuestion, SessionStep, SessionStoreError,
    Sign, SignatureBytes, ToWorker, WorkerConnection, WorkerPatience, WorkerStore, ALPN,
};
use noema_sessions::{AnswerEnd, SessionPrices, SessionRules, SessionTerms, Stage};
use sp_core::{sr25519, Pair, H256};
use std::ops::ControlFlow;
use std::slice;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) type AccountBytes = [u8; 32];

pub(crate) const GENESIS: H256 = H256::repeat_byte(9);
pub(crate) const WORKER: AccountBytes = [2; 32];
pub(crate) const SESSION: SessionId = SessionId(4);
/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

const RULES: SessionRules = SessionRules {
    lifetime: 100,
    close: 10,
    bytes_per_token: 4,
    cached_share: Permill::from_percent(10),
    check_share: Permill::from_percent(20),
    check_fee_per_token: 1,
    stake_percent: 100,
    min_stake: 100,
    stake_per_token: 1,
    min_held: 1,
    min_claim: 50,
    storage_price: 100_000,
    retention: 20,
};

/// A key from a seed.
pub(crate) struct TestKey(sr25519::Pair);

impl TestKey {
    pub(crate) fn new(seed: u8) -> Arc<Self> {
        Arc::new(Self(sr25519::Pair::from_seed(&[seed; 32])))
    }
}

impl Sign for TestKey {
    fn account(&self) -> AccountBytes {
        self.0.public().0
    }

    fn sign(&self, payload: &H256) -> SignatureBytes {
        self.0.sign(payload.as_bytes()).0
    }
}

pub(crate) fn hot_key() -> Arc<TestKey> {
    TestKey::new(20)
}

pub(crate) fn voucher_key() -> Arc<TestKey> {
    TestKey::new(30)
}

pub(crate) fn validator_key() -> Arc<TestKey> {
    TestKey::new(40)
}

pub(crate) fn facts() -> SessionFacts {
    SessionFacts {
        terms: SessionTerms {
            session: SESSION,
            payer: [1; 32],
            worker: WORKER,
            voucher_key: voucher_key().account(),
            checkpoint: CheckpointId(H256::repeat_byte(7)),
            leaf_tokens: 400,
            prices: SessionPrices {
                per_prompt_token: 4,
                per_cached_token: 1,
                per_answer_token: 10,
            },
            rules: RULES,
            claim_rules: H256::zero(),
            seed: H256::repeat_byte(8),
        },
        held: 1_000_000,
        claimed: 0,
        stage: Stage::Open { until: 100_000 },
        open_claims: Vec::new(),
    }
}

/// A model whose tokens depend on prompt and seed.
#[derive(Default)]
pub(crate) struct FakeModel {
    /// It pauses before each token while this is on.
    pub(crate) is_slow: AtomicBool,
    pub(crate) fails: AtomicBool,
    pub(crate) begun: AtomicU32,
    /// Tokens that were computed.
    pub(crate) computed: AtomicU32,
}

/// The whole answer of the model.
pub(crate) fn whole_answer(prompt: &[u32], seed: H256, tokens: u16) -> Vec<u32> {
    let sum = prompt.iter().fold(u32::from(seed.0[0]), |sum, token| {
        sum.wrapping_mul(31).wrapping_add(*token)
    });
    (0..u32::from(tokens))
        .map(|n| sum.wrapping_add(n) % 1_000)
        .collect()
}

impl SessionModel for FakeModel {
    fn answer(
        &self,
        question: &SessionQuestion,
        stop: &AnswerStop,
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<SessionAnswer, ModelFault> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(ModelFault::Failed("the test says so".into()));
        }
        let most = question.parameters.max_tokens;
        let whole = whole_answer(&question.prompt, question.seed, most);
        let (mut tokens, mut end) = (Vec::new(), AnswerEnd::Length);
        for token in whole {
            if self.is_slow.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            if stop.is_stopped() {
                end = AnswerEnd::ByPayer;
                break;
            }
            tokens.push(token);
            self.computed.fetch_add(1, Ordering::SeqCst);
            if on_token(token).is_break() && tokens.len() < usize::from(most) {
                end = AnswerEnd::ByPayer;
                break;
            }
        }
        Ok(SessionAnswer {
            hidden_root: hashing::tokens_hash(&tokens),
            tokens,
            cached_tokens: question.prompt.len().min(2) as u32,
            end,
        })
    }
}

/// What the chain has drawn.
#[derive(Default)]
pub(crate) struct Draws(pub(crate) Mutex<Option<DrawnLeaf>>);

#[async_trait]
impl DrawnLeaves for Draws {
    async fn drawn(
        &self,
        _: ClaimId,
        _: u32,
        key: &AccountBytes,
    ) -> Result<Option<DrawnLeaf>, String> {
        let drawn = *self.0.lock().expect("no test thread has panicked");
        Ok(drawn.filter(|_| *key == validator_key().account()))
    }
}

/// An endpoint on the loopback interface.
pub(crate) async fn endpoint(seed: u8) -> Endpoint {
    Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(&[seed; 32]))
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr("127.0.0.1:0")
        .expect("an address")
        .bind()
        .await
        .expect("an endpoint on the loopback interface")
}

pub(crate) fn peer_of(endpoint: &Endpoint) -> Peer {
    Peer::new(PeerId(*endpoint.id().as_bytes()), endpoint.bound_sockets())
}

/// Serves `handler` as a worker would.
pub(crate) async fn serve(seed: u8, handler: impl Into<Box<dyn DynProtocolHandler>>) -> Router {
    Router::builder(endpoint(seed).await)
        .accept(ALPN, handler)
        .spawn()
}

/// The disks of both sides, the model and the chain, which outlast processes.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) model: Arc<FakeModel>,
    pub(crate) draws: Arc<Draws>,
    pub(crate) facts: SessionFacts,
    pub(crate) bond: Balance,
    pub(crate) limits: AcceptorLimits,
    /// The hot key of the worker.
    pub(crate) hot_key: Arc<TestKey>,
    /// The seed of the key of its endpoint.
    pub(crate) endpoint: u8,
}

/// A worker's process.
pub(crate) struct WorkerProcess {
    pub(crate) served: Arc<ServedSessions>,
    pub(crate) store: Arc<WorkerStore>,
    router: Router,
}

/// A payer's process.
pub(crate) struct PayerProcess {
    pub(crate) endpoint: Endpoint,
    pub(crate) store: Arc<PayerStore>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            model: Arc::default(),
            draws: Arc::default(),
            facts: facts(),
            bond: 1_000_000,
            limits: AcceptorLimits::default(),
            hot_key: hot_key(),
            endpoint: 1,
        }
    }

    /// Starts a worker, after a crash if one ran before.
    pub(crate) async fn worker(&self) -> WorkerProcess {
        let path = self.folder.path().join("worker.redb");
        let store = Arc::new(opened(|| WorkerStore::open(&path)).await);
        let served = ServedSessions::new(
            (WORKER, GENESIS),
            store.clone(),
            self.model.clone(),
            self.hot_key.clone(),
            self.draws.clone(),
            SessionLimits {
                answers: 2,
                ..SessionLimits::default()
            },
        );
        let acceptor = Acceptor::new(self.limits);
        let router = serve(self.endpoint, acceptor.clone()).await;
        acceptor.serve(peer_of(router.endpoint()).id, vec![served.clone()]);
        let process = WorkerProcess {
            served,
            store,
            router,
        };
        process.look(self, 1);
        process
    }

    /// Starts a payer, after a crash if one ran before.
    pub(crate) async fn payer(&self) -> PayerProcess {
        let path = self.folder.path().join("payer.redb");
        PayerProcess {
            store: Arc::new(opened(|| PayerStore::open(&path)).await),
            endpoint: endpoint(2).await,
        }
    }

    pub(crate) fn payer_terms(&self) -> PayerTerms {
        PayerTerms {
            genesis: GENESIS,
            terms: self.facts.terms.clone(),
            held: self.facts.held,
            worker_key: self.hot_key.account(),
        }
    }

    /// Connects a payer, and opens the session.
    pub(crate) async fn open(&self, payer: &PayerProcess, worker: &WorkerProcess) -> PayerSession {
        self.open_at(payer, &worker.peer()).await.expect("it opens")
    }

    pub(crate) async fn open_at(
        &self,
        payer: &PayerProcess,
        worker: &Peer,
    ) -> Result<PayerSession, SessionError> {
        let patience = WorkerPatience::default();
        let connected = WorkerConnection::connect(&payer.endpoint, worker, patience).await?;
        let (store, terms) = (payer.store.clone(), self.payer_terms());
        PayerSession::open(connected, store, voucher_key(), &terms).await
    }

    /// The model's answer number `n` to a prompt.
    pub(crate) fn expected(&self, n: u32, prompt: &[u32], tokens: u16) -> Vec<u32> {
        let seed = hashing::answer_seed(self.facts.terms.seed, n);
        whole_answer(prompt, seed, tokens)
    }

    pub(crate) fn begun(&self) -> u32 {
        self.model.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn set_slow(&self, is_slow: bool) {
        self.model.is_slow.store(is_slow, Ordering::SeqCst);
    }
}

impl WorkerProcess {
    pub(crate) fn peer(&self) -> Peer {
        peer_of(self.router.endpoint())
    }

    /// Takes the facts of block `now`; the steps to take.
    pub(crate) fn steps(&self, world: &World, now: u64) -> Vec<SessionStep> {
        let looked = self
            .served
            .look(slice::from_ref(&world.facts), world.bond, now);
        looked.expect("the store can be read")
    }

    /// Takes the facts of block `now`; the claims to make.
    pub(crate) fn look(&self, world: &World, now: u64) -> Vec<ClaimStep> {
        let steps = self.steps(world, now).into_iter();
        steps
            .filter_map(|step| match step {
                SessionStep::Claim(claim) => Some(*claim),
                SessionStep::End { .. } => None,
            })
            .collect()
    }

    /// Ends the process without a word.
    pub(crate) async fn kill(self) {
        let endpoint = self.router.endpoint().clone();
        drop(self.router);
        endpoint.close().await;
    }
}

impl PayerProcess {
    /// Ends the process without a word.
    pub(crate) async fn kill(self) {
        self.endpoint.close().await;
    }
}

/// Opens a store as soon as the process that was killed has let it go.
async fn opened<T>(open: impl Fn() -> Result<T, SessionStoreError>) -> T {
    let opening = async {
        loop {
            match open() {
                Ok(store) => return store,
                Err(SessionStoreError::InUse(_)) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(LONG, opening).await.expect("in time")
}

pub(crate) fn greedy(tokens: u16) -> SamplingParameters {
    SamplingParameters::greedy(tokens)
}

/// Waits until `is_so`.
pub(crate) async fn wait_until(is_so: impl Fn() -> bool) {
    let so = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, so).await.expect("in time");
}

/// A connection that sends whatever the test wants.
pub(crate) struct Raw {
    pub(crate) connection: Connection,
}

impl Raw {
    pub(crate) async fn connect(endpoint: &Endpoint, worker: &Peer) -> Self {
        let id = PublicKey::from_bytes(&worker.id.0).expect("a key");
        let addresses = worker.addresses.iter().copied().map(TransportAddr::Ip);
        let address = EndpointAddr::from_parts(id, addresses);
        let connected = endpoint.connect(address, ALPN).await;
        Self {
            connection: connected.expect("the worker accepts"),
        }
    }

    /// Greets, and opens the session.
    pub(crate) async fn opened(endpoint: &Endpoint, worker: &Peer) -> Self {
        let raw = Self::connect(endpoint, worker).await;
        let hello = ToWorker::Hello {
            lowest: 1,
            highest: 5,
        };
        assert_eq!(
            raw.say(&hello).await,
            Some(FromWorker::Hello { version: 1 })
        );
        let from = *endpoint.id().as_bytes();
        let payload = hashing::session_peer_payload(GENESIS, SESSION, from, worker.id.0);
        let open = ToWorker::Open {
            session: SESSION,
            signature: voucher_key().sign(&payload),
        };
        let opened = raw.say(&open).await;
        assert!(
            matches!(opened, Some(FromWorker::Opened { .. })),
            "{opened:?}"
        );
        raw
    }

    /// Sends a message on a stream of its own; the last reply, or `None` if the connection is closed.
    pub(crate) async fn say(&self, message: &ToWorker) -> Option<FromWorker> {
        self.replies(&frame(message)).await?.pop()
    }

    /// Sends bytes on a stream of their own; all replies, or `None` if the connection is closed.
    pub(crate) async fn replies(&self, bytes: &[u8]) -> Option<Vec<FromWorker>> {
        let (mut send, mut receive) = self.connection.open_bi().await.ok()?;
        send.write_all(bytes).await.ok()?;
        let _ = send.finish();
        let said = receive.read_to_end(1 << 22).await.ok()?;
        Some(parse(&said))
    }
}

/// A message with its length.
pub(crate) fn frame(message: &impl Encode) -> Vec<u8> {
    let payload = message.encode();
    let length = payload.len() as u32;
    [length.to_le_bytes().to_vec(), payload].concat()
}

fn parse(mut bytes: &[u8]) -> Vec<FromWorker> {
    let mut replies = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (mut payload, after) = rest.split_at(u32::from_le_bytes(*length) as usize);
        replies.push(FromWorker::decode_all(&mut payload).expect("a reply"));
        bytes = after;
    }
    replies
}
