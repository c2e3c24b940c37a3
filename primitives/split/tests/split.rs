//! Of all lists of tokens with the bytes of a text, the steps find one right: that of BPE.

use codec::Encode;
use noema_split::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A vocabulary that is learnt at random: units, and merges of any two tokens. Now and then a merge makes a text that
/// is there already.
#[derive(Clone, Debug)]
struct Learnt {
    texts: Vec<String>,
    merges: Vec<Merge>,
}

const UNITS: [&str; 3] = ["a", "b", "c"];

fn learnt() -> impl Strategy<Value = Learnt> {
    let picks = prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        0..14,
    );
    picks.prop_map(|picks| {
        let mut texts: Vec<String> = UNITS.map(String::from).to_vec();
        let mut merges: Vec<Merge> = Vec::new();
        for (left, right) in picks {
            let (left, right) = (left.index(texts.len()), right.index(texts.len()));
            let text = [texts[left].as_str(), &texts[right]].concat();
            let is_there = |merge: &Merge| (merge.left, merge.right) == (left as u32, right as u32);
            if text.len() > 6 || merges.iter().any(is_there) {
                continue;
            }
            let merged = texts
                .iter()
                .position(|other| *other == text)
                .unwrap_or(texts.len());
            if merged == texts.len() {
                texts.push(text);
            }
            merges.push(Merge {
                left: left as u32,
                right: right as u32,
                merged: merged as u32,
            });
        }
        Learnt { texts, merges }
    })
}

/// BPE as it is defined.
fn bpe(learnt: &Learnt, word: &str) -> Vec<u32> {
    let unit = |byte: u8| UNITS.iter().position(|unit| unit.as_bytes() == [byte]);
    let mut tokens: Vec<u32> = word
        .bytes()
        .map(|byte| unit(byte).expect("a unit") as u32)
        .collect();
    loop {
        let first = learnt.merges.iter().find_map(|merge| {
            let at = tokens
                .windows(2)
                .position(|pair| pair == [merge.left, merge.right])?;
            Some((at, merge.merged))
        });
        let Some((at, merged)) = first else {
            return tokens;
        };
        tokens.splice(at..at + 2, [merged]);
    }
}

fn missing_but(units: impl Iterator<Item = u8>) -> [u8; 32] {
    let mut missing = [u8::MAX; 32];
    units.for_each(|byte| missing[usize::from(byte / 8)] &= !(1 << (byte % 8)));
    missing
}

fn tables(
    learnt: &Learnt,
    cuts: Vec<Cut>,
    whole_words: bool,
    merges: &[Merge],
) -> Result<SplitTables, Unsupported> {
    let forms: Vec<TokenForm> = learnt
        .texts
        .iter()
        .map(|text| TokenForm::Text(text.clone().into()))
        .collect();
    let units = Units::Bytes {
        missing: missing_but(b"abc".iter().copied()),
        unknown: None,
        whole_words,
    };
    SplitTables::new(
        &forms,
        &BTreeSet::new(),
        merges,
        false,
        Spaces::Kept,
        cuts,
        units,
    )
}

/// Whether the steps find these tokens right. Each is executed with evidence of its own, too.
fn judged(tables: &SplitTables, framing: &Framing, prompt: &str, tokens: &[u32]) -> bool {
    let text =
        SplitText::new(tables.rules(), framing, prompt, tokens.len() as u32).expect("in NFC");
    let mut state = Some(text.begin());
    for (index, token) in (0..).zip(tokens) {
        let (next, evidence) = tables.prove(|lookup| {
            text.step(index, *token, state.as_ref(), lookup)
                .expect("whole tables")
        });
        assert!(evidence.encoded_size() <= tables.most_lookup_bytes());
        let executed = text.execute(index, *token, state.as_ref(), &evidence);
        assert_eq!(executed.as_ref(), Ok(&next));
        state = next;
    }
    text.is_whole(state.as_ref())
}

