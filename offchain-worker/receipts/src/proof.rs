//! Storage proofs: records of a block's state, proven by its header.

use crate::ProofError;
use codec::{Decode, DecodeAll, Encode};
use sp_core::H256;
use sp_runtime::generic::Header;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::read_proof_check;
use sp_trie::StorageProof;
use std::collections::HashMap;

/// The header of a block.
pub type BlockHeader = Header<u32, BlakeTwo256>;

/// The header of a block, and the nodes of its state that prove some records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// The header.
    pub header: BlockHeader,
    /// The nodes, as `state_getReadProof` returns them.
    pub nodes: Vec<Vec<u8>>,
}

impl StateProof {
    /// The hash of the block.
    pub fn block(&self) -> H256 {
        self.header.hash()
    }

    /// The values of `keys` in the state of the block, `None` where it has none.
    ///
    /// # Errors
    /// [`ProofError::NotProven`] where the nodes do not lead from the state root to each key.
    pub(crate) fn read(&self, keys: Vec<Vec<u8>>) -> Result<Values, ProofError> {
        let proof = StorageProof::new(self.nodes.iter().cloned());
        let values = read_proof_check::<BlakeTwo256, _>(self.header.state_root, proof, keys);
        // The reason is one of the trie's words, and has none of the caller's.
        Ok(Values(values.map_err(|_| ProofError::NotProven)?))
    }
}

/// Proven values of a state.
pub(crate) struct Values(HashMap<Vec<u8>, Option<Vec<u8>>>);

impl Values {
    /// The record at `key`; `None` where the state has none.
    ///
    /// # Errors
    /// [`ProofError::NotProven`] where `key` was not read, [`ProofError::Undecodable`] where the record is another one
    /// than `what`.
    pub(crate) fn get<T: Decode>(
        &self,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<T>, ProofError> {
        let value = self.0.get(key).ok_or(ProofError::NotProven)?;
        let decode = |bytes: &Vec<u8>| T::decode_all(&mut bytes.as_slice());
        let decoded = value.as_ref().map(decode).transpose();
        decoded.map_err(|_| ProofError::Undecodable(what))
    }
}

/// Reads a header: its JSON, as `chain_getHeader` returns it, or its SCALE encoding in hexadecimal digits after `0x`.
///
/// # Errors
/// [`ProofError::Header`] where it is neither.
pub fn read_header(text: &str) -> Result<BlockHeader, ProofError> {
    let text = text.trim();
    let header = match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits)
            .ok()
            .and_then(|bytes| BlockHeader::decode_all(&mut bytes.as_slice()).ok()),
        None => serde_json::from_str(text).ok(),
    };
    header.ok_or(ProofError::Header)
}

/// A header in the form that [`read_header`] reads.
pub(crate) fn in_digits(header: &BlockHeader) -> String {
    format!("0x{}", hex::encode(header.encode()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::{Digest, DigestItem};

    fn header() -> BlockHeader {
        BlockHeader {
            parent_hash: H256::repeat_byte(1),
            number: 70_000,
            state_root: H256::repeat_byte(2),
            extrinsics_root: H256::repeat_byte(3),
            digest: Digest {
                logs: vec![DigestItem::PreRuntime(*b"aura", vec![7; 8])],
            },
        }
    }

    #[test]
    fn a_header_is_read_as_json_and_as_digits() {
        let json = serde_json::to_string(&header()).expect("JSON");
        for text in [json, format!(" {}\n", in_digits(&header()))] {
            assert_eq!(read_header(&text), Ok(header()), "{text}");
        }
        for wrong in ["", "0x", "0xzz", "{}", "null"] {
            assert_eq!(read_header(wrong), Err(ProofError::Header), "{wrong}");
        }
    }
}
