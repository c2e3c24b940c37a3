//! Scripted workers, a text layer in which each byte is a token, and HTTP.

use async_trait::async_trait;
use noema_gateway::{
    BearerKeys, ConnectionLimits, Conversation, EarlierSessions, Gateway, GatewayChain,
    GatewayMetrics, GatewayOptions, Market, OnTokens, OpenFault, PaidSession, Pool, PoolOptions,
    ReceiptSource, Rechecks, TextFault, TextLayer, WorkerId, WorkerOffer,
};
use noema_protocol::{CheckpointId, SamplingParameters, SessionId};
use noema_session_transport::{
    ConnectionFault, PaidAnswer, SessionError, SessionStoreError, SignedReceipt, WorkerRefusal,
};
use noema_sessions::{AnswerEnd, PayerError, SessionPrices, SessionReceipt, WorkerError};
use serde_json::Value;
use sp_core::H256;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The token that ends an answer.
pub(crate) const STOP: u32 = 256;
/// The tokens of prompt and answer together.
pub(crate) const CONTEXT: u32 = 1_000;
/// The amount with which a session is opened.
pub(crate) const HOLD: u128 = 10_000;

/// What a worker does instead of answering.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Its connection breaks after this many tokens, and it goes on where it is connected to again.
    Break(usize),
    /// The same, and it comes back with other tokens.
    Change(usize),
    /// Nothing can be stored.
    Full,
    /// It sends this many false tokens, and a receipt of others.
    Lie(usize),
    /// It refuses, since it is busy.
    Busy,
    /// It refuses the prompt.
    Refuse,
    /// It refuses more than this many tokens.
    Credit(u16),
    /// It sends one token, and the next ones when it is told to end.
    Wait,
    /// It sends this many false tokens, and its connection breaks.
    Invent(usize),
    /// It sends this many false tokens, and refuses as if its credit were too low.
    Revoke(usize),
}

/// A worker.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    pub(crate) id: u8,
    pub(crate) price: u128,
    pub(crate) faults: VecDeque<Fault>,
}

/// An ask that reached a worker.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) worker: u8,
    pub(crate) session: u64,
    pub(crate) prompt: String,
    pub(crate) most: u16,
}

/// What the workers do, and what was asked of them.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) answer: String,
    pub(crate) workers: Vec<Scripted>,
    /// Sessions of an earlier start: the worker of each, and its conversations.
    pub(crate) kept: Vec<(u8, Vec<Vec<u32>>)>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) ended: usize,
    pub(crate) topped_up: usize,
    pub(crate) opened: u64,
    pub(crate) closed: usize,
    /// The workers of earlier sessions that are reached, and of those that are not.
    pub(crate) connected: Vec<u8>,
    pub(crate) lost: Vec<u8>,
    /// What other earlier sessions hold or have spent.
    pub(crate) committed: u128,
    /// How often a worker was connected to again.
    pub(crate) reconnected: usize,
    /// Whether workers that broke off stay away.
    pub(crate) are_away: bool,
    /// Whether the node is away.
    pub(crate) is_node_away: bool,
    /// The worker with which no session can be opened.
    pub(crate) unopened: Option<u8>,
    /// How often that was tried.
    pub(crate) tried: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Book(Arc<Mutex<Script>>);

impl Book {
    /// Workers with these ids, which answer with this text. The first is the cheapest.
    pub(crate) fn new(answer: &str, workers: &[u8]) -> Self {
        let book = Self::default();
        {
            let mut script = book.script();
            script.answer = answer.to_owned();
            script.workers = workers
                .iter()
                .map(|id| Scripted {
                    id: *id,
                    price: u128::from(*id),
                    faults: VecDeque::new(),
                })
                .collect();
        }
        book
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no test panicked")
    }

    /// Lets a worker do this at its next ask.
    pub(crate) fn fault(&self, worker: u8, fault: Fault) {
        let mut script = self.script();
        let found = script.workers.iter_mut().find(|it| it.id == worker);
        found.expect("a worker").faults.push_back(fault);
    }

