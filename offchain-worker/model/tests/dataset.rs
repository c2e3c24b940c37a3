//! Preparing datasets from text, and refusing damaged ones.

use noema_checkpoint::{blake2_256, H256};
use noema_model::dataset::{
    prepare, DatasetError, Datasets, OpenDataset, PrepareOptions, Prepared, Shard, MANIFEST, SHARDS,
};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A byte-level tokenizer without merges: a token for each byte of English text, and a separator.
fn tokenizer() -> Value {
    let letters = (b'!'..=b'~').map(char::from).chain(['Ġ', 'Ċ']);
    let mut ids: BTreeMap<String, usize> = letters.map(String::from).zip(1..).collect();
    ids.insert("<|endoftext|>".into(), 0);
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
    });
    json!({
        "version": "1.0",
        "added_tokens": [{
            "id": 0, "content": "<|endoftext|>", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true
        }],
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": { "type": "BPE", "vocab": ids, "merges": [] }
    })
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(
            folder.path().join("tokenizer.json"),
            tokenizer().to_string(),
        )
        .expect("is written");
        Self { folder }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("is written");
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn prepare(
        &self,
        inputs: &[PathBuf],
        name: &str,
        options: &PrepareOptions,
    ) -> Result<Prepared, DatasetError> {
        let tokenizer = self.path("tokenizer.json");
        prepare(inputs, &tokenizer, &self.path(name), options, &|_| ())
    }

    /// Why a file with this content is refused; it leaves no dataset.
    fn refused(&self, content: &[u8], options: &PrepareOptions) -> DatasetError {
        let input = self.file("input", content);
        let refused = self.prepare(&[input], "dataset", options);
        assert!(!self.path("dataset").exists());
        refused.expect_err("is refused")
    }

    /// A dataset of 100 tokens and the separator: three shards of two sequences of 16.
    fn dataset(&self) -> OpenDataset {
        let text = self.file("text.txt", "0123456789".repeat(10));
        let prepared = self.prepare(&[text], "dataset", &options());
        prepared.expect("a sound text").dataset
    }
}

fn options() -> PrepareOptions {
    PrepareOptions {
        source: "a test".into(),
        licence: "CC0-1.0".into(),
        sequence_length: 16,
        shard_sequences: 2,
        ..Default::default()
    }
}

fn json_lines() -> PrepareOptions {
    PrepareOptions {
        text_field: Some("text".into()),
        ..options()
    }
}

