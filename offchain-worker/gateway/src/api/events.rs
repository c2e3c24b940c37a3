//! Streams of events, as `text/event-stream`.

use axum::body::Body;
use axum::http::{header, HeaderValue};
use axum::response::Response;
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::timeout;

/// The time without events after which a comment shows that the connection is alive.
const QUIET: Duration = Duration::from_secs(10);

/// An event with data.
pub(super) fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// An event with a name.
pub(super) fn named(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// The event after the last of OpenAI's streams.
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// What turns pieces into events.
pub(super) trait Telling<P>: Send + 'static {
    /// The events of a piece.
    fn tell(&mut self, piece: P) -> Vec<String>;

    /// The events after the last piece.
    fn finish(&mut self) -> Vec<String>;
}

struct EventStream<P, T> {
    pieces: BoxStream<'static, P>,
    telling: T,
    /// Events that are not sent yet.
    events: VecDeque<String>,
    is_over: bool,
}

impl<P, T: Telling<P>> EventStream<P, T> {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            match timeout(QUIET, self.pieces.next()).await {
                Err(_) => return Some(": alive\n\n".to_owned()),
                Ok(Some(piece)) => self.events.extend(self.telling.tell(piece)),
                Ok(None) => {
                    self.is_over = true;
                    self.events.extend(self.telling.finish());
                }
            }
        }
    }
}

/// The response with the events of `pieces`, the first of which is known already. `guard` is dropped with it.
pub(super) fn respond<P: Send + 'static, T: Telling<P>, G: Send + 'static>(
    pieces: BoxStream<'static, P>,
    mut telling: T,
    first: P,
    guard: G,
) -> Response {
    let events = EventStream {
        events: telling.tell(first).into(),
        pieces,
        telling,
        is_over: false,
    };
    let written = stream::unfold((events, guard), |(mut events, guard)| async move {
        let event = events.next().await?;
        Some((Ok::<_, Infallible>(event), (events, guard)))
    });
    let mut response = Response::new(Body::from_stream(written));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let cache = HeaderValue::from_static("no-cache");
    headers.insert(header::CACHE_CONTROL, cache);
    response
}
