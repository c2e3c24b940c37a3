//! Bounds of tokenizers of every kind, checked with random texts and every character.

use super::{super::sample, *};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;
use tokenizers::{NormalizedString, Normalizer as _};

fn load(json: &[u8]) -> Tokenizer {
    let mut tokenizer = Tokenizer::from_bytes(json).expect("a tokenizer");
    tokenizer.set_encode_special_tokens(true);
    tokenizer
}

/// `(per_byte, constant, keeps_text)` of a tokenizer.
fn proven(json: &[u8]) -> (u64, u64, bool) {
    let bound = prove(&load(json)).expect("a bound");
    (bound.per_byte, bound.constant, bound.keeps_text)
}

fn unsupported(json: &[u8]) -> String {
    let error = prove(&load(json)).expect_err("no bound");
    assert!(!error.hint.is_empty());
    error.what
}

fn prefixed(written: &mut Value) {
    written["pre_tokenizer"]["add_prefix_space"] = true.into();
}

fn normalized(form: &'static str) -> impl FnOnce(&mut Value) {
    move |written| written["normalizer"] = json!({ "type": form })
}

fn cut_first(written: &mut Value) {
    prefixed(written);
    let level = written["pre_tokenizer"].take();
    let digits = json!({ "type": "Digits", "individual_digits": true });
    let steps = json!({ "type": "Sequence", "pretokenizers": [digits, level] });
    written["pre_tokenizer"] = steps;
}

fn meta(scheme: &'static str) -> impl FnOnce(&mut Value) {
    move |written| {
        written["normalizer"] = Value::Null;
        written["pre_tokenizer"] = json!({
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true,
        });
    }
}

fn without_space(written: &mut Value) {
    let vocabulary = written["model"]["vocab"]
        .as_object_mut()
        .expect("a vocabulary");
    vocabulary.remove("▁");
    vocabulary.remove("▁a");
    written["model"]["merges"] = json!(["l l"]);
}

fn late(written: &mut Value) {
    let added = [(0, "<s>", true), (1, "</s>", false)];
    let added = added.map(|(id, content, late)| sample::plain(sample::added(id, content, late)));
    written["added_tokens"] = json!(added);
}

fn short(written: &mut Value) {
    let id = written["model"]["vocab"]["x"].as_u64().expect("a token");
    let token = sample::plain(sample::added(
        usize::try_from(id).expect("small"),
        "x",
        false,
    ));
    written["added_tokens"]
        .as_array_mut()
        .expect("a list")
        .push(token);
}

fn removing(written: &mut Value) {
    written["pre_tokenizer"] = json!({
        "type": "Sequence",
        "pretokenizers": [{ "type": "WhitespaceSplit" }, written["pre_tokenizer"].take()],
    });
}

/// One of every kind for which a bound is proven.
fn every_kind() -> Vec<Vec<u8>> {
    let both = |one: fn(&mut Value), two: fn(&mut Value)| {
        move |written: &mut Value| {
            one(written);
            two(written);
        }
    };
    vec![
        sample::byte_level(|_| ()),
        sample::byte_level(prefixed),
        sample::byte_level(cut_first),
        sample::byte_level(short),
        sample::byte_level(both(prefixed, short)),
        sample::byte_level(both(late, normalized_nfc)),
        sample::byte_level(both(prefixed, both_late_nfd)),
        sample::byte_level(normalized("NFC")),
        sample::byte_level(normalized("NFD")),
        sample::byte_level(normalized("NFKC")),
        sample::byte_level(normalized("NFKD")),
        sample::byte_level(normalized("StripAccents")),
        sample::byte_level(removing),
        sample::byte_level(|written| written["model"]["byte_fallback"] = true.into()),
        sample::sentence_piece(|_| ()),
        sample::sentence_piece(without_space),
        sample::sentence_piece(late),
        sample::sentence_piece(both(late, without_space)),
        sample::sentence_piece(meta("always")),
        sample::sentence_piece(meta("first")),
        sample::sentence_piece(meta("never")),
    ]
}

static EVERY_KIND: LazyLock<Vec<(Tokenizer, TextBound)>> = LazyLock::new(|| {
    let with_bound = |json: Vec<u8>| {
        let tokenizer = load(&json);
        let bound = prove(&tokenizer).expect("a bound");
        (tokenizer, bound)
    };
    every_kind().into_iter().map(with_bound).collect()
});

fn normalized_nfc(written: &mut Value) {
    normalized("NFC")(written);
}

fn both_late_nfd(written: &mut Value) {
    late(written);
    normalized("NFD")(written);
}

#[test]
fn byte_level_bpe_has_at_most_one_token_a_byte() {
    assert_eq!(proven(&sample::byte_level(|_| ())), (1, 0, true));
    assert_eq!(proven(&sample::byte_level(short)), (1, 0, true));
}

#[test]
fn a_space_before_a_piece_is_one_token_more() {
    assert_eq!(proven(&sample::byte_level(prefixed)), (1, 1, true));
    // Here every second byte can begin a piece.
    let both = sample::byte_level(|written| {
        prefixed(written);
        short(written);
    });
    assert_eq!(proven(&both), (2, 1, true));
    // And here every byte.
    assert_eq!(proven(&sample::byte_level(cut_first)), (2, 0, true));
}