fn edit_manifest(directory: &Path, edit: impl FnOnce(&mut Value)) {
    let path = directory.join(MANIFEST);
    let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn tokens_follow_each_other_through_sequences_and_shards() {
    let place = Place::new();
    let dataset = place.dataset();
    assert_eq!(dataset.len(), 3);
    let tokens: Vec<u32> = (0..dataset.len())
        .flat_map(|index| {
            let shard = dataset.shard(index).expect("is sound");
            assert_eq!(shard.len(), 2);
            shard.sequences().flatten().copied().collect::<Vec<_>>()
        })
        .collect();
    let digit = |at: usize| u32::from(b'0' - b'!' + 1) + (at % 10) as u32;
    assert_eq!(tokens, (0..96).map(digit).collect::<Vec<_>>());
    let manifest = dataset.manifest();
    let json = fs::read(place.path("tokenizer.json")).unwrap();
    assert_eq!(manifest.tokenizer_hash, blake2_256(&json));
    assert_eq!(manifest.licence, "CC0-1.0");
    dataset.verify(&|_| ()).expect("is sound");
}

#[test]
fn documents_are_parted_and_what_fills_no_sequence_is_left_out() {
    let place = Place::new();
    let lines = "{\"text\": \"abc\", \"id\": 1}\n\n{\"text\": \"defghijklmnopqrstu\"}";
    let inputs = [place.file("a.jsonl", lines)];
    let options = PrepareOptions {
        sequence_length: 4,
        ..json_lines()
    };
    let prepared = place.prepare(&inputs, "dataset", &options).expect("sound");
    assert_eq!((prepared.tokens, prepared.left_over), (20, 3));
    let shard = prepared.dataset.shard(0).unwrap();
    let first: Vec<_> = shard.sequences().next().unwrap().to_vec();
    let id = |letter: u8| u32::from(letter - b'!' + 1);
    assert_eq!(first, [id(b'a'), id(b'b'), id(b'c'), 0]);
}

#[test]
fn a_text_that_mentions_a_special_token_does_not_contain_it() {
    let place = Place::new();
    let inputs = [place.file("a.txt", "<|endoftext|>aaa")];
    let prepared = place
        .prepare(&inputs, "dataset", &options())
        .expect("sound");
    let shard = prepared.dataset.shard(0).unwrap();
    assert!(shard.sequences().flatten().all(|token| *token != 0));
}

#[test]
fn the_same_text_gives_the_same_root_and_another_text_another() {
    let place = Place::new();
    // Longer than the pieces in which a text is read.
    let long = "It was a dark and stormy night.\n".repeat(9_000);
    let text = place.file("a.txt", &long);
    let other = place.file("b.txt", long.replace("night.\n", "night!\n"));
    let root = |input: &PathBuf, name: &str| {
        let options = PrepareOptions {
            shard_sequences: 1_000,
            ..options()
        };
        let prepared = place.prepare(std::slice::from_ref(input), name, &options);
        prepared.expect("sound").dataset.root()
    };
    let first = root(&text, "first");
    assert_eq!(first, root(&text, "second"));
    assert_ne!(first, root(&other, "third"));
}

#[test]
fn a_shard_beyond_the_last_is_refused() {
    let dataset = Place::new().dataset();
    assert!(matches!(
        dataset.shard(3),
        Err(DatasetError::NoSuchShard {
            index: 3,
            shards: 3
        })
    ));
}

#[test]
fn progress_adds_up_to_the_bytes_of_the_inputs() {
    let place = Place::new();
    let inputs = [
        place.file("a.txt", "abc\n".repeat(40_000)),
        place.file("b.txt", "x".repeat(70)),
    ];
    let options = PrepareOptions {
        shard_sequences: 1_000,
        ..options()
    };
    let read = std::cell::Cell::new(0);
    let tokenizer = place.path("tokenizer.json");
    prepare(
        &inputs,
        &tokenizer,
        &place.path("dataset"),
        &options,
        &|bytes| {
            read.set(read.get() + bytes);
        },
    )
    .expect("sound");
    let all = noema_model::dataset::input_bytes(&inputs).unwrap();
    assert_eq!((read.get(), all), (160_070, 160_070));
}

#[test]
fn inputs_that_are_not_text_are_refused_by_name() {
    let place = Place::new();
    let json = json_lines();
    let line = |error: DatasetError| match error {
        DatasetError::NotUtf8 { line, .. } => ("utf-8", line),
        DatasetError::NotJson { line, .. } => ("json", line),
        DatasetError::NoText { line, .. } => ("field", line),
        error => panic!("{error}"),
    };
    assert_eq!(line(place.refused(b"a\n\xff\n", &options())), ("utf-8", 2));
    let sound = b"{\"text\": \"a\"}\n".as_slice();
    let after = |line: &[u8]| [sound, line].concat();
    assert_eq!(line(place.refused(&after(b"{"), &json)), ("json", 2));
    assert_eq!(line(place.refused(&after(b"[1]"), &json)), ("field", 2));
    let number = after(b"{\"text\": 1}");
    assert_eq!(line(place.refused(&number, &json)), ("field", 2));
    let long = vec![b'a'; (16 << 20) + 1];
    let long = place.refused(&long, &options());
    assert!(matches!(long, DatasetError::LineTooLong { line: 1, .. }));
    let short = place.refused(b"abc", &options());
    assert!(matches!(
        short,
        DatasetError::TooShort {
            tokens: 4,
            length: 16
        }
    ));
    let missing = place.prepare(&[place.path("nothing")], "dataset", &options());
    assert!(matches!(missing, Err(DatasetError::Read { .. })));
    let leftovers = fs::read_dir(place.folder.path()).unwrap();
    let leftovers = leftovers.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("part")
    });
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let place = Place::new();
    let json = json_lines();
    let line = "{\"text\": \"0123456789abcdef\"}\n";
    for (options, text) in [(options(), "0123456789abcdef\n"), (json, line)] {
        let root = |name: &str, content: String| {
            let input = [place.file(name, &content)];
            let read = std::cell::Cell::new(0);
            let tokenizer = place.path("tokenizer.json");
            let directory = place.path(&format!("{name}-{}", options.text_field.is_some()));
            let count = |bytes| read.set(read.get() + bytes);
            let prepared = prepare(&input, &tokenizer, &directory, &options, &count);
            assert_eq!(read.get(), content.len() as u64);
            prepared.expect("sound").dataset.root()
        };
        let marked = root("marked", format!("\u{feff}{text}"));
        assert_eq!(marked, root("plain", text.into()));
    }
}

