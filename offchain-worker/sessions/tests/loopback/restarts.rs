//! Each side is killed between any two steps, and continues from its store.

use crate::support::*;
use noema_session_transport::{PaidAnswer, PayerSession};
use noema_sessions::PayerPhase;

/// Where a side is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    BeforeTokens,
    BetweenTokens,
    AfterEnd,
    AfterReceipt,
    AfterPayment,
}

const MOMENTS: [Moment; 5] = [
    Moment::BeforeTokens,
    Moment::BetweenTokens,
    Moment::AfterEnd,
    Moment::AfterReceipt,
    Moment::AfterPayment,
];

const PROMPT: [u32; 4] = [4, 3, 2, 1];
const TOKENS: u16 = 60;

/// Asks, and goes on until `moment`. Returns the answer, if it is complete by then.
async fn play(session: &mut PayerSession, moment: Moment) -> Option<PaidAnswer> {
    let asked = session.ask(PROMPT.to_vec(), greedy(TOKENS)).await;
    let mut pending = asked.expect("is sent");
    if moment == Moment::BeforeTokens {
        return None;
    }
    pending
        .next()
        .await
        .expect("comes")
        .expect("there are tokens");
    if moment == Moment::BetweenTokens {
        return None;
    }
    if moment == Moment::AfterEnd {
        pending.end().await.expect("is sent");
        return None;
    }
    let answer = pending.finish().await.expect("is complete");
    if moment == Moment::AfterPayment {
        session.pay().await.expect("is taken");
    }
    Some(answer)
}

/// Finishes what was in progress, and gets a second answer. Asserts that both sides agree on every unit.
async fn go_on(world: &World, session: &mut PayerSession, worker: &WorkerProcess, moment: Moment) {
    world.set_slow(false);
    let resumed = session.resume().await.expect("is sent");
    let is_pending = resumed.is_some();
    if let Some(pending) = resumed {
        let answer = pending.finish().await.expect("is complete");
        let whole = world.expected(0, &PROMPT, TOKENS);
        assert!(whole.starts_with(&answer.tokens));
        let is_whole = answer.tokens.len() == whole.len();
        assert!(is_whole || moment == Moment::AfterEnd, "{moment:?}");
    }
    let is_complete = matches!(moment, Moment::AfterReceipt | Moment::AfterPayment);
    assert_eq!(is_pending, !is_complete, "{moment:?}");
    let second = session.ask(vec![7; 3], greedy(5)).await.expect("is sent");
    let answer = second.finish().await.expect("is complete");
    assert_eq!(answer.tokens, world.expected(1, &[7; 3], 5));
    session.pay().await.expect("is taken");
    assert!(matches!(session.side().phase(), PayerPhase::Idle));
    // Every answer is claimed, and none twice.
    worker.look(world, 5_000);
    let claims = worker.look(world, 9_000);
    let [claim] = claims[..] else {
        panic!("one claim is expected after {moment:?}, not {claims:?}");
    };
    assert_eq!(claim.voucher.count, 2);
    assert_eq!(claim.voucher.amount, session.side().paid());
    assert_eq!(Some(claim.voucher), session.side().last_voucher());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_that_is_killed_continues() {
    for moment in MOMENTS {
        let world = World::new();
        let worker = world.worker().await;
        let payer = world.payer().await;
        world.set_slow(true);
        let mut session = world.open(&payer, &worker).await;
        play(&mut session, moment).await;
        drop(session);
        payer.kill().await;
        let payer = world.payer().await;
        let mut session = world.open(&payer, &worker).await;
        go_on(&world, &mut session, &worker, moment).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_continues() {
    for moment in MOMENTS {
        let world = World::new();
        let worker = world.worker().await;
        let payer = world.payer().await;
        world.set_slow(true);
        let mut session = world.open(&payer, &worker).await;
        play(&mut session, moment).await;
        worker.kill().await;
        drop(session);
        let worker = world.worker().await;
        let mut session = world.open(&payer, &worker).await;
        go_on(&world, &mut session, &worker, moment).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_that_are_killed_continue() {
    for moment in MOMENTS {
        let world = World::new();
        let (worker, payer) = (world.worker().await, world.payer().await);
        world.set_slow(true);
        let mut session = world.open(&payer, &worker).await;
        play(&mut session, moment).await;
        drop(session);
        payer.kill().await;
        worker.kill().await;
        let (worker, payer) = (world.worker().await, world.payer().await);
        let mut session = world.open(&payer, &worker).await;
        go_on(&world, &mut session, &worker, moment).await;
    }
}

/// A receipt that the payer did not receive is sent again, and nothing is computed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_complete_is_sent_again() {
    let world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    let ask = crate::breaches::ask(0, &PROMPT, None);
    let first = raw.replies(&frame(&ask)).await.expect("it answers");
    assert_eq!(world.begun(), 1);
    worker.kill().await;
    let worker = world.worker().await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    let again = raw.replies(&frame(&ask)).await.expect("it answers");
    assert_eq!(again.last(), first.last());
    assert_eq!(world.begun(), 1);
    let leaf = worker
        .served
        .find_leaf(SESSION, (0, 1), 0)
        .expect("is readable");
    let leaf = leaf.expect("it is there");
    assert_eq!(leaf.answer, world.expected(0, &PROMPT, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_begins_anew_has_sessions_without_answers() {
    let mut world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    play(&mut session, Moment::AfterPayment).await;
    drop(session);
    worker.kill().await;
    world.facts.terms.seed = sp_core::H256::repeat_byte(77);
    let worker = world.worker().await;
    let mut session = world.open(&payer, &worker).await;
    assert_eq!(session.side().bundle().count(), 0);
    let answer = play(&mut session, Moment::AfterPayment)
        .await
        .expect("is complete");
    assert_eq!(answer.tokens, world.expected(0, &PROMPT, TOKENS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_its_records_serves_no_session_that_was_claimed() {
    let mut world = World::new();
    world.facts.claimed = 3;
    let worker = world.worker().await;
    let payer = world.payer().await;
    assert!(world.open_at(&payer, &worker.peer()).await.is_err());
}
