//! The steps find the tokens right that the tokenizer's library makes, and all others wrong.

use super::*;
use crate::engine::sample;
use noema_checkpoint::{Architecture, Frame};
use noema_numerics::testing::TestModel;
use noema_split::{is_letter, is_mark, is_number, is_numeric, is_space, Cut, TokenEntry};
use proptest::prelude::*;
use regex_syntax::hir::{Class, HirKind};
use serde_json::json;
use std::sync::LazyLock;
use tokenizers::{
    OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper,
};
use unicode_normalization_alignments::{char as normal, UnicodeNormalization};

const VOCABULARY: u32 = 600;

const CL100K: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SINGLE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MARKS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const PLAIN: &str =
    r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SEED: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";

fn split(pattern: &str) -> Value {
    json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false })
}

fn level(use_regex: bool) -> Value {
    json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex,
    })
}

fn sequence(steps: Vec<Value>) -> Value {
    json!({ "type": "Sequence", "pretokenizers": steps })
}

/// Every kind of cuts.
fn every_cut() -> Vec<Value> {
    let digits = json!({ "type": "Digits", "individual_digits": true });
    let patterns = [
        CL100K,
        SINGLE,
        MARKS,
        PLAIN,
        SEED,
        BAILING,
        super::cuts::GPT_2,
    ];
    let patterns = patterns.map(|pattern| sequence(vec![split(pattern), level(false)]));
    let more = [
        level(true),
        sequence(vec![digits.clone(), level(true)]),
        sequence(vec![split(r"\p{N}{1,3}"), split(PLAIN), level(false)]),
        sequence(vec![digits, split(CL100K), level(false)]),
    ];
    patterns.into_iter().chain(more).collect()
}

/// Byte-level BPE with more merges, over words with spaces, letters of several bytes, digits and line breaks.
fn byte_level(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    sample::byte_level(|written| {
        let merges = [
            "a b",
            "ab ab",
            "a a",
            "aa aa",
            "b a",
            "Ġ a",
            "Ġa b",
            "Ġ h",
            "Ã ©",
            "1 2",
            "12 3",
            "Ċ Ċ",
            "ĠĠ ĠĠ",
            "l o",
            "' s",
            "2 3",
            "o Ġ",
            "1 23",
            "ð Ł",
        ];
        for (merge, id) in merges.iter().zip(300..) {
            let text = merge.replace(' ', "");
            let vocabulary = written["model"]["vocab"].as_object_mut().expect("a map");
            vocabulary.entry(text).or_insert_with(|| id.into());
            let written = written["model"]["merges"].as_array_mut();
            written.expect("a list").push((*merge).into());
        }
        change(written);
    })
}

fn metaspace(scheme: &'static str) -> impl FnOnce(&mut Value) {
    move |written| {
        written["normalizer"] = Value::Null;
        written["pre_tokenizer"] = json!({
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": false,
        });
    }
}

