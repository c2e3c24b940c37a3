//! Every hash that two parties compare, each under its own domain.
//!
//! All are BLAKE2b with a 32-byte output over `domain ++ SCALE(fields)`; SCALE prefixes a
//! sequence with its length, so no two different inputs share an encoding.

use crate::{merkle, CheckpointId, ClaimId, Receipt, RequestId, RoundId, SessionId, Verdict};
use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::Encode;
use sp_core::H256;

/// BLAKE2b-256 of `bytes`.
pub fn blake2_256(bytes: &[u8]) -> H256 {
    H256(Blake2b::<U32>::digest(bytes).into())
}

/// The node of a Merkle tree above a leaf of 32 bytes.
pub fn merkle_leaf(leaf: &H256) -> H256 {
    blake2_256(leaf.as_bytes())
}

/// The node of a Merkle tree above two nodes. It hashes 64 bytes and [`merkle_leaf`] 32, so one never passes for the
/// other.
pub fn merkle_node(left: &H256, right: &H256) -> H256 {
    let mut hasher = Blake2b::<U32>::new();
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    H256(hasher.finalize().into())
}

fn tagged(domain: &[u8], fields: impl Encode) -> H256 {
    let mut hasher = Blake2b::<U32>::new();
    hasher.update(domain);
    fields.using_encoded(|bytes| hasher.update(bytes));
    H256(hasher.finalize().into())
}

/// Hash of a prompt's UTF-8 bytes.
pub fn prompt_hash(prompt: &[u8]) -> H256 {
    tagged(b"noema/prompt", prompt)
}

/// Hash of an answer: its tokens and its text as UTF-8 bytes.
pub fn answer_hash(tokens: &[u32], text: &[u8]) -> H256 {
    tagged(b"noema/output", (tokens, text))
}

/// The hash of a receipt: the leaf of a claim.
pub fn receipt_hash(receipt: &Receipt) -> H256 {
    tagged(b"noema/receipt", receipt)
}

/// The commitment of `juror` (the controller's account) to its verdict on a challenged leaf.
pub fn verdict_commitment(
    claim: ClaimId,
    leaf: u32,
    juror: &impl Encode,
    verdict: Verdict,
    salt: H256,
) -> H256 {
    tagged(b"noema/verdict", (claim, leaf, juror, verdict, salt))
}

/// The sampling seed of a request: fresh randomness bound to the request and to the attempt.
pub fn sampling_seed(randomness: H256, request: RequestId, attempt: u32) -> H256 {
    tagged(b"noema/seed", (randomness, request, attempt))
}

/// Randomness for draw number `n` in `block` of a worker for requests to `checkpoint`.
pub fn worker_draw(randomness: H256, checkpoint: CheckpointId, block: impl Encode, n: u32) -> H256 {
    tagged(b"noema/worker-draw", (randomness, checkpoint, block, n))
}

/// The commitment of trainer `trainer` (the controller's account) to its contribution: the BLAKE3 hash
/// `update` of the compressed update, and its size in bytes.
pub fn contribution_commitment(
    round: RoundId,
    trainer: &impl Encode,
    update: H256,
    bytes: u32,
    salt: H256,
) -> H256 {
    tagged(b"noema/contribution", (round, trainer, update, bytes, salt))
}

/// The commitment of validator `validator` (the controller's account) to its score sheet.
pub fn score_commitment(
    round: RoundId,
    validator: &impl Encode,
    sheet: &impl Encode,
    salt: H256,
) -> H256 {
    tagged(b"noema/scores", (round, validator, sheet, salt))
}

/// Randomness for one draw in a round; `subject` separates it from every other draw.
pub fn round_draw(randomness: H256, subject: &[u8], round: RoundId) -> H256 {
    tagged(b"noema/round-draw", (randomness, subject, round))
}

/// The payload that the hot key `key` signs to have `duty`, a call of the runtime, executed on the chain that
/// contains the block with the hash `block`.
pub fn duty_payload(block: impl Encode, key: &impl Encode, duty: &impl Encode) -> H256 {
    tagged(b"noema/duty", (block, key, duty))
}

/// The payload that a hot key signs to prove that it submits for `controller` on the chain with this
/// `genesis`.
pub fn possession_payload(genesis: impl Encode, controller: &impl Encode) -> H256 {
    tagged(b"noema/possession", (genesis, controller))
}

/// Randomness for draw number `n` from a roster.
pub fn roster_draw(randomness: H256, n: u32) -> H256 {
    tagged(b"noema/roster-draw", (randomness, n))
}

/// The randomness of a check: two values of the relay chain's, the older one first.
pub fn check_randomness(older: H256, newer: H256) -> H256 {
    tagged(b"noema/check-randomness", (older, newer))
}

/// Randomness for draw number `n` about `subject` in a claim.
pub fn claim_draw(randomness: H256, subject: &[u8], claim: ClaimId, n: u32) -> H256 {
    tagged(b"noema/claim-draw", (randomness, subject, claim, n))
}

/// The commitment of validator `validator` (the controller's account) to its check of a leaf: the hash
/// `hidden` of the hidden state at the position drawn for it.
pub fn check_commitment(
    claim: ClaimId,
    leaf: u32,
    validator: &impl Encode,
    hidden: H256,
    salt: H256,
) -> H256 {
    tagged(b"noema/check", (claim, leaf, validator, hidden, salt))
}

