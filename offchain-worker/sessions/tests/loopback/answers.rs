//! Two honest sides.

use crate::support::*;
use noema_claims::{ClaimOutcome, ClaimStage};
use noema_protocol::ClaimId;
use noema_session_transport::{
    ConnectionFault, SeenClaim, SessionError, SessionStep, WorkerRefusal,
};
use noema_sessions::{AnswerEnd, Stage, WorkerError};
use sp_core::H256;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_flow_and_one_claim_covers_them() {
    let mut world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let mut price = 0;
    for n in 0..3 {
        let prompt = vec![n, 5, 6, 7];
        let mut pending = session
            .ask(prompt.clone(), greedy(20))
            .await
            .expect("is sent");
        let first = pending
            .next()
            .await
            .expect("comes")
            .expect("there are tokens");
        let answer = pending.finish().await.expect("is complete");
        assert_eq!(answer.tokens, world.expected(n, &prompt, 20));
        assert!(answer.tokens.starts_with(&first));
        let receipt = answer.receipt.receipt;
        assert_eq!((receipt.n, receipt.end), (n, AnswerEnd::Length));
        // Two of the four tokens of the prompt are cached.
        assert_eq!(receipt.price, 2 * 4 + 2 + 20 * 10);
        price += receipt.price;
        let kept = payer.store.answer(receipt.hash()).expect("is readable");
        let kept = kept.expect("is kept");
        assert_eq!((kept.prompt, kept.answer), (prompt, answer.tokens));
        assert_eq!((kept.worker, kept.receipt), (WORKER, answer.receipt));
    }
    session.pay().await.expect("is taken");
    session.pay().await.expect("is not due");
    let totals = worker.served.take_totals();
    assert_eq!((totals.answers, totals.answer_tokens), (3, 60));
    assert_eq!((totals.prompt_tokens, totals.cached_tokens), (12, 6));
    assert_eq!(worker.served.take_totals().answers, 0);
    assert_eq!(session.side().paid(), price);

    assert!(worker.look(&world, 700).is_empty());
    // Later, the bundle is old enough.
    let claims = worker.look(&world, 1_400);
    let [claim] = claims[..] else {
        panic!("one claim is expected, not {claims:?}");
    };
    assert_eq!((claim.voucher.first, claim.voucher.count), (0, 3));
    assert_eq!(claim.voucher.amount, price);
    assert_eq!(Some(claim.voucher), session.side().last_voucher());
    let payload = claim.voucher.payload();
    let signer = world.facts.terms.voucher_key;
    assert!(noema_session_transport::is_signed(
        &signer,
        &payload,
        &claim.signature
    ));
    // It is claimed until the chain has it.
    assert_eq!(worker.look(&world, 1_400), [claim]);
    world.facts.claimed = 3;
    assert!(worker.look(&world, 1_401).is_empty());

    // The next answer begins a bundle, and the last voucher of the old one comes with its ask.
    let pending = session.ask(vec![8], greedy(1)).await.expect("is sent");
    let answer = pending.finish().await.expect("is complete");
    assert_eq!(answer.receipt.receipt.first, 3);
    session.pay().await.expect("is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_ends_an_answer_and_pays_for_what_it_got() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    world.set_slow(true);
    let prompt = vec![1, 2, 3];
    let mut pending = session
        .ask(prompt.clone(), greedy(300))
        .await
        .expect("is sent");
    pending
        .next()
        .await
        .expect("comes")
        .expect("there are tokens");
    pending.end().await.expect("is sent");
    let answer = pending.finish().await.expect("is complete");
    assert_eq!(answer.receipt.receipt.end, AnswerEnd::ByPayer);
    assert!(answer.tokens.len() < 300);
    assert!(world.expected(0, &prompt, 300).starts_with(&answer.tokens));
    session.pay().await.expect("is taken");
}

/// A worker that has sent the receipt reads no more of the stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_complete_can_still_be_ended() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let mut pending = session.ask(vec![1, 2], greedy(5)).await.expect("is sent");
    tokio::time::sleep(Duration::from_millis(300)).await;
    pending.end().await.expect("the worker needs no message");
    let answer = pending.finish().await.expect("is complete");
    assert_eq!(answer.tokens, world.expected(0, &[1, 2], 5));
    session.pay().await.expect("it is paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_payer_leaves_is_stopped_and_can_only_be_asked_for_again() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    world.set_slow(true);
    let prompt = vec![1, 2, 3];
    let mut pending = session
        .ask(prompt.clone(), greedy(350))
        .await
        .expect("is sent");
    pending
        .next()
        .await
        .expect("comes")
        .expect("there are tokens");
    drop(pending);
    wait_until(|| worker.served.running() == 0).await;
    assert!(world.model.computed.load(Ordering::SeqCst) < 350);
    world.set_slow(false);
    // The store of the payer knows what it asked for; a payer that asks for something else is refused.
    let endpoint = endpoint(3).await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    let other = crate::breaches::ask(0, &[9], None);
    let refused = raw.say(&other).await;
    let busy =
        noema_session_transport::FromWorker::Refused(WorkerRefusal::Rules(WorkerError::Busy));
    assert_eq!(refused, Some(busy));
    let pending = session
        .resume()
        .await
        .expect("is sent")
        .expect("one is pending");
    let answer = pending.finish().await.expect("is complete");
    assert_eq!(answer.tokens, world.expected(0, &prompt, 350));
    assert_eq!(world.begun(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_ask_is_taken_back() {
    let mut world = World::new();
    world.bond = 1_000;
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    // A quarter of the bond is less than the longest answer may cost.
    let pending = session.ask(vec![1, 2], greedy(50)).await.expect("is sent");
    let refused = pending.finish().await.expect_err("it is too dear");
    let SessionError::Connection(ConnectionFault::Refused(refusal)) = refused else {
        panic!("it is refused, not {refused}");
    };
    assert_eq!(refusal, WorkerRefusal::Rules(WorkerError::ClaimFirst));
    assert!(refusal.may_pass());
    let pending = session.ask(vec![1, 2], greedy(5)).await.expect("is sent");
    assert_eq!(pending.finish().await.expect("is complete").tokens.len(), 5);
    // A model that fails is no reason to leave a session either.
    world.model.fails.store(true, Ordering::SeqCst);
    let pending = session.ask(vec![1, 2], greedy(5)).await.expect("is sent");
    let failed = pending.finish().await.expect_err("the model fails");
    assert!(!failed.is_breach(), "{failed}");
    world.model.fails.store(false, Ordering::SeqCst);
    let pending = session.ask(vec![3], greedy(5)).await.expect("is sent");
    assert_eq!(pending.finish().await.expect("is complete").tokens.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_closes_is_claimed_to_the_end() {
    let mut world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let pending = session.ask(vec![1], greedy(1)).await.expect("is sent");
    pending.finish().await.expect("is complete");
    session.pay().await.expect("is taken");
    world.facts.stage = Stage::Closing { until: 180 };
    assert_eq!(worker.look(&world, 10).len(), 1, "a small claim, too");
    world.facts.claimed = 1;
    // Nothing is left to claim, so the payer need not wait for its hold, and can ask for nothing more.
    let end = SessionStep::End {
        session: SESSION,
        claimed: 1,
    };
    assert_eq!(worker.steps(&world, 11), std::slice::from_ref(&end));
    assert_eq!(worker.steps(&world, 12), [end], "until the chain has it");
    let pending = session.ask(vec![2], greedy(1)).await.expect("is sent");
    let refused = pending.finish().await.expect_err("the worker is done");
    let is_refused = matches!(
        refused,
        SessionError::Connection(ConnectionFault::Refused(WorkerRefusal::NotServed))
    );
    assert!(is_refused, "{refused}");
    // Once it has ended, it is no longer listed.
    let claims = worker.served.look(&[], world.bond, 12);
    assert!(claims.expect("is readable").is_empty());
    let left_over = |now| worker.served.left_over(now).expect("is readable");
    assert_eq!(left_over(12), [SESSION]);
    assert!(left_over(0).is_empty(), "on a node that synchronises");
    let refused = world.open_at(&payer, &worker.peer()).await;
    let is_refused = matches!(
        refused,
        Err(SessionError::Connection(ConnectionFault::Refused(
            WorkerRefusal::NotServed
        )))
    );
    assert!(is_refused);
    worker.served.tidy(SESSION, None).expect("is removed");
    assert!(left_over(12).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_ends_what_is_in_progress_and_begins_nothing() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    world.set_slow(true);
    let mut pending = session.ask(vec![1], greedy(30)).await.expect("is sent");
    pending
        .next()
        .await
        .expect("comes")
        .expect("there are tokens");
    let served = worker.served.clone();
    let drained = tokio::spawn(async move { served.drain(LONG).await });
    let answer = pending.finish().await.expect("is complete");
    assert_eq!(answer.tokens.len(), 30);
    drained.await.expect("ends");
    let pending = session.ask(vec![2], greedy(3)).await.expect("is sent");
    let refused = pending.finish().await.expect_err("it begins nothing");
    let is_refused = matches!(
        refused,
        SessionError::Connection(ConnectionFault::Refused(WorkerRefusal::NotReady))
    );
    assert!(is_refused, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_keeps_answers_until_it_forgets_them_and_claims() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let mut hashes = Vec::new();
    for n in 0..3 {
        let pending = session.ask(vec![n, 5], greedy(2)).await.expect("is sent");
        let answer = pending.finish().await.expect("is complete");
        hashes.push(answer.receipt.receipt.hash());
    }
    let terms = session.side().agreement().terms;
    let store = &payer.store;
    assert_eq!(store.sessions().expect("is readable"), [terms]);
    let kept = || {
        let kept = |hash: &&H256| store.answer(**hash).expect("is readable").is_some();
        hashes.iter().filter(kept).count()
    };
    assert_eq!(store.forget(1, 10).expect("is written"), 0);
    assert_eq!(kept(), 3);
    assert_eq!(store.forget(u64::MAX, 2).expect("is written"), 2);
    assert_eq!(kept(), 1);
    assert_eq!(store.forget(u64::MAX, 2).expect("is written"), 1);
    assert_eq!(kept(), 0);

    let mut claim = SeenClaim {
        claim: ClaimId(5),
        first: 1,
        leaves: 2,
        made_at: 7,
        stage: ClaimStage::Undrawn,
        drawn: None,
        is_disputed: false,
        final_at: None,
    };
    assert!(!claim.covers(0) && claim.covers(1) && claim.covers(2) && !claim.covers(3));
    assert!(!claim.is_over());
    let other = SeenClaim {
        first: 0,
        leaves: 1,
        ..claim.clone()
    };
    store.put_claim(terms, 1, &claim).expect("is written");
    store.put_claim(terms, 0, &other).expect("is written");
    claim.stage = ClaimStage::Ended(ClaimOutcome::Unconfirmed);
    assert!(claim.is_over());
    store.put_claim(terms, 1, &claim).expect("is written");
    let claims = store.claims(terms).expect("is readable");
    assert_eq!(claims, [(0, other), (1, claim)]);
    assert!(store.claims(H256::zero()).expect("is readable").is_empty());
}
