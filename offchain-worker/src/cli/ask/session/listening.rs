//! An answer, from its first word to its receipt.

use crate::cli::ask::writer::Writer;
use anyhow::Context;
use indicatif::ProgressBar;
use noema_gateway::{
    AnswerPart, AnswerStream, CompleteAnswer, Detokenizer, SourceFault, TextFault,
};
use noema_model::engine::ChatCodec;
use std::io::{self, Stdout};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// Listens to an answer, and writes it as it comes.
pub(super) struct Listening<'a> {
    codec: Arc<ChatCodec>,
    spinner: &'a ProgressBar,
    /// `None` where the answer is written at its end.
    out: Option<Writer<Stdout>>,
    detokenizer: Detokenizer,
    tokens: Vec<u32>,
    text: String,
    first_word: Option<Instant>,
    /// Why the answer is no longer written.
    broken: Option<io::Error>,
}

/// What was heard of an answer.
pub(super) struct Heard {
    /// Its text.
    pub(super) text: String,
    /// The number of its tokens.
    pub(super) tokens: usize,
    /// When its first word came.
    pub(super) first_word: Option<Instant>,
    /// Whether Ctrl-C ended it.
    pub(super) is_ended_by_user: bool,
    /// Whether it was ended as it took too long.
    pub(super) is_late: bool,
    /// Its receipts, or why there are none.
    pub(super) end: Result<CompleteAnswer, SourceFault>,
}

impl Heard {
    /// No answer.
    pub(super) const fn nothing(fault: SourceFault) -> Self {
        Self {
            text: String::new(),
            tokens: 0,
            first_word: None,
            is_ended_by_user: false,
            is_late: false,
            end: Err(fault),
        }
    }

    /// Whether a part of it was heard.
    pub(super) const fn has_words(&self) -> bool {
        self.first_word.is_some()
    }
}

impl<'a> Listening<'a> {
    /// Listens. With `is_whole`, nothing is written.
    pub(super) fn new(codec: Arc<ChatCodec>, spinner: &'a ProgressBar, is_whole: bool) -> Self {
        Self {
            codec,
            spinner,
            out: (!is_whole).then(|| Writer::new(io::stdout())),
            detokenizer: Detokenizer::default(),
            tokens: Vec::new(),
            text: String::new(),
            first_word: None,
            broken: None,
        }
    }

    /// Listens to the end. Once `stop` is true or `deadline` has passed, the worker is told to end the answer, and its
    /// receipt is still taken.
    pub(super) async fn hear_out(
        mut self,
        mut answer: AnswerStream,
        deadline: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<Heard> {
        let (mut is_ended_by_user, mut is_late) = (false, false);
        let end = loop {
            let is_ended = is_ended_by_user || is_late || self.broken.is_some();
            let part = tokio::select! {
                biased;
                () = crate::stopped(stop), if !is_ended => {
                    is_ended_by_user = true;
                    None
                }
                () = tokio::time::sleep_until(deadline.into()), if !is_ended => {
                    is_late = true;
                    None
                }
                part = answer.next() => Some(part),
            };
            match part {
                None => answer.end(),
                Some(Some(AnswerPart::Tokens(tokens))) => self.hear(&tokens)?,
                Some(Some(AnswerPart::Kept(count))) => self.take_back(count)?,
                Some(Some(AnswerPart::Done(answered))) => break Ok(answered),
                Some(Some(AnswerPart::Failed(fault))) => break Err(fault),
                Some(None) => break Err(SourceFault::Failed("it broke off".to_owned())),
            }
            if self.broken.is_some() {
                answer.end();
            }
        };
        let rest = self.detokenizer.finish(&*self.codec)?;
        self.write(&rest);
        if let Some(out) = &mut self.out {
            let ended = out.end();
            self.broken = self.broken.or(ended.err());
        }
        if let Some(error) = self.broken {
            return Err(error).context("the answer cannot be written");
        }
        Ok(Heard {
            text: self.text,
            tokens: self.tokens.len(),
            first_word: self.first_word,
            is_ended_by_user,
            is_late,
            end,
        })
    }

    fn hear(&mut self, tokens: &[u32]) -> Result<(), TextFault> {
        self.tokens.extend_from_slice(tokens);
        let text = self.detokenizer.push(&*self.codec, tokens)?;
        self.write(&text);
        Ok(())
    }

    /// Writes a piece of the answer.
    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.first_word.is_none() {
            self.first_word = Some(Instant::now());
            self.spinner.finish_and_clear();
        }
        self.text.push_str(text);
        if let Some(out) = self.out.as_mut().filter(|_| self.broken.is_none()) {
            self.broken = out.write(text).err();
        }
    }

    /// Only the first `count` tokens count. Nothing was written of an answer of which some are taken back.
    fn take_back(&mut self, count: usize) -> Result<(), TextFault> {
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.truncate(count);
        self.text.clear();
        self.detokenizer = Detokenizer::default();
        self.hear(&tokens)
    }
}