/// Most tokens in a leaf of the tree of [`tokens_hash`]: 2 KiB.
pub const TOKENS_PER_LEAF: usize = 512;

/// Hash of tokens: of the prompt or the answer of a session. Some of them can be shown without the others: they are
/// the leaves of a [`merkle`] tree, in runs of [`TOKENS_PER_LEAF`].
pub fn tokens_hash(tokens: &[u32]) -> H256 {
    let nodes = tokens.chunks(TOKENS_PER_LEAF).map(tokens_node);
    tokens_hash_of(tokens.len() as u64, merkle::root(nodes))
}

/// The node of a run of tokens in the tree of [`tokens_hash`].
pub fn tokens_node(tokens: &[u32]) -> H256 {
    tagged(b"noema/tokens-leaf", tokens)
}

/// [`tokens_hash`] of so many tokens, from the root of their tree.
pub fn tokens_hash_of(tokens: u64, root: H256) -> H256 {
    tagged(b"noema/tokens", (tokens, root))
}

/// The node of what a vocabulary says about a token, in the tree over all tokens.
pub fn split_entry_node(entry: &impl Encode) -> H256 {
    tagged(b"noema/split-entry", entry)
}

/// The node of a run of merges, in the tree over the merges of a tokenizer.
pub fn split_merges_node(run: &impl Encode) -> H256 {
    tagged(b"noema/split-merges", run)
}

/// The node of a run of forms, in the tree over the listed forms of a tokenizer.
pub fn split_forms_node(run: &impl Encode) -> H256 {
    tagged(b"noema/split-forms", run)
}

/// The hash of the terms of a session on the chain with this `genesis`.
pub fn session_terms_hash(genesis: H256, terms: &impl Encode) -> H256 {
    tagged(b"noema/session-terms", (genesis, terms))
}

/// The hash of a receipt of a session: the leaf of a claim, and the payload that the worker's hot key signs.
pub fn session_receipt_hash(receipt: &impl Encode) -> H256 {
    tagged(b"noema/session-receipt", receipt)
}

/// The payload that the voucher key of a session signs.
pub fn voucher_payload(voucher: &impl Encode) -> H256 {
    tagged(b"noema/voucher", voucher)
}

/// The payload with which the voucher key of a session proves that the peer `from` acts for its payer, to the peer
/// `to`. Both are public keys of endpoints, which a connection proves: so a signature is of no use to another peer.
pub fn session_peer_payload(
    genesis: H256,
    session: SessionId,
    from: [u8; 32],
    to: [u8; 32],
) -> H256 {
    tagged(b"noema/session-peer", (genesis, session, from, to))
}

/// The payload with which the hot key of a validator asks for a leaf of a claim, over a connection of the peer `from`
/// to the peer `to`.
pub fn leaf_request_payload(
    genesis: H256,
    claim: ClaimId,
    leaf: u32,
    from: [u8; 32],
    to: [u8; 32],
) -> H256 {
    tagged(b"noema/leaf-request", (genesis, claim, leaf, from, to))
}

/// Randomness for the draw of a session's worker.
pub fn session_draw(randomness: H256, session: SessionId) -> H256 {
    tagged(b"noema/session-draw", (randomness, session))
}

/// The seed of a session: randomness that is younger than its opening.
pub fn session_seed(randomness: H256, session: SessionId) -> H256 {
    tagged(b"noema/session-seed", (randomness, session))
}

/// The sampling seed of answer number `n` of the session with the seed `session_seed`.
pub fn answer_seed(session_seed: H256, n: u32) -> H256 {
    tagged(b"noema/answer-seed", (session_seed, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_differ_by_domain_and_by_field() {
        assert_ne!(answer_hash(&[1, 2], b"x"), answer_hash(&[1], b"x"));
        assert_ne!(prompt_hash(b"x"), blake2_256(b"x"));
    }

    #[test]
    fn a_verdict_cannot_be_copied_by_another_juror() {
        let commitment = |juror: u8, leaf| {
            let salt = H256::repeat_byte(9);
            verdict_commitment(ClaimId(1), leaf, &[juror; 32], Verdict::True, salt)
        };
        assert_ne!(commitment(1, 0), commitment(2, 0));
        assert_ne!(commitment(1, 0), commitment(1, 1));
    }

    #[test]
    fn tokens_differ_by_number_and_by_place() {
        let tokens: Vec<u32> = (0..1_025).collect();
        let whole = tokens_hash(&tokens);
        assert_ne!(whole, tokens_hash(&tokens[..1_024]));
        let mut other = tokens.clone();
        other.swap(0, 1_024);
        assert_ne!(whole, tokens_hash(&other));
        assert_ne!(tokens_hash(&[]), tokens_hash(&[0]));
        let nodes = tokens.chunks(TOKENS_PER_LEAF).map(tokens_node);
        assert_eq!(whole, tokens_hash_of(1_025, merkle::root(nodes)));
    }

    #[test]
    fn the_rules_are_frozen() {
        // `printf 'noema/prompt\x08hi' | b2sum -l 256`
        let expected = blake2_256(b"noema/prompt\x08hi");
        assert_eq!(prompt_hash(b"hi"), expected);
    }
}
