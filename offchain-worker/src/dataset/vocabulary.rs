//! Learning a tokenizer from text.

use super::{
    text::{Layout, Pieces},
    DatasetError, SEPARATOR,
};
use std::path::PathBuf;
use tokenizers::{
    models::{
        bpe::{BpeTrainer, BPE},
        TrainerWrapper,
    },
    pre_tokenizers::byte_level::ByteLevel,
    AddedToken, Tokenizer,
};

/// Fewest tokens: one for each byte, and the separator.
pub const FEWEST_TOKENS: u32 = 257;

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
    let trainer = BpeTrainer::builder()
        .vocab_size(tokens as usize)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(SEPARATOR, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut tokenizer = Tokenizer::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    tokenizer
        .train(&mut TrainerWrapper::BpeTrainer(trainer), texts.iter())
        .map_err(learnt)?;
    let model = serde_json::to_value(tokenizer.get_model());
    let model = model.map_err(|error| learnt(error.into()))?;
    Ok(crate::import::byte_level_tokenizer(&model, SEPARATOR)?)
}
