//! What the API knows of the sessions: it asks, and gets tokens as they come, and receipts.

use async_trait::async_trait;
use noema_economics::Balance;
use noema_protocol::SamplingParameters;
use noema_session_transport::SignedReceipt;
use noema_sessions::AnswerEnd;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A prompt that is to be answered.
#[derive(Debug)]
pub struct PaidQuestion {
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The sampling parameters.
    pub parameters: SamplingParameters,
    /// Whether the tokens are passed on as they come, so that none can be taken back.
    pub is_streamed: bool,
    /// Whether the caller wants all of the answer to be executed again.
    pub is_verified: bool,
    /// Who pays for it.
    pub bill: Bill,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerPart {
    /// The next tokens.
    Tokens(Vec<u32>),
    /// Only this many of the tokens so far count: those after them are false, or have no receipt. Not where tokens are
    /// passed on.
    Kept(usize),
    /// The answer is complete.
    Done(CompleteAnswer),
    /// There is no complete answer.
    Failed(SourceFault),
}

/// Tokens of an answer that has no receipt for them: any words, as far as the chain can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsignedTokens {
    /// The number of tokens of the answer before them.
    pub first: usize,
    /// How many they are.
    pub tokens: usize,
}

/// What is known of a complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteAnswer {
    /// The verified receipts: one for each worker that answered, and for each part that was asked for.
    pub receipts: Vec<SignedReceipt>,
    /// The tokens without a receipt, in their order: those of workers that broke off after they were passed on. None
    /// where tokens are not passed on.
    pub unsigned: Vec<UnsignedTokens>,
    /// The tokens of the prompt that the first worker had cached.
    pub cached_tokens: u32,
    /// Why it ended.
    pub end: AnswerEnd,
    /// The price of all receipts.
    pub price: Balance,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceFault {
    /// The prompt has no answer.
    #[error("the prompt cannot be answered: {0}")]
    Prompt(String),
    /// No worker can be asked.
    #[error("no worker can be asked: {0}")]
    NoWorker(String),
    /// The budget of the gateway is spent.
    #[error("the budget of the gateway is spent; start it again with a higher --budget")]
    OutOfMoney,
    /// All sessions are in use.
    #[error("all sessions are in use; ask again later")]
    Busy,
    /// The gateway stops.
    #[error("the gateway stops; ask again later")]
    Stopping,
    /// The workers that were asked failed.
    #[error("the workers that were asked failed, the last one because {0}; ask again")]
    Failed(String),
    /// The budget of the key is spent, or reserved for other calls.
    #[error("the budget of the key does not cover the rest of the answer; ask for fewer tokens, or use another key")]
    KeyBudget,
    /// What would be signed or spent cannot be stored.
    #[error("the gateway cannot store what it would sign ({0}); its operator has to make room, or to repair the disk")]
    Store(String),
    /// A worker sent tokens that its receipt does not state, after they were passed on.
    #[error("the worker sent false tokens ({0}), and none was paid; ask again")]
    Breach(String),
}

/// Pays for the answers of one caller, within its budget.
#[async_trait]
pub trait Purse: Send + Sync + 'static {
    /// Reserves `amount`, beside what is reserved already. On return it is on disk where the budget depends on it: a
    /// crash then counts it as spent.
    ///
    /// # Errors
    /// [`SourceFault::KeyBudget`], or [`SourceFault::Store`].
    async fn reserve(&self, amount: Balance) -> Result<(), SourceFault>;

    /// Spends `price` of an amount that is reserved, and returns the rest.
    fn settle(&self, reserved: Balance, price: Balance);
}

/// The account of one answer. No more is spent on it than is [covered](Self::cover) before. It is settled when it is
/// dropped, also where the answer fails.
pub struct Bill {
    purse: Option<Arc<dyn Purse>>,
    reserved: Balance,
    price: Balance,
}

