//! A payer that breaks the rules of a session with a worker.

use crate::peer::{begin, connect, endpoint, read_answer, say};
use crate::ChainArgs;
use anyhow::{bail, Context};
use clap::Args;
use iroh::endpoint::Connection;
use iroh::Endpoint;
use noema_artefacts::Peer;
use noema_protocol::{hashing, SamplingParameters, SessionId};
use noema_session_transport::{
    AskMessage, FromWorker, PayerTerms, Sign, SignedReceipt, SignedVoucher, ToWorker, WorkerRefusal,
};
use noema_sessions::{Agreement, Ask, Bundle, Voucher};
use noema_worker::artefacts;
use noema_worker::keys::Key;
use noema_worker::payer;
use serde_json::{json, Map, Value};
use std::time::Duration;

/// Tokens of each answer.
const TOKENS: u16 = 8;
/// A token that no vocabulary has.
const NO_TOKEN: u32 = u32::MAX;
/// Tokens of the answer that is read slowly: as many as the worker gives on credit after two answers.
const LONG: u16 = 40;
/// Answers at most, until the hold is exhausted.
const MOST_ANSWERS: u32 = 1_000;

#[derive(Debug, Args)]
pub(crate) struct PayerArgs {
    #[command(flatten)]
    chain: ChainArgs,
    /// The session.
    #[arg(long)]
    session: u64,
    /// Seconds for which the payer does not read an answer.
    #[arg(long, default_value_t = 2)]
    pause: u64,
}

/// A payer, connected to the worker of its session.
struct Dishonest {
    endpoint: Endpoint,
    worker: Peer,
    key: Key,
    terms: PayerTerms,
    agreement: Agreement,
    connection: Connection,
    /// The receipts so far.
    bundle: Bundle,
    paid: Option<SignedVoucher>,
}

pub(crate) async fn run(args: PayerArgs) -> anyhow::Result<()> {
    let mut payer = Dishonest::open(&args).await?;
    let mut told = Map::new();
    told.insert("another_payer".into(), payer.repeats_a_signature().await?);
    told.insert("no_message".into(), payer.sends_garbage().await?);
    payer.ask_beyond(&mut told).await?;
    payer.ask_and_not_pay(&mut told).await?;
    told.insert("slow_reader".into(), payer.reads_slowly(args.pause).await?);
    told.insert("beyond_hold".into(), payer.exhausts_its_hold().await?);
    told.insert("answers".into(), json!(payer.bundle.count()));
    told.insert("price".into(), json!(payer.bundle.total().to_string()));
    println!("{}", Value::Object(told));
    Ok(())
}

/// A reply in a word.
fn word(reply: &FromWorker) -> Value {
    match reply {
        FromWorker::Refused(WorkerRefusal::Rules(reason)) => json!(format!("{reason:?}")),
        FromWorker::Refused(reason) => json!(format!("{reason:?}")),
        FromWorker::Answered(_) => json!("answered"),
        FromWorker::Paid { count } => json!(format!("paid {count}")),
        other => json!(format!("{other:?}")),
    }
}