    /// Waits until the script is as it should be.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Script) -> bool) {
        for _ in 0..500 {
            if is_so(&self.script()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not in time: {what}");
    }
}

fn prices(price: u128) -> SessionPrices {
    SessionPrices {
        per_prompt_token: 0,
        per_cached_token: 0,
        per_answer_token: price,
    }
}

#[async_trait]
impl Market for Book {
    async fn offers(&self) -> Result<Vec<WorkerOffer>, String> {
        let script = self.script();
        if script.is_node_away {
            return Err("the node is away".to_owned());
        }
        let offers = script.workers.iter().map(|worker| WorkerOffer {
            worker: [worker.id; 32],
            prices: prices(worker.price),
        });
        Ok(offers.collect())
    }

    async fn open(
        &self,
        offer: WorkerOffer,
        amount: u128,
    ) -> Result<Box<dyn PaidSession>, OpenFault> {
        {
            let mut script = self.script();
            if script.is_node_away {
                return Err(OpenFault::Chain("the node is away".to_owned()));
            }
            if script.unopened == Some(offer.worker[0]) {
                script.tried += 1;
                return Err(OpenFault::Worker("the worker is not reached".to_owned()));
            }
        }
        Ok(Box::new(Session::open(self, offer.worker[0], amount)))
    }

    async fn reopen(&self) -> Result<EarlierSessions, String> {
        let (kept, connected, lost, committed) = {
            let mut script = self.script();
            let kept = std::mem::take(&mut script.kept);
            let (connected, lost) = (script.connected.clone(), script.lost.clone());
            (kept, connected, lost, script.committed)
        };
        let of_before = |worker: u8| -> Box<dyn PaidSession> {
            Box::new(Session {
                id: 100 + u64::from(worker),
                book: self.clone(),
                worker: [worker; 32],
                prices: prices(u128::from(worker)),
                held: HOLD,
                paid: 0,
                count: 0,
                left: None,
                earlier: Vec::new(),
            })
        };
        let kept = kept.into_iter().map(|(worker, earlier)| {
            let session = Session::open(self, worker, HOLD);
            Box::new(Session { earlier, ..session }) as Box<dyn PaidSession>
        });
        Ok(EarlierSessions {
            connected: kept.chain(connected.into_iter().map(of_before)).collect(),
            lost: lost.into_iter().map(of_before).collect(),
            committed,
        })
    }
}

struct Session {
    id: u64,
    book: Book,
    worker: WorkerId,
    prices: SessionPrices,
    held: u128,
    paid: u128,
    count: u32,
    /// The answer that was asked for and not received: prompt, tokens and parameters.
    left: Option<(Vec<u32>, Vec<u32>, SamplingParameters)>,
    earlier: Vec<Vec<u32>>,
}

impl Session {
    fn open(book: &Book, worker: u8, held: u128) -> Self {
        let mut script = book.script();
        script.opened += 1;
        let found = script.workers.iter().find(|it| it.id == worker);
        Self {
            id: script.opened,
            book: book.clone(),
            worker: [worker; 32],
            prices: prices(found.expect("a worker").price),
            held,
            paid: 0,
            count: 0,
            left: None,
            earlier: Vec::new(),
        }
    }

    fn receipt(
        &mut self,
        prompt: &[u32],
        tokens: Vec<u32>,
        parameters: SamplingParameters,
        end: AnswerEnd,
    ) -> PaidAnswer {
        let (prompt_tokens, answer_tokens) = (prompt.len() as u32, tokens.len() as u32);
        let price = self.prices.price(prompt_tokens, 0, answer_tokens);
        let price = price.expect("an amount");
        self.paid += price;
        self.count += 1;
        let receipt = SessionReceipt {
            session: SessionId(self.id),
            n: self.count - 1,
            first: 0,
            terms: H256::zero(),
            checkpoint: CheckpointId(H256::repeat_byte(7)),
            prompt_hash: H256::zero(),
            prompt_tokens,
            cached_tokens: 0,
            parameters,
            seed: H256::zero(),
            answer_hash: H256::zero(),
            answer_tokens,
            end,
            price,
            hidden_root: H256::zero(),
        };
        PaidAnswer {
            tokens,
            receipt: SignedReceipt {
                receipt,
                signature: [0; 64],
            },
        }
    }

