//! What the pool needs of the chain and of workers, as traits, so that it can be tested without both.

use async_trait::async_trait;
use noema_economics::Balance;
use noema_protocol::SamplingParameters;
use noema_session_transport::{
    ConnectionFault, PaidAnswer, PayerSession, PendingAnswer, SessionError, WorkerRefusal,
};
use noema_sessions::{PayerError, PayerPhase, SessionPrices, WorkerError};
use tokio::sync::watch;

/// The controller of a worker.
pub type WorkerId = [u8; 32];

/// A worker with which a session can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerOffer {
    /// The worker.
    pub worker: WorkerId,
    /// Its prices.
    pub prices: SessionPrices,
}

/// Takes tokens as they come.
pub type OnTokens<'a> = &'a mut (dyn FnMut(&[u32]) + Send);

/// The workers of one checkpoint, and the payer's account.
#[async_trait]
pub trait Market: Send + Sync + 'static {
    /// The workers with which a session can be opened.
    ///
    /// # Errors
    /// When the chain cannot be read; the reason is a sentence.
    async fn offers(&self) -> Result<Vec<WorkerOffer>, String>;

    /// Opens a session with a worker, at most at the prices of `offer`, with `amount` on hold. Returns once the worker
    /// can be asked.
    ///
    /// # Errors
    /// When the chain or the worker refuses. A session that is open on chain nevertheless is among those that
    /// [`reopen`](Self::reopen) returns later.
    async fn open(
        &self,
        offer: WorkerOffer,
        amount: Balance,
    ) -> Result<Box<dyn PaidSession>, OpenFault>;

    /// The sessions of earlier starts. Their workers are connected to at the same time.
    ///
    /// # Errors
    /// When the chain or the store cannot be read.
    async fn reopen(&self) -> Result<EarlierSessions, String>;
}

/// Why no session was opened; the reasons are sentences.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenFault {
    /// The chain is not reached, or refuses. What the next attempt finds may be different.
    #[error("{0}")]
    Chain(String),
    /// The worker is not reached, or refuses.
    #[error("{0}")]
    Worker(String),
}

/// The sessions of earlier starts of a gateway.
#[derive(Default)]
pub struct EarlierSessions {
    /// Those whose workers can be asked.
    pub connected: Vec<Box<dyn PaidSession>>,
    /// Those whose workers are not reached now: they are connected to later, or closed.
    pub lost: Vec<Box<dyn PaidSession>>,
    /// What all others hold, or have spent.
    pub committed: Balance,
}

/// A session with a worker. It has one answer at a time.
#[async_trait]
pub trait PaidSession: Send + 'static {
    /// The worker.
    fn worker(&self) -> WorkerId;

    /// The prices.
    fn prices(&self) -> SessionPrices;

    /// The amount on hold, top-ups included.
    fn held(&self) -> Balance;

    /// The price of all answers that are paid.
    fn paid(&self) -> Balance;

    /// The conversations, prompts with their answers, that the worker may have cached for it from an earlier start, the
    /// oldest first. Empty after the first call.
    fn earlier(&mut self) -> Vec<Vec<u32>>;

    /// Asks for an answer. Tokens are handed over as they come, before the receipt is there. The answer is ended early
    /// once `end` is true or has lost its sender.
    ///
    /// # Errors
    /// As [`PendingAnswer::next`](noema_session_transport::PendingAnswer::next).
    async fn ask(
        &mut self,
        prompt: Vec<u32>,
        parameters: SamplingParameters,
        on_tokens: OnTokens<'_>,
        end: &mut watch::Receiver<bool>,
    ) -> Result<PaidAnswer, SessionError>;

    /// Receives an answer that was asked for and not received, from its first token on; `None` where there is none.
    ///
    /// # Errors
    /// As those of [`ask`](Self::ask).
    async fn resume(
        &mut self,
        on_tokens: OnTokens<'_>,
        end: &mut watch::Receiver<bool>,
    ) -> Result<Option<PaidAnswer>, SessionError>;

    /// Sends the last voucher, unless the worker has it.
    ///
    /// # Errors
    /// When the connection fails, or the worker refuses.
    async fn pay(&mut self) -> Result<(), SessionError>;

    /// Adds `amount` to the hold. Returns once the chain has it.
    ///
    /// # Errors
    /// When the chain refuses.
    async fn top_up(&mut self, amount: Balance) -> Result<(), String>;

    /// Connects to the worker again, at the endpoint and with the hot key that it has on chain now.
    ///
    /// # Errors
    /// When the worker is not reached or refuses.
    async fn reconnect(&mut self) -> Result<(), String>;

    /// Closes the session on chain; the rest of the hold returns when the worker has had time for its last vouchers.
    ///
    /// # Errors
    /// When the chain refuses.
    async fn close(&mut self) -> Result<(), String>;
}

