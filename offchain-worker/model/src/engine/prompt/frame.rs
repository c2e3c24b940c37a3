//! The frame of a prompt, cut at the special tokens next to the message.

use super::{PromptError, Unsupported};
use crate::engine::tokenizer::TextCodec;
use noema_checkpoint::Frame;
use noema_split::Framing;
use std::ops::Range;
use tokenizers::AddedToken;

/// A side of a frame, cut at the special token that is next to the message.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// The tokens from the far end of the frame to that special token.
    pub(super) tokens: Vec<u32>,
    /// The rest of the frame next to the message.
    open: String,
    /// Whether that special token absorbs the white space next to it.
    strips: bool,
}

/// A frame, cut at the special tokens next to the message.
#[derive(Debug, Default)]
pub(super) struct CutFrame {
    pub(super) before: Side,
    pub(super) after: Side,
    /// The frame before it was cut.
    whole: Option<Frame>,
}

impl CutFrame {
    /// `frame`, cut; without one, nothing is around the message.
    pub(super) fn of(text: &TextCodec, frame: Option<&Frame>) -> Result<Self, PromptError> {
        let Some(frame) = frame else {
            return Ok(Self::default());
        };
        Ok(Self {
            before: Self::start(text, &frame.before)?,
            after: Self::end(text, &frame.after)?,
            whole: Some(frame.clone()),
        })
    }

    fn start(text: &TextCodec, written: &str) -> Result<Side, PromptError> {
        let marks = marks(text, written)?;
        let last = marks.last().and_then(|(place, token)| {
            let (tokens, open) = written.split_at_checked(place.end)?;
            Some((tokens, open, token.rstrip))
        });
        match last {
            Some((tokens, open, strips)) => Side::cut(text, tokens, open, strips),
            None => Ok(Side::open(written)),
        }
    }

    fn end(text: &TextCodec, written: &str) -> Result<Side, PromptError> {
        let marks = marks(text, written)?;
        let first = marks.first().and_then(|(place, token)| {
            let (open, tokens) = written.split_at_checked(place.start)?;
            Some((open, tokens, token.lstrip))
        });
        match first {
            Some((open, tokens, strips)) => Side::cut(text, tokens, open, strips),
            None => Ok(Side::open(written)),
        }
    }

    /// The number of tokens that are the same in every prompt.
    pub(super) const fn tokens(&self) -> u64 {
        self.before.tokens.len() as u64 + self.after.tokens.len() as u64
    }

    /// The number of bytes of the frame that are encoded together with the message.
    pub(super) const fn open_bytes(&self) -> u64 {
        self.before.open.len() as u64 + self.after.open.len() as u64
    }

    /// Whether white space at both ends of the message is left out.
    pub(super) fn trims(&self) -> bool {
        self.whole.as_ref().is_some_and(|frame| frame.trims)
    }

    /// The frame as it is stated for the steps of a split.
    pub(super) fn framing(&self) -> Framing {
        Framing {
            before: self.before.tokens.clone(),
            begins: self.before.open.clone(),
            ends: self.after.open.clone(),
            after: self.after.tokens.clone(),
            trims: self.trims(),
            strips_begin: self.before.strips,
            strips_end: self.after.strips,
        }
    }

    /// `message` with the rest of the frame.
    pub(super) fn text(&self, message: &str) -> String {
        let whole = self.whole.as_ref();
        let message = whole.map_or(message, |frame| frame.content(message));
        let text = [&self.before.open, message, &self.after.open].concat();
        let mut rest = text.as_str();
        if self.before.strips {
            rest = rest.trim_start();
        }
        if self.after.strips {
            rest = rest.trim_end();
        }
        rest.to_owned()
    }
}

impl Side {
    fn open(written: &str) -> Self {
        Self {
            open: written.to_owned(),
            ..Self::default()
        }
    }

    fn cut(text: &TextCodec, written: &str, open: &str, strips: bool) -> Result<Self, PromptError> {
        let tokens = text.encode_frame(written);
        Ok(Self {
            tokens: tokens.map_err(|error| PromptError::Tokenizer(error.to_string()))?,
            open: open.to_owned(),
            strips,
        })
    }
}

/// The special tokens that a template wrote, and their byte ranges.
pub(super) fn marks(
    text: &TextCodec,
    written: &str,
) -> Result<Vec<(Range<usize>, AddedToken)>, Unsupported> {
    let has_normalizer = text.tokenizer().get_normalizer().is_some();
    // Whether such a token is found depends on its neighbours, or on the normalized text.
    let depends = |token: &AddedToken| token.single_word || token.normalized && has_normalizer;
    let marks = text.added_in(written).into_iter();
    marks
        .filter(|(_, _, token)| token.special)
        .map(|(place, _, token)| match depends(&token) {
            false => Ok((place, token)),
            true => Err(Unsupported::new(
                format!(
                    "a frame with the special token {:?}, which is searched for as a word or in normalized text",
                    token.content
                ),
                "set its \"normalized\" and \"single_word\" to false in tokenizer.json",
            )),
        })
        .collect()
}
