//! Conversion between text and token ids, according to the checkpoint's `tokenizer.json`.
//!
//! Special tokens mark where a turn begins and ends, and its role. Only a frame has them: in every
//! other text, a prompt or a document of a dataset, their written form is ordinary text. So there are two
//! ways to encode, [`TextCodec::encode`] for text and [`TextCodec::encode_frame`] for a frame.

use aho_corasick::AhoCorasick;
use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};
use tokenizers::{
    pre_tokenizers::metaspace::PrependScheme, AddedToken, AddedVocabulary, Encoding, Model,
    ModelWrapper, OffsetReferential, OffsetType, PreTokenizer, PreTokenizerWrapper, Token,
    Tokenizer,
};

/// A checkpoint's tokenizer.
#[derive(Debug)]
pub(crate) struct TextCodec {
    /// Finds no special tokens in a text.
    tokenizer: Tokenizer,
    /// The tokens that decoding leaves out.
    hidden: HashSet<u32>,
    /// The special tokens, in their written form, that no text may become.
    special: BTreeMap<u32, String>,
    /// Finds in a word those of them that the model can make.
    written: AhoCorasick,
    /// Cuts a text that follows a special token into words.
    words_after: Option<PreTokenizerWrapper>,
}

impl TextCodec {
    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(json: &[u8]) -> tokenizers::Result<Self> {
        Self::new(Tokenizer::from_bytes(json)?)
    }

    /// The codec of a tokenizer.
    pub(crate) fn new(mut tokenizer: Tokenizer) -> tokenizers::Result<Self> {
        // Either would make the tokens of a text depend on more than the text.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None)?;
        tokenizer.set_encode_special_tokens(true);
        let hidden = tokenizer
            .get_added_tokens_decoder()
            .into_iter()
            .filter_map(|(id, token)| token.special.then_some(id))
            .collect();
        let words_after = tokenizer.get_pre_tokenizer().cloned().map(|mut words| {
            begin_nothing(&mut words);
            words
        });
        let special = special(&tokenizer);
        Ok(Self {
            hidden,
            written: written(tokenizer.get_model(), &special)?,
            special,
            words_after,
            tokenizer,
        })
    }

    /// The tokenizer itself.
    pub(super) const fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Makes those of these tokens special that are added tokens and not only white space. The tokens that
    /// decoding leaves out stay the same.
    pub(super) fn make_special(
        &mut self,
        tokens: impl IntoIterator<Item = u32>,
    ) -> tokenizers::Result<()> {
        let added = self.tokenizer.get_added_tokens_decoder();
        let visible = |token: &&AddedToken| !token.content.trim().is_empty();
        let made: Vec<AddedToken> = tokens
            .into_iter()
            .filter_map(|id| added.get(&id).filter(visible))
            .map(|token| token.clone().special(true))
            .collect();
        self.tokenizer.add_special_tokens(made)?;
        self.special = special(&self.tokenizer);
        self.written = written(self.tokenizer.get_model(), &self.special)?;
        Ok(())
    }

    /// Token ids of a text, in which special tokens are text; `add_special` makes the tokenizer add the
    /// tokens that begin and end a text.
    pub(crate) fn encode(&self, text: &str, add_special: bool) -> tokenizers::Result<Vec<u32>> {
        let added = self.tokenizer.get_added_vocabulary();
        let words = self.tokenizer.get_pre_tokenizer();
        let encoding = self.encoding(added, words, text)?;
        let processed = self.tokenizer.post_process(encoding, None, add_special)?;
        Ok(processed.get_ids().to_vec())
    }