#[test]
fn a_normalization_form_multiplies_the_bytes() {
    let of = |form| proven(&sample::byte_level(normalized(form)));
    assert_eq!(of("NFC"), (3, 0, true));
    assert_eq!(of("NFD"), (3, 0, true));
    assert_eq!(of("NFKC"), (11, 0, true));
    assert_eq!(of("NFKD"), (11, 0, true));
    assert_eq!(of("StripAccents"), (1, 0, false));
}

#[test]
fn byte_fallback_has_at_most_one_token_a_byte() {
    assert_eq!(proven(&sample::sentence_piece(|_| ())), (1, 1, true));
    assert_eq!(proven(&sample::sentence_piece(meta("never"))), (1, 0, true));
    // A space that is written as an unknown character becomes three bytes.
    let unknown = proven(&sample::sentence_piece(without_space));
    assert_eq!(unknown, (3, 9, true));
    // If added tokens cut the text, one stands before each piece.
    let cut = sample::sentence_piece(|written| {
        without_space(written);
        let start = &mut written["added_tokens"][0];
        *start = sample::plain(start.take());
    });
    assert_eq!(proven(&cut), (12, 9, true));
}

#[test]
fn a_special_token_cuts_no_text() {
    let special = sample::byte_level(|written| {
        prefixed(written);
        short(written);
        written["added_tokens"][2]["special"] = true.into();
    });
    assert_eq!(proven(&special), (1, 1, true));
}

#[test]
fn text_that_can_vanish_is_noticed() {
    assert!(!proven(&sample::byte_level(removing)).2);
    let incomplete = sample::byte_level(|written| {
        let vocabulary = written["model"]["vocab"]
            .as_object_mut()
            .expect("a vocabulary");
        vocabulary.remove("z");
    });
    assert!(!proven(&incomplete).2);
}

#[test]
fn what_has_no_bound_is_refused_by_name() {
    let what = unsupported(&sample::byte_level(normalized("Lowercase")));
    assert!(what.contains("normalizer Lowercase"), "{what}");
    let what = unsupported(&sample::byte_level(|written| {
        let pattern = json!({ "Regex": "." });
        written["normalizer"] = json!({ "type": "Replace", "pattern": pattern, "content": "ab" });
    }));
    assert!(what.contains("Replace with a regular expression"), "{what}");
    let what = unsupported(&sample::byte_level(|written| {
        written["model"]["dropout"] = 0.1.into();
    }));
    assert!(what.contains("dropout"), "{what}");
    let what = unsupported(&sample::byte_level(|written| {
        written["model"]["end_of_word_suffix"] = "</w>".into();
        written["model"]["merges"] = json!([]);
    }));
    assert!(what.contains("marks where a word"), "{what}");
    let what = unsupported(&sample::byte_level(|written| {
        written["model"] = json!({
            "type": "WordLevel", "vocab": { "<s>": 0, "</s>": 1, "<unk>": 2 }, "unk_token": "<unk>",
        });
    }));
    assert!(what.contains("the tokenizer model WordLevel"), "{what}");
    let what = unsupported(&sample::byte_level(|written| {
        written["model"]["unk_token"] = "nowhere".into();
    }));
    assert!(what.contains("unknown token \"nowhere\""), "{what}");
}

#[test]
fn the_factors_of_the_normalization_forms_hold_for_every_character() {
    let forms = ["NFD", "NFC", "NFKD", "NFKC"].map(|form| {
        let tokenizer = load(&sample::byte_level(normalized(form)));
        tokenizer.get_normalizer().expect("a normalizer").clone()
    });
    for character in '\0'..=char::MAX {
        let mut bytes = [0; 4];
        let text: &str = character.encode_utf8(&mut bytes);
        let [nfd, nfc, nfkd, nfkc] = forms.each_ref().map(|form| {
            let mut normalized = NormalizedString::from(text);
            form.normalize(&mut normalized).expect("normalizes");
            normalized.get().to_owned()
        });
        let most = |factor: u64| factor * text.len() as u64;
        assert!(nfd.len() as u64 <= most(CANONICAL), "{character:?}");
        assert!(nfkd.len() as u64 <= most(COMPATIBLE), "{character:?}");
        // No character of a composed text is longer than its decomposition.
        assert!(nfc != text || text.len() <= nfd.len(), "{character:?}");
        assert!(nfkc != text || text.len() <= nfkd.len(), "{character:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_has_more_tokens_than_are_proven(
        pieces in prop::collection::vec(
            prop_oneof![
                3 => prop::sample::select(&sample::PIECES[..]).prop_map(String::from),
                1 => any::<char>().prop_map(String::from),
            ],
            0..40,
        ),
    ) {
        let text = pieces.concat();
        for (tokenizer, bound) in &*EVERY_KIND {
            let tokens = tokenizer.encode_fast(text.as_str(), false).expect("encodes").len();
            let most = bound.per_byte * text.len() as u64 + bound.constant;
            prop_assert!(tokens as u64 <= most, "{} > {}: {:?}", tokens, most, bound);
            prop_assert!(tokens > 0 || text.is_empty() || !bound.keeps_text, "{:?}", bound);
        }
    }
}
