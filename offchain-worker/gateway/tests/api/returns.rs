//! Workers that come back, and what a gateway spent before.

use super::failures::{said, streamed};
use super::support::{Book, Fault, Running, Setup, HOLD};
use noema_gateway::{list_keys, make_key, BearerKeys};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_receipt_was_lost_is_received_from_the_same_worker() {
    for body in [said("hi"), streamed("hi")] {
        // All tokens, and the stop token, arrive before the connection breaks.
        for tokens in [0, 4, 14] {
            let book = Book::new("one two three", &[1, 2]);
            book.fault(1, Fault::Break(tokens));
            let running = Running::start(&book, Setup::default()).await;
            let reply = running.chat(&body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let text = match body["stream"].is_boolean() {
                false => reply.json()["choices"][0]["message"]["content"].to_string(),
                true => {
                    let events = reply.events();
                    let parts = events
                        .iter()
                        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
                    json!(parts.collect::<String>()).to_string()
                }
            };
            assert_eq!(text, "\"one two three\"", "after {tokens} tokens");
            let script = book.script();
            assert_eq!((script.asked.len(), script.reconnected), (1, 1));
            // One receipt, over the whole answer.
            assert_eq!(reply.body.matches("\"hash\"").count(), 1, "{reply:?}");
            assert!(reply.body.contains("\"answer_tokens\":14"), "{reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_back_with_other_tokens_is_believed_where_none_was_passed_on() {
    let book = Book::new("yes", &[1]);
    book.fault(1, Fault::Change(2));
    let running = Running::start(&book, Setup::default()).await;
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    book.fault(1, Fault::Change(2));
    let reply = running.chat(&streamed("hi")).await;
    let events = reply.events();
    let error = events.last().expect("events")["error"]["message"].to_string();
    assert!(error.contains("false tokens"), "{error}");
    // The session is free again.
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    assert_eq!(book.script().opened, 1);
}

/// The value of a counter.
async fn counted(running: &Running, name: &str) -> u64 {
    let page = running.call("GET /metrics", "", "").await.body;
    let name = format!("noema_gateway_{name}_total ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.and_then(|value| value.parse().ok()).expect(&name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_comes_late_is_paid_by_the_key_that_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let key = make_key(&path, "one", Some(10_000), None).expect("a key");
    let book = Book::new("one two three", &[1, 2]);
    book.fault(1, Fault::Break(5));
    book.script().are_away = true;
    let setup = Setup {
        keys: Some(BearerKeys::open(&path).expect("keys")),
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    let header = format!("Authorization: Bearer {key}\r\n");
    let line = "POST /v1/chat/completions";
    let reply = running.call(line, &header, &said("hi").to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(counted(&running, "late").await, 0);
    book.script().are_away = false;
    // The second worker was paid 14 tokens for 2 each; the first one is paid for the token that it ended with.
    book.until("what was spent is on disk", |_| {
        list_keys(&path).is_ok_and(|keys| keys[0].1 == 29)
    })
    .await;
    assert_eq!(counted(&running, "late").await, 1);
    assert_eq!(counted(&running, "receipts").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_an_answer_do_not_overspend_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    // Ten tokens are asked for; what several parts cost together is covered part by part.
    let key = make_key(&path, "one", Some(10), None).expect("a key");
    let book = Book::new("a long first answer", &[1]);
    book.fault(1, Fault::Credit(3));
    let setup = Setup {
        keys: Some(BearerKeys::open(&path).expect("keys")),
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    let header = format!("Authorization: Bearer {key}\r\n");
    let mut body = said("hi");
    body["max_tokens"] = 10.into();
    let line = "POST /v1/chat/completions";
    let calls = (0..3).map(|_| async {
        let reply = running.call(line, &header, &body.to_string()).await;
        reply.status
    });
    let mut statuses = futures::future::join_all(calls).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429, 429]);
    let spent = list_keys(&path).expect("keys")[0].1;
    assert_eq!(spent, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_before_counts() {
    let book = Book::new("yes", &[1]);
    book.script().committed = HOLD + 1;
    for (counts_earlier, status, opened) in [(true, 503, 0), (false, 200, 1)] {
        let setup = Setup {
            budget: 2 * HOLD,
            counts_earlier,
            ..Setup::default()
        };
        let running = Running::start(&book, setup).await;
        let reply = running.chat(&said("hi")).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let is_spent = reply.body.contains("budget of the gateway");
        assert_eq!(is_spent, counts_earlier, "{reply:?}");
        assert_eq!(book.script().opened, opened);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_before_are_used_and_connected_to_later() {
    let book = Book::new("yes", &[1, 2]);
    {
        let mut script = book.script();
        script.connected = vec![1];
        script.lost = vec![2];
    }
    let setup = Setup {
        budget: 2 * HOLD,
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    assert_eq!(running.chat(&said("hi")).await.status, 200);
    book.until("the other worker is reached", |script| {
        script.reconnected == 1
    })
    .await;
    book.fault(1, Fault::Busy);
    assert_eq!(running.chat(&said("hi")).await.status, 200);
    let script = book.script();
    let sessions: Vec<u64> = script.asked.iter().map(|asked| asked.session).collect();
    assert_eq!((sessions, script.opened), (vec![101, 101, 102], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_stops_while_workers_are_away() {
    let book = Book::new("yes", &[1]);
    {
        let mut script = book.script();
        script.lost = vec![1];
        script.are_away = true;
    }
    let running = Running::start(&book, Setup::default()).await;
    let stopped = running.pool.stop(std::time::Duration::from_secs(60));
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(10), stopped).await;
    assert!(in_time.is_ok());
    assert_eq!(book.script().closed, 0, "it stays for the next start");
}