fn begun(written: &mut Value) {
    written["post_processor"] = json!({
        "type": "TemplateProcessing",
        "single": [
            { "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
        ],
        "pair": [],
        "special_tokens": { "<s>": { "id": "<s>", "ids": [0], "tokens": ["<s>"] } },
    });
}

/// A tokenizer that has no tokens for three bytes, and begins a text with a token.
fn incomplete(written: &mut Value) {
    begun(written);
    let vocabulary = written["model"]["vocab"].as_object_mut().expect("a map");
    for text in ["x", "\u{101}", "ß"] {
        vocabulary.remove(text).expect("was there");
    }
}

fn every_tokenizer() -> Vec<(String, Vec<u8>)> {
    let nfc = |written: &mut Value| written["normalizer"] = json!({ "type": "NFC" });
    let whole = |written: &mut Value| {
        written["model"]["ignore_merges"] = true.into();
        for (text, id) in ["hex", "Ġbab", "éa", "123456", "bb", "ĠĠ"]
            .into_iter()
            .zip(500..)
        {
            let vocabulary = written["model"]["vocab"].as_object_mut().expect("a map");
            vocabulary.entry(text).or_insert_with(|| id.into());
        }
    };
    let unknown = |written: &mut Value| {
        incomplete(written);
        written["model"]["vocab"]["<unk>"] = 590.into();
        written["model"]["unk_token"] = "<unk>".into();
    };
    let mut tokenizers = vec![
        ("byte level, NFC".to_owned(), byte_level(nfc)),
        ("byte level, whole words".to_owned(), byte_level(whole)),
        ("byte level, begun".to_owned(), byte_level(begun)),
        ("byte level, incomplete".to_owned(), byte_level(incomplete)),
        ("byte level, unknown".to_owned(), byte_level(unknown)),
        ("SentencePiece".to_owned(), sample::sentence_piece(|_| ())),
        (
            "SentencePiece, begun".to_owned(),
            sample::sentence_piece(begun),
        ),
    ];
    for scheme in ["first", "always", "never"] {
        tokenizers.push((
            format!("Metaspace {scheme}"),
            sample::sentence_piece(metaspace(scheme)),
        ));
    }
    for (index, cut) in every_cut().into_iter().enumerate() {
        let cut = |written: &mut Value| {
            written["pre_tokenizer"] = cut;
            if index % 2 == 0 {
                whole(written);
            }
        };
        tokenizers.push((format!("cut {index}"), byte_level(cut)));
    }
    tokenizers
}

fn codec(tokenizer: &[u8], frame: Option<&Frame>) -> PromptCodec {
    let architecture = Architecture {
        vocabulary: VOCABULARY,
        ..TestModel::TINY
    };
    PromptCodec::new(tokenizer, frame, Some(0), Some(1), &[1], &architecture).expect("a codec")
}

fn turns() -> Frame {
    Frame {
        before: "<s>system\nBe helpful</s>\n<s>user\n".into(),
        after: "!</s>\n<s>you:".into(),
        trims: true,
    }
}

static EVERY_SPLIT: LazyLock<Vec<(String, PromptCodec, PromptSplit)>> = LazyLock::new(|| {
    let tokenizers = every_tokenizer().into_iter();
    let framed = tokenizers.flat_map(|(name, tokenizer)| {
        [("bare", None), ("framed", Some(turns()))].map(|(kind, frame)| {
            let name = format!("{name}, {kind}");
            let codec = codec(&tokenizer, frame.as_ref());
            let split = PromptSplit::of(&codec, VOCABULARY)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, codec, split)
        })
    });
    framed.collect()
});

fn unsupported(tokenizer: &[u8]) -> String {
    let split = PromptSplit::of(&codec(tokenizer, None), VOCABULARY);
    split.expect_err("is refused").to_string()
}

