//! The payer's side: it asks, verifies, and pays.

use crate::connection::unexpected;
use crate::frame::Reader;
use crate::{
    blocking, is_signed, AccountBytes, AskMessage, ConnectionFault, FromWorker, PayerRecord,
    PayerStore, ReceivedAnswer, SessionError, Sign, SignedReceipt, SignedVoucher, ToWorker,
    WorkerConnection,
};
use iroh::endpoint::SendStream;
use noema_economics::Balance;
use noema_protocol::{hashing, SamplingParameters, SessionId};
use noema_sessions::{Ask, PayerError, PayerPhase, PayerSide, SessionTerms};
use sp_core::H256;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// What a payer knows of its session from the finalized chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerTerms {
    /// The hash of the genesis block.
    pub genesis: H256,
    /// The terms.
    pub terms: SessionTerms<AccountBytes>,
    /// The session's hold, top-ups included.
    pub held: Balance,
    /// The hot key of the worker.
    pub worker_key: AccountBytes,
}

/// A session of a payer, on a connection to its worker.
///
/// Each step is on disk before the message that follows from it is sent. A payer that stopped opens the session again,
/// and [resumes](Self::resume) the answer that it had asked for.
pub struct PayerSession {
    connection: WorkerConnection,
    store: Arc<PayerStore>,
    key: Arc<dyn Sign>,
    worker: AccountBytes,
    worker_key: AccountBytes,
    record: PayerRecord,
    /// Whether the worker has the last voucher.
    is_paid: bool,
}

/// An answer that was asked for.
pub struct PendingAnswer<'a> {
    session: &'a mut PayerSession,
    ask: Ask,
    send: SendStream,
    reader: Reader,
    tokens: Vec<u32>,
    /// Whether it was asked for the first time, so that the worker drops it if it refuses it.
    is_first: bool,
    /// When the rest has to be there; `None` before the worker was told to end the answer.
    deadline: Option<Instant>,
    /// The receipt that arrived, which is not verified, or not on disk yet.
    arrived: Option<SignedReceipt>,
    receipt: Option<SignedReceipt>,
}

/// A complete answer: its receipt is verified, and its voucher is signed. The voucher is sent with the next ask, or by
/// [`PayerSession::pay`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidAnswer {
    /// Its tokens, a closing stop token included.
    pub tokens: Vec<u32>,
    /// Its receipt.
    pub receipt: SignedReceipt,
}

impl PayerSession {
    /// Opens a session on a connection to its worker, or opens it again, as it is in `store`. `key` is its voucher key.
    ///
    /// # Errors
    /// When the connection or the store fails, or the worker refuses.
    pub async fn open(
        connection: WorkerConnection,
        store: Arc<PayerStore>,
        key: Arc<dyn Sign>,
        terms: &PayerTerms,
    ) -> Result<Self, SessionError> {
        let agreement = terms.terms.agreement(terms.genesis);
        let (stored, hash) = (store.clone(), agreement.terms);
        let found = blocking(move || stored.get(hash)).await?;
        let mut record = found.unwrap_or_else(|| PayerRecord {
            side: PayerSide::new(agreement, terms.held),
            prompt: Vec::new(),
            voucher: None,
        });
        record.side.set_held(terms.held);
        let count = connection
            .open(terms.genesis, terms.terms.session, &*key)
            .await?;
        Ok(Self {
            is_paid: count >= record.side.bundle().count(),
            connection,
            store,
            key,
            worker: terms.terms.worker,
            worker_key: terms.worker_key,
            record,
        })
    }

    /// The payer's side of the session.
    pub const fn side(&self) -> &PayerSide {
        &self.record.side
    }

    /// The connection to the worker.
    pub const fn connection(&self) -> &WorkerConnection {
        &self.connection
    }

    /// Takes the session's hold, top-ups included.
    pub const fn set_held(&mut self, held: Balance) {
        self.record.side.set_held(held);
    }

