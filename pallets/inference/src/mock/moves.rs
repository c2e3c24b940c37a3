//! What people do in the tests' stories, and what one sees of it.

use super::{key, AccountId, Balances, Inference, RuntimeOrigin, System, Test, CHECKPOINT};
use crate::*;
use codec::Encode;
use frame_support::{
    traits::{
        fungible::{Inspect, InspectHold},
        Hooks,
    },
    weights::Weight,
};
use noema_protocol::{hashing, Receipt, RequestId, SamplingParameters, Verdict, VerdictReveal};
use pallet_duties::AsDuty;
use sp_core::H256;
use sp_runtime::DispatchResult;

/// What the requesters ask.
pub(crate) const PROMPT: &[u8] = "Was ist Straße?".as_bytes();
/// What the honest worker answers.
pub(crate) const TOKENS: &[u32] = &[5, 6, 7, 2];
/// The same as text.
pub(crate) const TEXT: &[u8] = b"A street.";
/// The price of the longest answer: 16 bytes at 1, 16 tokens at 10.
pub(crate) const ANSWER_MAX: Balance = 176;
/// A quarter of it.
pub(crate) const CHECK_FEE: Balance = 44;
/// The price of the honest answer: 16 bytes at 1, 4 tokens at 10.
pub(crate) const ANSWER_PRICE: Balance = 56;
/// The price limit of the stories: more than is needed.
pub(crate) const LIMIT: Balance = 1_000;

pub(crate) fn next_block() {
    let now = System::block_number();
    Inference::on_idle(now, Weight::MAX);
    Inference::on_finalize(now);
    assert_eq!(Inference::audit(), Ok(()), "after block {now}");
    System::set_block_number(now + 1);
    Inference::on_initialize(now + 1);
}

pub(crate) fn advance(blocks: u32) {
    for _ in 0..blocks {
        next_block();
    }
}

pub(crate) fn ask_with(
    requester: AccountId,
    prompt: &[u8],
    parameters: SamplingParameters,
    price_limit: Balance,
) -> Result<RequestId, sp_runtime::DispatchError> {
    let id = NextRequestId::<Test>::get();
    Inference::request_inference(
        RuntimeOrigin::signed(requester),
        CHECKPOINT,
        prompt.to_vec(),
        parameters,
        price_limit,
    )?;
    Ok(id)
}

/// Asks the question of the stories.
pub(crate) fn ask(requester: AccountId) -> RequestId {
    ask_with(requester, PROMPT, SamplingParameters::greedy(16), LIMIT)
        .expect("it is a good request")
}

/// Asks, and ends the two blocks after which a worker has the request. Returns the worker.
pub(crate) fn ask_and_assign(requester: AccountId) -> (RequestId, AccountId) {
    let id = ask(requester);
    advance(2);
    (id, worker_of(id))
}

pub(crate) fn request(id: RequestId) -> Request<Test> {
    Requests::<Test>::get(id).expect("it is not pruned")
}

pub(crate) fn phase(id: RequestId) -> Phase<u32> {
    request(id).phase
}

pub(crate) fn worker_of(id: RequestId) -> AccountId {
    request(id).assignment.expect("it is assigned").worker
}

pub(crate) fn refunded_for(id: RequestId) -> Option<RefundReason> {
    match phase(id) {
        Phase::Refunded { reason } => Some(reason),
        _ => None,
    }
}

/// The digest that executing the request yields.
pub(crate) fn digest(id: RequestId) -> H256 {
    hashing::blake2_256(&(b"the hidden states of", id).encode())
}

/// A digest that nobody's execution yields.
pub(crate) const WRONG_DIGEST: H256 = H256::repeat_byte(0xEE);

pub(crate) fn receipt(id: RequestId) -> Receipt {
    let request = request(id);
    Receipt {
        request: id,
        checkpoint: request.checkpoint,
        prompt_hash: request.prompt_hash,
        parameters: request.parameters,
        seed: request.assignment.map(|a| a.seed).unwrap_or_default(),
        output_hash: hashing::output_hash(TOKENS, TEXT),
        prompt_tokens: 12,
        output_tokens: TOKENS.len() as u32,
        trace_commitment: hashing::trace_commitment(id, digest(id)),
    }
}

