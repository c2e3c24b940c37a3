//! Tokenizers built from a GGUF vocabulary.

use crate::support::{
    gguf::{self, Value},
    huggingface, import_gguf, import_into, pieces, Model,
};
use noema_model::{checkpoint::OpenCheckpoint, import::ImportError};
use serde_json::json;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Tokenizer};

/// All names of rules that are known.
const RULES: &[&str] = &[
    "a.x-4.0",
    "llama-v3",
    "minimax-m2",
    "pixtral",
    "refact",
    "solar-open",
    "starcoder",
    "talkie",
    "trillion",
    "bailingmoe",
    "bailingmoe2",
    "bloom",
    "chameleon",
    "chatglm-bpe",
    "codeshell",
    "command-r",
    "dbrx",
    "deepseek-coder",
    "deepseek-r1-qwen",
    "deepseek-v3",
    "default",
    "exaone",
    "exaone-moe",
    "exaone4",
    "f2llmv2",
    "falcon",
    "falcon-h1",
    "falcon3",
    "gigachat",
    "glm4",
    "gpt-2",
    "gpt-4o",
    "gpt2",
    "gpt3-finnish",
    "granite-docling",
    "grok-2",
    "hunyuan",
    "hunyuan-dense",
    "hy_v4",
    "jais",
    "jais-2",
    "joyai-llm",
    "kanana2",
    "kormo",
    "laguna",
    "lfm2",
    "llada-moe",
    "llama-bpe",
    "llama3",
    "llama4",
    "megrez",
    "mellum",
    "mellum2",
    "midm-2.0",
    "minerva-7b",
    "minicpm5",
    "mpt",
    "olmo",
    "phi-2",
    "poro-chat",
    "qwen2",
    "qwen35",
    "seed-coder",
    "smaug-bpe",
    "smollm",
    "stablelm2",
    "tekken",
    "ufakzeka",
    "viking",
];

fn tokenizer(rules: &str) -> Tokenizer {
    let file = gguf::File::new(&Model::tiny()).set("tokenizer.ggml.pre", rules);
    let checkpoint = import_gguf(&file.bytes()).unwrap();
    Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap()
}

fn pieces_of(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
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
    assert_eq!(pieces_of(&tokenizer, "hello w"), ["hello", "Ġw"]);
    assert_eq!(pieces_of(&tokenizer, "h ello"), ["h", "Ġ", "e", "ll", "o"]);
}

#[test]
fn control_tokens_are_never_cut() {
    let tokenizer = tokenizer("smollm");
    assert_eq!(
        pieces_of(&tokenizer, "<|im_start|>he<|im_end|>"),
        ["<|im_start|>", "he", "<|im_end|>"]
    );
}

