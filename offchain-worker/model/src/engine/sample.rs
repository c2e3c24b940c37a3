//! Small tokenizers of every kind, for tests.

use serde_json::{json, Value};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// Texts that are difficult for tokenizers and templates: proptest strings consist of these.
pub(super) const PIECES: [&str; 24] = [
    "a",
    "b",
    "ab",
    "hello",
    " ",
    "  ",
    "\n",
    "\t",
    "é",
    "e\u{301}",
    "ü",
    "ß",
    "東",
    "🙂",
    "▁",
    "\u{1d160}",
    "\u{fdfa}",
    "\u{390}",
    "\u{ac01}",
    "<s>",
    "</s>",
    "<s",
    "x",
    "\u{3000}",
];

/// A special token.
pub(super) fn added(id: usize, content: &str, normalized: bool) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": normalized, "special": true,
    })
}

/// An added token that is not special.
pub(super) fn plain(mut added: Value) -> Value {
    added["special"] = false.into();
    added
}

/// A byte-level BPE tokenizer whose first tokens are `<s>` and `</s>`, with a few merges. `change` modifies
/// its `tokenizer.json`.
pub(super) fn byte_level(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let merges = ["h e", "l l", "he ll", "hell o", "Ġ Ġ", "a b"];
    let tokens = ["<s>".to_owned(), "</s>".to_owned()]
        .into_iter()
        .chain(alphabet.into_iter().map(String::from))
        .chain(merges.iter().map(|merge| merge.replace(' ', "")));
    let level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    bytes(&level, tokens, &merges, change)
}

/// A tokenizer as of SentencePiece: characters, spaces that are written as `▁`, and bytes for unknown
/// characters. `change` modifies its `tokenizer.json`.
pub(super) fn sentence_piece(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let tokens = ["<s>", "</s>", "<unk>"]
        .map(String::from)
        .into_iter()
        .chain((0..=255u8).map(|byte| format!("<{byte:#04X}>")))
        .chain(["a", "b", "l", "▁", "ll", "▁a"].map(String::from));
    bytes(&Value::Null, tokens, &["l l", "▁ a"], |written| {
        written["normalizer"] = json!({
            "type": "Sequence",
            "normalizers": [
                { "type": "Prepend", "prepend": "▁" },
                { "type": "Replace", "pattern": { "String": " " }, "content": "▁" },
            ],
        });
        written["model"]["byte_fallback"] = true.into();
        written["model"]["fuse_unk"] = true.into();
        written["model"]["unk_token"] = "<unk>".into();
        change(written);
    })
}

fn bytes(
    pre_tokenizer: &Value,
    tokens: impl Iterator<Item = String>,
    merges: &[&str],
    change: impl FnOnce(&mut Value),
) -> Vec<u8> {
    let vocabulary: serde_json::Map<String, Value> = tokens
        .zip(0..)
        .map(|(token, id)| (token, id.into()))
        .collect();
    let mut written = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [added(0, "<s>", false), added(1, "</s>", false)],
        "normalizer": null,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": false, "vocab": vocabulary, "merges": merges,
        },
    });
    change(&mut written);
    written.to_string().into_bytes()
}
