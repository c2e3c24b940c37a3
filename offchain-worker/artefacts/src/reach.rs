//! Reaching peers without waiting for those that are away.

use crate::{ask::Holder, Fault, Options, Peer};
use futures::{future::BoxFuture, stream::FuturesUnordered, FutureExt, StreamExt};
use iroh::Endpoint;
use std::slice;
use tokio::time::timeout;

/// A peer, and the connection to it or why there is none.
pub(crate) type Reached<'a> = (&'a Peer, Result<Holder<'a>, Fault>);

/// Connects to one peer after the other; whoever does not answer soon keeps nobody waiting.
pub(crate) struct Reaching<'a> {
    endpoint: &'a Endpoint,
    options: &'a Options,
    /// Those that no connection has been begun to.
    rest: slice::Iter<'a, Peer>,
    connecting: FuturesUnordered<BoxFuture<'a, Reached<'a>>>,
}

impl<'a> Reaching<'a> {
    pub(crate) fn new(endpoint: &'a Endpoint, peers: &'a [Peer], options: &'a Options) -> Self {
        Self {
            endpoint,
            options,
            rest: peers.iter(),
            connecting: FuturesUnordered::new(),
        }
    }

    /// The next peer that is reached or given up; `None` once that was said of all.
    pub(crate) async fn next(&mut self) -> Option<Reached<'a>> {
        self.begin();
        while self.rest.len() > 0 {
            match timeout(self.options.head_start, self.connecting.next()).await {
                Ok(reached) => return reached,
                Err(_) => self.begin(),
            }
        }
        self.connecting.next().await
    }

    /// Begins to connect to the next peer, if there is one.
    fn begin(&mut self) {
        let (endpoint, options) = (self.endpoint, self.options);
        if let Some(peer) = self.rest.next() {
            let connect = async move { (peer, Holder::connect(endpoint, peer, options).await) };
            self.connecting.push(connect.boxed());
        }
    }
}