    /// The same for a text that follows a special token.
    pub(super) fn encode_after(&self, text: &str) -> tokenizers::Result<Vec<u32>> {
        let added = self.tokenizer.get_added_vocabulary();
        let encoding = self.encoding(added, self.words_after.as_ref(), text)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids of a part of a frame, in which special tokens are recognised.
    pub(super) fn encode_frame(&self, written: &str) -> tokenizers::Result<Vec<u32>> {
        let words = self.tokenizer.get_pre_tokenizer();
        let encoding = self.encoding(&self.all_added(), words, written)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The added tokens in a part of a frame, and their byte ranges.
    pub(super) fn added_in(&self, written: &str) -> Vec<(Range<usize>, u32, AddedToken)> {
        let all = self.all_added();
        let pieces = all.extract_and_normalize(self.tokenizer.get_normalizer(), written);
        let found = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        let found = found.into_iter().filter_map(|(_, (start, end), tokens)| {
            let token = tokens.as_ref()?.first()?;
            let added = all.get_added_tokens_decoder().get(&token.id)?;
            Some((start..end, token.id, added.clone()))
        });
        found.collect()
    }

    /// The added tokens, including the special ones.
    fn all_added(&self) -> AddedVocabulary {
        let mut added = self.tokenizer.get_added_vocabulary().clone();
        added.set_encode_special_tokens(false);
        added
    }

    fn encoding(
        &self,
        added: &AddedVocabulary,
        words: Option<&PreTokenizerWrapper>,
        text: &str,
    ) -> tokenizers::Result<Encoding> {
        let mut pieces = added.extract_and_normalize(self.tokenizer.get_normalizer(), text);
        if let Some(words) = words {
            words.pre_tokenize(&mut pieces)?;
        }
        pieces.tokenize(|word| self.tokens(word.get()))?;
        pieces.into_encoding(None, 0, OffsetType::None)
    }

    /// The tokens of a word. A vocabulary or merges may turn the written form of a special token into that
    /// token: such a word is cut after the first character of each special token in it that the model can
    /// make; a part that still becomes a special token is encoded character by character.
    fn tokens(&self, word: &str) -> tokenizers::Result<Vec<Token>> {
        let model = self.tokenizer.get_model();
        let whole = model.tokenize(word)?;
        if !self.has_special(&whole) {
            return Ok(whole);
        }
        let mut tokens = Vec::new();
        for part in self.parts(word) {
            let of_part = model.tokenize(part)?;
            if !self.has_special(&of_part) {
                tokens.extend(of_part);
                continue;
            }
            for character in part.chars() {
                tokens.extend(model.tokenize(character.encode_utf8(&mut [0; 4]))?);
            }
        }
        Ok(tokens)
    }

    fn parts<'a>(&self, word: &'a str) -> Vec<&'a str> {
        let found = self.written.find_overlapping_iter(word);
        let mut starts: Vec<usize> = found.map(|found| found.start()).collect();
        starts.sort_unstable();
        let mut parts = Vec::new();
        let mut begin = 0;
        for start in starts {
            let first = word.get(start..).and_then(|rest| rest.chars().next());
            let end = start.saturating_add(first.map_or(0, char::len_utf8));
            parts.extend(word.get(begin..end));
            begin = end;
        }
        parts.extend(word.get(begin..));
        parts
    }

    /// Whether a token is one that no text may become.
    pub(super) fn is_special(&self, id: u32) -> bool {
        self.special.contains_key(&id)
    }

    /// Whether decoding leaves a token out.
    pub(super) fn is_hidden(&self, id: u32) -> bool {
        self.hidden.contains(&id)
    }

    fn has_special(&self, tokens: &[Token]) -> bool {
        let is_special = |token: &Token| self.special.get(&token.id) == Some(&token.value);
        tokens.iter().any(is_special)
    }

    /// A special token that a text of one character becomes, if there is one.
    pub(super) fn special_character(&self) -> tokenizers::Result<Option<&str>> {
        for form in self.special.values() {
            let is_one = form.chars().nth(1).is_none();
            if is_one && self.has_special(&self.tokenizer.get_model().tokenize(form)?) {
                return Ok(Some(form));
            }
        }
        Ok(None)
    }

