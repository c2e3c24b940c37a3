//! Tokenizers: Hugging Face's `tokenizer.json`, checked, or built from the vocabulary of a GGUF file or of a
//! `tokenizer.model`.
//!
//! A checkpoint commits to the bytes of its `tokenizer.json`. Every object below is therefore built with its
//! keys in alphabetical order: `serde_json` then writes the same bytes whether or not a crate of the program
//! enables its `preserve_order`.

mod model_file;
mod pieces;
mod rules;

pub(super) use model_file::{from_model, Added, ModelSettings};

use super::{files, ImportError};
use rules::{byte_level, Rules};
use serde::de::IgnoredAny;
use serde_json::{json, Map, Value};
use std::{
    collections::BTreeMap,
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
};
use tokenizers::Tokenizer;

/// A vocabulary without the form of `tokenizer.json`.
pub(super) struct Vocabulary {
    /// An empty token has no text, and no text becomes it.
    pub(super) tokens: Vec<String>,
    /// One for each token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    pub(super) kinds: Vec<i64>,
    pub(super) model: Pieces,
    /// The token before a text without chat template, as far as the source says so.
    pub(super) bos: Around,
    /// The token after it.
    pub(super) eos: Around,
}

/// How a text becomes tokens.
pub(super) enum Pieces {
    /// Byte-level BPE.
    ByteLevel {
        /// Name of the rules that split a text into words, `tokenizer.ggml.pre`.
        rules: String,
        /// Two parts each, separated by a space.
        merges: Vec<String>,
    },
    /// SentencePiece: BPE by scores, and bytes for what is not in the vocabulary.
    SentencePiece {
        /// One for each token.
        scores: Vec<f32>,
        prefix: Prefix,
    },
}

/// Where a space is put before a text of SentencePiece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Nowhere.
    None,
    /// At the beginning of the text.
    Text,
    /// There and after every token that is found in the text as it is.
    EachPart,
}

/// A token around a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    /// The token, if there is one.
    pub(super) token: Option<u32>,
    /// Whether it is added to a text; unless the source says so, what is usual for its tokenizer.
    pub(super) is_added: Option<bool>,
}

const NORMAL: i64 = 1;
const UNKNOWN: i64 = 2;
pub(super) const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const BYTE: i64 = 6;

/// Builds `tokenizer.json` from a vocabulary.
pub(super) fn build(path: &Path, vocabulary: &Vocabulary) -> Result<Vec<u8>, ImportError> {
    let Vocabulary { tokens, kinds, .. } = vocabulary;
    if kinds.len() != tokens.len() {
        return Err(ImportError::tokenizer(
            path,
            format!(
                "it has {} tokens but {} token types",
                tokens.len(),
                kinds.len()
            ),
        ));
    }

    let mut ids = BTreeMap::new();
    let mut added = Vec::new();
    let is_byte_level = matches!(vocabulary.model, Pieces::ByteLevel { .. });
    for (id, (token, kind)) in tokens.iter().zip(kinds).enumerate() {
        if token.is_empty() {
            continue;
        }
        if let Some(other) = ids.insert(token.as_str(), id) {
            return Err(ImportError::tokenizer(
                path,
                format!("tokens {other} and {id} are both {token:?}"),
            ));
        }
        let is_special = *kind == CONTROL || *kind == UNKNOWN && !is_byte_level;
        if is_special || *kind == USER_DEFINED {
            added.push(json!({
                "content": token,
                "id": id,
                "lstrip": false,
                "normalized": false,
                "rstrip": false,
                "single_word": false,
                "special": is_special
            }));
        }
    }
    let parts = Parts::of(path, vocabulary, &ids)?;
    let bos = vocabulary.bos.content(path, tokens, parts.begins_text)?;
    let eos = vocabulary.eos.content(path, tokens, false)?;
    let tokenizer = json!({
        "added_tokens": added,
        "decoder": parts.decoder,
        "model": {
            "byte_fallback": !is_byte_level,
            "continuing_subword_prefix": null,
            "dropout": null,
            "end_of_word_suffix": null,
            "fuse_unk": !is_byte_level,
            "ignore_merges": parts.ignore_merges,
            "merges": parts.merges,
            "type": "BPE",
            "unk_token": parts.unknown,
            "vocab": ids
        },
        "normalizer": parts.normalizer,
        "padding": null,
        "post_processor": post_processor(bos, eos),
        "pre_tokenizer": parts.pre_tokenizer,
        "truncation": null,
        "version": "1.0"
    });
    Ok(tokenizer.to_string().into_bytes())
}