#[test]
fn texts_in_other_encodings_and_empty_files_are_named_with_the_way_out() {
    let place = Place::new();
    let json = json_lines();
    let utf16: Vec<u8> = "\u{feff}The ledger remembers."
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let lone = b"{\"text\": \"a\"}\n{\"text\": \"half \\ud83e\"}\n";
    let blank = b"\n \n";
    for (content, options, words) in [
        (&b""[..], &options(), "is empty; leave it out"),
        (&b"\xef\xbb\xbf"[..], &options(), "is empty"),
        (&blank[..], &json, "is empty"),
        (&utf16[..], &options(), "iconv -f UTF-16 -t UTF-8"),
        (&utf16[2..], &json, "iconv -f UTF-16LE -t UTF-8"),
        (&b"a\nCaf\xe9\n"[..], &options(), "in line 2; convert it"),
        (&lone[..], &json, "a lone surrogate in line 2"),
    ] {
        let message = place.refused(content, options).to_string();
        assert!(message.contains(words), "{message}");
        assert!(message.contains("input"), "{message}");
    }
}

#[test]
fn shards_equal_to_an_earlier_one_are_counted() {
    let place = Place::new();
    assert_eq!(place.dataset().manifest().repeated(), 0);
    // A shard is 32 tokens, so every one of forty is the same.
    let text = place.file("periodic.txt", format!("{}\n", "x".repeat(31)).repeat(40));
    let prepared = place
        .prepare(&[text], "periodic", &options())
        .expect("sound");
    assert_eq!(prepared.dataset.len(), 40);
    assert_eq!(prepared.dataset.manifest().repeated(), 39);
}

#[test]
fn impossible_options_are_refused_by_name() {
    let place = Place::new();
    let text = [place.file("a.txt", "a".repeat(100))];
    for (length, sequences) in [(1, 1), (0, 1), (16, 0), (131_073, 1), (65_536, 2_048)] {
        let options = PrepareOptions {
            sequence_length: length,
            shard_sequences: sequences,
            ..options()
        };
        let refused = place.prepare(&text, "dataset", &options);
        assert!(
            matches!(refused, Err(DatasetError::ShardOptions { .. })),
            "{length} {sequences}"
        );
    }
    let separator = PrepareOptions {
        separator: Some("<none>".into()),
        ..options()
    };
    let refused = place.prepare(&text, "dataset", &separator);
    assert!(matches!(
        refused,
        Err(DatasetError::UnknownSeparator { .. })
    ));
    place.file("tokenizer.json", "{}");
    let refused = place.prepare(&text, "dataset", &options());
    assert!(matches!(refused, Err(DatasetError::Tokenizer(_))));
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::new();
    place.dataset();
    let text = place.path("text.txt");
    let again = place.prepare(&[text], "dataset", &options());
    assert!(matches!(again, Err(DatasetError::Exists { .. })));
}

