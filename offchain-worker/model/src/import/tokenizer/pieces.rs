//! Vocabularies of SentencePiece: tokens with scores, of which the highest are joined first.

use super::{Prefix, Vocabulary, BYTE, CONTROL, UNKNOWN, USER_DEFINED};
use crate::import::ImportError;
use serde_json::{json, Value};
use std::{cmp::Reverse, collections::BTreeMap, path::Path};

/// The character that stands for a space.
const SPACE: &str = "\u{2581}";

/// Most work of finding the merges: the sum of the squares of the tokens' lengths in bytes. A vocabulary of
/// a million tokens of 16 bytes takes a quarter of it.
const MOST_WORK: u64 = 1 << 30;

/// The normalizer for texts with this prefix; a text has no other change than that of its spaces.
pub(super) fn normalizer(prefix: Prefix) -> Value {
    let spaces = replace(" ", SPACE);
    match prefix {
        Prefix::EachPart => json!({
            "normalizers": [{ "prepend": SPACE, "type": "Prepend" }, spaces],
            "type": "Sequence"
        }),
        Prefix::Text => Value::Null,
        Prefix::None => spaces,
    }
}

/// Puts a space before the first word only, where the normalizer does not put one before each part.
pub(super) fn pre_tokenizer(prefix: Prefix) -> Value {
    match prefix {
        Prefix::Text => json!({
            "prepend_scheme": "first",
            "replacement": SPACE,
            "split": false,
            "type": "Metaspace"
        }),
        Prefix::EachPart | Prefix::None => Value::Null,
    }
}

pub(super) fn decoder(prefix: Prefix) -> Value {
    let mut steps = vec![
        replace(SPACE, " "),
        json!({ "type": "ByteFallback" }),
        json!({ "type": "Fuse" }),
    ];
    if prefix != Prefix::None {
        steps.push(json!({ "content": " ", "start": 1, "stop": 0, "type": "Strip" }));
    }
    json!({ "decoders": steps, "type": "Sequence" })
}

fn replace(pattern: &str, content: &str) -> Value {
    json!({ "content": content, "pattern": { "String": pattern }, "type": "Replace" })
}

/// All pairs of tokens that make a third, in the order in which they are joined: that of the scores of what
/// they make, and for one token with the longest left part first.
pub(super) fn merges(
    path: &Path,
    vocabulary: &Vocabulary,
    ids: &BTreeMap<&str, usize>,
    scores: &[f32],
) -> Result<Vec<Value>, ImportError> {
    let Vocabulary { tokens, kinds, .. } = vocabulary;
    if scores.len() != tokens.len() {
        return Err(ImportError::tokenizer(
            path,
            format!("it has {} tokens but {} scores", tokens.len(), scores.len()),
        ));
    }
    let is_text = |id: usize| {
        let kind = kinds.get(id);
        kind.is_some_and(|kind| ![UNKNOWN, CONTROL, USER_DEFINED, BYTE].contains(kind))
    };
    let is_part = |part: &str| ids.get(part).is_some_and(|id| is_text(*id));
    let mut work = 0u64;
    let mut found = Vec::new();
    for (id, (token, score)) in tokens.iter().zip(scores).enumerate() {
        if !is_text(id) {
            continue;
        }
        let length = token.len() as u64;
        work = work.saturating_add(length.saturating_mul(length));
        if work > MOST_WORK {
            return Err(ImportError::tokenizer(
                path,
                format!(
                    "its tokens are too long to find their merges; token {id} has {length} bytes"
                ),
            ));
        }
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if is_part(left) && is_part(right) {
                found.push((*score, left, right));
            }
        }
    }
    found.sort_by(|(one, left, _), (other, their_left, _)| {
        let by_score = other.total_cmp(one);
        by_score.then_with(|| Reverse(left.len()).cmp(&Reverse(their_left.len())))
    });
    let merges = found.into_iter();
    Ok(merges
        .map(|(_, left, right)| json!([left, right]))
        .collect())
}