/// What differs between the kinds of tokenizers.
struct Parts {
    normalizer: Value,
    pre_tokenizer: Value,
    decoder: Value,
    merges: Vec<Value>,
    ignore_merges: bool,
    unknown: Option<String>,
    begins_text: bool,
}

impl Parts {
    fn of(
        path: &Path,
        vocabulary: &Vocabulary,
        ids: &BTreeMap<&str, usize>,
    ) -> Result<Self, ImportError> {
        match &vocabulary.model {
            Pieces::ByteLevel {
                rules: name,
                merges,
            } => {
                let rules = Rules::named(name).ok_or_else(|| {
                    ImportError::unsupported(
                        path,
                        format!("the word rules {name:?} (tokenizer.ggml.pre)"),
                        "import the model's Hugging Face folder, which carries its tokenizer",
                    )
                })?;
                Ok(Self {
                    normalizer: rules.normalizer,
                    pre_tokenizer: rules.pre_tokenizer,
                    decoder: byte_level(true),
                    merges: stated_merges(path, merges, ids)?,
                    ignore_merges: rules.ignore_merges,
                    unknown: None,
                    begins_text: rules.begins_text,
                })
            }
            Pieces::SentencePiece { scores, prefix } => {
                let tokens = vocabulary.tokens.iter().zip(&vocabulary.kinds);
                let mut unknown =
                    tokens.filter(|(token, kind)| **kind == UNKNOWN && !token.is_empty());
                Ok(Self {
                    normalizer: pieces::normalizer(*prefix),
                    pre_tokenizer: pieces::pre_tokenizer(*prefix),
                    decoder: pieces::decoder(*prefix),
                    merges: pieces::merges(path, vocabulary, ids, scores)?,
                    ignore_merges: false,
                    unknown: unknown.next().map(|(token, _)| token.clone()),
                    begins_text: true,
                })
            }
        }
    }
}

/// The merges of a GGUF file.
fn stated_merges(
    path: &Path,
    merges: &[String],
    ids: &BTreeMap<&str, usize>,
) -> Result<Vec<Value>, ImportError> {
    let known = |part: &str| ids.contains_key(part);
    let merges = merges.iter().enumerate();
    merges
        .map(|(index, merge)| match merge.split_once(' ') {
            Some((left, right))
                if known(left) && known(right) && known(&format!("{left}{right}")) =>
            {
                Ok(json!([left, right]))
            }
            _ => Err(ImportError::tokenizer(
                path,
                format!("merge {index}, {merge:?}, does not join two tokens into a third"),
            )),
        })
        .collect()
}

impl Around {
    /// The token's id and written form, if it is added to a text.
    fn content<'a>(
        self,
        path: &Path,
        tokens: &'a [String],
        usual: bool,
    ) -> Result<Option<(u32, &'a str)>, ImportError> {
        if !self.is_added.unwrap_or(usual) {
            return Ok(None);
        }
        let Some(id) = self.token else {
            return match self.is_added {
                None => Ok(None),
                Some(_) => Err(ImportError::tokenizer(
                    path,
                    "it adds a token to the beginning or the end of a text, and does not say which",
                )),
            };
        };
        let token = tokens.get(id as usize).filter(|token| !token.is_empty());
        match token {
            Some(token) => Ok(Some((id, token))),
            None => Err(ImportError::tokenizer(
                path,
                format!("it adds token {id} to a text, which is not in its vocabulary"),
            )),
        }
    }
}

