//! Texts and their tokens by the present version of the text layer. If a change of this crate, or another
//! release of the tokenizer library or of Rust, gives one of them other tokens, `TEXT_LAYER_VERSION` has to
//! rise, and the tokens of the new version are recorded in a file of their own.

use super::{
    architecture, merged, metaspace, post_processor, sample, Frame, PromptCodec, TextCodec, Value,
};
use noema_checkpoint::TEXT_LAYER_VERSION;
use serde_json::json;

const GOLDEN: &str = include_str!("../../../../tests/golden/text-layer-1.json");

fn tokenizers() -> [(&'static str, Vec<u8>); 7] {
    let composed = |written: &mut Value| written["normalizer"] = json!({ "type": "NFC" });
    [
        ("byte level", sample::byte_level(|_| ())),
        ("byte level, NFC", sample::byte_level(composed)),
        (
            "byte level, begun",
            sample::byte_level(post_processor("<s> A")),
        ),
        ("byte level, merged", sample::byte_level(merged)),
        ("SentencePiece", sample::sentence_piece(|_| ())),
        (
            "Metaspace, first",
            sample::sentence_piece(metaspace("first")),
        ),
        (
            "Metaspace, always",
            sample::sentence_piece(metaspace("always")),
        ),
    ]
}

#[test]
fn texts_have_the_tokens_of_this_version_of_the_text_layer() {
    let golden: Value = serde_json::from_str(GOLDEN).expect("JSON");
    assert_eq!(golden["version"], json!(TEXT_LAYER_VERSION));
    let turns = Frame {
        before: "<s>system\nBe helpful</s>\n<s>user\n".into(),
        after: "!</s>\n<s>you:".into(),
        trims: true,
    };
    for (name, tokenizer) in tokenizers() {
        for (kind, frame) in [("framed", Some(&turns)), ("bare", None)] {
            let codec =
                PromptCodec::new(&tokenizer, frame, Some(0), Some(1), &[1], &architecture());
            let codec = codec.expect("a codec");
            let texts = golden[name][kind].as_object().expect("texts");
            assert_eq!(texts.len(), 17, "{name}, {kind}");
            for (text, tokens) in texts {
                let found = codec.encode(text).expect("encodes");
                assert_eq!(json!(found), *tokens, "{name}, {kind}: {text:?}");
            }
        }
    }
}

fn with(decoder: Value) -> impl FnOnce(&mut Value) {
    move |written: &mut Value| written["decoder"] = decoder
}

/// The tokenizers of the golden answers, each with the decoder that an import gives it or a model has.
fn decoded() -> [(&'static str, Vec<u8>); 4] {
    let metaspace = |prepend: &str| json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": prepend, "split": true });
    let sentence_piece = json!({
        "type": "Sequence",
        "decoders": [
            { "type": "Replace", "pattern": { "String": "▁" }, "content": " " },
            { "type": "ByteFallback" },
            { "type": "Fuse" },
            { "type": "Strip", "content": " ", "start": 1, "stop": 0 },
        ],
    });
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    [
        ("byte level", sample::byte_level(with(byte_level))),
        (
            "SentencePiece",
            sample::sentence_piece(with(sentence_piece)),
        ),
        (
            "Metaspace, first",
            sample::sentence_piece(with(metaspace("first"))),
        ),
        (
            "Metaspace, never",
            sample::sentence_piece(with(metaspace("never"))),
        ),
    ]
}

#[test]
fn tokens_have_the_texts_of_this_version_of_the_text_layer() {
    let golden: Value = serde_json::from_str(GOLDEN).expect("JSON");
    for (name, tokenizer) in decoded() {
        let codec = TextCodec::from_json(&tokenizer).expect("a tokenizer");
        let answers = golden["answers"][name].as_array().expect("answers");
        assert!(answers.len() >= 4, "{name}");
        for answer in answers {
            let tokens: Vec<u32> =
                serde_json::from_value(answer["tokens"].clone()).expect("tokens");
            let text = codec.decode(&tokens).expect("decodes");
            assert_eq!(json!(text), answer["text"], "{name}: {tokens:?}");
        }
    }
}
