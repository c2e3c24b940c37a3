//! The text side: from conversations to tokens, and from tokens, as they come, to text.

mod detokenizer;
mod stop;

pub use detokenizer::Detokenizer;
pub use stop::{Found, StopFinder};

use crate::Json;
use serde::{Deserialize, Serialize};

/// A conversation as a chat template gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// The messages: maps with `role` and `content`, and what a template knows beside these.
    pub messages: Vec<Json>,
    /// The tools that the model may call; `None` without any.
    pub tools: Option<Vec<Json>>,
}

/// Why a text has no tokens, or tokens have no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextFault {
    /// The chat template does not write the conversation: the end of a sentence that begins with it.
    #[error("the checkpoint's chat template {0}")]
    Template(String),
    /// The chat template was not run.
    #[error("the checkpoint's chat template was not run: {0}")]
    NotRun(String),
    /// The tokenizer refuses the text.
    #[error("the checkpoint's tokenizer refuses the text: {0}")]
    Tokenizer(String),
}

/// The tokenizer and the chat template of a checkpoint.
pub trait TextLayer: Send + Sync + 'static {
    /// The tokens that ask for the next message of a conversation. Special tokens that are written out in a message or
    /// in a tool are text.
    ///
    /// # Errors
    /// When the template or the tokenizer refuses it.
    fn chat(&self, conversation: &Conversation) -> Result<Vec<u32>, TextFault>;

    /// The tokens of a text that an answer continues, without chat template. Special tokens written out in it are text.
    ///
    /// # Errors
    /// When the tokenizer refuses it.
    fn plain(&self, text: &str) -> Result<Vec<u32>, TextFault>;

    /// The text of tokens, without special ones. What is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// When the tokenizer refuses them.
    fn decode(&self, tokens: &[u32]) -> Result<String, TextFault>;

    /// Whether a token has no text.
    fn is_hidden(&self, token: u32) -> bool;
}