#[test]
fn damaged_manifests_are_refused_by_name() {
    let place = Place::new();
    let directory = place.path("dataset");
    place.dataset();
    let sound = fs::read(directory.join(MANIFEST)).unwrap();
    let open = |edit: fn(&mut Value)| {
        fs::write(directory.join(MANIFEST), &sound).unwrap();
        edit_manifest(&directory, edit);
        OpenDataset::open(&directory).expect_err("is refused")
    };
    let error = open(|m| m["format"] = 2.into());
    assert!(matches!(error, DatasetError::Format { found: 2, .. }));
    let error = open(|m| m["root"] = json!(H256::zero()));
    assert!(matches!(error, DatasetError::Root { .. }));
    let error = open(|m| m["shards"].as_array_mut().unwrap().swap(0, 2));
    assert!(matches!(error, DatasetError::Root { .. }));
    let error = open(|m| m["shards"] = json!([]));
    assert!(matches!(error, DatasetError::Manifest { .. }));
    let error = open(|m| m["shards"][1]["sequences"] = 0.into());
    assert!(matches!(error, DatasetError::Manifest { .. }));
    let error = open(|m| m["shards"][1]["sequences"] = u32::MAX.into());
    assert!(matches!(error, DatasetError::Manifest { .. }));
    // More than the first has.
    let error = open(|m| m["shards"][1]["sequences"] = 3.into());
    assert!(matches!(error, DatasetError::Manifest { .. }));
    let error = open(|m| m["sequence_length"] = 1.into());
    assert!(matches!(error, DatasetError::Manifest { .. }));
    let error = open(|m| m["more"] = 1.into());
    assert!(matches!(error, DatasetError::NotAManifest { .. }));
    fs::remove_file(directory.join(MANIFEST)).unwrap();
    let error = OpenDataset::open(&directory).expect_err("is refused");
    assert!(matches!(error, DatasetError::Read { .. }));
}

#[test]
fn damaged_shards_are_refused_by_name() {
    let place = Place::new();
    let dataset = place.dataset();
    let path = dataset.shard_path(1).unwrap();
    let sound = fs::read(&path).unwrap();

    let mut flipped = sound.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [flipped, sound[..sound.len() - 1].to_vec(), Vec::new()] {
        fs::write(&path, damaged).unwrap();
        let error = dataset.verify(&|_| ()).expect_err("is damaged");
        assert!(matches!(&error, DatasetError::ShardHash { path: at, .. } if *at == path));
    }
    let long = [sound.clone(), vec![0]].concat();
    fs::write(&path, long).unwrap();
    let error = dataset.shard(1).expect_err("is damaged");
    assert!(matches!(error, DatasetError::Oversized { .. }));
    fs::remove_file(&path).unwrap();
    let error = dataset.shard(1).expect_err("is missing");
    assert!(matches!(error, DatasetError::Read { .. }));
}

#[test]
fn a_dataset_is_found_by_what_the_chain_records() {
    let place = Place::new();
    let dataset = place.dataset();
    let recorded = dataset.recorded();
    assert_eq!(recorded.root, dataset.root());
    assert_eq!((recorded.shards, recorded.shard_tokens), (3, 2 * 15));
    let manifest = fs::read(dataset.directory().join(MANIFEST)).unwrap();
    assert_eq!(recorded.manifest, H256(blake3_of(&manifest)));
    let files: Vec<_> = dataset.files().collect();
    assert_eq!(files.len(), 4);
    for (hash, path) in files {
        assert_eq!(hash, H256(blake3_of(&fs::read(path).unwrap())));
    }

    let home = place.path("home");
    let nowhere = Datasets::new(&home, Vec::new());
    assert!(nowhere.open(&recorded).unwrap().is_none());
    let named = Datasets::new(&home, vec![dataset.clone()]);
    let found = named.open(&recorded).unwrap().expect("is named");
    assert_eq!(found.directory(), dataset.directory());

    // Under the home folder it is found without its shards, and only with that manifest.
    let at = nowhere.path(dataset.root());
    fs::create_dir_all(&at).unwrap();
    fs::write(at.join(MANIFEST), &manifest).unwrap();
    let found = nowhere.open(&recorded).unwrap().expect("is there");
    assert_eq!(found.directory(), at);
    fs::write(at.join(MANIFEST), [&manifest[..], b"\n"].concat()).unwrap();
    assert!(nowhere.open(&recorded).unwrap().is_none());
}