    /// Text of `tokens` without the special ones. A function of the token ids alone: bytes that are not UTF-8
    /// become U+FFFD, unknown ids vanish.
    pub(crate) fn decode(&self, tokens: &[u32]) -> tokenizers::Result<String> {
        let shown: Vec<u32> = tokens
            .iter()
            .copied()
            .filter(|token| !self.hidden.contains(token))
            .collect();
        self.tokenizer.decode(&shown, false)
    }

    /// The written form of token `id`; empty for an unknown id.
    pub(crate) fn token(&self, id: u32) -> String {
        self.tokenizer.id_to_token(id).unwrap_or_default()
    }

    /// The token with this written form.
    pub(crate) fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }
}

/// The special tokens of a tokenizer, except the one for unknown text, which text does become.
fn special(tokenizer: &Tokenizer) -> BTreeMap<u32, String> {
    let unknown = match tokenizer.get_model() {
        ModelWrapper::BPE(model) => model.unk_token.as_deref(),
        ModelWrapper::WordPiece(model) => Some(model.unk_token.as_str()),
        ModelWrapper::WordLevel(model) => Some(model.unk_token.as_str()),
        // Its unknown tokens have the text that they stand for.
        ModelWrapper::Unigram(_) => None,
    };
    let added = tokenizer.get_added_tokens_decoder().into_iter();
    added
        .filter(|(_, token)| token.special && Some(token.content.as_str()) != unknown)
        .map(|(id, token)| (id, token.content))
        .collect()
}

/// Finds where those of the special tokens are written that `model` can make. Where one begins with another,
/// only the shorter is searched for, so no place is found twice.
fn written(
    model: &ModelWrapper,
    special: &BTreeMap<u32, String>,
) -> tokenizers::Result<AhoCorasick> {
    let made = special
        .iter()
        .filter(|(id, form)| !form.is_empty() && model.token_to_id(form) == Some(**id));
    let mut forms: Vec<&str> = made.map(|(_, form)| form.as_str()).collect();
    forms.sort_unstable();
    forms.dedup_by(|form, before| form.starts_with(*before));
    Ok(AhoCorasick::new(forms)?)
}

/// Makes `words` treat no word as the first of a text.
fn begin_nothing(words: &mut PreTokenizerWrapper) {
    match words {
        PreTokenizerWrapper::Sequence(steps) => steps.as_mut().iter_mut().for_each(begin_nothing),
        PreTokenizerWrapper::Metaspace(meta)
            if meta.get_prepend_scheme() == PrependScheme::First =>
        {
            meta.set_prepend_scheme(PrependScheme::Never);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use serde_json::Value;

    /// A codec whose special tokens are `forms`; `made` is whether the model has them in its vocabulary.
    fn codec(forms: &[String], made: bool) -> TextCodec {
        let json = sample::byte_level(|written| {
            let added = |(id, form): (usize, &String)| sample::added(300 + id, form, false);
            written["added_tokens"] = forms.iter().enumerate().map(added).collect();
            for (id, form) in forms.iter().enumerate().filter(|_| made) {
                written["model"]["vocab"][form] = Value::from(300 + id);
            }
        });
        TextCodec::from_json(&json).expect("a tokenizer")
    }

    #[test]
    fn a_word_is_cut_after_the_beginning_of_each_special_token() {
        let forms = ["<s>", "<s><t>", "t><", "é!", "!"].map(String::from);
        let parts = |word| codec(&forms, true).parts(word).join("|");
        assert_eq!(parts("a<s><t><é!b"), "a<|s><t|><é|!|b");
        assert_eq!(parts("<"), "<");
        let forms = ["<q>".to_owned()];
        assert_eq!(codec(&forms, true).parts("<q>"), ["<", "q>"]);
        assert_eq!(codec(&forms, false).parts("<q>"), ["<q>"]);
    }

    #[test]
    fn many_special_tokens_do_not_slow_a_long_word() {
        let forms: Vec<String> = (0..1 << 14).map(|form| format!("x{form:05}")).collect();
        let word = "x".repeat(1 << 18) + "x00001";
        // A comparison of each place with each token would take billions of steps.
        assert_eq!(codec(&forms, true).parts(&word).len(), 2);
    }
}
