//! Answers: at once and streamed, in all three forms.

use super::support::{Book, Running, Setup};
use serde_json::{json, Value};
use std::time::Duration;

fn said(text: &str) -> Value {
    json!({ "model": "tiny", "messages": [{ "role": "user", "content": text }] })
}

fn with(mut body: Value, name: &str, value: impl Into<Value>) -> Value {
    body[name] = value.into();
    body
}

/// The text of a stream of chunks.
fn streamed(events: &[Value], index: usize) -> String {
    let choices = events.iter().map(|event| &event["choices"][0]);
    choices
        .filter(|choice| choice["index"] == index)
        .filter_map(|choice| choice["delta"]["content"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_with_its_usage_and_its_receipt() {
    let book = Book::new("naïve 🦀", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let reply = running.chat(&said("hi")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["choices"][0]["message"]["content"], "naïve 🦀");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    let fingerprint = body["system_fingerprint"].as_str().expect("a text");
    assert_eq!(fingerprint, format!("0x{}", "07".repeat(32)));
    // "user: hi\n", and each byte with the stop token.
    assert_eq!(body["usage"]["prompt_tokens"], 9);
    assert_eq!(body["usage"]["completion_tokens"], 12);
    let receipts = &body["choices"][0]["noema"]["receipts"];
    assert_eq!(receipts[0]["answer_tokens"], 12);
    let signed = receipts[0]["signed"].as_str().expect("a text");
    assert!(reply.head.contains(&format!("x-noema-receipt: {signed}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_the_same_text_in_whole_characters() {
    let book = Book::new("naïve 🦀", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let body = with(said("hi"), "stream", true);
    let body = with(body, "stream_options", json!({ "include_usage": true }));
    let reply = running.chat(&body).await;
    assert!(reply.head.contains("text/event-stream"), "{reply:?}");
    assert!(reply.body.ends_with("data: [DONE]\n\n"), "{reply:?}");
    let events = reply.events();
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(streamed(&events, 0), "naïve 🦀");
    assert!(!reply.body.contains('\u{fffd}'));
    let [.., end, usage] = events.as_slice() else {
        panic!("{reply:?}");
    };
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert_eq!(end["noema"]["receipts"][0]["answer_tokens"], 12);
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["total_tokens"], 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_ends_at_a_stop_string_or_at_its_length() {
    let book = Book::new("one two three", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let stopped = running.chat(&with(said("hi"), "stop", "o t")).await.json();
    assert_eq!(stopped["choices"][0]["message"]["content"], "one tw");
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    let cut = running
        .chat(&with(said("hi"), "max_tokens", 5))
        .await
        .json();
    assert_eq!(cut["choices"][0]["message"]["content"], "one t");
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_answers_are_told_by_their_index() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let body = with(said("hi"), "n", 3);
    let whole = running.chat(&body).await.json();
    let choices = whole["choices"].as_array().expect("a list");
    assert_eq!(choices.len(), 3);
    assert!(choices.iter().all(|it| it["message"]["content"] == "yes"));
    assert_eq!(whole["usage"]["completion_tokens"], 12);
    let reply = running.chat(&with(body, "stream", true)).await;
    for index in 0..3 {
        assert_eq!(streamed(&reply.events(), index), "yes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_continued_without_a_template() {
    let book = Book::new("!", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let body = json!({ "prompt": ["a", "bc"], "max_tokens": 9 });
    let reply = running.post("/v1/completions", &body).await.json();
    assert_eq!(reply["object"], "text_completion");
    assert_eq!(reply["choices"][1]["text"], "!");
    assert_eq!(reply["usage"]["prompt_tokens"], 3);
    let prompts: Vec<String> = book
        .script()
        .asked
        .iter()
        .map(|asked| asked.prompt.clone())
        .collect();
    assert!(prompts.contains(&"bc".to_owned()), "{prompts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_has_no_state_and_its_events_have_an_order() {
    let book = Book::new("fine", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let body = json!({ "model": "tiny", "instructions": "Be brief", "input": "hi" });
    let whole = running.post("/v1/responses", &body).await.json();
    assert_eq!(whole["status"], "completed");
    assert_eq!(whole["output"][0]["content"][0]["text"], "fine");
    assert_eq!(
        book.script().asked[0].prompt,
        "system: Be brief\nuser: hi\n"
    );
    let reply = running
        .post("/v1/responses", &with(body, "stream", true))
        .await;
    let events = reply.events();
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .filter(|name| *name != "response.output_text.delta")
        .collect();
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(names, expected);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let last = events.last().expect("events");
    assert_eq!(last["response"]["output"][0]["content"][0]["text"], "fine");
    assert_eq!(last["response"]["usage"]["output_tokens"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_stays_with_its_session() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let first = "tell me about the crabs that live near the sea";
    let second = "tell me about the stars that are far from here";
    // Two sessions are opened, and become free once their workers are paid.
    let free = || tokio::time::sleep(Duration::from_millis(200));
    running.chat(&with(said(first), "n", 2)).await;
    free().await;
    running.chat(&said(second)).await;
    let of = |start: &str| {
        let script = book.script();
        let mut asked = script.asked.iter().rev();
        let found = asked.find(|asked| asked.prompt.contains(start));
        found.map(|asked| asked.session).expect("was asked")
    };
    let before = of("stars");
    let continued = json!({ "messages": [
        { "role": "user", "content": second },
        { "role": "assistant", "content": "yes" },
        { "role": "user", "content": "more" },
    ] });
    for _ in 0..3 {
        free().await;
        running.chat(&continued).await;
        assert_eq!(of("stars"), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_stays_with_its_session_after_a_restart() {
    let book = Book::new("yes", &[1, 2]);
    let start = "tell me about the stars that are far from here";
    let tokens = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
    let earlier = vec![
        tokens(&format!("user: {start}\n")),
        tokens(&format!("user: {start}\nassistant: yes\nuser: why\n")),
    ];
    // The other worker is cheaper.
    book.script().kept = vec![(1, vec![tokens("user: hi\n")]), (2, earlier)];
    let running = Running::start(&book, Setup::default()).await;
    let continued = json!({ "messages": [
        { "role": "user", "content": start },
        { "role": "assistant", "content": "yes" },
        { "role": "user", "content": "more" },
    ] });
    running.chat(&continued).await;
    running.chat(&said("hi")).await;
    let script = book.script();
    let workers: Vec<u8> = script.asked.iter().map(|asked| asked.worker).collect();
    assert_eq!(workers, [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_health_and_metrics_are_told() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let models = running.call("GET /v1/models", "", "").await.json();
    assert_eq!(models["data"][0]["id"], "tiny");
    assert_eq!(
        running.call("GET /v1/models/tiny", "", "").await.status,
        200
    );
    assert_eq!(
        running.call("GET /v1/models/huge", "", "").await.status,
        404
    );
    assert_eq!(running.call("GET /health", "", "").await.status, 200);
    running.chat(&said("hi")).await;
    let metrics = running.call("GET /metrics", "", "").await;
    assert!(metrics.body.contains("noema_gateway_receipts_total 1"));
    running.pool.stop(Duration::from_secs(5)).await;
    assert_eq!(running.call("GET /health", "", "").await.status, 503);
}
