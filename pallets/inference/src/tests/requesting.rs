//! `request_inference` and `cancel_request`, and the draw of a worker.

#[allow(unused_imports)]
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{interfaces::Prices, CheckpointId, RequestId, SamplingParameters};
use sp_core::H256;

const ASKER: u64 = 1;

fn parameters(change: impl FnOnce(&mut SamplingParameters)) -> SamplingParameters {
    let mut parameters = SamplingParameters::greedy(16);
    change(&mut parameters);
    parameters
}

#[test]
fn a_request_holds_the_price_limit_and_is_assigned_after_the_next_block() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        assert_eq!(escrow(ASKER), LIMIT);
        assert_eq!(free(ASKER), FUNDS - LIMIT);
        assert_eq!(phase(id), Phase::Waiting);

        // The block of the request draws nobody: its randomness was known to the requester.
        next_block();
        assert_eq!(phase(id), Phase::Waiting);

        next_block();
        // Drawn in block 2: 4 blocks and the time for 16 tokens.
        assert_eq!(phase(id), Phase::Answering { deadline: 8 });
        assert_eq!(worker_of(id), 10);
        assert_eq!(engaged(10), 1);
        assert_eq!(Exposure::<Test>::get(10), ANSWER_MAX);
    });
}