impl Dishonest {
    async fn open(args: &PayerArgs) -> anyhow::Result<Self> {
        let node = args.chain.node().await?;
        let key = Key::load(&args.chain.key)?;
        let terms = payer::terms(&node, SessionId(args.session)).await?;
        let at = node.finalized().await?;
        let worker = artefacts::peer(&at, &terms.terms.worker).await?;
        let worker = worker.context("the worker has no endpoint")?;
        let endpoint = endpoint().await?;
        let connection = greet(&endpoint, &worker).await?;
        let payer = Self {
            agreement: terms.terms.agreement(terms.genesis),
            bundle: Bundle::default(),
            paid: None,
            endpoint,
            worker,
            key,
            terms,
            connection,
        };
        // A worker learns of a new session with the next final block.
        for _ in 0..50 {
            let open = payer.opening(&payer.endpoint);
            if let (FromWorker::Opened { .. }, _) = say(&payer.connection, &open).await? {
                return Ok(payer);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("the worker does not open the session")
    }

    /// The message that opens the session, for a connection from `endpoint`.
    fn opening(&self, endpoint: &Endpoint) -> ToWorker {
        let (from, to) = (*endpoint.id().as_bytes(), self.worker.id.0);
        let session = self.agreement.session;
        let payload = hashing::session_peer_payload(self.terms.genesis, session, from, to);
        ToWorker::Open {
            session,
            signature: self.key.sign(&payload),
        }
    }

    fn ask(&self, prompt: &[u32], max_tokens: u16) -> ToWorker {
        ToWorker::Ask(Box::new(AskMessage {
            session: self.agreement.session,
            ask: Ask {
                n: self.bundle.count(),
                prompt_hash: hashing::tokens_hash(prompt),
                prompt_tokens: u32::try_from(prompt.len()).unwrap_or(u32::MAX),
                parameters: SamplingParameters::greedy(max_tokens),
            },
            prompt: prompt.to_vec(),
            voucher: self.paid,
        }))
    }

    fn sign(&self, voucher: Voucher) -> SignedVoucher {
        SignedVoucher {
            voucher,
            signature: self.key.sign(&voucher.payload()),
        }
    }

    async fn pay(&self, signed: SignedVoucher) -> anyhow::Result<Value> {
        let (reply, _) = say(&self.connection, &ToWorker::Pay(Box::new(signed))).await?;
        Ok(word(&reply))
    }

    /// Asks, and takes the receipt; returns the voucher that pays for it.
    async fn receive(&mut self, prompt: &[u32]) -> anyhow::Result<SignedVoucher> {
        let (reply, tokens) = say(&self.connection, &self.ask(prompt, TOKENS)).await?;
        let FromWorker::Answered(signed) = reply else {
            bail!("no answer: {reply:?}");
        };
        self.take(&signed, &tokens)
    }

    fn take(&mut self, signed: &SignedReceipt, tokens: &[u32]) -> anyhow::Result<SignedVoucher> {
        if signed.receipt.answer_hash != hashing::tokens_hash(tokens) {
            bail!("the receipt states another answer");
        }
        let bundle = self.bundle.with(&signed.receipt);
        self.bundle = bundle.context("the receipt is not the next one")?;
        Ok(self.sign(self.bundle.voucher(&self.agreement)))
    }

    /// Another peer, as a relay would be, repeats the signature with which this one opened the session.
    async fn repeats_a_signature(&self) -> anyhow::Result<Value> {
        let other = endpoint().await?;
        let connection = greet(&other, &self.worker).await?;
        let (reply, _) = say(&connection, &self.opening(&self.endpoint)).await?;
        Ok(word(&reply))
    }

    /// A peer sends what is no message; the connection of this one stays.
    async fn sends_garbage(&self) -> anyhow::Result<Value> {
        let other = endpoint().await?;
        let connection = greet(&other, &self.worker).await?;
        let (mut send, _receive) = connection.open_bi().await?;
        send.write_all(b"this is no message of the protocol")
            .await?;
        let _ = send.finish();
        connection.closed().await;
        Ok(match self.connection.close_reason() {
            None => json!("closed"),
            Some(reason) => json!(format!("the other one, too: {reason}")),
        })
    }

    /// Asks for what no worker gives.
    async fn ask_beyond(&self, told: &mut Map<String, Value>) -> anyhow::Result<()> {
        let context = usize::try_from(self.agreement.leaf_tokens)?;
        let asks = [
            ("token_out_of_range", vec![1, NO_TOKEN], TOKENS),
            ("prompt_over_context", vec![1; context], TOKENS),
            ("no_prompt", Vec::new(), TOKENS),
            ("answer_over_credit", vec![1], u16::try_from(context - 1)?),
        ];
        for (name, prompt, tokens) in asks {
            let (reply, _) = say(&self.connection, &self.ask(&prompt, tokens)).await?;
            told.insert(name.into(), word(&reply));
        }
        Ok(())
    }

    /// Signs everything but the right voucher, and signs that one twice.
    async fn ask_and_not_pay(&mut self, told: &mut Map<String, Value>) -> anyhow::Result<()> {
        let right = self.receive(&[1, 2, 3]).await?;
        let (reply, _) = say(&self.connection, &self.ask(&[4], TOKENS)).await?;
        told.insert("unpaid".into(), word(&reply));
        let less = Voucher {
            amount: right.voucher.amount - 1,
            ..right.voucher
        };
        told.insert("smaller_voucher".into(), self.pay(self.sign(less)).await?);
        let mut forged = right;
        forged.signature[0] ^= 1;
        told.insert("forged_voucher".into(), self.pay(forged).await?);
        told.insert("voucher".into(), self.pay(right).await?);
        told.insert("other_voucher".into(), self.pay(self.sign(less)).await?);
        self.paid = Some(right);
        let second = self.receive(&[4, 5]).await?;
        told.insert("old_voucher".into(), self.pay(right).await?);
        self.paid = Some(second);
        self.pay(second).await?;
        Ok(())
    }

    /// Does not read an answer for a while, and then reads all of it.
    async fn reads_slowly(&mut self, pause: u64) -> anyhow::Result<Value> {
        let (_send, mut receive) = begin(&self.connection, &self.ask(&[7], LONG)).await?;
        tokio::time::sleep(Duration::from_secs(pause)).await;
        let (reply, tokens) = read_answer(&mut receive).await?;
        let FromWorker::Answered(signed) = reply else {
            return Ok(word(&reply));
        };
        let voucher = self.take(&signed, &tokens)?;
        self.paid = Some(voucher);
        self.pay(voucher).await
    }

    /// Asks and pays until the worker refuses; returns why.
    async fn exhausts_its_hold(&mut self) -> anyhow::Result<Value> {
        for _ in 0..MOST_ANSWERS {
            let (reply, tokens) = say(&self.connection, &self.ask(&[6], TOKENS)).await?;
            let FromWorker::Answered(signed) = reply else {
                return Ok(word(&reply));
            };
            let voucher = self.take(&signed, &tokens)?;
            self.paid = Some(voucher);
            self.pay(voucher).await?;
        }
        bail!("the hold is not exhausted after {MOST_ANSWERS} answers")
    }
}

/// A connection to a worker that has agreed on the version.
async fn greet(endpoint: &Endpoint, worker: &Peer) -> anyhow::Result<Connection> {
    let connection = connect(endpoint, worker).await?;
    let hello = ToWorker::Hello {
        lowest: 1,
        highest: 1,
    };
    match say(&connection, &hello).await? {
        (FromWorker::Hello { version: 1 }, _) => Ok(connection),
        (other, _) => bail!("the worker does not greet: {other:?}"),
    }
}
