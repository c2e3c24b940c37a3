//! Receipt files with their proofs, and headers: what is read is written the same, and no proof makes it fail.

use super::manifest::variant;
use noema_receipts::{read_header, verify, ReceiptFile};

const GOLDEN: &str =
    include_str!("../../../../offchain-worker/receipts/tests/verify/golden/receipt.json");

pub(super) fn run(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let header = match read_header(&text) {
        Ok(_) => "header, ",
        Err(_) => "",
    };
    let file = match ReceiptFile::read(&text) {
        Ok(file) => file,
        Err(error) => return format!("{header}{}", variant(&format!("{error:?}"))),
    };
    let written = file.to_json().to_string();
    assert_eq!(ReceiptFile::read(&written).as_ref(), Ok(&file));
    let Some(proof) = &file.proof else {
        return format!("{header}without proof");
    };
    match verify(&file, proof, proof.block()) {
        Ok(_) => format!("{header}verified"),
        Err(error) => format!("{header}refused: {}", variant(&format!("{error:?}"))),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![GOLDEN.into()];
    if let Ok(mut file) = ReceiptFile::read(GOLDEN) {
        file.proof = None;
        seeds.push(file.to_json().to_string().into());
        file.claim = None;
        seeds.push(file.to_json().to_string().into());
        file.voucher = None;
        seeds.push(file.to_json().to_string().into());
    }
    seeds
}
