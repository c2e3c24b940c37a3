//! Texts and their tokens by the present version of the text layer. If a change of this crate, or another
//! release of the tokenizer library or of Rust, gives one of them other tokens, `TEXT_LAYER_VERSION` has to
//! rise, and the tokens of the new version are recorded in a file of their own.

use super::{architecture, merged, metaspace, post_processor, sample, Frame, PromptCodec, Value};
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
