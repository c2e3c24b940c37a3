//! Actions of the accounts in tests, and helpers that read their effects.

use super::{
    key, world::next_relay_block, AccountId, Balances, Inference, Reason, RuntimeOrigin, System,
    Test, CHECKPOINT,
};
use crate::*;
use frame_support::{
    traits::{
        fungible::{Inspect, InspectHold},
        Hooks,
    },
    weights::WeightMeter,
};
use noema_interfaces::Claims;
use noema_protocol::{hashing, CheckpointId, ClaimId, Receipt, RequestId, SamplingParameters};
use pallet_duties::AsDuty;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};
use std::cell::Cell;

/// The requester of most tests.
pub(crate) const ASKER: AccountId = 1;
/// The initial balance of every requester.
pub(crate) const FUNDS: Balance = 10_000_000;
/// The prompt of the requests.
pub(crate) const PROMPT: &[u8] = "Was ist Straße?".as_bytes();
/// The number of tokens they request.
pub(crate) const TOKENS_ASKED: u16 = 16;
/// The answer of an honest worker.
pub(crate) const TOKENS: &[u32] = &[5, 6, 7, 2];
/// The text of that answer.
pub(crate) const TEXT: &[u8] = b"A street.";
/// The price of the longest answer: 16 bytes at 1, 16 tokens at 10.
pub(crate) const ANSWER_MAX: Balance = 176;
/// A quarter of it.
pub(crate) const CHECK_FEE: Balance = 44;
/// Twice the price of the longest answer.
pub(crate) const STAKE: Balance = 352;
/// The price of the honest answer: 16 bytes at 1, 4 tokens at 10.
pub(crate) const ANSWER_PRICE: Balance = 56;
/// The price limit of most tests: more than needed.
pub(crate) const LIMIT: Balance = 1_000;
/// 16 bytes of prompt, 16 tokens at 4 bytes, 8 bytes of text for each, and the records.
pub(crate) const STORAGE: Balance = 16 + 16 * 4 + 16 * 8 + RECORD_BYTES as Balance;

/// Starts the next block, on a new block of the relay chain, up to its first transaction.
pub(crate) fn next_block() {
    next_relay_block();
    next_block_on_the_same_relay_block();
}

pub(crate) fn next_block_on_the_same_relay_block() {
    let now = System::block_number() + 1;
    System::set_block_number(now);
    let mut meter = WeightMeter::new();
    Inference::on_poll(now, &mut meter);
    assert!(meter.consumed().all_lte(super::PollBudget::get()));
    if now.is_multiple_of(AUDITED.get()) {
        assert_books_agree();
    }
}

thread_local! {
    static AUDITED: Cell<u32> = const { Cell::new(1) };
}

/// Audits only every `blocks` blocks, for tests with thousands of requests.
pub(crate) fn audit_every(blocks: u32) {
    AUDITED.set(blocks);
}

pub(crate) fn advance(blocks: u32) {
    for _ in 0..blocks {
        next_block();
    }
}

/// Runs the pallet's audit, and compares the amounts on hold with those of requests and claims.
pub(crate) fn assert_books_agree() {
    assert_eq!(Inference::audit(), Ok(()));
    let requesters: std::collections::BTreeSet<_> = Requests::<Test>::iter_values()
        .map(|request| request.requester)
        .collect();
    for requester in requesters {
        let expected = Inference::held(&requester) + super::World::held(&requester);
        assert_eq!(on_hold(requester), expected, "of {requester}");
    }
}

/// Starts the next block, after the agenda had its first turn: leaving the block in which the agenda begins
/// is a step of the budget.
pub(crate) fn next_block_with_an_agenda() {
    let now = System::block_number();
    DeadlineAgenda::<Test>::insert(now, now + 1, &RequestId(u64::MAX));
    next_block();
}

/// Puts the request without a place into the queue of its checkpoint.
pub(crate) fn enqueue_first() {
    let id = Unqueued::<Test>::take().expect("a request waits without a place");
    Inference::enqueue(id, &request(id).checkpoint);
}

pub(crate) fn ask_of(
    requester: AccountId,
    checkpoint: CheckpointId,
    prompt: &[u8],
    parameters: SamplingParameters,
    price_limit: Balance,
) -> Result<RequestId, DispatchError> {
    let id = NextRequestId::<Test>::get();
    frame_support::storage::with_storage_layer(|| {
        Inference::request_inference(
            RuntimeOrigin::signed(requester),
            checkpoint,
            prompt.to_vec(),
            parameters,
            price_limit,
        )
    })
    .map_err(|refusal| refusal.error)?;
    Ok(id)
}

