//! From a prompt to its tokens, and the bound on their number.
//!
//! # Tokens
//! ```text
//! <|im_start|>system … <|im_end|>\n<|im_start|>   user\n<prompt>   <|im_end|>\n<|im_start|>assistant\n
//! └─────────────────── start ─────────────────┘   └──── text ────┘   └────────────── end ─────────────┘
//! ```
//! Only the manifest's frame has special tokens. It is cut after the last special token before the prompt and
//! before the first one after it. Start and end have the same tokens in every prompt. The text between them,
//! the rest of the frame with the prompt, is encoded as one text, in which special tokens written out are
//! text. If the prompt contains none, this gives the same tokens as encoding the whole text of frame and
//! prompt.
//!
//! A change of any of this that gives a prompt other tokens is a new version of the text layer, as is a release
//! of the tokenizer library that does: `tests/golden` has the tokens of the present version, and [`tables`] the
//! hashes of the tables of Unicode by which they are found.
//!
//! Special are the tokens that the tokenizer marks as special, those that begin and end a text or an answer, and
//! the added tokens that the frame writes, unless they consist of white space.
//!
//! A conversation, which the payer of a session encodes, is cut in the same way: see [`conversation`].
//!
//! # Bound
//! ```text
//! tokens of a prompt <= bytes of its text * tokens_per_byte + template_tokens
//! ```
//! `tokens_per_byte` is proven in [`bounds`]. `template_tokens` counts the tokens of
//! start and end, and the rest of the frame as text, byte by byte.

mod conversation;
mod frame;

pub(crate) use super::bounds::Unsupported;
pub(crate) use conversation::only_message;

use super::{
    bounds::{self, TextBound},
    tables::{self, OtherTables},
    tokenizer::TextCodec,
};
use crate::chat_template::Trial;
use frame::CutFrame;
use noema_checkpoint::{Architecture, Frame};
use noema_split::{Framing, Unsupported as NoSteps};
use std::panic::{catch_unwind, AssertUnwindSafe};
use tokenizers::{AddedToken, PostProcessor, PostProcessorWrapper};

/// Most tokens that a byte may become: the tokenizer's library is then given texts of bounded length.
const MOST_PER_BYTE: u64 = 64;

/// Most bytes of the message that consists of the tokenizer's added tokens.
const MOST_SPECIAL: usize = 4_096;

/// Messages that some templates and tokenizers treat in a special way.
const MESSAGES: [&str; 23] = [
    "",
    " ",
    "\n",
    "\t \r\n\u{b}\u{c}\u{85}\u{2028}",
    "\u{a0}\u{3000}a\u{3000}\u{a0}",
    "\u{1c}a\u{1f}",
    "a",
    "  a  b  ",
    "A?",
    "\u{0}\u{7f}",
    "naïve café — “quotes”",
    "東京 здравствуй",
    "🙂🇫🇷🦀",
    "\u{10ffff}\u{1d160}\u{fdfa}\u{390}\u{130}e\u{301}\u{327}",
    "\u{feff}\u{200d}\u{202e}",
    "{{ messages }}{% raw %}{# x #}",
    "<think>a</think><tool_response>b</tool_response>[INST]<<SYS>>c<</SYS>>[/INST]",
    "<|im_end|>\n<|im_start|>assistant\n",
    "user: assistant: system: ### Instruction:",
    "a /no_think b /nothink",
    "a\n\nb\r\n\r\nc",
    "<image><|image|>",
    "12345 6.7 don't WE'LL \\ \" ' & < >",
];

/// Why prompts cannot be turned into tokens.
#[derive(Debug)]
pub(crate) enum PromptError {
    /// The tokenizer cannot be used.
    Tokenizer(String),
    /// This program has other tables of Unicode than the text layer.
    OtherTables(OtherTables),
    /// Because of the tokenizer or the frame, some prompt could not be answered.
    Unsupported(Unsupported),
}

impl From<OtherTables> for PromptError {
    fn from(other: OtherTables) -> Self {
        Self::OtherTables(other)
    }
}

impl From<Unsupported> for PromptError {
    fn from(unsupported: Unsupported) -> Self {
        Self::Unsupported(unsupported)
    }
}

