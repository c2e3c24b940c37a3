//! The most tokens that a text can become, proven from the structure of its tokenizer.
//!
//! The chain accepts a prompt by its bytes, and a worker that is drawn for a prompt that it cannot answer is
//! slashed. The bound is therefore a theorem about the tokenizer and not a measurement, and a tokenizer for
//! which it cannot be proven is refused with the reason.
//!
//! # Bound
//! A text of `n` bytes has at most `per_byte * n + constant` tokens.
//!
//! # Proof
//! A tokenizer cuts a text at its added tokens, normalizes every piece between them, cuts it into
//! words and gives the words to its model. Special tokens are not among these added tokens: no text
//! contains them.
//!
//! 1. *Model.* BPE begins with the units of a word, and every merge makes two of them one. A character
//!    is one unit; where `byte_fallback` is on and the character is not in the vocabulary, it is one
//!    for each of its bytes. A text never has more units than bytes, nor fewer than characters. Cutting
//!    a word, so that no special token comes of it, changes no unit.
//! 2. *Normalizer and pre-tokenizer.* [`Growth`] bounds the bytes and the units of a piece by its
//!    bytes in the text, step by step. Cutting a piece changes neither.
//! 3. *Added tokens.* Let a piece of `n` bytes have at most `u n + c` units. A text of `N` bytes in
//!    which `t` added tokens are found has at most `t + 1` pieces, so with `T` bytes in added tokens
//!    it has at most `u (N - T) + c (t + 1) + t` tokens. An added token has at least `L` bytes; with
//!    `k = ceil((c + 1) / L)` this is at most `u (N - T) + k T + c`, and so at most `u k N + c`.
//!
//! Added tokens that are searched for after normalization cut a piece once more, with units in the
//! place of bytes and `L = 1`: there the piece has at most `(c + 1) (u n + c)` tokens.

mod decoder;

pub(super) use decoder::check_decoder;

use serde_json::Value;
use tokenizers::{
    models::bpe::BPE, normalizer::SplitDelimiterBehavior, normalizers::replace::Replace,
    pre_tokenizers::byte_level::ByteLevel as ByteLevelCut,
    pre_tokenizers::metaspace::PrependScheme, AddedToken, Model, ModelWrapper, NormalizerWrapper,
    PreTokenizerWrapper, Tokenizer,
};

/// A property of a checkpoint for which no bound can be proven, or with which some prompt could not be
/// answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported {
    /// The property, as the object of a sentence.
    pub(crate) what: String,
    /// How to avoid it.
    pub(crate) hint: String,
}

impl Unsupported {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// A text of `n` bytes has at most `per_byte * n + constant` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextBound {
    /// Most tokens for each byte, at least 1.
    pub(super) per_byte: u64,
    /// Most further tokens.
    pub(super) constant: u64,
    /// Whether a text that is not empty has at least one token.
    pub(super) keeps_text: bool,
}

/// The bound of `tokenizer` for texts in which special tokens are text, without the tokens that its
/// post-processor adds.
pub(super) fn prove(tokenizer: &Tokenizer) -> Result<TextBound, Unsupported> {
    let ModelWrapper::BPE(model) = tokenizer.get_model() else {
        return Err(Unsupported::new(
            format!("the tokenizer model {}", kind(tokenizer.get_model())),
            "tokenizers whose model is BPE are supported",
        ));
    };
    let mut growth = Growth::new(Alphabet::of(model)?);
    if let Some(normalizer) = tokenizer.get_normalizer() {
        growth.normalize(normalizer)?;
    }
    if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
        growth.cut(pre_tokenizer);
    }
    let mut added = tokenizer.get_added_tokens_decoder();
    added.retain(|_, token| !token.special);
    let is_late = |token: &AddedToken| token.normalized && tokenizer.get_normalizer().is_some();
    let mut units = growth.units;
    if added.values().any(is_late) {
        units = units.times(units.constant.saturating_add(1));
    }
    let shortest = added
        .values()
        .filter(|token| !is_late(token))
        .map(|token| token.content.len() as u64)
        .min();
    let share = shortest.map_or(1, |shortest| {
        units.constant.saturating_add(1).div_ceil(shortest.max(1))
    });
    Ok(TextBound {
        per_byte: units.per_byte.saturating_mul(share),
        constant: units.constant,
        keeps_text: growth.keeps_text(),
    })
}

/// `per_byte * n + constant`, for a piece that has `n` bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    per_byte: u64,
    constant: u64,
}

impl Line {
    const BYTES: Self = Self {
        per_byte: 1,
        constant: 0,
    };