pub(crate) fn submit(
    id: RequestId,
    worker: AccountId,
    tokens: &[u32],
    text: &[u8],
    receipt: Receipt,
) -> DispatchResult {
    Inference::submit_result(
        RuntimeOrigin::signed(key(worker)),
        id,
        tokens.to_vec(),
        text.to_vec(),
        receipt,
    )
}

/// The honest answer of the worker that has the request.
pub(crate) fn answer(id: RequestId) {
    submit(id, worker_of(id), TOKENS, TEXT, receipt(id)).expect("it is a good answer");
}

/// Asks and answers; ends the blocks up to the one in which a check has been decided.
pub(crate) fn ask_and_answer(requester: AccountId) -> RequestId {
    let (id, _) = ask_and_assign(requester);
    answer(id);
    advance(2);
    id
}

/// What a validator says in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Valid, with the right digest.
    Honest,
    /// Invalid, with the digest of its own execution of a false answer.
    Convicts,
    /// Invalid, of an honest answer, with a digest it made up.
    Lies,
    /// Valid, without executing.
    Lazy,
}

pub(crate) fn opening(id: RequestId, voice: Voice) -> VerdictReveal {
    let (verdict, digest) = match voice {
        Voice::Honest => (Verdict::Valid, digest(id)),
        Voice::Convicts => (Verdict::Invalid, digest(id)),
        Voice::Lies => (Verdict::Invalid, WRONG_DIGEST),
        Voice::Lazy => (Verdict::Valid, WRONG_DIGEST),
    };
    VerdictReveal {
        verdict,
        digest,
        salt: H256::repeat_byte(3),
    }
}

pub(crate) fn commit(id: RequestId, validator: AccountId, voice: Voice) -> DispatchResult {
    let commitment = hashing::verdict_commitment(id, &validator, &opening(id, voice));
    Inference::commit_verdict(RuntimeOrigin::signed(key(validator)), id, commitment)
}

pub(crate) fn reveal(id: RequestId, validator: AccountId, voice: Voice) -> DispatchResult {
    let VerdictReveal {
        verdict,
        digest,
        salt,
    } = opening(id, voice);
    Inference::reveal_verdict(
        RuntimeOrigin::signed(key(validator)),
        id,
        verdict,
        digest,
        salt,
    )
}

pub(crate) fn object(id: RequestId, validator: AccountId, digest: H256) -> DispatchResult {
    Inference::object(RuntimeOrigin::signed(key(validator)), id, digest)
}

/// Whether a call is a duty that the hot key `by` may perform now.
pub(crate) fn is_duty(call: &Call<Test>, by: AccountId) -> bool {
    call.as_duty(&by, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

/// The validators that now have to commit or reveal.
pub(crate) fn sitting(id: RequestId) -> Vec<AccountId> {
    Checks::<Test>::get(id)
        .unwrap_or_default()
        .seats
        .iter()
        .filter(|seat| seat.standing == Standing::Sitting)
        .map(|seat| seat.validator)
        .collect()
}

pub(crate) fn standing(id: RequestId, validator: AccountId) -> Standing {
    Checks::<Test>::get(id)
        .unwrap_or_default()
        .seats
        .iter()
        .find(|seat| seat.validator == validator)
        .expect("it has a seat")
        .standing
}

/// Everybody who sits commits and reveals what `voice` says; ends the blocks up to the one after
/// the panel was closed.
pub(crate) fn hear(id: RequestId, voice: impl Fn(AccountId) -> Voice) -> Vec<AccountId> {
    let validators = sitting(id);
    for validator in &validators {
        commit(id, *validator, voice(*validator)).expect("it is its turn");
    }
    for validator in &validators {
        reveal(id, *validator, voice(*validator)).expect("it is its turn");
    }
    advance(2);
    validators
}

pub(crate) fn free(account: AccountId) -> Balance {
    Balances::balance(&account)
}

pub(crate) fn escrow(account: AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::Escrow.into(), &account)
}