    /// The hot key of the worker, with which receipts are signed.
    pub const fn worker_key(&self) -> AccountBytes {
        self.worker_key
    }

    /// Asks for an answer to a prompt of these tokens. Sends the last voucher with it.
    ///
    /// # Errors
    /// When the rules of the session refuse it, the connection or the store fails, or the disk has no room for an answer.
    pub async fn ask(
        &mut self,
        prompt: Vec<u32>,
        parameters: SamplingParameters,
    ) -> Result<PendingAnswer<'_>, SessionError> {
        let mut next = self.record.clone();
        let count = u32::try_from(prompt.len()).map_err(|_| PayerError::TooLong)?;
        let ask = next
            .side
            .ask(hashing::tokens_hash(&prompt), count, parameters)?;
        next.prompt = prompt;
        // Its receipt will have to be stored before it is paid.
        self.store.ensure_room_for_answer()?;
        self.put(next, None).await?;
        self.send_ask(ask, true).await
    }

    /// Asks again for the answer that was asked for and not received; `None` if there is none.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn resume(&mut self) -> Result<Option<PendingAnswer<'_>>, SessionError> {
        let phase = *self.record.side.phase();
        match phase {
            PayerPhase::Idle => Ok(None),
            PayerPhase::Asked { ask, .. } => Ok(Some(self.send_ask(ask, false).await?)),
        }
    }

    /// Sends the last voucher, unless the worker has it.
    ///
    /// # Errors
    /// When the connection fails, or the worker refuses.
    pub async fn pay(&mut self) -> Result<(), SessionError> {
        let Some(signed) = self.voucher().filter(|_| !self.is_paid) else {
            return Ok(());
        };
        let pay = ToWorker::Pay(Box::new(signed));
        match self.connection.exchange(&pay).await? {
            FromWorker::Paid { count } if count >= signed.voucher.count => {
                self.is_paid = true;
                Ok(())
            }
            other => Err(unexpected(other).into()),
        }
    }

    /// The last voucher with its signature; `None` before the first.
    pub fn voucher(&self) -> Option<SignedVoucher> {
        let voucher = self.record.side.last_voucher()?;
        let signature = self.record.voucher?;
        Some(SignedVoucher { voucher, signature })
    }

    fn session(&self) -> SessionId {
        self.record.side.agreement().session
    }

    async fn send_ask(
        &mut self,
        ask: Ask,
        is_first: bool,
    ) -> Result<PendingAnswer<'_>, SessionError> {
        let message = ToWorker::Ask(Box::new(AskMessage {
            session: self.session(),
            ask,
            prompt: self.record.prompt.clone(),
            voucher: self.voucher(),
        }));
        let (send, reader) = self.connection.stream(&message).await?;
        let mut pending = PendingAnswer {
            session: self,
            ask,
            send,
            reader,
            tokens: Vec::new(),
            is_first,
            deadline: None,
            arrived: None,
            receipt: None,
        };
        if pending.is_ended() {
            // The worker may not know it yet.
            pending.send_end().await?;
        }
        Ok(pending)
    }

    /// Writes a step to disk, and takes it then.
    async fn put(
        &mut self,
        next: PayerRecord,
        answer: Option<ReceivedAnswer>,
    ) -> Result<(), SessionError> {
        let (store, written) = (self.store.clone(), next.clone());
        blocking(move || store.put(&written, answer.as_ref())).await?;
        self.record = next;
        Ok(())
    }
}

