//! Learning a tokenizer from text.

use super::{
    text::{Layout, Pieces},
    DatasetError, SEPARATOR,
};
use std::path::PathBuf;
use tokenizers::{
    models::bpe::{BpeTrainer, BPE},
    pre_tokenizers::byte_level::ByteLevel,
    AddedToken, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Trainer,
};

/// Fewest tokens: one for each byte, and the separator.
pub const FEWEST_TOKENS: u32 = 257;

/// Longest word, in bytes, that merges are learnt from; a longer one is cut. The trainer moves the rest of a word at
/// each merge, so its time grows with the square of a word's length.
const MAX_WORD_BYTES: usize = 256;

/// The `tokenizer.json` of a byte-level BPE tokenizer (Sennrich et al., 2016; Radford et al., 2019)
/// with at most `tokens` tokens, learnt from the documents in `inputs`. Token 0 is the separator
/// `<|endoftext|>`. The same text gives the same bytes on every machine.
///
/// # Errors
/// When an input is not text, or fewer than [`FEWEST_TOKENS`] are requested.
pub fn learn_tokenizer(
    inputs: &[PathBuf],
    text_field: Option<&str>,
    tokens: u32,
) -> Result<Vec<u8>, DatasetError> {
    if tokens < FEWEST_TOKENS {
        return Err(DatasetError::VocabularyTooSmall { tokens });
    }
    let layout = text_field.map_or(Layout::Plain, Layout::JsonLines);
    let mut texts = Vec::new();
    for input in inputs {
        for piece in Pieces::open(input, layout)? {
            texts.push(piece?.text);
        }
    }
    let learnt = |error: tokenizers::Error| DatasetError::Learn {
        problem: error.to_string(),
    };
    let mut trainer = BpeTrainer::builder()
        .vocab_size(tokens as usize)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(SEPARATOR, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut model = BPE::default();
    trainer.feed(texts.iter(), words).map_err(learnt)?;
    trainer.train(&mut model).map_err(learnt)?;
    let model = serde_json::to_value(model).map_err(|error| learnt(error.into()))?;
    Ok(crate::import::byte_level_tokenizer(&model, SEPARATOR)?)
}

/// The words of a text in the byte alphabet, in which each byte is one character, long ones cut.
fn words(text: &str) -> tokenizers::Result<Vec<String>> {
    let mut pieces = PreTokenizedString::from(text);
    ByteLevel::new(false, true, true).pre_tokenize(&mut pieces)?;
    let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::None);
    Ok(splits
        .into_iter()
        .flat_map(|(word, ..)| cut(word))
        .collect())
}

/// Parts of a word of at most [`MAX_WORD_BYTES`] characters.
fn cut(word: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = word;
    while let Some((at, _)) = rest.char_indices().nth(MAX_WORD_BYTES) {
        let (part, after) = rest.split_at(at);
        parts.push(part.to_owned());
        rest = after;
    }
    parts.push(rest.to_owned());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_words_are_cut() {
        assert_eq!(words("two words").unwrap(), ["two", "Ġwords"]);
        let long = "é".repeat(MAX_WORD_BYTES);
        let parts = words(&long).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts.concat().chars().count(), long.len());
        assert_eq!(words(&"a".repeat(MAX_WORD_BYTES)).unwrap().len(), 1);
    }
}