/// All lists of tokens with the text of `word`.
fn spellings(texts: &[String], word: &str) -> Vec<Vec<u32>> {
    if word.is_empty() {
        return vec![Vec::new()];
    }
    let begins = texts
        .iter()
        .zip(0..)
        .filter_map(|(text, token)| Some((token, word.strip_prefix(text.as_str())?)));
    let lists = begins.flat_map(|(token, rest)| {
        spellings(texts, rest)
            .into_iter()
            .map(move |list| [vec![token], list].concat())
    });
    lists.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn of_all_spellings_only_that_of_bpe_is_right(learnt in learnt(), word in "[abc]{0,9}") {
        let tables = tables(&learnt, Vec::new(), false, &learnt.merges).expect("tables");
        let expected = bpe(&learnt, &word);
        for tokens in spellings(&learnt.texts, &word) {
            let is_right = judged(&tables, &Framing::default(), &word, &tokens);
            prop_assert_eq!(is_right, tokens == expected, "{:?} of {:?}", tokens, expected);
        }
    }

    #[test]
    fn merges_in_any_order_are_judged_right(
        (learnt, merges) in learnt().prop_flat_map(|learnt| {
            let merges = Just(learnt.merges.clone()).prop_shuffle();
            (Just(learnt), merges)
        }),
        word in "[abc]{1,8}",
    ) {
        let shuffled = Learnt { merges: merges.clone(), ..learnt };
        let tables = tables(&shuffled, Vec::new(), false, &merges).expect("tables");
        let expected = bpe(&shuffled, &word);
        for tokens in spellings(&shuffled.texts, &word) {
            let is_right = judged(&tables, &Framing::default(), &word, &tokens);
            prop_assert_eq!(is_right, tokens == expected, "{:?} of {:?}", tokens, expected);
        }
    }

    #[test]
    fn a_word_that_is_a_token_becomes_it_where_merges_are_ignored(learnt in learnt(), word in "[abc]{1,8}") {
        let mut learnt = learnt;
        if !learnt.texts.contains(&word) {
            learnt.texts.push(word.clone());
        }
        let tables = tables(&learnt, vec![Cut::Gpt2], true, &learnt.merges).expect("tables");
        let whole = learnt.texts.iter().position(|text| *text == word).expect("is one") as u32;
        for tokens in spellings(&learnt.texts, &word) {
            let is_right = judged(&tables, &Framing::default(), &word, &tokens);
            prop_assert_eq!(is_right, tokens == [whole], "{:?}", tokens);
        }
    }

    #[test]
    fn no_bytes_make_a_step_panic(
        learnt in learnt(),
        prompt in "[abcé \n1]{0,12}",
        state in (any::<u32>(), prop::collection::vec(any::<u32>(), 0..3), any::<Option<u32>>()),
        near in (0u32..16, prop::collection::vec(0u32..16, 2), prop::option::of(0u32..20)),
        (index, token, count) in (0u32..8, 0u32..30, 0u32..8),
    ) {
        if let Ok(tables) = tables(&learnt, vec![Cut::Digits, Cut::Gpt2], true, &learnt.merges) {
            let framing = Framing { before: vec![1], after: vec![2, 2], ..Framing::default() };
            let text = SplitText::new(tables.rules(), &framing, &prompt, count).expect("in NFC");
            for (at, ends, last) in [state, near] {
                let state = SplitState { at, ends, last };
                let next = text.step(index, token, Some(&state), &mut &tables);
                prop_assert!(next.is_ok());
                let _ = text.is_whole(Some(&state));
                let _ = text.execute(index, token, Some(&state), &SplitEvidence::default());
            }
        }
    }
}

fn example() -> (Learnt, SplitTables) {
    let learnt = Learnt {
        texts: ["a", "b", "c", "ab", "abc", "aab"]
            .map(String::from)
            .to_vec(),
        merges: vec![
            Merge {
                left: 0,
                right: 1,
                merged: 3,
            },
            Merge {
                left: 3,
                right: 2,
                merged: 4,
            },
            Merge {
                left: 0,
                right: 3,
                merged: 5,
            },
        ],
    };
    let tables = tables(&learnt, Vec::new(), false, &learnt.merges).expect("tables");
    (learnt, tables)
}