/// Makes a request with the usual prompt and a price limit.
pub(crate) fn ask_for(requester: AccountId, price_limit: Balance) -> RequestId {
    let parameters = SamplingParameters::greedy(TOKENS_ASKED);
    ask_of(requester, CHECKPOINT, PROMPT, parameters, price_limit).expect("the request is valid")
}

/// Makes a request with the usual prompt.
pub(crate) fn ask(requester: AccountId) -> RequestId {
    ask_for(requester, LIMIT)
}

/// Makes a request and advances to the block in which it is assigned. Returns the worker, too.
pub(crate) fn ask_and_assign() -> (RequestId, AccountId) {
    let id = ask(ASKER);
    next_block();
    (id, worker_of(id).expect("a worker has the request"))
}

pub(crate) fn request(id: RequestId) -> Request<Test> {
    Requests::<Test>::get(id).expect("the request is not pruned")
}

pub(crate) fn phase(id: RequestId) -> RequestPhase<u32> {
    request(id).phase
}

pub(crate) fn waits(id: RequestId) -> bool {
    phase(id) == RequestPhase::Waiting
}

pub(crate) fn deadline(id: RequestId) -> u32 {
    match phase(id) {
        RequestPhase::Answering { deadline } => deadline,
        other => panic!("the phase is {other:?}"),
    }
}

/// The worker that has a request and has not answered it.
pub(crate) fn worker_of(id: RequestId) -> Option<AccountId> {
    let request = request(id);
    matches!(request.phase, RequestPhase::Answering { .. })
        .then_some(request.assignment)
        .flatten()
        .map(|assignment| assignment.worker)
}

pub(crate) fn claim_of(id: RequestId) -> ClaimId {
    match phase(id) {
        RequestPhase::Claimed { claim } => claim,
        other => panic!("the phase is {other:?}"),
    }
}

pub(crate) fn refunded_for(id: RequestId) -> Option<RefundReason> {
    match phase(id) {
        RequestPhase::Refunded { reason } => Some(reason),
        _ => None,
    }
}

/// The requests that workers have, in the order of their numbers.
pub(crate) fn assigned() -> Vec<RequestId> {
    let mut assigned: Vec<_> = Requests::<Test>::iter()
        .filter(|(_, request)| matches!(request.phase, RequestPhase::Answering { .. }))
        .map(|(id, _)| id)
        .collect();
    assigned.sort_unstable();
    assigned
}

pub(crate) fn receipt(id: RequestId) -> Receipt {
    let request = request(id);
    Receipt {
        request: id,
        checkpoint: request.checkpoint,
        prompt_hash: request.prompt_hash,
        parameters: request.parameters,
        seed: request
            .assignment
            .map(|assignment| assignment.seed)
            .unwrap_or_default(),
        answer_hash: hashing::answer_hash(TOKENS, TEXT),
        prompt_tokens: 12,
        answer_tokens: TOKENS.len() as u32,
        hidden_root: H256::repeat_byte(5),
    }
}

pub(crate) fn submit(
    id: RequestId,
    worker: AccountId,
    tokens: &[u32],
    text: &[u8],
    receipt: Receipt,
) -> DispatchResult {
    frame_support::storage::with_storage_layer(|| {
        Inference::submit_answer(
            RuntimeOrigin::signed(key(worker)),
            id,
            tokens.to_vec(),
            text.to_vec(),
            receipt,
        )
    })
}

/// Submits the honest answer of the worker that has the request.
pub(crate) fn answer(id: RequestId) -> ClaimId {
    let worker = worker_of(id).expect("a worker has the request");
    submit(id, worker, TOKENS, TEXT, receipt(id)).expect("the answer is valid");
    claim_of(id)
}

pub(crate) fn cancel(requester: AccountId, id: RequestId) -> DispatchResult {
    Inference::cancel_request(RuntimeOrigin::signed(requester), id)
}

/// The last block in which a call is a duty of the hot key of `worker`, if it is one.
pub(crate) fn duty_until(call: &Call<Test>, worker: AccountId) -> Option<u32> {
    let duty = call.as_duty(&key(worker), System::block_number())?;
    duty.ok().map(|duty| duty.until)
}

pub(crate) fn free(account: AccountId) -> Balance {
    Balances::balance(&account)
}

pub(crate) fn on_hold(account: AccountId) -> Balance {
    Balances::balance_on_hold(&Reason::Claims, &account)
}