#[test]
fn any_text_survives_in_every_set_of_rules() {
    for rules in RULES {
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
            pieces_of(&tokenizer, text);
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
    for rules in ["deepseek-llm", "kimi-k2", "no-such-rules"] {
        let file = gguf::File::new(&Model::tiny()).set("tokenizer.ggml.pre", rules);
        let message = import_gguf(&file.bytes()).unwrap_err().to_string();
        assert!(
            message.contains(&format!("the word rules {rules:?}")),
            "{message}"
        );
    }
    let file = gguf::File::new(&Model::tiny()).without("tokenizer.ggml.pre");
    let unnamed = import_gguf(&file.bytes()).unwrap();
    let named = import_gguf(&file.set("tokenizer.ggml.pre", "default").bytes()).unwrap();
    assert_eq!(unnamed.tokenizer(), named.tokenizer());
}

#[test]
fn rules_cut_words_where_llama_cpp_does() {
    let cases: [(&str, &str, &[&str]); 11] = [
        ("default", "ab 12345!?", &["ab", "Ġ", "123", "45", "!?"]),
        ("falcon", "12345`x", &["123", "45", "`", "x"]),
        ("gpt-2", "it's 12345", &["it", "'s", "Ġ12345"]),
        ("command-r", "it's 12", &["it", "'s", "Ġ", "1", "2"]),
        ("llama-bpe", "It'S 1234", &["It", "'S", "Ġ", "123", "4"]),
        ("qwen2", "It'S 12", &["It", "'S", "Ġ", "1", "2"]),
        (
            "tekken",
            "HelloWorld 12",
            &["Hello", "World", "Ġ", "1", "2"],
        ),
        ("gpt-4o", "I'm 2024", &["I'm", "Ġ", "202", "4"]),
        ("deepseek-v3", "a1234 b", &["a", "123", "4", "Ġb"]),
        ("viking", "a, b12", &["a", ",", "Ġb", "1", "2"]),
        ("laguna", "a\n\nb1", &["a", "ĊĊ", "b", "1"]),
    ];
    for (rules, text, expected) in cases {
        let tokenizer = tokenizer(rules);
        let mut words = PreTokenizedString::from(text);
        let cut = tokenizer.get_pre_tokenizer().unwrap();
        cut.pre_tokenize(&mut words).unwrap();
        let words = words.get_splits(OffsetReferential::Original, OffsetType::Byte);
        let words: Vec<&str> = words.into_iter().map(|(word, _, _)| word).collect();
        assert_eq!(words, expected, "{rules}: {text:?}");
    }
}

#[test]
fn a_file_and_a_folder_begin_a_text_with_the_same_token() {
    let model = Model::tiny();
    let file = gguf::File::new(&model).without("tokenizer.chat_template");
    let plain = import_gguf(&file.bytes()).unwrap();
    assert_eq!(plain.manifest().template_tokens, 0);
    let file = file.set("tokenizer.ggml.add_bos_token", Value::Bool(true));
    let file = import_gguf(&file.bytes()).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&model, gguf::F32, 1, &folder);
    let settings = json!({ "bos_token": "<|im_start|>", "eos_token": "<|im_end|>" });
    huggingface::json_file(&folder, "tokenizer_config.json", &settings);
    let bos = json!({ "SpecialToken": { "id": "<|im_start|>", "type_id": 0 } });
    let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let mut tokenizer = huggingface::tokenizer(&model);
    tokenizer["post_processor"] = json!({
        "type": "TemplateProcessing",
        "single": [bos, text],
        "pair": [bos, text, { "Sequence": { "id": "B", "type_id": 0 } }],
        "special_tokens": {
            "<|im_start|>": { "id": "<|im_start|>", "ids": [1], "tokens": ["<|im_start|>"] }
        }
    });
    huggingface::json_file(&folder, "tokenizer.json", &tokenizer);
    let folder = import_into(&folder, directory.path()).unwrap();
    for checkpoint in [file, folder] {
        assert_eq!(checkpoint.manifest().template_tokens, 1);
        assert_eq!(ids(&checkpoint, "hello"), [1, 262]);
    }
}

#[test]
fn a_file_says_which_tokens_stand_around_a_text() {
    let with = |change: fn(gguf::File) -> gguf::File| {
        let file = gguf::File::new(&Model::tiny()).without("tokenizer.chat_template");
        import_gguf(&change(file).bytes())
    };
    let both = with(|file| {
        file.set("tokenizer.ggml.add_bos_token", Value::Bool(true))
            .set("tokenizer.ggml.add_eos_token", Value::Bool(true))
    });
    assert_eq!(ids(&both.unwrap(), "hello"), [1, 262, 2]);
    // Llama 3's texts begin with the token unless the file says otherwise.
    let usual = with(|file| file.set("tokenizer.ggml.pre", "llama-bpe"));
    assert_eq!(ids(&usual.unwrap(), "hello"), [1, 262]);
    let without = with(|file| {
        file.set("tokenizer.ggml.pre", "llama-bpe")
            .set("tokenizer.ggml.add_bos_token", Value::Bool(false))
    });
    assert_eq!(ids(&without.unwrap(), "hello"), [262]);
    let unnamed = with(|file| {
        file.set("tokenizer.ggml.add_bos_token", Value::Bool(true))
            .without("tokenizer.ggml.bos_token_id")
    });
    let message = unnamed.unwrap_err().to_string();
    assert!(message.contains("does not say which"), "{message}");
    let beyond = with(|file| {
        file.set("tokenizer.ggml.add_bos_token", Value::Bool(true))
            .set("tokenizer.ggml.bos_token_id", Value::U32(9_999))
    });
    let message = beyond.unwrap_err().to_string();
    assert!(message.contains("adds token 9999"), "{message}");
}

/// The tokens of a text without chat template.
fn ids(checkpoint: &OpenCheckpoint, text: &str) -> Vec<u32> {
    let tokenizer = Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap();
    let encoding = tokenizer.encode_fast(text, true).unwrap();
    encoding.get_ids().to_vec()
}

/// Imports the small model with a vocabulary of SentencePiece.
fn sentence_piece(
    change: impl FnOnce(gguf::File) -> gguf::File,
) -> Result<OpenCheckpoint, ImportError> {
    let (tokens, kinds, scores) = pieces();
    let model = Model {
        tokens,
        ..Model::tiny()
    };
    let file = gguf::File::new(&model)
        .without("tokenizer.ggml.pre")
        .without("tokenizer.ggml.merges")
        .set("tokenizer.ggml.model", "llama")
        .set("tokenizer.ggml.token_type", Value::Numbers(kinds))
        .set("tokenizer.ggml.scores", Value::Floats(scores));
    import_gguf(&change(file).bytes())
}