    /// What follows on the prompt, which may end with the beginning of the answer.
    fn rest(&self, prompt: &[u32]) -> Vec<u32> {
        let answer: Vec<u32> = self.book.script().answer.bytes().map(u32::from).collect();
        let given = (0..=answer.len()).rev();
        let mut given = given.filter(|count| prompt.ends_with(&answer[..*count]));
        let given = given.next().unwrap_or_default();
        let mut rest = answer[given..].to_vec();
        rest.push(STOP);
        rest
    }
}

fn refused(refusal: WorkerRefusal) -> SessionError {
    ConnectionFault::Refused(refusal).into()
}

#[async_trait]
impl PaidSession for Session {
    fn worker(&self) -> WorkerId {
        self.worker
    }

    fn prices(&self) -> SessionPrices {
        self.prices
    }

    fn held(&self) -> u128 {
        self.held
    }

    fn paid(&self) -> u128 {
        self.paid
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
        let most = parameters.max_tokens;
        let dearest = self.prices.price(prompt.len() as u32, 0, most.into());
        if self.held - self.paid < dearest.expect("an amount") {
            return Err(PayerError::HoldTooLow.into());
        }
        let fault = {
            let mut script = self.book.script();
            let bytes = prompt.iter().filter_map(|token| u8::try_from(*token).ok());
            let asked = Asked {
                worker: self.worker[0],
                session: self.id,
                prompt: String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned(),
                most,
            };
            script.asked.push(asked);
            let worker = script
                .workers
                .iter_mut()
                .find(|it| it.id == self.worker[0])
                .expect("a worker");
            let fault = worker.faults.pop_front();
            if let Some(Fault::Credit(credit)) = fault
                && most > credit
            {
                worker.faults.push_front(Fault::Credit(credit));
                let refusal = WorkerRefusal::Rules(WorkerError::CreditTooLow);
                return Err(refused(refusal));
            }
            fault
        };
        let rest = self.rest(&prompt);
        let all = &rest[..rest.len().min(most.into())];
        match fault {
            Some(Fault::Break(count)) => {
                self.left = Some((prompt, all.to_vec(), parameters));
                on_tokens(&all[..count]);
                return Err(ConnectionFault::Broken("pulled".into()).into());
            }
            Some(Fault::Change(count)) => {
                self.left = Some((prompt, all.to_vec(), parameters));
                on_tokens(&vec![u32::from(b'?'); count]);
                return Err(ConnectionFault::Broken("pulled".into()).into());
            }
            Some(Fault::Invent(count)) => {
                on_tokens(&vec![u32::from(b'!'); count]);
                return Err(ConnectionFault::Broken("pulled".into()).into());
            }
            Some(Fault::Revoke(count)) => {
                on_tokens(&vec![u32::from(b'!'); count]);
                let refusal = WorkerRefusal::Rules(WorkerError::CreditTooLow);
                return Err(refused(refusal));
            }
            Some(Fault::Full) => {
                let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
                let path = "sessions.redb".into();
                return Err(SessionStoreError::DiskFull { path, source }.into());
            }
            Some(Fault::Lie(count)) => {
                on_tokens(&vec![u32::from(b'!'); count]);
                return Err(SessionError::TooManyTokens);
            }
            Some(Fault::Busy) => return Err(refused(WorkerRefusal::Busy)),
            Some(Fault::Refuse) => return Err(refused(WorkerRefusal::Prompt)),
            Some(Fault::Wait) => {
                on_tokens(&all[..1]);
                let _ = end.wait_for(|end| *end).await;
                self.book.script().ended += 1;
                let tokens = all[..1].to_vec();
                return Ok(self.receipt(&prompt, tokens, parameters, AnswerEnd::ByPayer));
            }
            Some(Fault::Credit(_)) | None => {}
        }
        for token in all {
            on_tokens(&[*token]);
            tokio::task::yield_now().await;
        }
        let reason = match all.last() {
            Some(&STOP) => AnswerEnd::Stop,
            _ => AnswerEnd::Length,
        };
        Ok(self.receipt(&prompt, all.to_vec(), parameters, reason))
    }

