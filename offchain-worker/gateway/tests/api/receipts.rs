//! Where receipts stand, and executions of their answers again.

use super::support::{Book, Running, Setup};
use async_trait::async_trait;
use noema_gateway::{
    make_key, BearerKeys, ClaimStanding, ReceiptFault, ReceiptRefund, ReceiptSource,
    ReceiptStanding, ReceiptState, Recomputation, RecomputeVerdict,
};
use noema_protocol::{CheckpointId, ClaimId, SamplingParameters, SessionId};
use noema_receipts::ReceiptFile;
use noema_session_transport::{ReceivedAnswer, SignedReceipt};
use noema_sessions::{AnswerEnd, SessionReceipt};
use serde_json::json;
use sp_core::H256;
use std::sync::{Arc, Mutex};

const KNOWN: H256 = H256::repeat_byte(7);

/// Knows one receipt.
struct One {
    state: ReceiptState,
    claim: Option<ClaimStanding>,
    progress: Mutex<Result<Recomputation, ReceiptFault>>,
}

impl One {
    fn new(state: ReceiptState, claim: Option<ClaimStanding>) -> Arc<Self> {
        Arc::new(Self {
            state,
            claim,
            progress: Mutex::new(Err(ReceiptFault::NotBegun)),
        })
    }

    fn set(&self, progress: Result<Recomputation, ReceiptFault>) {
        *self.progress.lock().expect("no test panicked") = progress;
    }
}

#[async_trait]
impl ReceiptSource for One {
    async fn standing(&self, receipt: H256) -> Result<ReceiptStanding, ReceiptFault> {
        if receipt != KNOWN {
            return Err(ReceiptFault::Unknown);
        }
        Ok(ReceiptStanding {
            session: SessionId(7),
            n: 12,
            worker: "5F".into(),
            state: self.state,
            is_disputed: false,
            claim: self.claim.clone(),
        })
    }

    async fn file(&self, receipt: H256) -> Result<ReceiptFile, ReceiptFault> {
        match receipt == KNOWN {
            true => Ok(file()),
            false => Err(ReceiptFault::Unknown),
        }
    }

    async fn recompute(&self, receipt: H256) -> Result<Recomputation, ReceiptFault> {
        match receipt == KNOWN {
            true => self.progress.lock().expect("no test panicked").clone(),
            false => Err(ReceiptFault::Unknown),
        }
    }

    async fn recomputation(&self, receipt: H256) -> Result<Recomputation, ReceiptFault> {
        self.recompute(receipt).await
    }

    async fn challenge(&self, _: H256) -> Result<(), ReceiptFault> {
        Err(ReceiptFault::True)
    }
}

fn file() -> ReceiptFile {
    let receipt = SessionReceipt {
        session: SessionId(7),
        n: 12,
        first: 0,
        terms: H256::zero(),
        checkpoint: CheckpointId(H256::zero()),
        prompt_hash: H256::zero(),
        prompt_tokens: 1,
        cached_tokens: 0,
        parameters: SamplingParameters::greedy(1),
        seed: H256::zero(),
        answer_hash: H256::zero(),
        answer_tokens: 1,
        end: AnswerEnd::Length,
        price: 1,
        hidden_root: H256::zero(),
    };
    let answer = ReceivedAnswer {
        worker: [1; 32],
        received_at: 0,
        prompt: vec![1],
        answer: vec![2],
        receipt: SignedReceipt {
            receipt,
            signature: [0; 64],
        },
    };
    ReceiptFile::of(answer, &[])
}

async fn started(source: &Arc<One>) -> Running {
    let setup = Setup {
        receipts: Some(source.clone()),
        ..Setup::default()
    };
    Running::start(&Book::new("yes", &[1]), setup).await
}

