//! Every hash that two parties compare, each under its own domain.
//!
//! All are BLAKE2b with a 32-byte output over `domain ++ SCALE(fields)`; SCALE prefixes a
//! sequence with its length, so no two different inputs share an encoding.

use crate::{ClaimId, RequestId, RoundId, VerdictReveal};
use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::Encode;
use sp_core::H256;

/// BLAKE2b-256 of `bytes`.
pub fn blake2_256(bytes: &[u8]) -> H256 {
    H256(Blake2b::<U32>::digest(bytes).into())
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
pub fn output_hash(tokens: &[u32], text: &[u8]) -> H256 {
    tagged(b"noema/output", (tokens, text))
}

/// What a worker publishes of its trace digest: enough to recognise the digest, not to know it.
pub fn trace_commitment(request: RequestId, digest: H256) -> H256 {
    tagged(b"noema/trace", (request, digest))
}

/// What validator `validator` (the controller's account, SCALE-encoded) commits before anyone
/// reveals.
pub fn verdict_commitment(
    request: RequestId,
    validator: &impl Encode,
    reveal: &VerdictReveal,
) -> H256 {
    tagged(b"noema/verdict", (request, validator, reveal))
}

/// The sampling seed of a request: fresh randomness bound to the request and to the attempt.
pub fn sampling_seed(randomness: H256, request: RequestId, attempt: u32) -> H256 {
    tagged(b"noema/seed", (randomness, request, attempt))
}

/// Randomness for one draw, told apart from every other draw by `subject`.
pub fn draw(randomness: H256, subject: &[u8], request: RequestId, attempt: u32) -> H256 {
    tagged(b"noema/draw", (randomness, subject, request, attempt))
}

/// What trainer `trainer` (the controller's account) commits before anyone reveals: the BLAKE3 hash
/// `update` of its compressed update, and how many bytes that has.
pub fn contribution_commitment(
    round: RoundId,
    trainer: &impl Encode,
    update: H256,
    bytes: u32,
    salt: H256,
) -> H256 {
    tagged(b"noema/contribution", (round, trainer, update, bytes, salt))
}

/// What validator `validator` (the controller's account) commits of its score sheet before anyone
/// reveals.
pub fn score_commitment(
    round: RoundId,
    validator: &impl Encode,
    sheet: &impl Encode,
    salt: H256,
) -> H256 {
    tagged(b"noema/scores", (round, validator, sheet, salt))
}

/// Randomness for one draw in a round, told apart from every other draw by `subject`.
pub fn round_draw(randomness: H256, subject: &[u8], round: RoundId) -> H256 {
    tagged(b"noema/round-draw", (randomness, subject, round))
}

/// What the hot key `key` signs to have `duty`, a call of the runtime, executed on the chain that has
/// the block with the hash `block`.
pub fn duty_payload(block: impl Encode, key: &impl Encode, duty: &impl Encode) -> H256 {
    tagged(b"noema/duty", (block, key, duty))
}

/// What a hot key signs to prove that it submits for `controller` on the chain with this `genesis`.
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

/// What validator `validator` (the controller's account) commits of a leaf that it re-executed before
/// any validator reveals: the hash `hidden` of the hidden state at the position drawn for it.
pub fn check_commitment(
    claim: ClaimId,
    leaf: u32,
    validator: &impl Encode,
    hidden: H256,
    salt: H256,
) -> H256 {
    tagged(b"noema/check", (claim, leaf, validator, hidden, salt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    #[test]
    fn hashes_differ_by_domain_and_by_field() {
        let (a, b) = (H256::repeat_byte(1), H256::repeat_byte(2));
        assert_ne!(
            trace_commitment(RequestId(1), a),
            trace_commitment(RequestId(2), a)
        );
        assert_ne!(
            trace_commitment(RequestId(1), a),
            trace_commitment(RequestId(1), b)
        );
        assert_ne!(output_hash(&[1, 2], b"x"), output_hash(&[1], b"x"));
        assert_ne!(prompt_hash(b"x"), blake2_256(b"x"));
    }

    #[test]
    fn a_verdict_cannot_be_copied_by_another_validator() {
        let reveal = VerdictReveal {
            verdict: Verdict::Valid,
            digest: H256::repeat_byte(7),
            salt: H256::repeat_byte(9),
        };
        assert_ne!(
            verdict_commitment(RequestId(1), &[1u8; 32], &reveal),
            verdict_commitment(RequestId(1), &[2u8; 32], &reveal),
        );
    }

    #[test]
    fn the_rules_are_frozen() {
        // `printf 'noema/prompt\x08hi' | b2sum -l 256`
        let expected = blake2_256(b"noema/prompt\x08hi");
        assert_eq!(prompt_hash(b"hi"), expected);
    }
}