    async fn resume(
        &mut self,
        on_tokens: OnTokens<'_>,
        end: &mut watch::Receiver<bool>,
    ) -> Result<Option<PaidAnswer>, SessionError> {
        let Some((prompt, mut tokens, parameters)) = self.left.take() else {
            return Ok(None);
        };
        let mut reason = AnswerEnd::Stop;
        if *end.borrow() {
            tokens.truncate(1);
            reason = AnswerEnd::ByPayer;
        }
        on_tokens(&tokens);
        Ok(Some(self.receipt(&prompt, tokens, parameters, reason)))
    }

    async fn pay(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn top_up(&mut self, amount: u128) -> Result<(), String> {
        self.held += amount;
        self.book.script().topped_up += 1;
        Ok(())
    }

    async fn reconnect(&mut self) -> Result<(), String> {
        let mut script = self.book.script();
        if script.are_away {
            return Err("the worker is away".to_owned());
        }
        script.reconnected += 1;
        Ok(())
    }

    async fn close(&mut self) -> Result<(), String> {
        self.book.script().closed += 1;
        Ok(())
    }
}

/// Each byte is a token. A conversation is its contents, each in a line after its role.
pub(crate) struct Bytes;

impl TextLayer for Bytes {
    fn chat(&self, conversation: &Conversation) -> Result<Vec<u32>, TextFault> {
        let mut text = String::new();
        for message in &conversation.messages {
            let part = |name| message.get(name).and_then(noema_gateway::Json::text);
            let (role, content) = (part("role"), part("content"));
            text += &format!(
                "{}: {}\n",
                role.unwrap_or_default(),
                content.unwrap_or_default()
            );
        }
        self.plain(&text)
    }

    fn plain(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, TextFault> {
        let bytes = tokens.iter().filter_map(|token| u8::try_from(*token).ok());
        Ok(String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned())
    }

    fn is_hidden(&self, token: u32) -> bool {
        token > 255
    }
}

/// The same, where a conversation waits until its template may write.
#[derive(Default)]
pub(crate) struct Held {
    running: AtomicUsize,
    may_write: Mutex<bool>,
    changed: Condvar,
}

impl Held {
    /// Waits until a template runs.
    pub(crate) async fn until_running(&self) {
        for _ in 0..500 {
            if self.running.load(Ordering::SeqCst) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no template runs");
    }

    /// Lets all templates write.
    pub(crate) fn release(&self) {
        *self.may_write.lock().expect("no test panicked") = true;
        self.changed.notify_all();
    }
}

impl TextLayer for Held {
    fn chat(&self, conversation: &Conversation) -> Result<Vec<u32>, TextFault> {
        self.running.fetch_add(1, Ordering::SeqCst);
        let may_write = self.may_write.lock().expect("no test panicked");
        let waited = self.changed.wait_while(may_write, |may_write| !*may_write);
        drop(waited.expect("no test panicked"));
        Bytes.chat(conversation)
    }