impl PendingAnswer<'_> {
    /// The next tokens, as they come; `None` once the answer is complete, its receipt is verified and its voucher is
    /// signed. If the future is dropped, nothing that arrived is lost.
    ///
    /// # Errors
    /// When the connection breaks, the worker refuses, or what it sends is not what the session's rules require. After
    /// an error, [`SessionError::is_breach`] states whether the worker is to be left; otherwise the answer can be
    /// [resumed](PayerSession::resume), or asked for again where the worker refused it at once.
    pub async fn next(&mut self) -> Result<Option<Vec<u32>>, SessionError> {
        if self.receipt.is_some() {
            return Ok(None);
        }
        if let Some(signed) = self.arrived {
            self.receive(signed).await?;
            return Ok(None);
        }
        let tokens = self.session.connection.patience.tokens;
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // A worker could otherwise send a token now and then, and hold the session for days.
        let patience = left.map_or(tokens, |left| left.min(tokens));
        match self.reader.next_within::<FromWorker>(patience).await? {
            FromWorker::Tokens(tokens) => {
                self.tokens.extend(&tokens);
                if tokens.is_empty() {
                    return Err(ConnectionFault::OutOfPlace.into());
                }
                if self.tokens.len() > usize::from(self.ask.parameters.max_tokens) {
                    return Err(SessionError::TooManyTokens);
                }
                Ok(Some(tokens))
            }
            FromWorker::Answered(signed) => {
                self.arrived = Some(*signed);
                self.receive(*signed).await?;
                Ok(None)
            }
            FromWorker::Refused(refusal) => {
                if self.is_first && self.tokens.is_empty() {
                    let mut next = self.session.record.clone();
                    next.side.withdraw_ask();
                    next.prompt = Vec::new();
                    self.session.put(next, None).await?;
                }
                Err(ConnectionFault::Refused(refusal).into())
            }
            _ => Err(ConnectionFault::OutOfPlace.into()),
        }
    }

    /// Ends the answer early: it gets the tokens that were computed so far, one at least. They still have to be
    /// received, for which the worker has [`WorkerPatience::end`](crate::WorkerPatience::end), and are paid.
    ///
    /// # Errors
    /// When the worker does not take the message, or the store fails.
    pub async fn end(&mut self) -> Result<(), SessionError> {
        if self.is_ended() || self.arrived.is_some() {
            return Ok(());
        }
        let mut next = self.session.record.clone();
        next.side.end_answer();
        self.session.put(next, None).await?;
        self.send_end().await
    }

    /// Receives the rest of the answer.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn finish(mut self) -> Result<PaidAnswer, SessionError> {
        while self.next().await?.is_some() {}
        match self.receipt {
            Some(receipt) => Ok(PaidAnswer {
                tokens: self.tokens,
                receipt,
            }),
            None => Err(SessionError::NothingAsked),
        }
    }

    fn is_ended(&self) -> bool {
        matches!(
            self.session.record.side.phase(),
            PayerPhase::Asked { is_ended: true, .. }
        )
    }

    async fn send_end(&mut self) -> Result<(), SessionError> {
        let connection = &self.session.connection;
        self.deadline = Some(Instant::now() + connection.patience.end);
        match connection.send(&mut self.send, &ToWorker::End).await {
            // A worker that has sent the whole answer reads no more: its receipt is on its way. Where the connection is
            // lost, reading tells.
            Ok(()) | Err(ConnectionFault::Broken(_)) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Verifies the receipt, and signs the voucher; both are on disk on return.
    async fn receive(&mut self, signed: SignedReceipt) -> Result<(), SessionError> {
        let session = &mut *self.session;
        let mut next = session.record.clone();
        let count = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
        let received = (hashing::tokens_hash(&self.tokens), count);
        let worker_key = session.worker_key;
        let voucher = next.side.receive(&signed.receipt, received, 0, |hash| {
            is_signed(&worker_key, hash, &signed.signature)
        })?;
        next.voucher = Some(session.key.sign(&voucher.payload()));
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let answer = ReceivedAnswer {
            worker: session.worker,
            received_at: since.unwrap_or_default().as_secs(),
            prompt: std::mem::take(&mut next.prompt),
            answer: self.tokens.clone(),
            receipt: signed,
        };
        session.put(next, Some(answer)).await?;
        session.is_paid = false;
        self.receipt = Some(signed);
        Ok(())
    }
}