#[test]
fn pieces_are_joined_by_their_scores() {
    let checkpoint = sentence_piece(|file| file).unwrap();
    assert_eq!(checkpoint.manifest().stops, [2]);
    let tokenizer = Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap();
    let cut = |text: &str| pieces_of(&tokenizer, text);
    assert_eq!(cut("hello w"), ["▁hello", "▁w"]);
    assert_eq!(cut("hell ow"), ["▁", "hell", "▁", "o", "w"]);
    assert_eq!(cut(" é"), ["▁", "▁", "<0xC3>", "<0xA9>"]);
    for text in ["", " ", "a\n\n\tb  c", "naïve — 你好 🦀", "\u{0}\u{7f}"] {
        cut(text);
    }
    // A space stands before the text and after a token that is found as it is.
    let tokens = ids(&checkpoint, "hello<think>hello");
    let names: Vec<_> = tokens
        .iter()
        .map(|id| tokenizer.id_to_token(*id).unwrap())
        .collect();
    assert_eq!(names, ["<s>", "▁hello", "<think>", "▁hello"]);
}

#[test]
fn a_file_says_whether_a_space_is_put_before_a_text() {
    let checkpoint = sentence_piece(|file| {
        file.set("tokenizer.ggml.add_space_prefix", Value::Bool(false))
            .set("tokenizer.ggml.add_bos_token", Value::Bool(false))
    })
    .unwrap();
    let tokenizer = Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap();
    assert_eq!(pieces_of(&tokenizer, "hello w"), ["hello", "▁w"]);
    assert_eq!(ids(&checkpoint, "hello").len(), 1);
}

/// Gemma's: no space before a text, and rules in its folder that cut at spaces where there are none any longer.
#[test]
fn a_vocabulary_of_gemma_cuts_texts_alike_from_each_file() {
    let file =
        sentence_piece(|file| file.set("tokenizer.ggml.add_space_prefix", Value::Bool(false)))
            .unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_slice(file.tokenizer()).unwrap();
    tokenizer["pre_tokenizer"] = json!({
        "type": "Split", "pattern": { "String": " " }, "behavior": "MergedWithPrevious", "invert": false
    });
    let (tokens, _, _) = pieces();
    let model = Model {
        tokens,
        ..Model::tiny()
    };
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&model, gguf::F32, 1, &folder);
    let names = json!({ "bos_token": "<s>", "eos_token": "</s>" });
    huggingface::json_file(&folder, "tokenizer.json", &tokenizer);
    huggingface::json_file(&folder, "tokenizer_config.json", &names);
    let folder = import_into(&folder, directory.path()).unwrap();
    let mut without_prefix = model_file(2);
    // The normalizer is the last message, and whether it puts a space before a text its last setting but one.
    let at = without_prefix.len() - 3;
    without_prefix[at] = 0;
    let model = from_model_file(&without_prefix, &names).unwrap();
    for text in [
        "hello w",
        " hello  w ",
        "hell<think> ow",
        "a\n\n\tb  c",
        "naïve — 你好 🦀",
        "",
    ] {
        assert_eq!(ids(&file, text), ids(&folder, text), "{text:?}");
        assert_eq!(ids(&file, text), ids(&model, text), "{text:?}");
    }
}

#[test]
fn a_vocabulary_of_pieces_that_contradicts_itself_is_refused() {
    let refused =
        |change: fn(gguf::File) -> gguf::File| sentence_piece(change).unwrap_err().to_string();
    let message = refused(|file| file.set("tokenizer.ggml.scores", Value::Floats(vec![0.0])));
    assert!(message.contains("1 scores"), "{message}");
    let message = refused(|file| file.without("tokenizer.ggml.scores"));
    assert!(message.contains("tokenizer.ggml.scores"), "{message}");
    let message = refused(|file| file.set("tokenizer.ggml.model", "t5"));
    assert!(message.contains("the tokenizer model \"t5\""), "{message}");
    let long = |file: gguf::File| {
        let (mut tokens, _, _) = pieces();
        *tokens.last_mut().unwrap() = "h".repeat(1 << 20);
        let ordinary = vec![1; tokens.len()];
        file.set("tokenizer.ggml.tokens", Value::Texts(tokens))
            .set("tokenizer.ggml.token_type", Value::Numbers(ordinary))
    };
    let message = refused(long);
    assert!(message.contains("token 271 has 1048576 bytes"), "{message}");
}

/// A field of a message of Protocol Buffers: its number, and bytes of less than 16,384.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let mut out = vec![
        (number << 3) | 2,
        (length & 0x7f) as u8 | 0x80,
        (length >> 7) as u8,
    ];
    out.extend(bytes);
    out
}