/// Most tokens of a prompt, as a manifest states them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Most tokens that one byte of its text can become.
    pub(crate) tokens_per_byte: u32,
    /// Most further tokens.
    pub(crate) template_tokens: u32,
}

impl Bounds {
    /// Most tokens of a prompt of `bytes` bytes.
    fn of(&self, bytes: usize) -> u64 {
        (bytes as u64)
            .saturating_mul(self.tokens_per_byte.into())
            .saturating_add(self.template_tokens.into())
    }
}

/// A checkpoint's codec between prompts, tokens and text.
#[derive(Debug)]
pub(crate) struct PromptCodec {
    text: TextCodec,
    frame: CutFrame,
    /// Whether the tokenizer adds the tokens that begin and end a text.
    adds_special: bool,
    bounds: Bounds,
}

impl PromptCodec {
    /// Reads `tokenizer`, a `tokenizer.json`, and proves how many tokens a prompt in `frame` can have. `bos`
    /// begins a text, if the model has such a token; a chat template writes `eos` at the end of a turn; and
    /// each of `stops` ends an answer.
    pub(crate) fn new(
        tokenizer: &[u8],
        frame: Option<&Frame>,
        bos: Option<u32>,
        eos: Option<u32>,
        stops: &[u32],
        architecture: &Architecture,
    ) -> Result<Self, PromptError> {
        guarded(|| Self::prove(tokenizer, frame, bos, eos, stops, architecture))
    }

    fn prove(
        tokenizer: &[u8],
        frame: Option<&Frame>,
        bos: Option<u32>,
        eos: Option<u32>,
        stops: &[u32],
        architecture: &Architecture,
    ) -> Result<Self, PromptError> {
        tables::check()?;
        let mut text = sound_text(tokenizer, architecture)?;
        let messages = messages(&text, architecture.context_length as usize);
        let framing = frame.map(|frame| [&frame.before, &frame.after]);
        let framing = framing.into_iter().flatten();
        let framing = framing.flat_map(|part| text.added_in(part));
        let framing = framing.map(|(_, id, _)| id);
        let ends = stops.iter().copied().chain(eos);
        let marks: Vec<u32> = framing.chain(bos).chain(ends).collect();
        text.make_special(marks).map_err(unusable)?;
        if let Some(form) = text.special_character().map_err(unusable)? {
            return Err(Unsupported::new(
                format!("the special token {form:?}, which the text of one character becomes"),
                "a special token that no text can be taken for is",
            )
            .into());
        }
        let bound = bounds::prove(text.tokenizer())?;
        let adds_special = frame.is_none();
        let special = special_tokens(&text, adds_special)?;
        let frame = CutFrame::of(&text, frame)?;
        if frame.tokens() + special == 0 && !always_has_tokens(&bound, &frame) {
            return Err(Unsupported::new(
                "a tokenizer that leaves some prompts without any token",
                "give the model a chat template, or a tokenizer that knows every byte",
            )
            .into());
        }
        let template_tokens = bound
            .per_byte
            .saturating_mul(frame.open_bytes())
            .saturating_add(bound.constant)
            .saturating_add(frame.tokens())
            .saturating_add(special);
        let bounds = Bounds {
            tokens_per_byte: u32::try_from(bound.per_byte).map_err(|_| too_many())?,
            template_tokens: u32::try_from(template_tokens).map_err(|_| too_many())?,
        };
        let codec = Self {
            text,
            frame,
            adds_special,
            bounds,
        };
        for message in &messages {
            codec.try_on(message, architecture.vocabulary)?;
        }
        Ok(codec)
    }

    /// The most tokens that a prompt can have.
    pub(crate) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The codec between text and token ids, without the frame.
    pub(crate) const fn text(&self) -> &TextCodec {
        &self.text
    }

    /// Tokens of `prompt`, in its frame. Special tokens written out in it are text.
    pub(crate) fn encode(&self, prompt: &str) -> tokenizers::Result<Vec<u32>> {
        let CutFrame { before, after, .. } = &self.frame;
        let tokens = self.encode_between(prompt, self.adds_special)?;
        Ok([before.tokens.as_slice(), &tokens, &after.tokens].concat())
    }

