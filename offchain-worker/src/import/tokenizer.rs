//! Tokenizers: Hugging Face's `tokenizer.json`, checked, or built from the vocabulary of a GGUF file.
//!
//! A checkpoint commits to the bytes of its `tokenizer.json`. Every object below is therefore built with its
//! keys in alphabetical order: `serde_json` then writes the same bytes whether or not a crate of the program
//! enables its `preserve_order`.

use super::{files, ImportError};
use serde::de::IgnoredAny;
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
};
use tokenizers::Tokenizer;

/// The fields of a GGUF file for a byte-level BPE tokenizer.
pub(super) struct Vocabulary {
    /// Name of the rules that split a text into words, `tokenizer.ggml.pre`.
    pub(super) rules: String,
    pub(super) tokens: Vec<String>,
    /// One for each token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    pub(super) kinds: Vec<i64>,
    /// Two parts each, separated by a space.
    pub(super) merges: Vec<String>,
}

const NORMAL: i64 = 1;
pub(super) const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// Llama 3: contractions, words with one leading character, up to three digits, punctuation with
/// line breaks, white space.
const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Qwen 2: the same with single digits.
const QWEN_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Rules for cutting a text into words, by the names that llama.cpp gives them.
struct Rules {
    pre_tokenizer: Value,
    normalizer: Value,
    ignore_merges: bool,
}

impl Rules {
    fn named(name: &str) -> Option<Self> {
        let split = |pattern: &str| {
            json!({
                "pretokenizers": [
                    {
                        "behavior": "Isolated",
                        "invert": false,
                        "pattern": { "Regex": pattern },
                        "type": "Split"
                    },
                    byte_level(false)
                ],
                "type": "Sequence"
            })
        };
        let (pre_tokenizer, normalizer, ignore_merges) = match name {
            "gpt-2" | "gpt2" => (byte_level(true), Value::Null, false),
            "smollm" | "starcoder" | "refact" | "codeshell" => (
                json!({
                    "pretokenizers": [
                        { "individual_digits": true, "type": "Digits" },
                        byte_level(true)
                    ],
                    "type": "Sequence"
                }),
                Value::Null,
                false,
            ),
            "llama-bpe" | "llama3" | "llama-v3" => (split(LLAMA_3), Value::Null, true),
            "qwen2" => (split(QWEN_2), json!({ "type": "NFC" }), false),
            _ => return None,
        };
        Some(Self {
            pre_tokenizer,
            normalizer,
            ignore_merges,
        })
    }
}

fn byte_level(use_regex: bool) -> Value {
    json!({
        "add_prefix_space": false,
        "trim_offsets": true,
        "type": "ByteLevel",
        "use_regex": use_regex
    })
}

/// Builds `tokenizer.json` from a GGUF vocabulary.
pub(super) fn build(path: &Path, vocabulary: &Vocabulary) -> Result<Vec<u8>, ImportError> {
    let Vocabulary {
        rules: name,
        tokens,
        kinds,
        merges,
    } = vocabulary;
    let rules = Rules::named(name).ok_or_else(|| {
        ImportError::unsupported(
            path,
            format!("the word rules {name:?} (tokenizer.ggml.pre)"),
            "import the model's Hugging Face folder, which carries its tokenizer",
        )
    })?;
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
    for (id, (token, kind)) in tokens.iter().zip(kinds).enumerate() {
        if let Some(other) = ids.insert(token.as_str(), id) {
            return Err(ImportError::tokenizer(
                path,
                format!("tokens {other} and {id} are both {token:?}"),
            ));
        }
        if [CONTROL, USER_DEFINED].contains(kind) {
            added.push(json!({
                "content": token,
                "id": id,
                "lstrip": false,
                "normalized": false,
                "rstrip": false,
                "single_word": false,
                "special": *kind == CONTROL
            }));
        }
    }
    let merges = merges
        .iter()
        .enumerate()
        .map(|(index, merge)| {
            let known = |part: &str| ids.contains_key(part);
            match merge.split_once(' ') {
                Some((left, right))
                    if known(left) && known(right) && known(&format!("{left}{right}")) =>
                {
                    Ok(json!([left, right]))
                }
                _ => Err(ImportError::tokenizer(
                    path,
                    format!("merge {index}, {merge:?}, does not join two tokens into a third"),
                )),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;

    let tokenizer = json!({
        "added_tokens": added,
        "decoder": byte_level(true),
        "model": {
            "byte_fallback": false,
            "continuing_subword_prefix": null,
            "dropout": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "ignore_merges": rules.ignore_merges,
            "merges": merges,
            "type": "BPE",
            "unk_token": null,
            "vocab": ids
        },
        "normalizer": rules.normalizer,
        "padding": null,
        "post_processor": null,
        "pre_tokenizer": rules.pre_tokenizer,
        "truncation": null,
        "version": "1.0"
    });
    Ok(tokenizer.to_string().into_bytes())
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
        rules: "gpt-2".into(),
        kinds: tokens.iter().map(kind).collect(),
        merges: merges.collect::<Result<_, ImportError>>()?,
        tokens,
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

/// Reads `tokenizer.json` of a Hugging Face folder.
pub(super) fn read(folder: &Path) -> Result<Vec<u8>, ImportError> {
    let path = folder.join("tokenizer.json");
    if !path.exists() {
        let what = if folder.join("tokenizer.model").exists() {
            "tokenizer.json (a SentencePiece tokenizer.model alone is not read; \
             save the tokenizer with `use_fast=True` first)"
        } else {
            "tokenizer.json"
        };
        return Err(ImportError::missing(folder, what));
    }
    files::read_small(&path)
}
