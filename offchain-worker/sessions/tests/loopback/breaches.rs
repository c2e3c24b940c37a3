//! Peers that break the rules.

use crate::support::*;
use codec::DecodeAll;
use iroh::endpoint::Connection;
use iroh::protocol::{AcceptError, ProtocolHandler};
use noema_protocol::{hashing, ClaimId, SessionId};
use noema_session_transport::{
    AskMessage, ConnectionFault, FromWorker, LeafRequest, PayerSession, SessionError, Sign,
    SignedReceipt, SignedVoucher, ToWorker, WorkerConnection, WorkerPatience, WorkerRefusal,
};
use noema_sessions::{
    AnswerEnd, Ask, Bundle, PayerError, SessionReceipt, Voucher, WorkerError, WorkerSide,
};
use sp_core::H256;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// An ask for ten tokens.
pub(crate) fn ask(n: u32, prompt: &[u32], voucher: Option<SignedVoucher>) -> ToWorker {
    ToWorker::Ask(Box::new(AskMessage {
        session: SESSION,
        ask: Ask {
            n,
            prompt_hash: hashing::tokens_hash(prompt),
            prompt_tokens: prompt.len() as u32,
            parameters: greedy(10),
        },
        prompt: prompt.to_vec(),
        voucher,
    }))
}

fn refused(reason: WorkerError) -> Option<FromWorker> {
    Some(FromWorker::Refused(WorkerRefusal::Rules(reason)))
}

fn signed(voucher: Voucher) -> SignedVoucher {
    SignedVoucher {
        voucher,
        signature: voucher_key().sign(&voucher.payload()),
    }
}

fn pay(signed: SignedVoucher) -> ToWorker {
    ToWorker::Pay(Box::new(signed))
}