fn path(hash: H256) -> String {
    format!("/v1/noema/receipts/{hash:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_receipt_stands_is_told_as_documented() {
    let claim = ClaimStanding {
        id: ClaimId(3),
        leaf: 12,
        leaves: 100,
        block: 812,
        drawn: Some(vec![4, 12]),
        final_at: Some(900),
    };
    let running = started(&One::new(ReceiptState::Checked, Some(claim))).await;
    let get = format!("GET {}", path(KNOWN));
    let told = running.call(&get, "", "").await.json();
    let expected = json!({
        "hash": format!("{KNOWN:?}"),
        "session": 7,
        "n": 12,
        "worker": "5F",
        "state": "checked",
        "disputed": false,
        "reason": null,
        "claim": {
            "id": 3, "leaf": 12, "leaves": 100, "block": 812, "drawn": [4, 12], "final_at": 900
        },
    });
    assert_eq!(told, expected);
    for unknown in [path(H256::zero()), "/v1/noema/receipts/7".into()] {
        let reply = running.call(&format!("GET {unknown}"), "", "").await;
        assert_eq!(reply.status, 404, "{reply:?}");
        assert_eq!(reply.json()["error"]["code"], "receipt_unknown");
    }
    let fallen = ReceiptState::Refunded(ReceiptRefund::FalseLeaf);
    let running = started(&One::new(fallen, None)).await;
    let told = running.call(&get, "", "").await.json();
    assert_eq!(
        (&told["state"], &told["reason"]),
        (&json!("refunded"), &json!("false_leaf"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_told_as_the_file_that_programs_read() {
    let running = started(&One::new(ReceiptState::Paid, None)).await;
    let get = format!("GET {}/file", path(KNOWN));
    let told = running.call(&get, "", "").await.json();
    assert_eq!(ReceiptFile::read(&told.to_string()), Ok(file()));
    let get = format!("GET {}/file", path(H256::zero()));
    let reply = running.call(&get, "", "").await;
    assert_eq!(reply.status, 404, "{reply:?}");
    assert_eq!(reply.json()["error"]["code"], "receipt_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_executed_again_and_its_progress_told() {
    let source = One::new(ReceiptState::Paid, None);
    let running = started(&source).await;
    let path = format!("{}/recompute", path(KNOWN));
    let get = || async { running.call(&format!("GET {path}"), "", "").await };
    let reply = get().await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["error"]["code"], "recompute_unknown");
    source.set(Ok(Recomputation {
        tokens: 137,
        done: 40,
        verdict: None,
    }));
    let hash = format!("{KNOWN:?}");
    let told = running.call(&format!("POST {path}"), "", "").await.json();
    let running_now = json!({ "hash": hash, "state": "running", "tokens": 137, "done": 40 });
    assert_eq!(told, running_now);
    for (verdict, same, first) in [
        (RecomputeVerdict::Same, true, json!(null)),
        (RecomputeVerdict::Differs(5), false, json!(5)),
    ] {
        source.set(Ok(Recomputation {
            tokens: 137,
            done: 137,
            verdict: Some(verdict),
        }));
        let done = json!({
            "hash": hash, "state": "done", "tokens": 137, "done": 137, "same": same, "first_difference": first
        });
        assert_eq!(get().await.json(), done);
    }
    source.set(Err(ReceiptFault::NoWeights("no device".into())));
    let reply = running.call(&format!("POST {path}"), "", "").await;
    assert_eq!(reply.status, 409);
    assert_eq!(reply.json()["error"]["code"], "weights_missing");
    source.set(Err(ReceiptFault::Busy));
    let reply = running.call(&format!("POST {path}"), "", "").await;
    assert_eq!(reply.status, 503);
    assert!(reply.head.contains("retry-after"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_for_callers_with_a_key_and_no_rate_counts_looking() {
    let folder = tempfile::tempdir().expect("a folder");
    let path_of_keys = folder.path().join("keys.json");
    let key = make_key(&path_of_keys, "one", None, Some(1)).expect("a key");
    let source = One::new(ReceiptState::Paid, None);
    let setup = Setup {
        keys: Some(BearerKeys::open(&path_of_keys).expect("keys")),
        receipts: Some(source.clone()),
        ..Setup::default()
    };
    let running = Running::start(&Book::new("yes", &[1]), setup).await;
    let get = format!("GET {}", path(KNOWN));
    assert_eq!(running.call(&get, "", "").await.status, 401);
    let header = format!("Authorization: Bearer {key}\r\n");
    for _ in 0..3 {
        assert_eq!(running.call(&get, &header, "").await.status, 200);
    }
    let post = format!("POST {}/recompute", path(KNOWN));
    assert_eq!(running.call(&post, &header, "").await.status, 404);
    assert_eq!(running.call(&post, &header, "").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_what_the_gateway_can() {
    let running = started(&One::new(ReceiptState::Paid, None)).await;
    let about = running.call("GET /v1/noema", "", "").await.json();
    assert_eq!(about["can"], json!(["receipts", "recompute"]));
    let running = Running::start(&Book::new("yes", &[1]), Setup::default()).await;
    let about = running.call("GET /v1/noema", "", "").await.json();
    assert_eq!(about["can"], json!([]));
    let reply = running.call(&format!("GET {}", path(KNOWN)), "", "").await;
    assert_eq!(reply.status, 404);
}