    fn plain(&self, text: &str) -> Result<Vec<u32>, TextFault> {
        Bytes.plain(text)
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, TextFault> {
        Bytes.decode(tokens)
    }

    fn is_hidden(&self, token: u32) -> bool {
        Bytes.is_hidden(token)
    }
}

/// How a gateway of the tests differs from the usual one.
pub(crate) struct Setup {
    pub(crate) budget: u128,
    pub(crate) counts_earlier: bool,
    pub(crate) most_sessions: usize,
    pub(crate) most_calls: usize,
    pub(crate) most_templates: usize,
    pub(crate) body_patience: Duration,
    pub(crate) template_patience: Duration,
    pub(crate) layer: Arc<dyn TextLayer>,
    pub(crate) keys: Option<Arc<BearerKeys>>,
    pub(crate) receipts: Option<Arc<dyn ReceiptSource>>,
    /// The part of the answers that is executed again; `None` where none can be.
    pub(crate) verify: Option<f64>,
    pub(crate) connections: ConnectionLimits,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            budget: 100 * HOLD,
            counts_earlier: true,
            most_sessions: 4,
            most_calls: 16,
            most_templates: 4,
            body_patience: Duration::from_secs(20),
            template_patience: Duration::from_secs(20),
            layer: Arc::new(Bytes),
            keys: None,
            receipts: None,
            verify: None,
            connections: ConnectionLimits::default(),
        }
    }
}

/// A gateway that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) pool: Arc<Pool>,
    _stop: watch::Sender<bool>,
}

impl Running {
    pub(crate) async fn start(book: &Book, setup: Setup) -> Self {
        let options = PoolOptions {
            budget: setup.budget,
            counts_earlier: setup.counts_earlier,
            hold: HOLD,
            price_limit: prices(1_000),
            most_sessions: setup.most_sessions,
            patience: Duration::from_secs(20),
            attempts: 4,
            idle: Duration::from_secs(3_600),
            stop_tokens: vec![STOP],
        };
        let metrics = GatewayMetrics::new();
        let pool = Pool::new(Arc::new(book.clone()), options, metrics.clone());
        let pool = Arc::new(pool);
        pool.resume().await.expect("a market");
        let (stop, stopped) = watch::channel(false);
        if let (Some(part), Some(receipts)) = (setup.verify, setup.receipts.clone()) {
            let rechecks = Rechecks::new(part, metrics.clone());
            pool.recheck_with(rechecks.clone());
            let (pool, stopped) = (pool.clone(), stopped.clone());
            tokio::spawn(async move { rechecks.run(&*receipts, &pool, stopped).await });
        }
        let served = GatewayOptions {
            names: vec!["tiny".into()],
            default_tokens: 100,
            most_body: 10_000,
            most_values: 1_000,
            most_calls: setup.most_calls,
            most_templates: setup.most_templates,
            body_patience: setup.body_patience,
            template_patience: setup.template_patience,
            chain: Some(GatewayChain {
                rpc: "ws://node:9944".into(),
                symbol: "NOEMA".into(),
                decimals: 12,
            }),
            verifies: setup.verify.is_some(),
            connections: setup.connections,
            ..GatewayOptions::new(CheckpointId(H256::repeat_byte(7)), CONTEXT)
        };
        let gateway = Gateway::new(
            served,
            pool.clone(),
            setup.layer,
            setup.keys,
            setup.receipts,
            metrics,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { gateway.serve(listener, stopped, Duration::ZERO).await });
        Self {
            address,
            pool,
            _stop: stop,
        }
    }

    /// Sends a call, and does not wait for the reply.
    pub(crate) async fn send(&self, line: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        let call = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(call.as_bytes()).await.expect("sends");
        stream
    }

    pub(crate) async fn call(&self, line: &str, headers: &str, body: &str) -> Reply {
        let mut stream = self.send(line, headers, body).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("a reply");
        Reply::read(&String::from_utf8(bytes).expect("UTF-8"))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(&format!("POST {path}"), "", &body.to_string())
            .await
    }

    pub(crate) async fn chat(&self, body: &Value) -> Reply {
        self.post("/v1/chat/completions", body).await
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let head = head.to_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let is_chunked = head.contains("transfer-encoding: chunked");
        Self {
            status: status.expect("a status"),
            body: match is_chunked {
                true => joined(body),
                false => body.to_owned(),
            },
            head,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The parameter that an error names.
    pub(crate) fn refused(&self) -> (u16, String) {
        let parameter = self.json()["error"]["param"].clone();
        let parameter = parameter.as_str().unwrap_or_default().to_owned();
        (self.status, parameter)
    }

    /// The data of the events of a stream, without the last, which is `[DONE]`.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = self
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        lines
            .filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).expect("JSON"))
            .collect()
    }
}

/// The chunks of a body as one.
fn joined(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a length");
        whole += &rest[..length];
        body = &rest[length + 2..];
    }
    whole
}