/// The voucher over one receipt.
fn voucher(receipt: &SessionReceipt) -> Voucher {
    let agreement = facts().terms.agreement(GENESIS);
    let bundle = Bundle::default().with(receipt).expect("it is the first");
    bundle.voucher(&agreement)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_that_does_not_pay_gets_no_further_answer() {
    let world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    let Some(FromWorker::Answered(first)) = raw.say(&ask(0, &[1], None)).await else {
        panic!("it answers");
    };
    let unpaid = raw.say(&ask(1, &[2], None)).await;
    assert_eq!(unpaid, refused(WorkerError::Unpaid));
    let right = voucher(&first.receipt);
    let mut short = right;
    short.amount -= 1;
    assert_eq!(
        raw.say(&pay(signed(short))).await,
        refused(WorkerError::WrongVoucher)
    );
    let mut forged = signed(right);
    forged.signature[0] ^= 1;
    assert_eq!(
        raw.say(&pay(forged)).await,
        refused(WorkerError::WrongSignature)
    );
    let paid = Some(FromWorker::Paid { count: 1 });
    assert_eq!(raw.say(&pay(signed(right))).await, paid);
    assert_eq!(
        raw.say(&pay(signed(right))).await,
        paid,
        "it has it already"
    );
    // The old signature does not pay for the next answer.
    let Some(FromWorker::Answered(_)) = raw.say(&ask(1, &[2], Some(signed(right)))).await else {
        panic!("it answers");
    };
    assert_eq!(
        raw.say(&pay(signed(right))).await,
        refused(WorkerError::OldVoucher)
    );
    let unpaid = raw.say(&ask(2, &[3], Some(signed(right)))).await;
    assert_eq!(unpaid, refused(WorkerError::OldVoucher));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asks_that_the_rules_exclude_are_refused() {
    let world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    assert_eq!(
        raw.say(&ask(1, &[1], None)).await,
        refused(WorkerError::WrongNumber)
    );
    assert_eq!(
        raw.say(&ask(0, &[], None)).await,
        refused(WorkerError::NoPrompt)
    );
    assert_eq!(
        raw.say(&ask(0, &[1; 391], None)).await,
        refused(WorkerError::TooLong)
    );
    let ToWorker::Ask(mut other) = ask(0, &[1], None) else {
        unreachable!();
    };
    other.prompt = vec![2];
    let prompt = Some(FromWorker::Refused(WorkerRefusal::Prompt));
    assert_eq!(raw.say(&ToWorker::Ask(other)).await, prompt);
    assert_eq!(world.begun(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_not_the_payer_is_refused() {
    let world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let raw = Raw::connect(&endpoint, &worker.peer()).await;
    let unknown = raw
        .say(&ToWorker::Hello {
            lowest: 7,
            highest: 9,
        })
        .await;
    let version = WorkerRefusal::Version {
        lowest: 1,
        highest: 1,
    };
    assert_eq!(unknown, Some(FromWorker::Refused(version)));
    raw.say(&ToWorker::Hello {
        lowest: 1,
        highest: 1,
    })
    .await
    .expect("it replies");
    let not_proven = Some(FromWorker::Refused(WorkerRefusal::NotProven));
    assert_eq!(raw.say(&ask(0, &[1], None)).await, not_proven);
    let from = *endpoint.id().as_bytes();
    let to = worker.peer().id.0;
    let open = |session, from, to, key: Arc<TestKey>| {
        let payload = hashing::session_peer_payload(GENESIS, session, from, to);
        ToWorker::Open {
            session,
            signature: key.sign(&payload),
        }
    };
    // The signature of another key, for another endpoint, or by another peer.
    for message in [
        open(SESSION, from, to, hot_key()),
        open(SESSION, from, from, voucher_key()),
        open(SESSION, to, to, voucher_key()),
    ] {
        assert_eq!(raw.say(&message).await, not_proven);
    }
    let other = open(SessionId(99), from, to, voucher_key());
    let not_served = Some(FromWorker::Refused(WorkerRefusal::NotServed));
    assert_eq!(raw.say(&other).await, not_served);
    let leaf = ToWorker::Leaf(LeafRequest {
        claim: ClaimId(1),
        leaf: 0,
        key: validator_key().account(),
        signature: [0; 64],
    });
    assert_eq!(raw.say(&leaf).await, not_proven);
    assert_eq!(world.begun(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_garbage_loses_its_connection_and_no_other() {
    let world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    // 1 MiB is accepted of a payer, and 1 KiB before.
    let long = [2_000u32.to_le_bytes().to_vec(), vec![0; 2_000]].concat();
    let garbage = [
        vec![3, 0, 0, 0, 9, 9, 9],
        u32::MAX.to_le_bytes().to_vec(),
        frame(&ToWorker::End),
        long,
    ];
    for bytes in garbage {
        let raw = Raw::connect(&endpoint, &worker.peer()).await;
        assert_eq!(raw.replies(&bytes).await, None, "{:?}", &bytes[..4]);
        raw.connection.closed().await;
    }
    let pending = session.ask(vec![1], greedy(3)).await.expect("is sent");
    assert_eq!(pending.finish().await.expect("is complete").tokens.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_asks_of_a_session_wait_at_a_time() {
    let world = World::new();
    let worker = world.worker().await;
    let endpoint = endpoint(3).await;
    let raw = Raw::opened(&endpoint, &worker.peer()).await;
    world.set_slow(true);
    let ToWorker::Ask(mut same) = ask(0, &[1, 2], None) else {
        unreachable!();
    };
    same.ask.parameters = greedy(300);
    let (raw, same) = (Arc::new(raw), Arc::new(ToWorker::Ask(same)));
    let mut asks = JoinSet::new();
    for _ in 0..12 {
        let (raw, same) = (raw.clone(), same.clone());
        asks.spawn(async move { raw.say(&same).await });
    }
    let said = asks.join_all().await;
    let busy = Some(FromWorker::Refused(WorkerRefusal::Busy));
    let refused = said.iter().filter(|reply| **reply == busy).count();
    assert!(refused >= 4, "{refused}");
    let is_answer = |reply: &Option<FromWorker>| matches!(reply, Some(FromWorker::Answered(_)));
    assert!(said.iter().any(is_answer));
}

/// What a dishonest worker does to an honest answer: its tokens, and its receipt.
type Breach = fn(&mut Vec<u32>, &mut SignedReceipt);

/// A worker that changes each answer before it sends it.
#[derive(Clone)]
struct Dishonest(Breach);

impl std::fmt::Debug for Dishonest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dishonest")
    }
}

impl ProtocolHandler for Dishonest {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            let mut length = [0; 4];
            receive
                .read_exact(&mut length)
                .await
                .map_err(AcceptError::from_err)?;
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            receive
                .read_exact(&mut bytes)
                .await
                .map_err(AcceptError::from_err)?;
            let message = ToWorker::decode_all(&mut &bytes[..]);
            let replies = match message.expect("a message") {
                ToWorker::Hello { .. } => vec![FromWorker::Hello { version: 1 }],
                ToWorker::Open { .. } => vec![FromWorker::Opened { count: 0 }],
                ToWorker::Ask(message) => self.answer(*message),
                other => panic!("{other:?} is not expected"),
            };
            for reply in replies {
                // The payer may have left.
                let _ = send.write_all(&frame(&reply)).await;
            }
            let _ = send.finish();
        }
        Ok(())
    }
}

impl Dishonest {
    fn answer(&self, message: AskMessage) -> Vec<FromWorker> {
        let agreement = facts().terms.agreement(GENESIS);
        let mut side = WorkerSide::new(agreement, 1_000_000, 1_000_000, 1_000_000);
        side.ask(&message.ask).expect("it serves");
        let most = message.ask.parameters.max_tokens;
        let seed = agreement.seed_of(message.ask.n);
        let mut tokens = whole_answer(&message.prompt, seed, most);
        let stated = (hashing::tokens_hash(&tokens), tokens.len() as u32);
        let receipt = side.finish(0, stated, AnswerEnd::Length, H256::zero());
        let receipt = receipt.expect("an answer is in progress");
        let mut signed = SignedReceipt {
            receipt,
            signature: [0; 64],
        };
        let before = signed;
        (self.0)(&mut tokens, &mut signed);
        if signed == before || signed.receipt != before.receipt {
            signed.signature = hot_key().sign(&signed.receipt.hash());
        }
        vec![
            FromWorker::Tokens(tokens),
            FromWorker::Answered(Box::new(signed)),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_breaks_the_rules_is_not_paid() {
    type IsExpected = fn(&SessionError) -> bool;
    let breaches: [(Breach, IsExpected); 7] = [
        (
            |tokens, _| tokens.push(1),
            |error| matches!(error, SessionError::TooManyTokens),
        ),
        (
            |tokens, _| tokens.clear(),
            |error| matches!(error, SessionError::Connection(ConnectionFault::OutOfPlace)),
        ),
        (
            |tokens, _| tokens[0] ^= 1,
            |error| matches!(error, SessionError::Rules(PayerError::OtherAnswer)),
        ),
        (
            |_, signed| signed.receipt.price += 1,
            |error| matches!(error, SessionError::Rules(PayerError::WrongPrice)),
        ),
        (
            |_, signed| signed.receipt.seed = H256::zero(),
            |error| matches!(error, SessionError::Rules(PayerError::OtherAsk)),
        ),
        (
            |_, signed| signed.receipt.end = AnswerEnd::ByPayer,
            |error| matches!(error, SessionError::Rules(PayerError::WrongEnd)),
        ),
        (
            |_, signed| signed.signature = [5; 64],
            |error| matches!(error, SessionError::Rules(PayerError::WrongSignature)),
        ),
    ];
    for (breach, is_expected) in breaches {
        let world = World::new();
        let payer = world.payer().await;
        let router = serve(1, Dishonest(breach)).await;
        let worker = peer_of(router.endpoint());
        let mut session = world.open_at(&payer, &worker).await.expect("it opens");
        let pending = session.ask(vec![1, 2], greedy(10)).await.expect("is sent");
        let error = pending.finish().await.expect_err("it is a breach");
        assert!(is_expected(&error), "{error}");
        assert!(error.is_breach(), "{error}");
        assert_eq!(session.side().paid(), 0);
        assert_eq!(session.voucher(), None);
    }
}

/// A worker that sends tokens on and on, and takes no notice of the end of an answer.
#[derive(Clone, Debug)]
struct Endless;

impl ProtocolHandler for Endless {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            let mut length = [0; 4];
            receive
                .read_exact(&mut length)
                .await
                .map_err(AcceptError::from_err)?;
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            receive
                .read_exact(&mut bytes)
                .await
                .map_err(AcceptError::from_err)?;
            let message = ToWorker::decode_all(&mut &bytes[..]);
            let reply = match message.expect("a message") {
                ToWorker::Hello { .. } => FromWorker::Hello { version: 1 },
                ToWorker::Open { .. } => FromWorker::Opened { count: 0 },
                _ => {
                    let token = frame(&FromWorker::Tokens(vec![1]));
                    while send.write_all(&token).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    continue;
                }
            };
            // The payer may have left.
            let _ = send.write_all(&frame(&reply)).await;
            let _ = send.finish();
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_ended_does_not_go_on_for_long() {
    let world = World::new();
    let payer = world.payer().await;
    let router = serve(1, Endless).await;
    let worker = peer_of(router.endpoint());
    let patience = WorkerPatience {
        end: Duration::from_millis(300),
        ..WorkerPatience::default()
    };
    let connected = WorkerConnection::connect(&payer.endpoint, &worker, patience).await;
    let connection = connected.expect("the worker accepts");
    let (store, terms) = (payer.store.clone(), world.payer_terms());
    let opened = PayerSession::open(connection, store, voucher_key(), &terms).await;
    let mut session = opened.expect("it opens");
    // All tokens would take fifteen seconds.
    let mut pending = session.ask(vec![1], greedy(300)).await.expect("is sent");
    pending.next().await.expect("there are tokens");
    pending.end().await.expect("is sent");
    let error = pending.finish().await.expect_err("there is no receipt");
    let is_slow = matches!(error, SessionError::Connection(ConnectionFault::Slow));
    assert!(is_slow, "{error}");
    assert_eq!(session.side().paid(), 0);
}
