//! Parameters that are refused by their names, and bodies that are none.

use super::support::{Book, Running, Setup, CONTEXT};
use serde_json::{json, Value};

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    body[name] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_refused_is_named() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    for (name, value) in [
        ("logprobs", json!(true)),
        ("seed", json!(3)),
        ("presence_penalty", json!(1.5)),
        ("response_format", json!({ "type": "json_object" })),
        ("tool_choice", json!("required")),
        ("n", json!(1_000)),
        ("stop", json!(7)),
        ("temperature", json!(-1)),
        ("messages", json!([])),
        ("audio", json!({ "voice": "a" })),
    ] {
        let reply = running.chat(&with(name, value)).await;
        assert_eq!(reply.refused(), (400, name.to_owned()));
    }
    let image = json!([{ "role": "user", "content": [{ "type": "image_url" }] }]);
    let reply = running.chat(&with("messages", image)).await;
    assert_eq!(reply.refused(), (400, "messages[0].content[0]".to_owned()));
    let stateful = json!({ "input": "hi", "previous_response_id": "resp_1" });
    let reply = running.post("/v1/responses", &stateful).await;
    assert_eq!(reply.refused(), (400, "previous_response_id".to_owned()));
    let echo = json!({ "prompt": "hi", "echo": true });
    let reply = running.post("/v1/completions", &echo).await;
    assert_eq!(reply.refused(), (400, "echo".to_owned()));
    assert!(book.script().asked.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_is_ignored() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    for (name, value) in [
        ("user", json!("someone-7")),
        ("metadata", json!({ "a": "b" })),
        ("store", json!(true)),
        ("parallel_tool_calls", json!(false)),
        ("response_format", json!({ "type": "text" })),
        ("logprobs", json!(false)),
        ("n", json!(null)),
        ("a_parameter_of_next_year", json!([1])),
    ] {
        let reply = running.chat(&with(name, value)).await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_leaves_no_room_is_refused() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let content = "x".repeat(CONTEXT as usize);
    let long = json!([{ "role": "user", "content": content }]);
    let reply = running.chat(&with("messages", long)).await;
    assert_eq!(reply.refused(), (400, "messages".to_owned()));
    assert_eq!(reply.json()["error"]["code"], "context_length_exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_of_very_many_values_is_refused() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let values = json!(vec![0; 1_000]);
    let tools = json!([{ "type": "function", "function": values }]);
    let reply = running.chat(&with("tools", tools)).await;
    assert_eq!(reply.refused(), (400, "messages".to_owned()));
    // The arguments of a call are JSON in a text.
    let function = json!({ "name": "f", "arguments": values.to_string() });
    let messages = json!([{ "role": "assistant", "tool_calls": [{ "function": function }] }]);
    let reply = running.chat(&with("messages", messages)).await;
    assert_eq!(reply.refused(), (400, "messages".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_paths_and_models_that_are_none_are_refused() {
    let book = Book::new("yes", &[1]);
    let running = Running::start(&book, Setup::default()).await;
    let line = "POST /v1/chat/completions";
    for body in ["", "{", "[]", "7", "{\"messages\":[]} x"] {
        let reply = running.call(line, "", body).await;
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
    }
    // Little more than what is read: a reset could take the reply away.
    let long = "x".repeat(10_100);
    assert_eq!(running.call(line, "", &long).await.status, 413);
    let unknown = running.chat(&with("model", json!("huge"))).await;
    assert_eq!(unknown.refused(), (404, "model".to_owned()));
    assert_eq!(running.call("GET /v1/nothing", "", "").await.status, 404);
    let get = running.call("GET /v1/chat/completions", "", "").await;
    assert_eq!(get.status, 404);
    let foreign = "Origin: http://stranger.example\r\n";
    let body = with("user", json!("a")).to_string();
    assert_eq!(running.call(line, foreign, &body).await.status, 403);
}