#[test]
fn the_tokens_of_the_frame_stand_before_and_after_the_text() {
    let (_, tables) = example();
    let framing = Framing {
        before: vec![2, 0],
        begins: " a".into(),
        ends: "c ".into(),
        after: vec![1],
        trims: true,
        strips_begin: true,
        strips_end: true,
    };
    let judged = |tokens: &[u32]| judged(&tables, &framing, "\n ab\u{a0}", tokens);
    // Between them is "aabc".
    assert!(judged(&[2, 0, 0, 4, 1]));
    for wrong in [
        &[2, 0, 5, 2, 1][..],
        &[2, 0, 0, 4],
        &[2, 0, 0, 4, 1, 1],
        &[2, 0, 0, 4, 2],
        &[2, 1, 0, 4, 1],
        &[0, 4, 1],
        &[2, 0, 1],
        &[2, 0],
        &[1],
        &[],
    ] {
        assert!(!judged(wrong), "{wrong:?}");
    }
}

#[test]
fn bytes_without_a_token_vanish_or_become_the_unknown_one() {
    let (learnt, tables) = example();
    let framing = Framing::default();
    let plain = |prompt: &str, tokens: &[u32]| judged(&tables, &framing, prompt, tokens);
    assert!(plain("xaxbx", &[3]));
    assert!(!plain("xaxbx", &[0, 1]));
    assert!(plain("xé", &[]));
    let forms: Vec<TokenForm> = learnt
        .texts
        .iter()
        .map(|text| TokenForm::Text(text.clone().into()))
        .collect();
    let forms = [forms, vec![TokenForm::None]].concat();
    let units = Units::Bytes {
        missing: missing_but(b"abc".iter().copied()),
        unknown: Some(6),
        whole_words: false,
    };
    let tables = SplitTables::new(
        &forms,
        &BTreeSet::new(),
        &learnt.merges,
        false,
        Spaces::Kept,
        Vec::new(),
        units,
    )
    .expect("tables");
    let known = |prompt: &str, tokens: &[u32]| judged(&tables, &framing, prompt, tokens);
    assert!(known("xabéc", &[6, 3, 6, 6, 2]));
    for wrong in [
        &[6, 4][..],
        &[3, 6, 6, 2],
        &[6, 3, 6, 2],
        &[6, 3, 6, 6, 2, 6],
        &[6, 0, 1, 6, 6, 2],
    ] {
        assert!(!known("xabéc", wrong), "{wrong:?}");
    }
}

#[test]
fn characters_without_a_token_become_their_bytes() {
    let bytes = (0..=u8::MAX).map(TokenForm::Byte);
    let texts = ["a", "\u{2581}", "é", "\u{2581}a"].map(|text| TokenForm::Text(text.into()));
    let forms: Vec<TokenForm> = bytes.chain(texts).collect();
    let merges = [Merge {
        left: 257,
        right: 256,
        merged: 259,
    }];
    let tables = |spaces| {
        SplitTables::new(
            &forms,
            &BTreeSet::new(),
            &merges,
            false,
            spaces,
            Vec::new(),
            Units::Characters,
        )
        .expect("tables")
    };
    let framing = Framing::default();
    let begun = tables(Spaces::MarkedAfterMark);
    assert!(judged(
        &begun,
        &framing,
        "a éb ü",
        &[259, 257, 258, 98, 257, 195, 188]
    ));
    assert!(!judged(&begun, &framing, "a éb", &[259, 257, 195, 169, 98]));
    assert!(!judged(&begun, &framing, "a éb", &[257, 256, 257, 258, 98]));
    assert!(!judged(&begun, &framing, "ü", &[257, 195]));
    assert!(judged(&begun, &framing, "", &[]));
    assert!(judged(
        &tables(Spaces::Marked),
        &framing,
        "a a",
        &[256, 259]
    ));
    let once = tables(Spaces::MarkedAfterOneMark);
    assert!(judged(&once, &framing, " a", &[259]) && judged(&once, &framing, "a", &[259]));
}

