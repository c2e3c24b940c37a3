//! The split of prompts into tokens as steps: the tables of a checkpoint's tokenizer, and its frame.
//!
//! [`noema_split`] decides by a step whether a token of a prompt is right. What it needs follows from a
//! `tokenizer.json`, unless a part of this has no step: then the reason is named.

mod cuts;
mod spaces;

use super::{prompt::PromptCodec, prompts, tokenizer::TextCodec, EngineError};
use crate::{checkpoint::OpenCheckpoint, printable::one_line};
use codec::Encode;
use cuts::Cuts;
use noema_split::{
    Framing, Merge, SplitState, SplitTables, SplitText, TokenForm, Units, Unsupported,
};
use serde_json::Value;
use std::collections::HashMap;
use tokenizers::{models::bpe::BPE, Model, ModelWrapper};

/// The tables of a checkpoint's tokenizer and its frame, by which the split of a prompt is decided by steps.
#[derive(Clone, Debug)]
pub struct PromptSplit {
    tables: SplitTables,
    framing: Framing,
}

/// Why the split of a checkpoint's prompts cannot be decided by steps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Prompts cannot be turned into tokens at all.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There are no steps for this tokenizer.
    #[error("The split of texts into tokens cannot be decided by steps: {0}. Sessions, which state tokens, are not affected.")]
    Unsupported(Unsupported),
}

/// The result of a prompt's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitVerdict {
    /// The tokens are those of the prompt.
    Right,
    /// The token with this index is the first that is wrong, or, with the index after the last, some are missing.
    WrongAt(usize),
    /// The checkpoint's tokenizer brings texts into NFC, and it is not certain that this one is in it.
    NotComposed,
}

impl PromptSplit {
    /// Those of `checkpoint`.
    ///
    /// # Errors
    /// If its tokenizer cannot be used, or has a part without steps.
    pub fn open(checkpoint: &OpenCheckpoint) -> Result<Self, SplitError> {
        let codec = prompts(checkpoint)?;
        Self::of(&codec, checkpoint.architecture().vocabulary).map_err(SplitError::Unsupported)
    }

    /// Those of a codec, for a model with so many tokens.
    pub(crate) fn of(codec: &PromptCodec, vocabulary: u32) -> Result<Self, Unsupported> {
        let framing = codec.framing()?;
        let bytes = framing.encoded_size();
        if bytes > Framing::MAX_BYTES {
            return Err(Unsupported::Framing(bytes));
        }
        let tables = tables(codec.text(), vocabulary, codec.begins_text())?;
        Ok(Self { tables, framing })
    }

    /// The tables.
    pub const fn tables(&self) -> &SplitTables {
        &self.tables
    }

    /// What stands around the text of a prompt.
    pub const fn framing(&self) -> &Framing {
        &self.framing
    }

