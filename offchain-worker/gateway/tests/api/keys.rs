//! Bearer keys.

use super::support::{Book, Running, Setup};
use noema_gateway::{list_keys, make_key, BearerKeys};
use serde_json::json;
use std::path::Path;

async fn with_keys(book: &Book, path: &Path) -> Running {
    let setup = Setup {
        keys: Some(BearerKeys::open(path).expect("keys")),
        ..Setup::default()
    };
    Running::start(book, setup).await
}

async fn call(running: &Running, key: &str, tokens: u64) -> (u16, String) {
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let body = json!({ "messages": messages, "max_tokens": tokens }).to_string();
    let header = format!("Authorization: Bearer {key}\r\n");
    let line = "POST /v1/chat/completions";
    let reply = running.call(line, &header, &body).await;
    let code = reply.json()["error"]["code"].clone();
    (reply.status, code.as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_needs_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let key = make_key(&path, "one", None, None).expect("a key");
    let book = Book::new("yes", &[1]);
    let running = with_keys(&book, &path).await;
    assert_eq!(call(&running, &key, 9).await.0, 200);
    let wrong = (401, "invalid_api_key".to_owned());
    assert_eq!(call(&running, "noema-0", 9).await, wrong);
    assert_eq!(running.call("GET /v1/models", "", "").await.status, 401);
    assert_eq!(running.call("GET /health", "", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_spends_no_more_than_its_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let key = make_key(&path, "one", Some(15), None).expect("a key");
    let book = Book::new("yes", &[1]);
    let running = with_keys(&book, &path).await;
    let refused = (429, "insufficient_quota".to_owned());
    assert_eq!(call(&running, &key, 16).await, refused);
    // Each costs 4, and 5 are reserved.
    for _ in 0..3 {
        assert_eq!(call(&running, &key, 5).await.0, 200);
    }
    assert_eq!(call(&running, &key, 5).await, refused);
    book.until("what was spent is on disk", |_| {
        list_keys(&path).is_ok_and(|keys| keys[0].1 == 12)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_calls_no_more_often_than_its_rate() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let key = make_key(&path, "one", None, Some(2)).expect("a key");
    let book = Book::new("yes", &[1]);
    let running = with_keys(&book, &path).await;
    for _ in 0..2 {
        assert_eq!(call(&running, &key, 9).await.0, 200);
    }
    let refused = (429, "rate_limit_exceeded".to_owned());
    assert_eq!(call(&running, &key, 9).await, refused);
}