#[test]
fn evidence_of_other_tables_is_refused_and_so_is_less() {
    let (_, tables) = example();
    let framing = Framing::default();
    let text = SplitText::new(tables.rules(), &framing, "abcab", 2).expect("in NFC");
    let state = text
        .step(0, 4, Some(&text.begin()), &mut &tables)
        .expect("whole");
    let (next, evidence) =
        tables.prove(|lookup| text.step(1, 3, state.as_ref(), lookup).expect("whole"));
    assert!(next.is_some() && !evidence.merges.is_empty());
    let execute = |evidence: &SplitEvidence| text.execute(1, 3, state.as_ref(), evidence);
    assert_eq!(execute(&evidence), Ok(next));
    assert_eq!(
        execute(&SplitEvidence::default()),
        Err(SplitRefusal::Missing)
    );
    let changed = |change: fn(&mut SplitEvidence)| {
        let mut other = evidence.clone();
        change(&mut other);
        execute(&other)
    };
    let refused = Err(SplitRefusal::Tables);
    assert_eq!(changed(|it| it.entries[0].1 = TokenEntry::Never), refused);
    assert_eq!(changed(|it| it.entries[0].0 += 1), refused);
    assert_eq!(changed(|it| it.entries.reverse()), refused);
    assert_eq!(changed(|it| it.entry_nodes.clear()), refused);
    assert_eq!(
        changed(|it| it.entry_nodes.push(Default::default())),
        refused
    );
    assert_eq!(changed(|it| it.merges[0].1.items.clear()), refused);
    assert_eq!(
        changed(|it| it.form_nodes.push(Default::default())),
        refused
    );
    assert_eq!(
        changed(|it| {
            it.merges.clear();
            it.merge_nodes.clear();
        }),
        Err(SplitRefusal::Missing)
    );
}

#[test]
fn what_has_no_steps_is_refused_by_name() {
    let (learnt, _) = example();
    let forms: Vec<TokenForm> = learnt
        .texts
        .iter()
        .map(|text| TokenForm::Text(text.clone().into()))
        .collect();
    let units = |whole_words| Units::Bytes {
        missing: missing_but(b"abc".iter().copied()),
        unknown: None,
        whole_words,
    };
    let new = |forms: &[TokenForm], special: &[u32], merges: &[Merge], whole_words| {
        let special = special.iter().copied().collect();
        let cuts = vec![Cut::Gpt2];
        let tables = SplitTables::new(
            forms,
            &special,
            merges,
            false,
            Spaces::Kept,
            cuts,
            units(whole_words),
        );
        tables.map(|_| ())
    };
    assert_eq!(
        new(&forms, &[4], &learnt.merges, false),
        Err(Unsupported::Special(4))
    );
    // Without its merge no text becomes it, unless a word does as a whole.
    let fewer = &learnt.merges[..1];
    assert_eq!(new(&forms, &[4], fewer, false), Ok(()));
    assert_eq!(new(&forms, &[4], fewer, true), Err(Unsupported::Special(4)));
    let marked: Vec<TokenForm> = [forms.clone(), vec![TokenForm::Text("<|a|>".into())]].concat();
    assert_eq!(new(&marked, &[6], fewer, true), Ok(()));
    let long: Vec<TokenForm> = [
        forms.clone(),
        vec![TokenForm::Text(vec![b'a'; MAX_TOKEN_BYTES + 1])],
    ]
    .concat();
    assert_eq!(
        new(&long, &[], fewer, false),
        Err(Unsupported::LongToken(6))
    );
    let wrong = [Merge {
        left: 0,
        right: 2,
        merged: 3,
    }];
    assert_eq!(new(&forms, &[], &wrong, false), Err(Unsupported::Merge(0)));
}