    /// Whether no token of the frame stands before the text of a prompt.
    pub(super) const fn begins_text(&self) -> bool {
        self.frame.before.tokens.is_empty()
    }

    /// What stands around the text of a prompt, with the tokens that the tokenizer adds.
    pub(super) fn framing(&self) -> Result<Framing, NoSteps> {
        let mut framing = self.frame.framing();
        if !self.adds_special {
            return Ok(framing);
        }
        let encode = |text: &str, add_special: bool| {
            let tokens = self.text.encode(text, add_special);
            tokens.map_err(|error| NoSteps::Part(error.to_string()))
        };
        let around = encode("", true)?;
        let (bare, whole) = (encode("a", false)?, encode("a", true)?);
        let begin = whole
            .windows(bare.len().max(1))
            .position(|part| part == bare);
        let sides = begin.and_then(|begin| {
            let (before, rest) = whole.split_at_checked(begin)?;
            let after = rest.get(bare.len()..)?;
            let is_around = around.starts_with(before) && around.ends_with(after);
            (is_around && around.len() == before.len() + after.len()).then_some((before, after))
        });
        let (before, after) = sides.ok_or_else(|| {
            NoSteps::Part("a post-processor for which there are no steps".to_owned())
        })?;
        framing.before = before.to_vec();
        framing.after = after.to_vec();
        Ok(framing)
    }

    /// Tokens of `prompt` and of the rest of the frame, as one text.
    fn encode_between(&self, prompt: &str, add_special: bool) -> tokenizers::Result<Vec<u32>> {
        let text = self.frame.text(prompt);
        match self.frame.before.tokens.is_empty() {
            true => self.text.encode(&text, add_special),
            false => self.text.encode_after(&text),
        }
    }

    /// Checks the proof with one message: a guard against a tokenizer library that behaves differently from
    /// the source on which the proof is based.
    fn try_on(&self, message: &str, vocabulary: u32) -> Result<(), Unsupported> {
        let start = || message.chars().take(40).collect::<String>();
        let refused = |problem: String| {
            let what = format!("a tokenizer that {problem} of a prompt like {:?}", start());
            Unsupported::new(
                what,
                "tokenizers with which every prompt can be answered are",
            )
        };
        let tokens = self
            .encode(message)
            .map_err(|error| refused(format!("makes no tokens ({error})")))?;
        let between = self
            .encode_between(message, false)
            .map_err(|error| refused(format!("makes no tokens ({error})")))?;
        if between.iter().any(|token| self.text.is_special(*token)) {
            return Err(refused("makes a special token".into()));
        }
        if let Some(token) = tokens.iter().find(|&&token| token >= vocabulary) {
            return Err(refused(format!(
                "makes token {token}, which is not one of the model's,"
            )));
        }
        let most = self.bounds.of(message.len());
        if tokens.len() as u64 > most || tokens.is_empty() && !message.is_empty() {
            let count = tokens.len();
            return Err(refused(format!(
                "makes {count} tokens, and not 1 to {most},"
            )));
        }
        Ok(())
    }
}

/// What shows whether `chat_template` only puts text around a message, for a model with this tokenizer,
/// whose templates get `bos` and `eos`.
pub(crate) fn trial(
    tokenizer: &[u8],
    chat_template: &str,
    bos: Option<u32>,
    eos: Option<u32>,
    architecture: &Architecture,
) -> Result<Trial, PromptError> {
    guarded(|| {
        let text = sound_text(tokenizer, architecture)?;
        let name = |token: Option<u32>| token.map(|id| text.token(id)).unwrap_or_default();
        Ok(Trial {
            source: chat_template.into(),
            bos: name(bos),
            eos: name(eos),
            messages: messages(&text, architecture.context_length as usize),
        })
    })
}

/// The result of `work`, which calls the tokenizer library. The library is not written for hostile files; a
/// panic in it must not end this process.
fn guarded<T>(work: impl FnOnce() -> Result<T, PromptError>) -> Result<T, PromptError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(PromptError::Tokenizer("its library panicked".into())))
}

fn unusable(error: tokenizers::Error) -> PromptError {
    PromptError::Tokenizer(error.to_string())
}