/// The same vocabulary as a `tokenizer.model` of this kind, 1 for unigram and 2 for BPE.
fn model_file(kind: u8) -> Vec<u8> {
    let (tokens, kinds, scores) = pieces();
    let mut out = Vec::new();
    for ((token, kind), score) in tokens.iter().zip(kinds).zip(scores) {
        let mut piece = field(1, token.as_bytes());
        piece.push((2 << 3) | 5);
        piece.extend(score.to_le_bytes());
        piece.extend([3 << 3, kind as u8]);
        out.extend(field(1, &piece));
    }
    out.extend(field(2, &[3 << 3, kind]));
    let mut normalizer = field(1, b"identity");
    normalizer.extend([3 << 3, 1, 4 << 3, 0]);
    out.extend(field(3, &normalizer));
    out
}

/// Imports a folder with a `tokenizer.model` and these settings of it, and without `tokenizer.json`.
fn from_model_file(
    model_file: &[u8],
    settings: &serde_json::Value,
) -> Result<OpenCheckpoint, ImportError> {
    let (mut tokens, _, _) = pieces();
    tokens.push("<more>".into());
    let model = Model {
        tokens,
        ..Model::tiny()
    };
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(&model, gguf::F32, 1, &folder);
    std::fs::remove_file(folder.join("tokenizer.json")).unwrap();
    std::fs::write(folder.join("tokenizer.model"), model_file).unwrap();
    huggingface::json_file(&folder, "tokenizer_config.json", settings);
    import_into(&folder, directory.path())
}

#[test]
fn a_tokenizer_model_takes_the_place_of_a_tokenizer_json() {
    let names = json!({ "bos_token": "<s>", "eos_token": "</s>" });
    let folder = from_model_file(&model_file(2), &names).unwrap();
    let file = sentence_piece(|file| file).unwrap();
    let parsed = |checkpoint: &OpenCheckpoint| -> serde_json::Value {
        serde_json::from_slice(checkpoint.tokenizer()).unwrap()
    };
    assert_eq!(parsed(&folder), parsed(&file));

    let settings = json!({
        "bos_token": "<s>", "eos_token": "</s>", "add_bos_token": false, "add_eos_token": true,
        "legacy": false,
        "added_tokens_decoder": { "272": { "content": "<more>", "special": true } }
    });
    let folder = from_model_file(&model_file(2), &settings).unwrap();
    let tokenizer = Tokenizer::from_bytes(folder.tokenizer()).unwrap();
    let names: Vec<_> = ids(&folder, "hello<more>hello")
        .iter()
        .map(|id| tokenizer.id_to_token(*id).unwrap())
        .collect();
    assert_eq!(names, ["▁hello", "<more>", "hello", "</s>"]);
}

#[test]
fn a_tokenizer_model_that_is_none_or_not_defined_is_refused() {
    let whole = model_file(2);
    let settings = json!({});
    let message = from_model_file(&model_file(1), &settings)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("not BPE") && message.contains("tokenizer.json"),
        "{message}"
    );
    let pointer = b"version https://git-lfs.github.com/spec/v1\n";
    let message = from_model_file(pointer, &settings).unwrap_err().to_string();
    assert!(message.contains("git-lfs pointer"), "{message}");
    for damaged in [&[][..], &whole[..whole.len() - 1]] {
        let message = from_model_file(damaged, &settings).unwrap_err().to_string();
        assert!(
            message.contains("not a model of SentencePiece"),
            "{message}"
        );
    }
    let beyond = json!({ "added_tokens_decoder": { "4294967295": { "content": "<x>" } } });
    let message = from_model_file(&whole, &beyond).unwrap_err().to_string();
    assert!(message.contains("adds token 4294967295"), "{message}");
    let strips = json!({ "added_tokens_decoder": { "272": { "content": "<x>", "lstrip": true } } });
    let message = from_model_file(&whole, &strips).unwrap_err().to_string();
    assert!(
        message.contains("\"<x>\", which takes the spaces"),
        "{message}"
    );
}

#[test]
fn empty_and_very_long_tokens_harm_nothing() {
    let mut tokens = Model::tiny().tokens;
    tokens.extend([String::new(), "x".repeat(1 << 20), String::new()]);
    let model = Model {
        tokens,
        ..Model::tiny()
    };
    let checkpoint = import_gguf(&gguf::File::new(&model).bytes()).unwrap();
    let tokenizer = Tokenizer::from_bytes(checkpoint.tokenizer()).unwrap();
    assert_eq!(pieces_of(&tokenizer, "hello xx"), ["hello", "Ġ", "x", "x"]);
    assert_eq!(tokenizer.id_to_token(264), None);
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