    const fn times(self, factor: u64) -> Self {
        Self {
            per_byte: self.per_byte.saturating_mul(factor),
            constant: self.constant.saturating_mul(factor),
        }
    }

    const fn plus(self, constant: u64) -> Self {
        Self {
            constant: self.constant.saturating_add(constant),
            ..self
        }
    }
}

/// The characters that a model knows.
struct Alphabet<'a> {
    model: &'a BPE,
}

impl<'a> Alphabet<'a> {
    fn of(model: &'a BPE) -> Result<Self, Unsupported> {
        if model.dropout.is_some_and(|dropout| dropout != 0.0) {
            return Err(Unsupported::new(
                "BPE with dropout, which cuts a text differently each time",
                "set dropout to null in tokenizer.json",
            ));
        }
        if model.continuing_subword_prefix.is_some() || model.end_of_word_suffix.is_some() {
            return Err(Unsupported::new(
                "BPE that marks where a word begins or ends",
                "BPE without continuing_subword_prefix and end_of_word_suffix is",
            ));
        }
        let unknown = model.unk_token.as_deref();
        match unknown.filter(|token| model.token_to_id(token).is_none()) {
            Some(token) => Err(Unsupported::new(
                format!("the unknown token {token:?}, which is not in its vocabulary"),
                "name one that is, or set unk_token to null in tokenizer.json",
            )),
            None => Ok(Self { model }),
        }
    }

    fn knows(&self, character: char) -> bool {
        let mut bytes = [0; 4];
        self.model
            .token_to_id(character.encode_utf8(&mut bytes))
            .is_some()
    }

    /// Most units of `character`, at least 1 even if it vanishes.
    fn units_of(&self, character: char) -> u64 {
        if self.model.byte_fallback && !self.knows(character) {
            character.len_utf8() as u64
        } else {
            1
        }
    }

    fn units(&self, text: &str) -> u64 {
        text.chars().map(|c| self.units_of(c)).sum()
    }

    /// Whether no character of any text vanishes.
    fn is_complete(&self) -> bool {
        let byte = |byte: u8| self.model.token_to_id(&format!("<{byte:#04X}>")).is_some();
        self.model.unk_token.is_some() || self.model.byte_fallback && (0..=u8::MAX).all(byte)
    }
}

/// How a piece of text grows on its way to the model.
struct Growth<'a> {
    alphabet: Alphabet<'a>,
    /// Most bytes.
    bytes: Line,
    /// Most units of the model.
    units: Line,
    /// Whether the piece may have been cut into words.
    is_cut: bool,
    /// Whether nothing has been removed.
    is_whole: bool,
    /// Whether all bytes are written as characters of the byte-level alphabet.
    is_byte_level: bool,
}

impl<'a> Growth<'a> {
    const fn new(alphabet: Alphabet<'a>) -> Self {
        Self {
            alphabet,
            bytes: Line::BYTES,
            units: Line::BYTES,
            is_cut: false,
            is_whole: true,
            is_byte_level: false,
        }
    }

    fn normalize(&mut self, normalizer: &NormalizerWrapper) -> Result<(), Unsupported> {
        match normalizer {
            NormalizerWrapper::Sequence(steps) => {
                return steps
                    .as_ref()
                    .iter()
                    .try_for_each(|step| self.normalize(step));
            }
            NormalizerWrapper::NFC(_) | NormalizerWrapper::NFD(_) => self.decompose(CANONICAL),
            NormalizerWrapper::NFKC(_) | NormalizerWrapper::NFKD(_) => {
                self.decompose(COMPATIBLE);
            }
            NormalizerWrapper::Prepend(prepend) => self.prepend(&prepend.prepend),
            NormalizerWrapper::StripNormalizer(_) | NormalizerWrapper::StripAccents(_) => {
                self.is_whole = false;
            }
            NormalizerWrapper::Replace(replace) => match replaced(replace) {
                Some(pattern) if !pattern.is_empty() => {
                    self.replace(&pattern, &replace.content);
                }
                _ => return Err(Self::no_bound("Replace with a regular expression")),
            },
            other => return Err(Self::no_bound(&kind(other))),
        }
        Ok(())
    }

    fn no_bound(normalizer: &str) -> Unsupported {
        Unsupported::new(
            format!("the normalizer {normalizer} in its tokenizer"),
            "a bound of tokens is proven for NFC, NFD, NFKC, NFKD, Prepend, Strip, StripAccents, Replace with a fixed text, and none",
        )
    }

