//! `noema-worker receipt` without a node, and the options of `noema-worker ask`.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A receipt with a claim, and a proof of a block.
const KEPT: &str = include_str!("../receipts/tests/verify/golden/receipt.json");
/// An address at which no node answers.
const NO_NODE: &str = "ws://127.0.0.1:1";

/// A folder with a receipt.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        std::fs::write(folder.file(), KEPT).expect("room");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("answer.json")
    }

    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut value = serde_json::from_str(KEPT).expect("JSON");
        change(&mut value);
        std::fs::write(self.file(), value.to_string()).expect("room");
    }

    fn worker(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_noema-worker"))
            .args(args)
            .args(["--url", NO_NODE])
            .env("NOEMA_HOME", self.0.path())
            .output()
            .expect("the worker starts")
    }

    /// Runs `noema-worker receipt` on the file.
    fn receipt(&self, command: &str, more: &[&str]) -> Output {
        let path = self.file();
        let args = ["receipt", command, shown(&path)];
        self.worker(&[&args, more].concat())
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn kept() -> noema_receipts::ReceiptFile {
    noema_receipts::ReceiptFile::read(KEPT).expect("a receipt file")
}

/// The hash of the block of the proof.
fn block() -> String {
    format!("{:?}", kept().proof.expect("a proof").block())
}

fn told(output: &Output) -> String {
    let both = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8(both).expect("UTF-8")
}

fn has(output: &Output, status: i32, expected: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(status), "{told}");
    for expected in expected {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn a_receipt_is_told_in_words() {
    let folder = Folder::new();
    let shown = folder.receipt("show", &[]);
    let hash = format!("{:?}", kept().hash());
    has(
        &shown,
        0,
        &[
            "not verified",
            "answer 1",
            &hash,
            "claim        6",
            "of block 35",
        ],
    );
}

#[test]
fn a_receipt_with_a_proof_is_verified_without_a_node() {
    let folder = Folder::new();
    let verified = folder.receipt("verify", &["--finalized-hash", &block()]);
    let expected = [
        "verified by block 35",
        "leaf 1 of 3 of claim 6",
        "of the worker's hot key",
        "found the same answer",
    ];
    has(&verified, 0, &expected);
    let header = kept().proof.expect("a proof").header;
    let path = folder.path("header.json");
    std::fs::write(&path, serde_json::to_string(&header).expect("JSON")).expect("room");
    let verified = folder.receipt("verify", &["--header", shown(&path)]);
    has(&verified, 0, &expected);
}

#[test]
fn a_block_without_proof_is_asked_of_a_node() {
    let folder = Folder::new();
    let other = format!("0x{}", "11".repeat(32));
    let refused = folder.receipt("verify", &["--finalized-hash", &other]);
    has(
        &refused,
        1,
        &["the proof in the file is of block", &block(), NO_NODE],
    );
    let refused = folder.receipt("verify", &[]);
    has(&refused, 1, &["--finalized-hash", "--header"]);
    folder.change(|it| it["proof"] = Value::Null);
    let refused = folder.receipt("verify", &["--finalized-hash", &block()]);
    has(&refused, 1, &["the file has no proof", NO_NODE]);
}

#[test]
fn a_receipt_that_was_changed_is_refused() {
    let folder = Folder::new();
    let verify = || folder.receipt("verify", &["--finalized-hash", &block()]);
    folder.change(|it| it["answer"][0] = 99.into());
    has(&verify(), 1, &["tokens of the answer"]);
    folder.change(|it| it["claim"]["path"][0] = it["hash"].clone());
    has(
        &verify(),
        1,
        &["claim 6 is not one of this session over this receipt"],
    );
    folder.change(|it| it["receipt"]["price"] = "1".into());
    has(
        &verify(),
        1,
        &["answer.json", "the hash in it is not that of its receipt"],
    );
    folder.change(|it| it["proof"]["nodes"][0] = "0x00".into());
    has(&verify(), 1, &["does not lead from the state root"]);
}

#[test]
fn an_answer_is_not_executed_again_without_its_checkpoint() {
    let folder = Folder::new();
    let options = [
        "--finalized-hash",
        &block(),
        "--recompute",
        "--device",
        "cpu",
    ];
    let refused = folder.receipt("verify", &options);
    has(
        &refused,
        1,
        &["verified by block 35", "noema-worker checkpoint fetch"],
    );
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let folder = Folder::new();
    for options in [
        &["--public", "--continue"][..],
        &["--public", "--receipt", "a.json"],
        &["--public", "--hold", "1"],
        &["--price-limit", "1"],
    ] {
        let refused = folder.worker(&[&["ask", "Why?"], options].concat());
        has(&refused, 2, &["--public"]);
    }
    let header = shown(&folder.file()).to_owned();
    let options = ["--header", &header, "--finalized-hash", &block()];
    has(
        &folder.receipt("verify", &options),
        2,
        &["--finalized-hash"],
    );
    let refused = folder.receipt("verify", &["--finalized-hash", "0x12"]);
    has(&refused, 2, &["64 hexadecimal digits"]);
}

#[test]
fn a_question_without_a_node_names_the_node() {
    let folder = Folder::new();
    for options in [&["ask", "Why?"][..], &["ask", "--public", "Why?"]] {
        has(&folder.worker(options), 1, &[NO_NODE, "--url"]);
    }
}