impl Bill {
    /// An account that `purse` pays.
    pub fn new(purse: Arc<dyn Purse>) -> Self {
        Self {
            purse: Some(purse),
            reserved: 0,
            price: 0,
        }
    }

    /// An account that no key pays.
    pub const fn free() -> Self {
        Self {
            purse: None,
            reserved: 0,
            price: 0,
        }
    }

    /// Reserves what is missing, so that `amount` can be spent beside the price so far.
    ///
    /// # Errors
    /// As [`Purse::reserve`].
    pub async fn cover(&mut self, amount: Balance) -> Result<(), SourceFault> {
        let needed = self.price.saturating_add(amount);
        let missing = needed.saturating_sub(self.reserved);
        if let Some(purse) = self.purse.as_ref().filter(|_| missing > 0) {
            purse.reserve(missing).await?;
            self.reserved = self.reserved.saturating_add(missing);
        }
        Ok(())
    }

    /// Adds the price of a receipt.
    pub const fn add(&mut self, price: Balance) {
        self.price = self.price.saturating_add(price);
    }

    /// The price so far.
    pub const fn price(&self) -> Balance {
        self.price
    }

    /// An account of its own for what is reserved beyond the price so far, `most` at most: for an answer whose receipt
    /// is still to come.
    pub fn split(&mut self, most: Balance) -> Self {
        let reserved = self.reserved.saturating_sub(self.price).min(most);
        self.reserved = self.reserved.saturating_sub(reserved);
        Self {
            purse: self.purse.clone(),
            reserved,
            price: 0,
        }
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        if let Some(purse) = self.purse.take() {
            purse.settle(self.reserved, self.price);
        }
    }
}

impl fmt::Debug for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bill({} of {})", self.price, self.reserved)
    }
}

/// An answer as it comes. Dropped, it ends the answer: the worker stops within a pass, and is paid for the tokens so
/// far.
#[derive(Debug)]
pub struct AnswerStream {
    parts: mpsc::UnboundedReceiver<AnswerPart>,
    end: watch::Sender<bool>,
}

/// The other end of an [`AnswerStream`].
#[derive(Debug)]
pub struct AnswerSink {
    /// Takes the parts. At most as many tokens wait as were asked for.
    pub parts: mpsc::UnboundedSender<AnswerPart>,
    /// Turns true, or loses its sender, when the answer is to end.
    pub end: watch::Receiver<bool>,
}

impl AnswerStream {
    /// A stream, and its other end.
    pub fn new() -> (Self, AnswerSink) {
        let (sender, parts) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        let sink = AnswerSink {
            parts: sender,
            end: ended,
        };
        (Self { parts, end }, sink)
    }

    /// The next part; `None` after the last, or where the source failed. If the future is dropped, no part is lost.
    pub async fn next(&mut self) -> Option<AnswerPart> {
        self.parts.recv().await
    }

    /// Ends the answer: parts that are on their way, and [`AnswerPart::Done`], still come.
    pub fn end(&self) {
        self.end.send_replace(true);
    }
}

impl AnswerSink {
    /// Whether the answer is to end.
    pub fn is_ended(&self) -> bool {
        *self.end.borrow() || self.parts.is_closed()
    }
}

/// Answers prompts.
#[async_trait]
pub trait AnswerSource: Send + Sync + 'static {
    /// Begins to answer.
    ///
    /// # Errors
    /// When it is known at once that there will be no answer.
    async fn ask(&self, question: PaidQuestion) -> Result<AnswerStream, SourceFault>;

    /// The most that an answer of `answer_tokens` tokens to a prompt of `prompt_tokens` tokens costs; `None` where no
    /// worker can be asked.
    fn dearest(&self, prompt_tokens: u32, answer_tokens: u32) -> Option<Balance>;

    /// A line on its state, for the health page.
    ///
    /// # Errors
    /// A line on what is wrong, where it cannot answer now.
    fn health(&self) -> Result<String, String>;
}
