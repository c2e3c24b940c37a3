//! Tokenizers built from a GGUF vocabulary.

use crate::support::{
    gguf::{self, Value},
    huggingface, import_gguf, import_into, Model,
};
use serde_json::json;
use tokenizers::Tokenizer;

fn tokenizer(rules: &str) -> Tokenizer {
    let file = gguf::File::new(&Model::tiny()).set("tokenizer.ggml.pre", rules);
    let checkpoint = import_gguf(&file.bytes()).unwrap();
    Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap()
}

fn pieces(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let encoding = tokenizer.encode_fast(text, false).unwrap();
    let ids = encoding.get_ids();
    assert_eq!(tokenizer.decode(ids, false).unwrap(), text);
    ids.iter()
        .map(|id| tokenizer.id_to_token(*id).unwrap())
        .collect()
}

#[test]
fn merges_apply_within_words() {
    let tokenizer = tokenizer("smollm");
    assert_eq!(pieces(&tokenizer, "hello w"), ["hello", "Ġw"]);
    assert_eq!(pieces(&tokenizer, "h ello"), ["h", "Ġ", "e", "ll", "o"]);
}

#[test]
fn control_tokens_are_never_cut() {
    let tokenizer = tokenizer("smollm");
    assert_eq!(
        pieces(&tokenizer, "<|im_start|>he<|im_end|>"),
        ["<|im_start|>", "he", "<|im_end|>"]
    );
}

#[test]
fn any_text_survives_in_every_set_of_rules() {
    for rules in ["smollm", "gpt-2", "llama-bpe", "qwen2"] {
        let tokenizer = tokenizer(rules);
        for text in [
            "",
            " ",
            "a\n\n\tb  c",
            "12345 6.7",
            "naïve — 你好 🦀",
            "don't we'll I'M",
            "\u{0}\u{7f}",
        ] {
            pieces(&tokenizer, text);
        }
    }
}

#[test]
fn a_normalizer_makes_more_tokens_of_a_byte() {
    for (rules, most) in [("smollm", 1), ("gpt-2", 1), ("llama-bpe", 1), ("qwen2", 3)] {
        let file = gguf::File::new(&Model::tiny()).set("tokenizer.ggml.pre", rules);
        let checkpoint = import_gguf(&file.bytes()).unwrap();
        assert_eq!(checkpoint.manifest().tokens_per_byte, most, "{rules}");
    }
}

#[test]
fn a_template_that_leaves_no_room_is_refused() {
    let long = format!("{}{{{{ messages[0].content }}}}", "x".repeat(20));
    let file = gguf::File::new(&Model::tiny()).set("tokenizer.chat_template", long.as_str());
    let message = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(
        message.contains("1 + 20 tokens, which leaves no room for an answer in a context of 16"),
        "{message}"
    );
}

#[test]
fn rules_that_are_not_known_are_refused() {
    for rules in ["default", "tekken", "no-such-rules"] {
        let file = gguf::File::new(&Model::tiny()).set("tokenizer.ggml.pre", rules);
        let message = import_gguf(&file.bytes()).unwrap_err().to_string();
        assert!(
            message.contains(&format!("the word rules {rules:?}")),
            "{message}"
        );
    }
    let file = gguf::File::new(&Model::tiny()).without("tokenizer.ggml.pre");
    let message = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(message.contains("the word rules \"default\""), "{message}");
}

#[test]
fn a_sentencepiece_vocabulary_is_refused_with_advice() {
    let file = gguf::File::new(&Model::tiny()).set("tokenizer.ggml.model", "llama");
    let message = import_gguf(&file.bytes()).unwrap_err().to_string();
    assert!(
        message.contains("the tokenizer model \"llama\"")
            && message.contains("Hugging Face folder"),
        "{message}"
    );
}

#[test]
fn tokens_beyond_the_vocabulary_of_the_model_are_named() {
    let model = Model::tiny();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&model, gguf::F32, 1, &folder);
    let refused = |added: &[&str]| {
        let mut tokenizer = huggingface::tokenizer(&model);
        for (id, token) in (model.tokens.len()..).zip(added) {
            tokenizer["added_tokens"]
                .as_array_mut()
                .unwrap()
                .push(json!({
                    "id": id, "content": token, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true
                }));
        }
        huggingface::json_file(&folder, "tokenizer.json", &tokenizer);
        import_into(&folder, directory.path()).map_err(|error| error.to_string())
    };
    let count = model.tokens.len();
    let message = refused(&["<pad>"]).unwrap_err();
    let named = format!("token {count}, \"<pad>\", is beyond the vocabulary");
    assert!(message.contains(&named), "{message}");
    assert!(message.contains("resize_token_embeddings"), "{message}");
    let message = refused(&["<pad>", "<sep>", "<cls>"]).unwrap_err();
    let named = format!("token {count}, \"<pad>\", and 2 more are beyond");
    assert!(message.contains(&named), "{message}");
    refused(&[]).unwrap();
}

#[test]
fn rows_that_no_token_uses_are_padding() {
    let mut model = Model::tiny();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    let tokenizer = huggingface::tokenizer(&model);
    model
        .tokens
        .extend((0..16).map(|index| format!("unused{index}")));
    huggingface::write(&model, gguf::F32, 1, &folder);
    huggingface::json_file(&folder, "tokenizer.json", &tokenizer);
    let checkpoint = import_into(&folder, directory.path()).unwrap();
    let rows = checkpoint.architecture().vocabulary as usize;
    assert_eq!(rows, model.tokens.len());
}

#[test]
fn a_vocabulary_that_contradicts_itself_is_refused() {
    let refused = |key: &str, value: Value| {
        let file = gguf::File::new(&Model::tiny()).set(key, value);
        import_gguf(&file.bytes()).unwrap_err().to_string()
    };
    let mut tokens = Model::tiny().tokens;
    tokens[5] = tokens[4].clone();
    let message = refused("tokenizer.ggml.tokens", Value::Texts(tokens));
    assert!(message.contains("tokens 4 and 5 are both"), "{message}");

    let message = refused("tokenizer.ggml.tokens", Value::Texts(vec!["a".into()]));
    assert!(message.contains("it has 1 tokens"), "{message}");

    for merge in ["ab", "h", "h z", "q q"] {
        let message = refused("tokenizer.ggml.merges", Value::Texts(vec![merge.into()]));
        assert!(message.contains("merge 0"), "{message}");
    }

    let message = refused("tokenizer.ggml.token_type", Value::Numbers(vec![1]));
    assert!(message.contains("1 token types"), "{message}");

    let message = refused("tokenizer.ggml.eos_token_id", Value::U32(1 << 20));
    assert!(message.contains("names token 1048576"), "{message}");
}