fn too_many() -> Unsupported {
    Unsupported::new(
        "a tokenizer or a frame that can make too many tokens of a prompt",
        "a prompt must leave room for an answer",
    )
}

/// The codec of a `tokenizer.json` that makes a bounded number of tokens of a text and has a bounded decoder:
/// checked before the library makes any tokens, since a normalizer can multiply a text without end.
fn sound_text(tokenizer: &[u8], architecture: &Architecture) -> Result<TextCodec, PromptError> {
    let text = TextCodec::from_json(tokenizer).map_err(unusable)?;
    bounds::check_decoder(text.tokenizer())?;
    let bound = bounds::prove(text.tokenizer())?;
    if bound.per_byte > MOST_PER_BYTE || bound.constant >= u64::from(architecture.context_length) {
        return Err(too_many().into());
    }
    Ok(text)
}

/// The messages with which a template and a tokenizer are tested: some as long as the context.
fn messages(text: &TextCodec, context: usize) -> Vec<String> {
    let mut special = String::new();
    for token in added(text) {
        if special.len() + token.content.len() <= MOST_SPECIAL {
            special.push_str(&token.content);
        }
    }
    let long = [
        "x".repeat(context),
        " ".repeat(context),
        "🙂".repeat(context / 4),
    ];
    let spaced = format!(" {special} ");
    MESSAGES
        .into_iter()
        .map(str::to_owned)
        .chain([special, spaced])
        .chain(long)
        .collect()
}

/// The tokens that are found in a text before any other step, in order of their ids.
fn added(text: &TextCodec) -> Vec<AddedToken> {
    let mut added: Vec<_> = text
        .tokenizer()
        .get_added_tokens_decoder()
        .into_iter()
        .collect();
    added.sort_unstable_by_key(|(id, _)| *id);
    added.into_iter().map(|(_, token)| token).collect()
}

/// Whether every prompt that is not empty has a token, even without tokens added to its text.
fn always_has_tokens(bound: &TextBound, frame: &CutFrame) -> bool {
    bound.keeps_text && !(frame.open_bytes() == 0 && frame.trims())
}

/// The number of tokens that the post-processor adds to a text.
fn special_tokens(text: &TextCodec, adds_special: bool) -> Result<u64, Unsupported> {
    let Some(processor) = text.tokenizer().get_post_processor() else {
        return Ok(0);
    };
    let mut steps = Vec::new();
    flatten(processor, &mut steps);
    steps.retain(|step| !matches!(step, PostProcessorWrapper::ByteLevel(_)));
    let is_sound = match steps[..] {
        [] => true,
        [PostProcessorWrapper::Template(_)] => shows_text_once(steps[0]),
        [_] => true,
        _ => false,
    };
    if !is_sound {
        return Err(Unsupported::new(
            "a post-processor that does not leave a text as it is between special tokens",
            "one with the template \"$A\", and special tokens around it, is",
        ));
    }
    Ok(if adds_special {
        processor.added_tokens(false) as u64
    } else {
        0
    })
}

fn flatten<'a>(processor: &'a PostProcessorWrapper, steps: &mut Vec<&'a PostProcessorWrapper>) {
    match processor {
        PostProcessorWrapper::Sequence(sequence) => {
            sequence
                .as_ref()
                .iter()
                .for_each(|step| flatten(step, steps));
        }
        step => steps.push(step),
    }
}

/// Whether the template for one text has this text once, no other, and special tokens that exist.
fn shows_text_once(template: &PostProcessorWrapper) -> bool {
    // The pieces are accessible only in their serialized form.
    let written = serde_json::to_value(template).unwrap_or_default();
    let pieces = written["single"].as_array();
    let texts = pieces
        .into_iter()
        .flatten()
        .filter_map(|piece| piece["Sequence"]["id"].as_str());
    let names = pieces
        .into_iter()
        .flatten()
        .filter_map(|piece| piece["SpecialToken"]["id"].as_str());
    let exists = |name: &str| written["special_tokens"].get(name).is_some();
    texts.eq(["A"]) && names.into_iter().all(exists)
}

#[cfg(test)]
mod tests;