fn texts() -> impl Strategy<Value = String> {
    const MORE: [&str; 26] = [
        "'s",
        "'S",
        "'ſ",
        "'ll",
        "'RE",
        "1",
        "123",
        "٣",
        "½",
        "\u{11de0}",
        "\r\n",
        "\u{85}",
        "\u{a0}",
        "_",
        "!?",
        "\u{301}",
        "\u{93f}",
        "ज",
        "\u{0}",
        "aba",
        "baab",
        " hello",
        "   ",
        "x",
        "\u{4}",
        "éa",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(&sample::PIECES[..]).prop_map(String::from),
        4 => prop::sample::select(&MORE[..]).prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// The bytes of the tokens, so far as they have any of their own.
fn bytes_of(split: &PromptSplit, token: u32) -> Vec<u8> {
    match split.tables().entries().get(token as usize) {
        Some(TokenEntry::Piece { bytes, .. } | TokenEntry::Word { bytes }) => bytes.clone(),
        Some(TokenEntry::Byte(byte)) => vec![*byte],
        _ => Vec::new(),
    }
}

/// Other lists of tokens with the same bytes: two merged, one split, a border moved; and some with others.
fn mutations(split: &PromptSplit, tokens: &[u32]) -> Vec<Vec<u32>> {
    let mut by_bytes: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
    for token in 0..VOCABULARY {
        let bytes = bytes_of(split, token);
        if !bytes.is_empty() {
            by_bytes.entry(bytes).or_default().push(token);
        }
    }
    let mut found = Vec::new();
    let mut put = |at: usize, removed: usize, put: &[u32]| {
        let mut other = tokens.to_vec();
        other.splice(at..at + removed, put.iter().copied());
        found.push(other);
    };
    let ways = |bytes: &[u8]| {
        let borders = 1..bytes.len().max(1);
        let pairs = borders.filter_map(|border| {
            let (left, right) = bytes.split_at(border);
            Some((by_bytes.get(left)?[0], by_bytes.get(right)?[0]))
        });
        pairs.collect::<Vec<_>>()
    };
    for (at, token) in tokens.iter().enumerate() {
        let bytes = bytes_of(split, *token);
        for (left, right) in ways(&bytes) {
            put(at, 1, &[left, right]);
        }
        for other in by_bytes.get(&bytes).into_iter().flatten() {
            put(at, 1, &[*other]);
        }
        put(at, 1, &[]);
        put(at, 1, &[*token, *token]);
        put(at, 1, &[(token + 1) % VOCABULARY]);
        if let Some(next) = tokens.get(at + 1) {
            let both = [bytes, bytes_of(split, *next)].concat();
            for merged in by_bytes.get(&both).into_iter().flatten() {
                put(at, 2, &[*merged]);
            }
            for (left, right) in ways(&both) {
                put(at, 2, &[left, right]);
            }
            put(at, 2, &[*next, *token]);
        }
    }
    found.retain(|other| other != tokens);
    // A few of each text are enough, over all texts.
    let share = found.len().div_ceil(48).max(1);
    found.into_iter().step_by(share).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_tokens_of_the_library_are_right_and_all_others_wrong(prompt in texts()) {
        for (name, codec, split) in &*EVERY_SPLIT {
            let tokens = codec.encode(&prompt).expect("encodes");
            let verdict = split.judge(&prompt, &tokens, &mut |_, _, _| ());
            if verdict == SplitVerdict::NotComposed {
                prop_assert!(name.contains("NFC"));
                continue;
            }
            prop_assert_eq!(verdict, SplitVerdict::Right, "{}: {:?} {:?}", name, prompt, tokens);
            for other in mutations(split, &tokens) {
                let verdict = split.judge(&prompt, &other, &mut |_, _, _| ());
                prop_assert_ne!(verdict, SplitVerdict::Right, "{}: {:?} {:?} {:?}", name, prompt, tokens, other);
            }
        }
    }

    #[test]
    fn texts_are_cut_as_by_the_library(text in texts()) {
        for written in every_cut() {
            let library: PreTokenizerWrapper = serde_json::from_value(written.clone()).expect("is one");
            let Cuts { cuts, .. } = Cuts::of(Some(&library), true).expect("is known");
            let mut pieces = PreTokenizedString::from(text.as_str());
            library.pre_tokenize(&mut pieces).expect("cuts");
            let expected: Vec<usize> = pieces
                .get_splits(OffsetReferential::Original, OffsetType::Byte)
                .into_iter()
                .map(|(_, (_, end), _)| end)
                .collect();
            prop_assert_eq!(ends(&cuts, &text), expected, "{:?} by {}", text, written);
        }
    }
}

/// Where the words end.
fn ends(cuts: &[Cut], text: &str) -> Vec<usize> {
    let Some((cut, finer)) = cuts.split_first() else {
        return vec![text.len()];
    };
    let (mut at, mut found) = (0, Vec::new());
    while at < text.len() {
        let end = at + cut.first(&text[at..]);
        found.extend(ends(finer, &text[at..end]).into_iter().map(|end| at + end));
        at = end;
    }
    found
}

#[test]
fn the_tables_of_unicode_are_those_of_the_text_layer() {
    let class = |pattern: &str| match regex_syntax::parse(pattern).expect("a class").into_kind() {
        HirKind::Class(Class::Unicode(class)) => class,
        other => panic!("{other:?}"),
    };
    let (letters, marks) = (class(r"\p{L}"), class(r"\p{M}"));
    let (numbers, spaces) = (class(r"\p{N}"), class(r"\s"));
    for character in '\0'..=char::MAX {
        let is_in = |class: &regex_syntax::hir::ClassUnicode| {
            class
                .ranges()
                .binary_search_by(|range| match character {
                    character if range.end() < character => std::cmp::Ordering::Less,
                    character if range.start() > character => std::cmp::Ordering::Greater,
                    _ => std::cmp::Ordering::Equal,
                })
                .is_ok()
        };
        assert_eq!(is_letter(character), is_in(&letters), "{character:?}");
        assert_eq!(is_mark(character), is_in(&marks), "{character:?}");
        assert_eq!(is_number(character), is_in(&numbers), "{character:?}");
        assert_eq!(is_space(character), is_in(&spaces), "{character:?}");
        assert_eq!(
            is_space(character),
            character.is_whitespace(),
            "{character:?}"
        );
        assert_eq!(
            is_numeric(character),
            character.is_numeric(),
            "{character:?}"
        );
        if let Some(class) = noema_split::composition(character) {
            assert_eq!(
                class,
                normal::canonical_combining_class(character),
                "{character:?}"
            );
            let composed = |text: &str| {
                text.nfc()
                    .map(|(character, _)| character)
                    .collect::<String>()
            };
            let alone = character.to_string();
            assert_eq!(composed(&alone), alone);
        }
    }
}

proptest! {
    #[test]
    fn texts_that_are_composed_for_certain_are_left_as_they_are_by_nfc(
        text in prop_oneof![texts(), "[\u{300}-\u{36f}a-eé\u{591}-\u{5c7}\u{e30}-\u{e50}가-깋\u{1100}-\u{11ff}]{0,8}"],
    ) {
        let composed: String = text.nfc().map(|(character, _)| character).collect();
        prop_assert!(!noema_split::is_composed(&text) || composed == text, "{:?}", text);
    }
}

#[test]
fn a_tokenizer_without_steps_is_refused_by_name() {
    let with = |change: fn(&mut Value)| unsupported(&byte_level(change));
    let falcon = with(|written| {
        written["pre_tokenizer"] = sequence(vec![split("[0-9][0-9][0-9]"), level(false)]);
    });
    assert_eq!(
        falcon,
        "its tokenizer has a cut at \"[0-9][0-9][0-9]\", for which there are no steps"
    );
    let plain = with(|written| {
        let token = sample::plain(sample::added(599, "<think>", false));
        written["added_tokens"]
            .as_array_mut()
            .expect("a list")
            .push(token);
    });
    assert_eq!(
        plain,
        "its tokenizer has the added token \"<think>\", which is not special"
    );
    let nfd = with(|written| written["normalizer"] = json!({ "type": "NFD" }));
    assert_eq!(
        nfd,
        "its tokenizer has a normalizer for which there are no steps"
    );
    let spaced = with(|written| written["pre_tokenizer"]["add_prefix_space"] = true.into());
    assert!(
        spaced.contains("the pre-tokenizer ByteLevel with settings"),
        "{spaced}"
    );
    let fused = with(|written| {
        incomplete(written);
        written["model"]["vocab"]["<unk>"] = 590.into();
        written["model"]["unk_token"] = "<unk>".into();
        written["model"]["fuse_unk"] = true.into();
    });
    assert_eq!(
        fused,
        "its tokenizer has one token for several unknown bytes"
    );
    let merged = with(|written| {
        written["pre_tokenizer"]["use_regex"] = false.into();
        written["model"]["vocab"]["s>"] = 400.into();
        let merges = written["model"]["merges"].as_array_mut();
        merges
            .expect("a list")
            .extend([json!("s >"), json!("< s>")]);
    });
    assert_eq!(merged, "a text can become its special token 0");
    let cut = sample::sentence_piece(|written| {
        metaspace("always")(written);
        written["pre_tokenizer"]["split"] = true.into();
    });
    assert_eq!(unsupported(&cut), "its tokenizer has words of characters");
    let frame = Frame {
        before: format!("<s>{}", "a b ".repeat(3_000)),
        ..turns()
    };
    let long = PromptSplit::of(&codec(&byte_level(|_| ()), Some(&frame)), VOCABULARY);
    assert!(matches!(long, Err(Unsupported::Framing(bytes)) if bytes > Framing::MAX_BYTES));
}
