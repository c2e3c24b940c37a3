//! Connecting to peers without waiting for unreachable ones.

use crate::{ask::Holder, Options, Peer, PeerFault};
use futures::{future::BoxFuture, stream::FuturesUnordered, FutureExt, StreamExt};
use iroh::Endpoint;
use std::slice;
use tokio::time::timeout;

/// A peer, and the connection to it or the reason why there is none.
pub(crate) type Reached<'a> = (&'a Peer, Result<Holder<'a>, PeerFault>);

/// Connects to the peers in order; a peer that does not answer soon does not delay the next one.
pub(crate) struct Reaching<'a> {
    endpoint: &'a Endpoint,
    options: &'a Options,
    /// Peers to which no connection has been started.
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

    /// The next peer that was reached or could not be reached; `None` after the last one.
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

    /// Starts to connect to the next peer, if there is one.
    fn begin(&mut self) {
        let (endpoint, options) = (self.endpoint, self.options);
        if let Some(peer) = self.rest.next() {
            let connect = async move { (peer, Holder::connect(endpoint, peer, options).await) };
            self.connecting.push(connect.boxed());
        }
    }
}
