//! Answers that are executed again, and workers of false ones.

use super::failures::said;
use super::support::{Book, Running, Setup};
use async_trait::async_trait;
use noema_gateway::{
    ReceiptFault, ReceiptSource, ReceiptStanding, Recomputation, RecomputeVerdict,
};
use noema_receipts::ReceiptFile;
use serde_json::json;
use sp_core::H256;
use std::sync::{Arc, Mutex};

/// Executes all answers with the same result.
struct Judge {
    verdict: RecomputeVerdict,
    executed: Mutex<Vec<H256>>,
    challenged: Mutex<Vec<H256>>,
}

impl Judge {
    fn new(verdict: RecomputeVerdict) -> Arc<Self> {
        Arc::new(Self {
            verdict,
            executed: Mutex::default(),
            challenged: Mutex::default(),
        })
    }

    fn executed(&self) -> usize {
        self.executed.lock().expect("no test panicked").len()
    }

    fn challenged(&self) -> usize {
        self.challenged.lock().expect("no test panicked").len()
    }
}

#[async_trait]
impl ReceiptSource for Judge {
    async fn standing(&self, _: H256) -> Result<ReceiptStanding, ReceiptFault> {
        Err(ReceiptFault::Unknown)
    }

    async fn file(&self, _: H256) -> Result<ReceiptFile, ReceiptFault> {
        Err(ReceiptFault::Unknown)
    }

    async fn recompute(&self, receipt: H256) -> Result<Recomputation, ReceiptFault> {
        self.executed
            .lock()
            .expect("no test panicked")
            .push(receipt);
        Ok(Recomputation {
            tokens: 4,
            done: 0,
            verdict: None,
        })
    }

    async fn recomputation(&self, _: H256) -> Result<Recomputation, ReceiptFault> {
        Ok(Recomputation {
            tokens: 4,
            done: 4,
            verdict: Some(self.verdict),
        })
    }

    async fn challenge(&self, receipt: H256) -> Result<(), ReceiptFault> {
        self.challenged
            .lock()
            .expect("no test panicked")
            .push(receipt);
        Ok(())
    }
}

async fn started(book: &Book, judge: &Arc<Judge>, verify: Option<f64>) -> Running {
    let setup = Setup {
        receipts: Some(judge.clone()),
        verify,
        ..Setup::default()
    };
    Running::start(book, setup).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_answer_is_challenged_and_its_worker_left() {
    let book = Book::new("yes", &[1, 2]);
    let judge = Judge::new(RecomputeVerdict::Differs(1));
    let running = started(&book, &judge, Some(1.0)).await;
    assert_eq!(running.chat(&said("hi")).await.status, 200);
    book.until("the session is closed", |script| script.closed == 1)
        .await;
    book.until("it is challenged", |_| judge.challenged() == 1)
        .await;
    assert_eq!(running.chat(&said("hi")).await.status, 200);
    let workers: Vec<u8> = book.script().asked.iter().map(|it| it.worker).collect();
    assert_eq!(workers, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_true_answer_changes_nothing() {
    let book = Book::new("yes", &[1]);
    let judge = Judge::new(RecomputeVerdict::Same);
    let running = started(&book, &judge, Some(1.0)).await;
    for _ in 0..2 {
        assert_eq!(running.chat(&said("hi")).await.status, 200);
    }
    book.until("both are executed", |_| judge.executed() == 2)
        .await;
    assert_eq!((judge.challenged(), book.script().closed), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_have_an_answer_executed_again() {
    let book = Book::new("yes", &[1]);
    let judge = Judge::new(RecomputeVerdict::Same);
    let mut wanted = said("hi");
    wanted["noema"] = json!({ "verify": true });
    let running = started(&book, &judge, Some(0.0)).await;
    let about = running.call("GET /v1/noema", "", "").await.json();
    assert_eq!(about["can"], json!(["receipts", "recompute", "verify"]));
    assert_eq!(running.chat(&said("hi")).await.status, 200);
    assert_eq!(running.chat(&wanted).await.status, 200);
    book.until("one is executed", |_| judge.executed() == 1)
        .await;
    for (path, input) in [("/v1/completions", "prompt"), ("/v1/responses", "input")] {
        let executed = judge.executed();
        let body = json!({ input: "hi", "noema": { "verify": true } });
        let reply = running.post(path, &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        book.until(path, |_| judge.executed() == executed + 1).await;
    }
    wanted["noema"] = json!({ "verify": "yes" });
    let refused = running.chat(&wanted).await.refused();
    assert_eq!(refused, (400, "noema.verify".to_owned()));
    wanted["noema"] = json!(3);
    assert_eq!(
        running.chat(&wanted).await.refused(),
        (400, "noema".to_owned())
    );

    let running = started(&book, &judge, None).await;
    wanted["noema"] = json!({ "verify": true });
    let reply = running.chat(&wanted).await;
    assert_eq!(reply.refused(), (400, "noema.verify".to_owned()));
    wanted["noema"] = json!({ "verify": false });
    assert_eq!(running.chat(&wanted).await.status, 200);
}
