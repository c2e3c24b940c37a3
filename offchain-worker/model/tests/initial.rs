//! Checkpoints with random weights, and tokenizers trained on text.

use noema_checkpoint::{ManifestError, SourceFormat};
use noema_executor::Device;
use noema_model::{
    checkpoint::OpenCheckpoint,
    dataset::{learn_tokenizer, DatasetError},
    engine::{CheckVerdict, Engine},
    import::{initialise, ImportError, InitialOptions},
};
use noema_protocol::SamplingParameters;
use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const TEXT: &str = "The cat sat on the mat, and the dog sat on the log. ";

fn text(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("text.txt");
    fs::write(&path, TEXT.repeat(50)).expect("is written");
    path
}

fn tokenizer(folder: &TempDir) -> Vec<u8> {
    learn_tokenizer(&[text(folder)], None, 278).expect("is learnt")
}

fn tiny() -> InitialOptions {
    InitialOptions {
        layers: 2,
        hidden: 32,
        heads: 2,
        kv_heads: 1,
        feed_forward: 64,
        context: 64,
        ..Default::default()
    }
}

fn make(folder: &TempDir, options: &InitialOptions) -> Result<OpenCheckpoint, ImportError> {
    let path = Path::new("tokenizer.json");
    initialise(path, tokenizer(folder), folder.path(), options, &())
}

#[test]
fn a_new_checkpoint_answers_and_its_answer_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = make(&folder, &tiny()).expect("is made");
    checkpoint.verify(&|_| ()).expect("is sound");
    let manifest = checkpoint.manifest();
    assert_eq!(manifest.source.format, SourceFormat::Random);
    assert_eq!(
        (manifest.architecture.vocabulary, &manifest.stops[..]),
        (278, &[0][..])
    );
    let engine = Engine::open(Arc::new(checkpoint), &Device::cpu(None), None).expect("opens");
    let parameters = SamplingParameters::greedy(8);
    let answer = engine
        .answer("The cat", &parameters, [0; 32], &mut |_| {
            ControlFlow::Continue(())
        })
        .expect("answers");
    assert!(!answer.tokens.is_empty());
    let check = engine
        .check(
            "The cat",
            &parameters,
            [0; 32],
            &answer.tokens,
            &answer.text,
        )
        .expect("is checked");
    assert_eq!(check.verdict, CheckVerdict::Valid);
}

#[test]
fn weights_follow_from_the_seed_alone() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let id = |folder: &TempDir, seed| {
        let options = InitialOptions { seed, ..tiny() };
        make(folder, &options).expect("is made").id()
    };
    assert_eq!(id(&first, 7), id(&second, 7));
    assert_ne!(id(&first, 7), id(&first, 8));
}

#[test]
fn an_impossible_shape_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for options in [
        InitialOptions {
            hidden: 33,
            ..tiny()
        },
        InitialOptions {
            heads: 3,
            kv_heads: 2,
            ..tiny()
        },
        InitialOptions {
            layers: 0,
            ..tiny()
        },
    ] {
        let refused = make(&folder, &options).expect_err("is refused");
        let architecture = matches!(
            refused,
            ImportError::Manifest(ManifestError::Architecture(_))
        );
        assert!(architecture, "{refused}");
    }
}

#[test]
fn a_tokenizer_is_learnt_from_text_and_says_every_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = tokenizer(&folder);
    assert_eq!(json, tokenizer(&folder));
    let loaded = tokenizers::Tokenizer::from_bytes(&json).expect("loads");
    assert_eq!(loaded.get_vocab_size(true), 278);
    assert_eq!(loaded.token_to_id("<|endoftext|>"), Some(0));
    let known = loaded.encode_fast(TEXT, false).expect("encodes");
    assert!(known.len() < TEXT.len() / 2, "{} tokens", known.len());
    let strange = "Ünïcode \u{1f980}\n\t\u{0}";
    let encoded = loaded.encode_fast(strange, false).expect("encodes");
    let decoded = loaded.decode(encoded.get_ids(), false).expect("decodes");
    assert_eq!(decoded, strange);
}

#[test]
fn a_tokenizer_is_learnt_from_a_single_word_of_any_length() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("word.txt");
    let mut state = 1u32;
    let letters: String = (0..200_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (state >> 24) as u8 % 26)
        })
        .collect();
    fs::write(&path, letters).expect("is written");
    let begun = Instant::now();
    let json = learn_tokenizer(&[path], None, 300).expect("is learnt");
    // In time that grows with the square of the length it would take minutes.
    assert!(begun.elapsed() < Duration::from_secs(60));
    let loaded = tokenizers::Tokenizer::from_bytes(&json).expect("loads");
    assert_eq!(loaded.get_vocab_size(true), 300);
}

#[test]
fn a_tokenizer_has_a_token_for_each_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = learn_tokenizer(&[text(&folder)], None, 256);
    assert!(matches!(
        refused,
        Err(DatasetError::VocabularyTooSmall { tokens: 256 })
    ));
    let missing = learn_tokenizer(&[folder.path().join("none")], None, 300);
    assert!(matches!(missing, Err(DatasetError::Read { .. })));
}