/// Asks for an answer over a connection, as [`PaidSession::ask`] describes. An earlier answer that was not received is
/// ended and received first.
///
/// # Errors
/// As those.
pub async fn ask_session(
    session: &mut PayerSession,
    prompt: Vec<u32>,
    parameters: SamplingParameters,
    on_tokens: OnTokens<'_>,
    end: &mut watch::Receiver<bool>,
) -> Result<PaidAnswer, SessionError> {
    receive_earlier(session).await?;
    let pending = session.ask(prompt, parameters).await?;
    receive(pending, on_tokens, end).await
}

/// Receives an answer that was asked for and not received, as [`PaidSession::resume`] describes.
///
/// # Errors
/// As those.
pub async fn resume_session(
    session: &mut PayerSession,
    on_tokens: OnTokens<'_>,
    end: &mut watch::Receiver<bool>,
) -> Result<Option<PaidAnswer>, SessionError> {
    match session.resume().await? {
        Some(pending) => Ok(Some(receive(pending, on_tokens, end).await?)),
        None => Ok(None),
    }
}

/// Ends and receives an answer that was asked for and not received, if there is one.
///
/// # Errors
/// When the connection breaks, or the worker refuses.
pub async fn receive_earlier(
    session: &mut PayerSession,
) -> Result<Option<PaidAnswer>, SessionError> {
    if matches!(session.side().phase(), PayerPhase::Idle) {
        return Ok(None);
    }
    let (_ended, mut end) = watch::channel(true);
    resume_session(session, &mut |_| (), &mut end).await
}

async fn receive(
    mut pending: PendingAnswer<'_>,
    on_tokens: OnTokens<'_>,
    end: &mut watch::Receiver<bool>,
) -> Result<PaidAnswer, SessionError> {
    let mut is_ended = false;
    loop {
        // A `next` that is dropped here loses nothing.
        let next = tokio::select! {
            biased;
            () = ended(end), if !is_ended => None,
            next = pending.next() => Some(next?),
        };
        match next {
            None => {
                is_ended = true;
                pending.end().await?;
            }
            Some(Some(tokens)) => on_tokens(&tokens),
            Some(None) => return pending.finish().await,
        }
    }
}

async fn ended(end: &mut watch::Receiver<bool>) {
    let _ = end.wait_for(|end| *end).await;
}

/// What is to be done about an error of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The hold is too low.
    TopUp,
    /// The worker gives a shorter answer first.
    AskForLess,
    /// The rules of sessions refuse the prompt or the parameters, before a worker is asked.
    Refuse,
    /// Another worker is asked; the session can be used again.
    AskAnother,
    /// Another worker is asked; the session needs another connection.
    Reconnect,
    /// Another worker is asked, and the session is closed.
    Leave,
    /// No worker can be asked: nothing can be stored here.
    MakeRoom,
}

impl Remedy {
    /// The remedy of an error.
    pub(crate) fn of(error: &SessionError) -> Self {
        if error.is_breach() {
            return Self::Leave;
        }
        match error {
            SessionError::Rules(PayerError::HoldTooLow) => Self::TopUp,
            SessionError::Rules(
                PayerError::NoPrompt
                | PayerError::Parameters
                | PayerError::TooLong
                | PayerError::Overflow,
            ) => Self::Refuse,
            SessionError::Connection(ConnectionFault::Refused(refusal)) => match refusal {
                // The same rule let the payer ask, so the worker does not know of a top-up yet.
                WorkerRefusal::Rules(WorkerError::HoldTooLow) => Self::AskAnother,
                WorkerRefusal::Rules(WorkerError::CreditTooLow) => Self::AskForLess,
                // The payer's side of the rules let it ask, so another worker may answer.
                WorkerRefusal::Rules(WorkerError::TooLong | WorkerError::NoPrompt)
                | WorkerRefusal::Prompt => Self::AskAnother,
                WorkerRefusal::NotServed => Self::Leave,
                refusal if refusal.may_pass() => Self::AskAnother,
                _ => Self::Reconnect,
            },
            SessionError::Store(_) => Self::MakeRoom,
            _ => Self::Reconnect,
        }
    }
}

/// Whether the answer may be complete at its worker, or be completed, although it was not received: the connection was
/// lost, and nothing was refused.
pub(crate) const fn is_lost(error: &SessionError) -> bool {
    matches!(
        error,
        SessionError::Connection(
            ConnectionFault::Broken(_) | ConnectionFault::Slow | ConnectionFault::Unreachable(_)
        )
    )
}