    fn cut(&mut self, pre_tokenizer: &PreTokenizerWrapper) {
        let removes =
            |behavior: &SplitDelimiterBehavior| matches!(behavior, SplitDelimiterBehavior::Removed);
        match pre_tokenizer {
            PreTokenizerWrapper::Sequence(steps) => {
                steps.as_ref().iter().for_each(|step| self.cut(step));
            }
            PreTokenizerWrapper::ByteLevel(level) => {
                if level.add_prefix_space {
                    self.prepend(" ");
                }
                self.write_bytes();
                self.is_cut |= level.use_regex;
            }
            PreTokenizerWrapper::Metaspace(meta) => {
                let space = meta.get_replacement().to_string();
                self.replace(" ", &space);
                if meta.get_prepend_scheme() != PrependScheme::Never {
                    self.prepend(&space);
                }
                self.is_cut |= meta.get_split();
            }
            PreTokenizerWrapper::Split(split) => self.cut_words(removes(&split.behavior)),
            PreTokenizerWrapper::Punctuation(split) => self.cut_words(removes(&split.behavior)),
            PreTokenizerWrapper::Digits(_)
            | PreTokenizerWrapper::UnicodeScripts(_)
            | PreTokenizerWrapper::FixedLength(_) => self.cut_words(false),
            PreTokenizerWrapper::BertPreTokenizer(_)
            | PreTokenizerWrapper::Delimiter(_)
            | PreTokenizerWrapper::Whitespace(_)
            | PreTokenizerWrapper::WhitespaceSplit(_) => self.cut_words(true),
        }
    }

    fn cut_words(&mut self, removes: bool) {
        self.is_cut = true;
        self.is_whole &= !removes;
    }

    /// A Unicode normalization form, whose decomposition multiplies the bytes by `factor` at most. A
    /// character has no more units than bytes.
    const fn decompose(&mut self, factor: u64) {
        self.bytes = self.bytes.times(factor);
        self.units = self.bytes;
    }

    /// `pattern`, which is not empty, becomes `content` wherever it stands.
    fn replace(&mut self, pattern: &str, content: &str) {
        let factor = |before: u64, after: u64| after.div_ceil(before).max(1);
        let bytes = factor(pattern.len() as u64, content.len() as u64);
        let units = factor(self.alphabet.units(pattern), self.alphabet.units(content));
        self.bytes = self.bytes.times(bytes);
        self.units = self.units.times(units);
        self.is_whole &= !content.is_empty();
    }

    /// `text` is put before the piece, or before every word of it: there are no more words than bytes, and no
    /// more than units.
    fn prepend(&mut self, text: &str) {
        let (bytes, units) = (text.len() as u64, self.alphabet.units(text));
        if self.is_cut {
            self.bytes = self.bytes.times(bytes.saturating_add(1));
            self.units = self.units.times(units.saturating_add(1));
        } else {
            self.bytes = self.bytes.plus(bytes);
            self.units = self.units.plus(units);
        }
    }

    /// Every byte becomes a character of the byte-level alphabet, which has at most two bytes.
    fn write_bytes(&mut self) {
        let characters = ByteLevelCut::alphabet();
        let most = characters.iter().map(|&c| self.alphabet.units_of(c)).max();
        self.units = self.bytes.times(most.unwrap_or(2));
        self.bytes = self.bytes.times(2);
        self.is_byte_level = true;
    }

    fn keeps_text(&self) -> bool {
        let bytes = || {
            ByteLevelCut::alphabet()
                .into_iter()
                .all(|c| self.alphabet.knows(c))
        };
        self.is_whole && (self.alphabet.is_complete() || self.is_byte_level && bytes())
    }
}

/// Most bytes for each byte in the canonical decomposition of a text, NFD. That of a text is that of
/// its characters, in another order; U+0390 reaches it. NFC is never longer than NFD: each of its
/// characters has at most the bytes of its own decomposition, and these together are the NFD.
const CANONICAL: u64 = 3;

/// As [`CANONICAL`], for the compatible decomposition, NFKD, and for NFKC. U+FDFA reaches it.
const COMPATIBLE: u64 = 11;

/// The text that a replacement replaces, unless that is a regular expression.
fn replaced(replace: &Replace) -> Option<String> {
    // The pattern is accessible only in its serialized form.
    let written = serde_json::to_value(replace).unwrap_or_default();
    written["pattern"]["String"].as_str().map(str::to_owned)
}

/// The name of a component in `tokenizer.json`.
fn kind(component: &impl serde::Serialize) -> String {
    let written = serde_json::to_value(component).unwrap_or_default();
    let name = written.get("type").and_then(Value::as_str);
    name.unwrap_or("without a name").to_owned()
}

#[cfg(test)]
mod tests;