    /// Whether `tokens` are those of `prompt` in its frame, by all their steps. `on_step` is called with the index of
    /// each token and the state before it.
    pub fn judge(
        &self,
        prompt: &str,
        tokens: &[u32],
        on_step: &mut dyn FnMut(&SplitText<'_>, u32, &SplitState),
    ) -> SplitVerdict {
        let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let Some(text) = SplitText::new(self.tables.rules(), &self.framing, prompt, count) else {
            return SplitVerdict::NotComposed;
        };
        let mut state = text.begin();
        for (index, token) in (0..).zip(tokens) {
            on_step(&text, index, &state);
            // Whole tables miss nothing.
            match text.step(index, *token, Some(&state), &mut &self.tables) {
                Ok(Some(next)) => state = next,
                _ => return SplitVerdict::WrongAt(index as usize),
            }
        }
        match text.is_whole(Some(&state)) {
            true => SplitVerdict::Right,
            false => SplitVerdict::WrongAt(tokens.len()),
        }
    }
}

fn part(what: impl Into<String>) -> Unsupported {
    Unsupported::Part(what.into())
}

/// The tables of a tokenizer. `begins` is whether no token stands before its texts.
fn tables(text: &TextCodec, vocabulary: u32, begins: bool) -> Result<SplitTables, Unsupported> {
    let tokenizer = text.tokenizer();
    let added = tokenizer.get_added_tokens_decoder();
    if let Some(plain) = added.values().find(|token| !token.special) {
        let form = one_line(&plain.content);
        return Err(part(format!(
            "the added token {form:?}, which is not special"
        )));
    }
    let ModelWrapper::BPE(model) = tokenizer.get_model() else {
        return Err(part("another model than BPE"));
    };
    let Cuts {
        cuts,
        is_byte_level,
        space,
    } = Cuts::of(tokenizer.get_pre_tokenizer(), begins)?;
    let (composes, spaces) = spaces::of(tokenizer.get_normalizer(), is_byte_level, space)?;
    let texts = texts(model, vocabulary)?;
    let forms: Vec<TokenForm> = texts
        .iter()
        .map(|text| form(text.as_deref(), is_byte_level))
        .collect();
    let units = match is_byte_level {
        true => bytes(model, &forms)?,
        false if !model.byte_fallback => {
            return Err(part("characters without tokens for their bytes"))
        }
        false if model.ignore_merges => return Err(part("characters, and words without merges")),
        false => Units::Characters,
    };
    let special = (0..vocabulary)
        .filter(|token| text.is_special(*token))
        .collect();
    let merges = merges(model)?;
    SplitTables::new(&forms, &special, &merges, composes, spaces, cuts, units)
}

/// The written forms of a model's tokens.
fn texts(model: &BPE, vocabulary: u32) -> Result<Vec<Option<String>>, Unsupported> {
    let mut texts = vec![None; vocabulary as usize];
    for (text, token) in Model::get_vocab(model) {
        match texts.get_mut(token as usize) {
            Some(place @ None) => *place = Some(text),
            Some(Some(_)) => return Err(part(format!("two texts for token {token}"))),
            None => {
                return Err(part(format!(
                    "token {token}, which the model does not have"
                )))
            }
        }
    }
    Ok(texts)
}

/// What a token stands for.
fn form(text: Option<&str>, is_byte_level: bool) -> TokenForm {
    let Some(text) = text else {
        return TokenForm::None;
    };
    if is_byte_level {
        let bytes: Option<Vec<u8>> = text.chars().map(byte_of).collect();
        return bytes
            .filter(|bytes| !bytes.is_empty())
            .map_or(TokenForm::None, TokenForm::Text);
    }
    let digits = text
        .strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'));
    let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    match byte.filter(|byte| text == format!("<{byte:#04X}>")) {
        Some(byte) => TokenForm::Byte(byte),
        None if text.is_empty() => TokenForm::None,
        None => TokenForm::Text(text.into()),
    }
}

/// The byte for which a character of the byte-level alphabet stands: itself where it is printable and in Latin-1, and
/// the others in their order from U+0100 on.
fn byte_of(character: char) -> Option<u8> {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    match u8::try_from(u32::from(character)) {
        Ok(byte) => is_printable(byte).then_some(byte),
        Err(_) => {
            let index = u32::from(character).checked_sub(0x100)? as usize;
            (0..=u8::MAX).filter(|byte| !is_printable(*byte)).nth(index)
        }
    }
}

/// The units of a byte-level tokenizer.
fn bytes(model: &BPE, forms: &[TokenForm]) -> Result<Units, Unsupported> {
    let mut missing = [u8::MAX; 32];
    for form in forms {
        if let TokenForm::Text(text) = form
            && let [byte] = text[..]
        {
            missing[usize::from(byte / 8)] &= !(1 << (byte % 8));
        }
    }
    let is_complete = missing == [0; 32];
    if !is_complete && model.byte_fallback {
        return Err(part(
            "bytes without a token, and tokens for the bytes of characters",
        ));
    }
    let unknown = model.unk_token.as_ref().filter(|_| !is_complete);
    if unknown.is_some() && model.fuse_unk {
        return Err(part("one token for several unknown bytes"));
    }
    Ok(Units::Bytes {
        missing,
        unknown: unknown.and_then(|token| model.token_to_id(token)),
        whole_words: model.ignore_merges,
    })
}

/// The merges of a model, in their order.
fn merges(model: &BPE) -> Result<Vec<Merge>, Unsupported> {
    // They are accessible only in their serialized form.
    let written = serde_json::to_value(model).map_err(|error| part(error.to_string()))?;
    let ids: HashMap<String, u32> = Model::get_vocab(model);
    let merges = written["merges"].as_array().into_iter().flatten();
    let merge = |merge: &Value| {
        let (left, right) = (merge[0].as_str()?, merge[1].as_str()?);
        let id = |text: &str| ids.get(text).copied();
        Some(Merge {
            left: id(left)?,
            right: id(right)?,
            merged: id(&format!("{left}{right}"))?,
        })
    };
    let merges: Option<Vec<Merge>> = merges.map(merge).collect();
    merges.ok_or_else(|| part("merges in another form"))
}

#[cfg(test)]
mod tests;
