//! The text of an answer as it comes.

use crate::fault::ApiFault;
use crate::{
    AnswerPart, AnswerStream, CompleteAnswer, Detokenizer, Found, StopFinder, TextFault, TextLayer,
};
use codec::Encode;
use futures::stream::{self, BoxStream, StreamExt};
use noema_session_transport::SignedReceipt;
use noema_sessions::AnswerEnd;
use serde_json::{json, Value};
use std::sync::Arc;

/// Most receipts of an answer in a header: an HTTP header has to be short. All are in the body.
const MOST_IN_HEADER: usize = 8;

/// What an answer brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// More text.
    Text(String),
    /// The text so far, in the place of what came before.
    Again(String),
    /// The end.
    End(Ending),
    /// The end of an answer that is not complete.
    Failed(ApiFault),
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Whether it has as many tokens as were asked for.
    pub(super) is_cut: bool,
    /// Its tokens, those of a stop string included.
    pub(super) tokens: usize,
    /// What is known of it.
    pub(super) answered: CompleteAnswer,
}

impl Ending {
    /// The reason in OpenAI's words.
    pub(super) const fn reason(&self) -> &'static str {
        match self.is_cut {
            true => "length",
            false => "stop",
        }
    }

    /// The receipts, the tokens without one, and the price, as an extension of OpenAI's objects.
    pub(super) fn receipts(&self) -> Value {
        let receipts = self.answered.receipts.iter().map(|signed| {
            let receipt = &signed.receipt;
            json!({
                "session": receipt.session.0,
                "n": receipt.n,
                "checkpoint": receipt.checkpoint.to_string(),
                "prompt_tokens": receipt.prompt_tokens,
                "cached_tokens": receipt.cached_tokens,
                "answer_tokens": receipt.answer_tokens,
                "price": receipt.price.to_string(),
                "hash": format!("{:?}", receipt.hash()),
                "signed": in_digits(signed),
            })
        });
        let unsigned = self.answered.unsigned.iter();
        let unsigned = unsigned.map(|part| json!({ "first": part.first, "tokens": part.tokens }));
        json!({
            "price": self.answered.price.to_string(),
            "receipts": receipts.collect::<Vec<_>>(),
            "unsigned": unsigned.collect::<Vec<_>>(),
        })
    }

    /// The signed receipts for a header.
    pub(super) fn header(&self) -> String {
        let receipts = self.answered.receipts.iter().take(MOST_IN_HEADER);
        let receipts: Vec<String> = receipts.map(in_digits).collect();
        receipts.join(",")
    }
}

fn in_digits(signed: &SignedReceipt) -> String {
    format!("0x{}", hex::encode(signed.encode()))
}

/// Tokens of prompts and answers of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) prompt: usize,
    pub(super) cached: usize,
    pub(super) answer: usize,
}

impl Usage {
    /// Counts an answer.
    pub(super) fn add(&mut self, ending: &Ending) {
        self.cached = self
            .cached
            .saturating_add(ending.answered.cached_tokens as usize);
        self.answer = self.answer.saturating_add(ending.tokens);
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.answer,
            "total_tokens": self.prompt.saturating_add(self.answer),
            "prompt_tokens_details": { "cached_tokens": self.cached.min(self.prompt) },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        })
    }

    /// In the form of `/v1/responses`.
    pub(super) fn json_of_responses(&self) -> Value {
        json!({
            "input_tokens": self.prompt,
            "input_tokens_details": { "cached_tokens": self.cached.min(self.prompt) },
            "output_tokens": self.answer,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": self.prompt.saturating_add(self.answer),
        })
    }
}

/// An answer whose tokens become text.
pub(super) struct Writing {
    answer: AnswerStream,
    layer: Arc<dyn TextLayer>,
    detokenizer: Detokenizer,
    stops: Vec<String>,
    finder: StopFinder,
    tokens: Vec<u32>,
    /// Whether a stop string was found.
    is_stopped: bool,
    /// The end, where text had to be written before it.
    ending: Option<Ending>,
}

impl Writing {
    pub(super) fn new(answer: AnswerStream, layer: Arc<dyn TextLayer>, stops: Vec<String>) -> Self {
        Self {
            answer,
            layer,
            detokenizer: Detokenizer::default(),
            finder: StopFinder::new(stops.clone()),
            stops,
            tokens: Vec::new(),
            is_stopped: false,
            ending: None,
        }
    }

    /// The pieces, each with `index`. The last is [`Piece::End`] or [`Piece::Failed`].
    pub(super) fn pieces(self, index: usize) -> BoxStream<'static, (usize, Piece)> {
        stream::unfold(Some(self), move |writing| async move {
            let mut writing = writing?;
            let piece = writing.next().await;
            let is_last = matches!(piece, Piece::End(_) | Piece::Failed(_));
            Some(((index, piece), (!is_last).then_some(writing)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Piece {
        if let Some(ending) = self.ending.take() {
            return Piece::End(ending);
        }
        loop {
            let piece = match self.answer.next().await {
                Some(AnswerPart::Tokens(tokens)) => self.write(&tokens),
                Some(AnswerPart::Kept(count)) => {
                    self.again(count).map(|text| Some(Piece::Again(text)))
                }
                Some(AnswerPart::Done(answered)) => self.finish(answered).map(Some),
                Some(AnswerPart::Failed(fault)) => return Piece::Failed(fault.into()),
                None => {
                    return Piece::Failed(ApiFault::internal("the answer broke off; ask again"))
                }
            };
            match piece {
                Ok(Some(piece)) => return piece,
                Ok(None) => {}
                Err(fault) => return Piece::Failed(ApiFault::internal(fault.to_string())),
            }
        }
    }

    /// The text that is complete with these tokens.
    fn write(&mut self, tokens: &[u32]) -> Result<Option<Piece>, TextFault> {
        self.tokens.extend_from_slice(tokens);
        let text = self.found(tokens)?;
        Ok((!text.is_empty()).then_some(Piece::Text(text)))
    }

    fn found(&mut self, tokens: &[u32]) -> Result<String, TextFault> {
        if self.is_stopped {
            return Ok(String::new());
        }
        let text = self.detokenizer.push(&*self.layer, tokens)?;
        Ok(self.search(&text))
    }

    /// The text up to a stop string; ends the answer there.
    fn search(&mut self, text: &str) -> String {
        match self.finder.push(text) {
            Found::Nothing(text) => text,
            Found::Stop(text) => {
                self.is_stopped = true;
                self.answer.end();
                text
            }
        }
    }

    /// The text of the first `count` tokens; the others do not count.
    fn again(&mut self, count: usize) -> Result<String, TextFault> {
        self.tokens.truncate(count);
        self.detokenizer = Detokenizer::default();
        self.finder = StopFinder::new(self.stops.clone());
        self.is_stopped = false;
        let tokens = self.tokens.clone();
        self.found(&tokens)
    }

    /// The rest of the text, or the end where there is none.
    fn finish(&mut self, answered: CompleteAnswer) -> Result<Piece, TextFault> {
        let mut rest = String::new();
        if !self.is_stopped {
            let text = self.detokenizer.finish(&*self.layer)?;
            rest = self.search(&text);
            if !self.is_stopped {
                rest.push_str(&self.finder.finish());
            }
        }
        let ending = Ending {
            is_cut: !self.is_stopped && answered.end == AnswerEnd::Length,
            tokens: self.tokens.len(),
            answered,
        };
        if rest.is_empty() {
            return Ok(Piece::End(ending));
        }
        self.ending = Some(ending);
        Ok(Piece::Text(rest))
    }
}
