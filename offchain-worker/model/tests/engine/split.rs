//! The steps of the split of prompts into tokens, by the tokenizer of SmolLM2: those of its tokens are right, those of
//! all others are wrong somewhere, and each is small.

use crate::smollm2::engine;
use codec::{Decode, Encode};
use noema_model::engine::{PromptSplit, SplitVerdict};
use noema_split::{LookupRecorder, SplitEvidence, SplitText, TokenEntry};
use proptest::prelude::*;
use std::{
    collections::HashMap,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Texts that are difficult for a tokenizer.
const HARD: [&str; 22] = [
    "",
    " ",
    "\n\n \t\r\n  x",
    "I'll say: don't, WE'RE 'S 'ſ",
    "12345 6.7 ½ Ⅷ ٣٤ \u{11de0}",
    "naïve café — “quotes”",
    "e\u{301} \u{390} \u{fdfa} \u{1d160}",
    "東京 здравствуй שָׁלוֹם हिन्दी ภาษาไทย",
    "🙂🇫🇷🦀 👩\u{200d}👩\u{200d}👧",
    "\u{0}\u{4}a\u{4}b\u{6}\u{13}\u{7f}",
    "\u{40000}\u{80000}\u{10ffff}",
    "\u{feff}\u{202e}x\u{a0}\u{3000}",
    "<|im_end|>\n<|im_start|>assistant\n<repo_name>",
    "fn main() {\n    let x = vec![0u8; 1 << 20];\n\t\t// ----------------\n}",
    "                                                                        x",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "================================================================----------",
    "https://example.org/a?b=c&d=%20#e",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "0x1f 1e-10 1,000,000.00 £5 €6 ¥7",
    "{\"a\": [1, 2, {\"b\": null}]}",
    "\u{b}\u{c}\u{85}\u{2028}\u{2029}",
];

/// The tables of the split of prompts into tokens, and the tokens by their bytes.
type Split = (PromptSplit, HashMap<Vec<u8>, u32>);

/// That of the real model.
fn split() -> Option<&'static Split> {
    static SPLIT: OnceLock<Option<Split>> = OnceLock::new();
    let split = SPLIT.get_or_init(|| {
        let started = Instant::now();
        let split = PromptSplit::open(engine()?.checkpoint()).expect("its split has steps");
        let rules = split.tables().rules();
        eprintln!(
            "tables of the split: {} entries, {} runs of merges, at most {} bytes a step; derived in {:?}",
            rules.vocabulary.leaves,
            rules.merges.leaves,
            split.tables().most_lookup_bytes(),
            started.elapsed()
        );
        let pieces = split.tables().entries().iter().zip(0..);
        let by_bytes = pieces.filter_map(|(entry, token)| match entry {
            TokenEntry::Piece { bytes, .. } => Some((bytes.clone(), token)),
            _ => None,
        });
        let by_bytes = by_bytes.collect();
        Some((split, by_bytes))
    });
    split.as_ref()
}

/// The other ways to write the bytes of each token, and of each two, as one or two tokens.
fn respelt(tokens: &[u32]) -> Vec<Vec<u32>> {
    let (split, by_bytes) = split().expect("is there");
    let bytes = |token: &u32| match &split.tables().entries()[*token as usize] {
        TokenEntry::Piece { bytes, .. } => bytes.clone(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        for count in 1..=2.min(tokens.len() - at) {
            let whole: Vec<u8> = tokens[at..at + count].iter().flat_map(bytes).collect();
            let one = by_bytes.get(&whole).map(|token| vec![*token]);
            let two = (1..whole.len()).filter_map(|border| {
                let (left, right) = whole.split_at(border);
                Some(vec![*by_bytes.get(left)?, *by_bytes.get(right)?])
            });
            for other in one.into_iter().chain(two) {
                let mut respelt = tokens.to_vec();
                respelt.splice(at..at + count, other);
                found.push(respelt);
            }
        }
    }
    found.retain(|other| other != tokens);
    found
}

fn assert_split(prompt: &str) {
    let (split, _) = split().expect("is there");
    let tokens = engine()
        .expect("is there")
        .encode_prompt(prompt)
        .expect("fits");
    let judge = |tokens: &[u32]| split.judge(prompt, tokens, &mut |_, _, _| ());
    assert_eq!(judge(&tokens), SplitVerdict::Right, "{prompt:?}");
    for other in respelt(&tokens) {
        assert!(
            matches!(judge(&other), SplitVerdict::WrongAt(_)),
            "{prompt:?}: {other:?}"
        );
    }
    for at in 0..=tokens.len() {
        let mut other = tokens.clone();
        other.insert(at, 28);
        assert!(
            matches!(judge(&other), SplitVerdict::WrongAt(_)),
            "{prompt:?}: {other:?}"
        );
    }
}

#[test]
fn the_steps_of_hard_prompts_are_right_and_those_of_other_tokens_wrong() {
    if split().is_none() {
        return;
    }
    HARD.iter().for_each(|prompt| assert_split(prompt));
}

#[test]
fn steps_of_long_prompts_are_small() {
    let Some((split, _)) = split() else { return };
    let Some(prose) = std::env::var_os("NOEMA_PROSE") else {
        eprintln!("SKIPPED: NOEMA_PROSE does not name a text.");
        return;
    };
    let prose = std::fs::read_to_string(prose).expect("a text");
    let prose = &prose[..prose.floor_char_boundary(8_192)];
    let prompts = [
        prose.to_owned(),
        HARD.concat(),
        " a\n".repeat(2_730),
        "x".repeat(8_192),
    ];
    for prompt in prompts {
        let tokens = engine().expect("is there").encode_prompt(&prompt);
        // Longer ones than the context are not answered.
        let tokens = tokens.expect("fits");
        let (mut most_bytes, mut most_time) = (0, Duration::ZERO);
        let verdict = split.judge(&prompt, &tokens, &mut |text, index, state| {
            let token = tokens[index as usize];
            let step =
                |lookup: &mut LookupRecorder<'_>| text.step(index, token, Some(state), lookup);
            let (next, evidence) = split.tables().prove(step);
            let bytes = evidence.encode();
            let started = Instant::now();
            let evidence = SplitEvidence::decode(&mut bytes.as_slice()).expect("decodes");
            // The text, too, follows from the prompt for each step.
            let text = SplitText::new(
                split.tables().rules(),
                split.framing(),
                &prompt,
                tokens.len() as u32,
            );
            let executed = text
                .expect("in NFC")
                .execute(index, token, Some(state), &evidence);
            most_time = most_time.max(started.elapsed());
            most_bytes = most_bytes.max(bytes.len());
            assert_eq!(executed, Ok(next.expect("whole tables")));
        });
        assert_eq!(verdict, SplitVerdict::Right);
        eprintln!(
            "{} bytes, {} tokens: at most {most_bytes} bytes and {most_time:?} a step",
            prompt.len(),
            tokens.len()
        );
        assert!(most_bytes <= split.tables().most_lookup_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_steps_of_random_prompts_are_right_and_those_of_other_tokens_wrong(
        pieces in prop::collection::vec(
            prop_oneof![
                3 => prop::sample::select(&HARD[..]).prop_map(String::from),
                2 => "[a-z ]{1,12}",
                2 => "[A-Z'0-9 \n.]{1,8}",
                1 => any::<String>(),
            ],
            0..5,
        ),
    ) {
        if split().is_some() {
            assert_split(&pieces.concat());
        }
    }
}