/// Puts these tokens, ids and written forms, around a text.
fn post_processor(bos: Option<(u32, &str)>, eos: Option<(u32, &str)>) -> Value {
    if bos.is_none() && eos.is_none() {
        return Value::Null;
    }
    let special = |token: Option<(u32, &str)>| {
        token.map(|(_, content)| json!({ "SpecialToken": { "id": content, "type_id": 0 } }))
    };
    let text = |id: &str| json!({ "Sequence": { "id": id, "type_id": 0 } });
    let around = |text: Value| -> Vec<Value> {
        special(bos)
            .into_iter()
            .chain([text])
            .chain(special(eos))
            .collect()
    };
    let tokens: BTreeMap<&str, u32> = bos
        .into_iter()
        .chain(eos)
        .map(|(id, content)| (content, id))
        .collect();
    let tokens: Map<String, Value> = tokens
        .into_iter()
        .map(|(content, id)| {
            let token = json!({ "id": content, "ids": [id], "tokens": [content] });
            (content.to_owned(), token)
        })
        .collect();
    let pair = [around(text("A")), around(text("B"))].concat();
    json!({
        "pair": pair,
        "single": around(text("A")),
        "special_tokens": tokens,
        "type": "TemplateProcessing"
    })
}

/// Builds `tokenizer.json` from the model of a newly learnt tokenizer, in the form in which the library
/// writes it. It splits words as GPT-2 does.
pub(super) fn byte_level_from_model(model: &Value, special: &str) -> Result<Vec<u8>, ImportError> {
    let path = Path::new("the learnt tokenizer");
    let damaged = || ImportError::tokenizer(path, "it lacks tokens or merges");
    let ids = model["vocab"].as_object().ok_or_else(damaged)?;
    let mut tokens = vec![String::new(); ids.len()];
    for (token, id) in ids {
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
        let place = id.and_then(|id| tokens.get_mut(id));
        *place.ok_or_else(damaged)? = token.clone();
    }
    let merges = model["merges"].as_array().ok_or_else(damaged)?;
    let merges = merges.iter().map(|merge| {
        let part = |index: usize| merge.get(index).and_then(Value::as_str);
        let (left, right) = part(0).zip(part(1)).ok_or_else(damaged)?;
        Ok(format!("{left} {right}"))
    });
    let kind = |token: &String| if token == special { CONTROL } else { NORMAL };
    let vocabulary = Vocabulary {
        kinds: tokens.iter().map(kind).collect(),
        tokens,
        model: Pieces::ByteLevel {
            rules: "gpt-2".into(),
            merges: merges.collect::<Result<_, ImportError>>()?,
        },
        bos: Around::default(),
        eos: Around::default(),
    };
    build(path, &vocabulary)
}

/// Loads `tokenizer.json` as the engine does and refuses one whose tokens the model does not have.
pub(super) fn check(path: &Path, json: &[u8], vocabulary: u32) -> Result<Tokenizer, ImportError> {
    // Invalid JSON is refused here, with its byte: the library panics on some of it.
    files::parse_json::<IgnoredAny>(path, json)?;
    // The library is not written for hostile files; a panic in it must not end this process.
    let loaded = catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(json)));
    let tokenizer = match loaded {
        Ok(Ok(tokenizer)) => tokenizer,
        Ok(Err(error)) => return Err(ImportError::tokenizer(path, error.to_string())),
        Err(_) => return Err(ImportError::tokenizer(path, "its library panicked")),
    };
    let tokens = tokenizer.get_vocab(true);
    if tokens.is_empty() {
        return Err(ImportError::tokenizer(path, "it has no tokens"));
    }
    let beyond = tokens.iter().filter(|(_, id)| **id >= vocabulary);
    let Some((token, id)) = beyond.clone().min_by_key(|(_, id)| **id) else {
        return Ok(tokenizer);
    };
    let are = match beyond.count() {
        1 => "is".to_owned(),
        count => format!("and {} more are", count - 1),
    };
    Err(ImportError::unusable(
        path,
        format!(
            "token {id}, {token:?}, {are} beyond the vocabulary of the model, which has {vocabulary} tokens \
             and numbers them from 0"
        ),
        "remove such tokens from this file and from tokenizer_config.json if nothing needs them, as a <pad> that \
         fine-tuning added, or save the model with a row for each: resize_token_embeddings(len(tokenizer))",
    ))
}
