//! Drawn validators read their leaves.

use crate::support::*;
use noema_protocol::ClaimId;
use noema_session_transport::{
    ConnectionFault, DrawnLeaf, WorkerConnection, WorkerPatience, WorkerRefusal,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drawn_validator_reads_its_leaf_and_no_other_account_does() {
    let world = World::new();
    let worker = world.worker().await;
    let payer = world.payer().await;
    let mut session = world.open(&payer, &worker).await;
    let prompts = [vec![1], vec![2, 3], vec![4, 5, 6]];
    for prompt in &prompts {
        let pending = session
            .ask(prompt.clone(), greedy(9))
            .await
            .expect("is sent");
        pending.finish().await.expect("is complete");
    }
    session.pay().await.expect("is taken");
    let root = session.side().last_voucher().expect("there is one").root;
    let drawn = DrawnLeaf {
        claimant: WORKER,
        session: SESSION,
        first: 0,
        leaves: 3,
    };
    *world.draws.0.lock().expect("no test thread has panicked") = Some(drawn);

    let validator = endpoint(5).await;
    let peer = worker.peer();
    let connection = WorkerConnection::connect(&validator, &peer, WorkerPatience::default());
    let connection = connection.await.expect("it is reached");
    for (index, prompt) in (0..).zip(&prompts) {
        let leaf = connection
            .leaf(GENESIS, ClaimId(1), index, &*validator_key())
            .await
            .expect("it was drawn");
        assert!(leaf.is_of(root, 3, index));
        assert!(!leaf.is_of(root, 3, (index + 1) % 3));
        assert_eq!(leaf.prompt, *prompt);
        assert_eq!(leaf.answer, world.expected(index, prompt, 9));
        let mut other = leaf.clone();
        other.answer[0] ^= 1;
        assert!(!other.is_of(root, 3, index));
    }
    let refused = connection.leaf(GENESIS, ClaimId(1), 0, &*hot_key()).await;
    assert_eq!(
        refused,
        Err(ConnectionFault::Refused(WorkerRefusal::NoLeaf))
    );
    // Of a claim of more answers than there are.
    let missing = DrawnLeaf { leaves: 4, ..drawn };
    *world.draws.0.lock().expect("no test thread has panicked") = Some(missing);
    let refused = connection
        .leaf(GENESIS, ClaimId(1), 0, &*validator_key())
        .await;
    assert_eq!(
        refused,
        Err(ConnectionFault::Refused(WorkerRefusal::NoLeaf))
    );
}
