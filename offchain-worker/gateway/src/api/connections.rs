//! HTTP connections, with bounds: how many, how long each may be silent, and how long it may refuse to take an answer.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{watch, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, Instant, Sleep};
use tracing::{debug, warn};

/// The time before another attempt to accept a connection, where the system has no room for one.
const AGAIN: Duration = Duration::from_millis(500);

/// The bounds on the connections of a gateway.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Most connections at a time; others wait to be accepted.
    pub most: usize,
    /// The time for the head of a call, which begins with the connection, or with the end of the call before.
    pub head: Duration,
    /// Most bytes of a head.
    pub head_bytes: usize,
    /// Most headers of a call.
    pub headers: usize,
    /// The time in which a caller has to take some of an answer that waits for it.
    pub stall: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            most: 1_024,
            head: Duration::from_secs(30),
            head_bytes: 64 << 10,
            headers: 64,
            stall: Duration::from_secs(30),
        }
    }
}

/// Serves connections until `stopped`; then those in progress end their calls.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stopped: impl Future<Output = ()>,
) {
    let (stop, _) = watch::channel(false);
    let places = Arc::new(Semaphore::new(limits.most));
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => {
                    let (router, stop) = (router.clone(), stop.subscribe());
                    connections.spawn(async move {
                        let _place = place;
                        connection(stream, router, limits, stop).await;
                    });
                }
                Err(error) => {
                    warn!(%error, "a connection cannot be accepted");
                    sleep(AGAIN).await;
                }
            },
        }
    }
    stop.send_replace(true);
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    router: Router,
    limits: ConnectionLimits,
    stop: watch::Receiver<bool>,
) {
    // Tokens are sent as they come.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(Patient::new(stream, limits.stall));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers);
    let mut served = pin!(builder.serve_connection(stream, TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = super::stopped(stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

/// A stream whose other side has a bounded time to take what is written: an answer would otherwise wait in memory for as
/// long as a caller likes.
struct Patient<S> {
    stream: S,
    stall: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    const fn new(stream: S, stall: Duration) -> Self {
        Self {
            stream,
            stall,
            waiting: None,
        }
    }

    /// The result of a write, or an error where writes have waited for too long.
    fn in_time<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let stall = self.stall;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + stall)));
        ready!(waiting.as_mut().poll(context));
        let slow = "the caller takes too long to read its answer";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, slow)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.in_time(context, closed)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{duplex, AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn only_a_write_that_waits_is_timed() {
        let (stream, mut other) = duplex(8);
        let stall = Duration::from_millis(200);
        let mut patient = Patient::new(stream, stall);
        let mut read = [0; 8];
        for _ in 0..3 {
            patient.write_all(&[1; 8]).await.expect("is taken");
            sleep(stall).await;
            other.read_exact(&mut read).await.expect("is there");
        }
        patient.write_all(&[1; 8]).await.expect("is taken");
        let slow = patient.write_all(&[1; 8]).await.expect_err("no reader");
        assert_eq!(slow.kind(), io::ErrorKind::TimedOut);
    }
}
