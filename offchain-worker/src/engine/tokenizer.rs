//! Between text and token ids, as the checkpoint's `tokenizer.json` says.

use std::collections::HashSet;
use tokenizers::Tokenizer;

/// A checkpoint's tokenizer.
#[derive(Debug)]
pub(crate) struct TextCodec {
    tokenizer: Tokenizer,
    special: HashSet<u32>,
}

impl TextCodec {
    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(json: &[u8]) -> tokenizers::Result<Self> {
        let mut tokenizer = Tokenizer::from_bytes(json)?;
        // Either would make the tokens of a prompt depend on more than the prompt.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None)?;
        let special = tokenizer
            .get_added_tokens_decoder()
            .into_iter()
            .filter_map(|(id, token)| token.special.then_some(id))
            .collect();
        Ok(Self { tokenizer, special })
    }

    /// Token ids of `text`. Special tokens written out in it become their ids; `add_special` lets
    /// the tokenizer add those it begins a text with.
    pub(crate) fn encode(&self, text: &str, add_special: bool) -> tokenizers::Result<Vec<u32>> {
        Ok(self
            .tokenizer
            .encode_fast(text, add_special)?
            .get_ids()
            .to_vec())
    }

    /// Text of `tokens` without the special ones. A function of the token ids alone: bytes that are
    /// not UTF-8 become U+FFFD, ids that the tokenizer does not know vanish.
    pub(crate) fn decode(&self, tokens: &[u32]) -> tokenizers::Result<String> {
        let shown: Vec<u32> = tokens
            .iter()
            .copied()
            .filter(|token| !self.special.contains(token))
            .collect();
        self.tokenizer.decode(&shown, true)
    }

    /// The written form of token `id`; empty for an id that the tokenizer does not know.
    pub(crate) fn token(&self, id: u32) -> String {
        self.tokenizer.id_to_token(id).unwrap_or_default()
    }
}