/// Shards with the hash in the manifest, but of another shape than the manifest states.
#[test]
fn shards_that_contradict_the_manifest_are_refused_by_name() {
    let place = Place::new();
    let dataset = place.dataset();
    let sound = fs::read(dataset.shard_path(0).unwrap()).unwrap();
    let open = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        edit(&mut bytes);
        let hash = H256(blake3_of(&bytes));
        let directory = place.path("dataset");
        fs::write(directory.join(SHARDS).join(hex::encode(hash)), bytes).unwrap();
        edit_manifest(&directory, |manifest| {
            manifest["shards"] = json!([{ "hash": hash, "sequences": 2 }]);
            // The root of a single shard is the hash of its leaf.
            manifest["root"] = json!(blake2_256(hash.as_bytes()));
        });
        let dataset = OpenDataset::open(&directory).expect("the manifest is sound");
        dataset.shard(0).map(|_| ())
    };
    assert!(open(&|_| ()).is_ok());
    type Check = fn(&DatasetError) -> bool;
    let cases: [(usize, u8, Check); 5] = [
        (0, b'X', |e| matches!(e, DatasetError::NotAShard { .. })),
        (4, 2, |e| {
            matches!(e, DatasetError::ShardVersion { found: 2, .. })
        }),
        (8, 1, |e| matches!(e, DatasetError::NotAShard { .. })),
        (12, 3, |e| matches!(e, DatasetError::ShardSize { .. })),
        (16, 0xaa, |e| {
            matches!(e, DatasetError::ShardTokenizer { .. })
        }),
    ];
    for (at, value, expected) in cases {
        let error = open(&|bytes| bytes[at] = value).expect_err("is refused");
        assert!(expected(&error), "byte {at}: {error}");
    }
    let short = open(&|bytes| bytes.truncate(20)).expect_err("is refused");
    assert!(matches!(short, DatasetError::NotAShard { .. }), "{short}");
    // As long, but with four sequences of eight tokens.
    let error = open(&|bytes| (bytes[8], bytes[12]) = (8, 4)).expect_err("is refused");
    assert!(matches!(error, DatasetError::ShardShape { .. }), "{error}");
}

proptest::proptest! {
    /// Damaged bytes are refused, or read as a shard of the length in its header; nothing panics.
    #[test]
    fn damaged_bytes_are_read_as_what_they_say_or_refused(
        length in 0u32..9,
        count in 0u32..9,
        bytes in 0usize..400,
        fill in proptest::prelude::any::<u8>(),
    ) {
        let mut shard = b"NSHD\x01\0\0\0".to_vec();
        shard.extend(length.to_le_bytes());
        shard.extend(count.to_le_bytes());
        shard.resize(bytes, fill);
        let read = Shard::decode(Path::new("shard"), &shard);
        let sound = length >= 2 && count >= 1 && bytes == 48 + (length * count * 4) as usize;
        proptest::prop_assert_eq!(read.is_ok(), sound);
        if let Ok(read) = read {
            proptest::prop_assert_eq!((read.sequence_length(), read.len()), (length, count));
            proptest::prop_assert_eq!(read.sequences().count(), count as usize);
        }
    }
}

fn blake3_of(bytes: &[u8]) -> [u8; 32] {
    blake3::hash(bytes).into()
}
