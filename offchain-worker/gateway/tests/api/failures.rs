//! Workers that fail, money that runs out, and callers that go.

use super::support::{Book, Fault, Held, Running, Setup, HOLD};
use serde_json::{json, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) fn said(text: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": text }] })
}

pub(crate) fn streamed(text: &str) -> Value {
    let mut body = said(text);
    body["stream"] = true.into();
    body
}

/// The text of a stream, and `noema` of its last event.
fn told(events: &[Value]) -> (String, Value) {
    let text = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    let last = events.last().expect("events");
    (text.collect(), last["noema"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_goes_on_after_tokens_that_were_passed_on() {
    let book = Book::new("one two three", &[1, 2]);
    book.fault(1, Fault::Break(5));
    book.script().are_away = true;
    let running = Running::start(&book, Setup::default()).await;
    let reply = running.chat(&streamed("hi")).await;
    let (text, noema) = told(&reply.events());
    assert_eq!(text, "one two three");
    {
        let script = book.script();
        let workers: Vec<u8> = script.asked.iter().map(|asked| asked.worker).collect();
        assert_eq!(workers, [1, 2]);
        assert_eq!(script.asked[1].prompt, "user: hi\none t");
        assert_eq!(script.asked[1].most, 95);
    }
    // Tokens without receipt are not paid, and are named.
    assert_eq!(noema["receipts"].as_array().map(Vec::len), Some(1));
    assert_eq!(noema["price"], "18");
    assert_eq!(noema["unsigned"], json!([{ "first": 0, "tokens": 5 }]));
    let metrics = running.call("GET /metrics", "", "").await.body;
    assert!(metrics.contains("noema_gateway_unsigned_tokens_total 5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_begins_anew_where_no_token_was_passed_on() {
    // It invents words, or says what is true: without a receipt that cannot be known.
    for fault in [
        Fault::Invent(5),
        Fault::Revoke(5),
        Fault::Break(5),
        Fault::Break(14),
    ] {
        let book = Book::new("one two three", &[1, 2]);
        book.fault(1, fault);
        book.script().are_away = true;
        let running = Running::start(&book, Setup::default()).await;
        let body = running.chat(&said("hi")).await.json();
        let choice = &body["choices"][0];
        assert_eq!(choice["message"]["content"], "one two three", "{fault:?}");
        assert_eq!(choice["noema"]["unsigned"], json!([]));
        assert_eq!(choice["noema"]["price"], "28");
        assert_eq!(body["usage"]["completion_tokens"], 14);
        let script = book.script();
        let asked = script.asked.iter();
        let asked: Vec<_> = asked
            .map(|it| (it.worker, it.prompt.as_str(), it.most))
            .collect();
        assert_eq!(asked, [(1, "user: hi\n", 100), (2, "user: hi\n", 100)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_were_invented_and_shown_are_named_each_time() {
    let book = Book::new("yes", &[1, 2, 3]);
    book.fault(1, Fault::Invent(2));
    book.fault(2, Fault::Revoke(3));
    book.script().are_away = true;
    let running = Running::start(&book, Setup::default()).await;
    let (text, noema) = told(&running.chat(&streamed("hi")).await.events());
    assert_eq!(text, "!!!!!yes");
    let unsigned = json!([{ "first": 0, "tokens": 2 }, { "first": 2, "tokens": 3 }]);
    assert_eq!(noema["unsigned"], unsigned);
    assert_eq!(noema["receipts"][0]["answer_tokens"], 4);
    // Although both are cheaper, the next prompt goes to the worker that signed.
    book.script().are_away = false;
    assert_eq!(running.chat(&said("you")).await.status, 200);
    let workers: Vec<u8> = book.script().asked.iter().map(|it| it.worker).collect();
    assert_eq!(workers, [1, 2, 3, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_costs_no_worker_its_offer() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    book.script().is_node_away = true;
    let reply = running.chat(&said("hi")).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.body.contains("the node is away"), "{reply:?}");
    book.script().is_node_away = false;
    assert_eq!(running.chat(&said("hi")).await.status, 200);
    assert_eq!(book.script().opened, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_cannot_be_read_are_read_again_soon() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    book.script().is_node_away = true;
    for _ in 0..2 {
        assert_eq!(running.chat(&said("hi")).await.status, 503);
    }
    book.script().is_node_away = false;
    let mut status = 503;
    for _ in 0..50 {
        status = running.chat(&said("hi")).await.status;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 200, "within five seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_tried_again_and_again_with_a_worker_that_is_not_reached() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    book.script().unopened = Some(1);
    for _ in 0..3 {
        let reply = running.chat(&said("hi")).await;
        assert_eq!(reply.status, 503, "{reply:?}");
        assert!(
            reply.body.contains("the worker is not reached"),
            "{reply:?}"
        );
    }
    assert_eq!(book.script().tried, 1);
    let book = Book::new("yes", &[1, 2]);
    book.script().unopened = Some(1);
    let running = Running::start(&book, Setup::default()).await;
    assert_eq!(
        running.chat(&said("hi")).await.status,
        200,
        "of the other one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_worker_is_asked_again() {
    let book = Book::new("yes", &[1]);
    book.fault(1, Fault::Busy);
    book.fault(1, Fault::Break(1));
    let running = Running::start(&book, Setup::default()).await;
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_one_worker_refuses_is_answered_by_another() {
    let book = Book::new("yes", &[1, 2]);
    book.fault(1, Fault::Refuse);
    let running = Running::start(&book, Setup::default()).await;
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    let workers: Vec<u8> = book.script().asked.iter().map(|it| it.worker).collect();
    assert_eq!(workers, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_fails_again_and_again_is_an_error() {
    let book = Book::new("yes", &[1]);
    for _ in 0..4 {
        book.fault(1, Fault::Busy);
    }
    let running = Running::start(&book, Setup::default()).await;
    let reply = running.chat(&said("hi")).await;
    assert_eq!(reply.status, 502, "{reply:?}");
    let message = reply.json()["error"]["message"].to_string();
    assert!(message.contains("it is busy"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_is_named_and_no_fault_of_the_worker() {
    let book = Book::new("yes", &[1, 2]);
    book.fault(1, Fault::Full);
    let running = Running::start(&book, Setup::default()).await;
    let reply = running.chat(&said("hi")).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    let message = reply.json()["error"]["message"].to_string();
    assert!(message.contains("cannot store"), "{message}");
    // No other worker was asked in vain, and the same one is asked when there is room again.
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    let script = book.script();
    let workers: Vec<u8> = script.asked.iter().map(|asked| asked.worker).collect();
    assert_eq!((workers, script.closed), (vec![1, 1], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn false_tokens_are_taken_back_or_end_a_stream() {
    let book = Book::new("yes", &[1, 2]);
    book.fault(1, Fault::Lie(3));
    let running = Running::start(&book, Setup::default()).await;
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    book.until("the session is closed", |script| script.closed == 1)
        .await;
    book.fault(2, Fault::Lie(3));
    book.fault(1, Fault::Lie(3));
    let reply = running.chat(&streamed("hi")).await;
    assert!(!reply.body.contains("[DONE]"), "{reply:?}");
    let events = reply.events();
    let error = events.last().expect("events")["error"]["message"].to_string();
    assert!(error.contains("false tokens"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_ends_its_answer() {
    let book = Book::new("yes", &[1]);
    book.fault(1, Fault::Wait);
    book.fault(1, Fault::Wait);
    let running = Running::start(&book, Setup::default()).await;
    for (ended, body) in [(1, streamed("hi")), (2, said("hi"))] {
        let line = "POST /v1/chat/completions";
        let stream = running.send(line, "", &body.to_string()).await;
        book.until("the worker is asked", |script| script.asked.len() == ended)
            .await;
        drop(stream);
        book.until("the answer is ended", |script| script.ended == ended)
            .await;
    }
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_string_ends_the_answer_at_the_worker() {
    let book = Book::new("yes", &[1]);
    book.fault(1, Fault::Wait);
    let running = Running::start(&book, Setup::default()).await;
    let mut body = said("hi");
    body["stop"] = "y".into();
    let reply = running.chat(&body).await.json();
    assert_eq!(reply["choices"][0]["message"]["content"], "");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert_eq!(reply["usage"]["completion_tokens"], 1);
    assert_eq!(book.script().ended, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_first_answer_is_asked_for_in_parts() {
    let book = Book::new("a long first answer", &[1]);
    book.fault(1, Fault::Credit(7));
    let running = Running::start(&book, Setup::default()).await;
    let body = running.chat(&said("hi")).await.json();
    let text = &body["choices"][0]["message"]["content"];
    assert_eq!(text, "a long first answer");
    assert_eq!(body["usage"]["completion_tokens"], 20);
    let receipts = body["choices"][0]["noema"]["receipts"].as_array();
    assert!(receipts.is_some_and(|receipts| receipts.len() > 1));
    assert_eq!(book.script().opened, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wants_shorter_parts_than_its_credit_needs_is_left() {
    let book = Book::new("yes", &[1, 2]);
    for _ in 0..4 {
        book.fault(1, Fault::Credit(1));
    }
    let running = Running::start(&book, Setup::default()).await;
    let body = running.chat(&said("hi")).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "yes");
    let script = book.script();
    let asked = script.asked.iter();
    let most: Vec<_> = asked.map(|asked| (asked.worker, asked.most)).collect();
    // Two tokens cost more than the one that is paid, but not more than two.
    let first = [100, 50, 25, 12, 6, 3, 1, 2, 1, 2].map(|most| (1, most));
    assert_eq!(most[..10], first);
    assert_eq!(most[10..], [(2, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_topped_up_within_the_budget() {
    // An answer costs 400, and up to 10,000 with 100 tokens.
    let book = Book::new("yes", &[100]);
    let setup = Setup {
        budget: 2 * HOLD,
        most_sessions: 1,
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    for _ in 0..3 {
        assert_eq!(running.chat(&said("hi")).await.status, 200);
    }
    assert_eq!(book.script().topped_up, 1);
    let mut last = 200;
    for _ in 0..40 {
        last = running.chat(&said("hi")).await.status;
        if last != 200 {
            break;
        }
    }
    assert_eq!(last, 503);
    assert_eq!(book.script().topped_up, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_workers_says_so() {
    let book = Book::new("yes", &[]);
    let running = Running::start(&book, Setup::default()).await;
    let reply = running.chat(&said("hi")).await;
    assert_eq!(reply.status, 503);
    let message = reply.json()["error"]["message"].to_string();
    assert!(message.contains("no worker can be asked"), "{message}");
    assert_eq!(running.call("GET /health", "", "").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_bound_are_refused() {
    let book = Book::new("yes", &[1]);
    book.fault(1, Fault::Wait);
    let setup = Setup {
        most_calls: 1,
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    let body = streamed("hi").to_string();
    let line = "POST /v1/chat/completions";
    let first = running.send(line, "", &body).await;
    book.until("the worker is asked", |script| script.asked.len() == 1)
        .await;
    let reply = running.chat(&said("hi")).await;
    assert_eq!(reply.status, 503);
    assert!(reply.head.contains("retry-after"), "{reply:?}");
    drop(first);
}

/// A gateway in which one template runs at a time, and waits for its release.
async fn with_one_template(book: &Book) -> (Running, Arc<Held>) {
    let held = Arc::new(Held::default());
    let setup = Setup {
        most_templates: 1,
        template_patience: Duration::from_millis(50),
        layer: held.clone(),
        ..Setup::default()
    };
    (Running::start(book, setup).await, held)
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_beyond_the_bound_of_templates_are_refused_for_a_while() {
    let book = Book::new("yes", &[1]);
    let (running, held) = with_one_template(&book).await;
    let body = said("hi");
    let others = async {
        held.until_running().await;
        let refused = running.chat(&body).await;
        let plain = json!({ "prompt": "hi" });
        let plain = running.post("/v1/completions", &plain).await;
        held.release();
        (refused, plain)
    };
    let (first, (refused, plain)) = tokio::join!(running.chat(&body), others);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    let kind = &refused.json()["error"]["type"];
    assert_eq!(kind, "service_unavailable_error");
    assert_eq!(plain.status, 200, "{plain:?}");
    assert_eq!(first.status, 200, "{first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_of_a_caller_that_goes_keeps_its_place_while_it_runs() {
    let book = Book::new("yes", &[1]);
    let (running, held) = with_one_template(&book).await;
    let body = said("hi");
    let line = "POST /v1/chat/completions";
    let gone = running.send(line, "", &body.to_string()).await;
    held.until_running().await;
    drop(gone);
    assert_eq!(running.chat(&body).await.status, 503);
    held.release();
    let mut status = 503;
    for _ in 0..100 {
        status = running.chat(&body).await.status;
        if status == 200 {
            break;
        }
    }
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_read_once_its_template_can_run() {
    let book = Book::new("yes", &[1]);
    let (running, held) = with_one_template(&book).await;
    let body = said("hi");
    let others = async {
        held.until_running().await;
        let refused = running.call("POST /v1/chat/completions", "", "{").await;
        held.release();
        refused
    };
    let (first, refused) = tokio::join!(running.chat(&body), others);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(first.status, 200, "{first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_leaves_its_place() {
    let book = Book::new("yes", &[1]);
    let setup = Setup {
        most_calls: 1,
        body_patience: Duration::from_millis(200),
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    let mut slow = TcpStream::connect(running.address).await.expect("connects");
    // A byte less than it states.
    let call = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\n\r\n{{",
        running.address
    );
    slow.write_all(call.as_bytes()).await.expect("sends");
    let mut status = 0;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        status = running.chat(&said("hi")).await.status;
        if status == 200 {
            break;
        }
    }
    assert_eq!(status, 200);
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_a_time_share_the_sessions() {
    let book = Book::new("yes", &[1, 2]);
    let setup = Setup {
        most_calls: 64,
        ..Setup::default()
    };
    let running = Running::start(&book, setup).await;
    let body = said("hi");
    let calls = (0..40).map(|_| running.chat(&body));
    for reply in futures::future::join_all(calls).await {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let script = book.script();
    assert_eq!(script.asked.len(), 40);
    assert!(script.opened <= 4);
}
