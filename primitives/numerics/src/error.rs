//! Errors of executing tokens.

use core::fmt;

/// Why a forward pass is refused. In that case nothing has been computed or cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardError {
    /// A token is not in the vocabulary.
    TokenOutOfRange {
        /// Index of the token among those given.
        index: usize,
        /// The token.
        token: u32,
        /// Tokens of the vocabulary.
        vocabulary: u32,
    },
    /// The positions do not fit in the cache or in the model's context.
    ContextFull {
        /// Positions that would be needed.
        needed: usize,
        /// Positions that are available.
        capacity: usize,
    },
    /// The first position does not follow the cached ones.
    PositionNotCached {
        /// The requested first position.
        start: usize,
        /// Positions that are cached.
        cached: usize,
    },
    /// Hidden vectors are wanted of tokens that are not given.
    WantedOutOfRange {
        /// First index wanted.
        start: usize,
        /// Index after the last wanted.
        end: usize,
        /// Tokens given.
        tokens: usize,
    },
    /// The prompt is empty.
    EmptyPrompt,
    /// An answer of no tokens is requested.
    NoTokens,
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenOutOfRange {
                index,
                token,
                vocabulary,
            } => write!(
                f,
                "token {token} at index {index} is outside the vocabulary of {vocabulary} tokens"
            ),
            Self::ContextFull { needed, capacity } => write!(
                f,
                "{needed} positions are needed but the context has room for {capacity}"
            ),
            Self::PositionNotCached { start, cached } => write!(
                f,
                "a pass from position {start} needs the positions before it, but {cached} are cached"
            ),
            Self::WantedOutOfRange { start, end, tokens } => write!(
                f,
                "hidden vectors {start}..{end} are wanted of a pass over {tokens} tokens"
            ),
            Self::EmptyPrompt => f.write_str("the prompt has no tokens"),
            Self::NoTokens => f.write_str("an answer must be allowed at least one token"),
        }
    }
}

impl core::error::Error for ForwardError {}
