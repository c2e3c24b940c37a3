//! A chain that stops, and a relay chain without fresh randomness.

use crate::world::*;
use noema_claims::ClaimStage;
use noema_protocol::RequestId;
use noema_runtime::{Claims, Inference, Runtime, System};
use pallet_inference::{RequestPhase, Requests};

const WORKERS: u32 = 2;
const VALIDATORS: u32 = 12;
const REQUESTS: u32 = 40;
/// An hour of the relay chain, in its blocks.
const HOUR: u32 = 600;

fn numbers() -> impl Iterator<Item = u32> {
    (WORKER..WORKER + WORKERS).chain(VALIDATOR..VALIDATOR + VALIDATORS)
}

fn phases(ids: &[RequestId]) -> Vec<RequestPhase<u32>> {
    let phase = |id| Requests::<Runtime>::get(id).expect("it is kept").phase;
    ids.iter().copied().map(phase).collect()
}

fn slashed() -> f64 {
    let lost = |number| {
        let ledger = noema_runtime::Operators::earnings(who(number)).expect("it is registered");
        noema(ledger.slashed)
    };
    numbers().map(lost).sum()
}

/// The chain stops for an hour before every block.
#[test]
fn an_hour_without_blocks_lets_no_deadline_pass() {
    chain(1, || {
        operators(WORKERS, VALIDATORS);
        let mut play = Play::new(numbers());
        play.challenger = Some(STRANGER);
        let ids: Vec<_> = (0..REQUESTS).map(|_| ask(ASKER)).collect();
        play.follow(&ids);
        let first = System::block_number();
        while !play.is_over() {
            block_after(HOUR);
            play.act();
        }
        let settled = phases(&ids)
            .iter()
            .filter(|phase| matches!(phase, RequestPhase::Settled { .. }))
            .count();
        println!(
            "an hour without blocks, {} times: {settled} of {REQUESTS} settled, {:.1} NOEMA slashed",
            System::block_number() - first,
            slashed()
        );
        assert_eq!((settled as u32, slashed()), (REQUESTS, 0.0));
    });
}

#[test]
fn without_fresh_randomness_everything_waits_and_none_is_slashed_or_refunded() {
    chain(2, || {
        operators(WORKERS, VALIDATORS);
        let mut play = Play::new(numbers());
        let answered: Vec<_> = (0..REQUESTS).map(|_| ask(ASKER)).collect();
        play.follow(&answered);
        block();
        play.act();
        let waiting: Vec<_> = (0..REQUESTS).map(|_| ask(ASKER)).collect();
        play.follow(&waiting);
        set_random(false);
        for _ in 0..500 {
            play.block();
        }
        let undrawn = phases(&answered).into_iter().filter(|phase| match phase {
            RequestPhase::Claimed { claim } => {
                let info = Claims::claim_info(*claim).expect("it is kept");
                info.claim.stage == ClaimStage::Undrawn
            }
            _ => false,
        });
        let undrawn = undrawn.count();
        let queued = Inference::queue(CHECKPOINT).waiting;
        assert_eq!((undrawn as u32 + queued, slashed()), (2 * REQUESTS, 0.0));
        set_random(true);
        play.until_over();
        let all = [answered, waiting].concat();
        let settled = phases(&all)
            .iter()
            .filter(|phase| matches!(phase, RequestPhase::Settled { .. }))
            .count();
        println!(
            "500 blocks without randomness: {undrawn} claims and {queued} requests wait; then {settled} of {} \
             settled, {:.1} NOEMA slashed",
            all.len(),
            slashed()
        );
        assert_eq!((settled, slashed()), (all.len(), 0.0));
    });
}
