//! Connections that are silent, too many, or do not read.

use super::failures::said;
use super::support::{Book, Running, Setup};
use noema_gateway::ConnectionLimits;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);

async fn started(book: &Book, connections: ConnectionLimits) -> Running {
    let setup = Setup {
        connections,
        ..Setup::default()
    };
    Running::start(book, setup).await
}

/// What the gateway sends until it closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut said)).await;
    let _ = read.expect("it is closed in time");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_closed() {
    let limits = ConnectionLimits {
        head: Duration::from_millis(300),
        ..ConnectionLimits::default()
    };
    let running = started(&Book::new("yes", &[1]), limits).await;
    for begin in ["", "GET /health HTTP/1.1\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(running.address).await.expect("connects");
        stream.write_all(begin.as_bytes()).await.expect("sends");
        until_closed(&mut stream).await;
    }
    // Between two calls, too.
    let mut stream = TcpStream::connect(running.address).await.expect("connects");
    let call = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
    stream.write_all(call.as_bytes()).await.expect("sends");
    let said = until_closed(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_bounded() {
    let limits = ConnectionLimits {
        head_bytes: 16 << 10,
        ..ConnectionLimits::default()
    };
    let running = started(&Book::new("yes", &[1]), limits).await;
    let long = format!("X-Long: {}\r\n", "a".repeat(32 << 10));
    let many = "X-Many: a\r\n".repeat(200);
    for headers in [long, many] {
        let mut stream = running.send("GET /health", &headers, "").await;
        let said = until_closed(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    }
    assert_eq!(running.call("GET /health", "", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_wait() {
    let limits = ConnectionLimits {
        most: 1,
        head: Duration::from_millis(500),
        ..ConnectionLimits::default()
    };
    let running = started(&Book::new("yes", &[1]), limits).await;
    let _silent = TcpStream::connect(running.address).await.expect("connects");
    let reply = timeout(LONG, running.call("GET /health", "", "")).await;
    assert_eq!(reply.expect("in time").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_does_not_read_loses_its_answer() {
    let limits = ConnectionLimits {
        stall: Duration::from_millis(500),
        ..ConnectionLimits::default()
    };
    // Each of its characters becomes an event of its own.
    let book = Book::new(&"a".repeat(900), &[1]);
    let running = started(&book, limits).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 << 10).expect("is set");
    let mut stream = socket.connect(running.address).await.expect("connects");
    let body = json!({ "prompt": "hi", "stream": true, "max_tokens": 900, "n": 16 }).to_string();
    let call = format!(
        "POST /v1/completions HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
        running.address,
        body.len()
    );
    stream.write_all(call.as_bytes()).await.expect("sends");
    book.until("all are answered", |script| script.asked.len() == 16)
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let told = until_closed(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert!(!told.contains("[DONE]"), "it is not complete");
    assert_eq!(running.chat(&said("hi")).await.status, 200);
}
