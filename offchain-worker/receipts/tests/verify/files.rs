//! Receipts as JSON, and records as the pallets write them.

use crate::world::{World, CLAIM, SESSION};
use codec::{DecodeAll, Encode};
use noema_receipts::{
    verify, ClaimEntry, FileError, ReceiptFile, SessionEntry, Standing, MAX_FILE,
};
use serde_json::{json, Value};

fn whole() -> ReceiptFile {
    let world = World::claimed();
    let mut file = world.file();
    file.proof = Some(world.proof(&file));
    file
}

#[test]
fn records_are_those_of_the_pallets() {
    let mut world = World::claimed();
    let session = world.session().encode();
    let read = SessionEntry::decode_all(&mut session.as_slice()).expect("the same layout");
    assert_eq!(read.encode(), session);
    let terms = world.session().terms(SESSION).expect("terms");
    assert_eq!(read.terms(SESSION), Some(terms));
    let claim = world.claim().encode();
    let read = ClaimEntry::decode_all(&mut claim.as_slice()).expect("the same layout");
    assert_eq!(read.encode(), claim);
    assert_eq!(read.claim, world.claim().claim);
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let world = World::new();
    for file in [whole(), world.file(), world.bare()] {
        let text = file.to_json().to_string();
        assert_eq!(ReceiptFile::read(&text), Ok(file));
    }
}

#[test]
fn a_file_has_the_form_that_is_documented() {
    let written = whole().to_json();
    assert_eq!(written["format"], "noema/receipt/1");
    assert_eq!(written["hash"], format!("{:?}", whole().hash()));
    assert_eq!(written["receipt"]["session"], SESSION.0);
    assert_eq!(written["receipt"]["price"], "964");
    assert_eq!(written["receipt"]["end"], "length");
    assert_eq!(written["claim"]["id"], CLAIM.0);
    assert_eq!(written["voucher"]["count"], 3);
    assert_eq!(written["answer"], json!([1, 1, 1, 1, 1, 1, 1, 1]));
    let worker = written["worker"].as_str().expect("an address");
    assert!(worker.starts_with('5'), "{worker}");
    let header = written["proof"]["header"].as_str().expect("digits");
    assert!(header.starts_with("0x"), "{header}");
}

#[test]
fn a_voucher_or_a_claim_over_other_answers_is_not_added() {
    let world = World::claimed();
    let mut file = world.bare();
    let mut hashes = world.hashes();
    hashes.swap(0, 1);
    file.add_voucher(world.voucher, &hashes);
    file.add_claim(CLAIM, 0, &hashes);
    assert_eq!((&file.voucher, &file.claim), (&None, &None));
    file.add_claim(CLAIM, 2, &world.hashes());
    assert_eq!(file.claim, None);
}

#[test]
fn what_is_no_receipt_file_is_refused_by_name() {
    type Change = fn(&mut Value);
    let changes: [Change; 8] = [
        |it| *it = json!([]),
        |it| it["format"] = Value::Null,
        |it| it["more"] = json!(1),
        |it| it["signature"] = json!("0x00"),
        |it| it["receipt"]["price"] = json!("-1"),
        |it| it["receipt"]["price"] = json!(964),
        |it| it["prompt"] = json!([-1]),
        |it| it["proof"]["header"] = json!("0x00"),
    ];
    for change in changes {
        let mut value = whole().to_json();
        change(&mut value);
        let read = ReceiptFile::read(&value.to_string());
        assert!(matches!(read, Err(FileError::Form(_))), "{read:?}");
    }
    let mut value = whole().to_json();
    value["format"] = json!("noema/receipt/2");
    let read = ReceiptFile::read(&value.to_string());
    assert_eq!(read, Err(FileError::Version("noema/receipt/2".into())));
    let mut value = whole().to_json();
    value["receipt"]["n"] = json!(2);
    let read = ReceiptFile::read(&value.to_string());
    assert_eq!(read, Err(FileError::OtherHash));
    let long = " ".repeat(MAX_FILE + 1);
    assert_eq!(
        ReceiptFile::read(&long),
        Err(FileError::TooLong(long.len()))
    );
    assert!(matches!(ReceiptFile::read("{"), Err(FileError::Form(_))));
}

const GOLDEN: &str = include_str!("golden/receipt.json");

/// A file of an earlier version of this program is read, and verified, like one of this version.
#[test]
fn a_file_that_was_kept_is_still_verified() {
    let file = ReceiptFile::read(GOLDEN).expect("the form is known");
    let proof = file.proof.clone().expect("a proof");
    let verified = verify(&file, &proof, proof.block()).expect("it is true");
    assert_eq!(verified.block, 35);
    assert!(verified.is_of_hot_key);
    assert!(matches!(verified.standing, Standing::Claimed(_)));
    let kept: Value = serde_json::from_str(GOLDEN).expect("JSON");
    assert_eq!(file.to_json(), kept);
}

#[test]
#[ignore = "writes the file that the test above reads, which a new version of the form needs"]
fn the_kept_file_is_written() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/verify/golden/receipt.json"
    );
    std::fs::write(path, format!("{}\n", whole().to_json())).expect("room");
}
