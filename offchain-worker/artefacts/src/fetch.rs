//! Fetching an artefact from any of its holders.

use crate::{
    ask::Holder, kind::Kind, reach::Reaching, staging::Staging, Asked, BlobHash, Error, Options,
    Peer, PeerFault, PeerId,
};
use iroh::Endpoint;
use std::{panic, path::PathBuf};
use tokio::sync::oneshot;

/// The progress of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchProgress {
    /// Bytes that have arrived and are verified.
    pub present: u64,
    /// Bytes in total.
    pub total: u64,
    /// The sending peer.
    pub from: PeerId,
}

/// The result of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The size of the artefact in bytes, including the list of a directory.
    pub bytes: u64,
    /// The bytes that this fetch transferred; the rest was already there.
    pub received: u64,
    /// The peers that sent some of it, in order.
    pub from: Vec<PeerId>,
}

/// A fetch.
pub(crate) struct Job {
    pub(crate) endpoint: Endpoint,
    pub(crate) options: Options,
    pub(crate) kind: Kind,
    pub(crate) hash: BlobHash,
    pub(crate) limit: u64,
    pub(crate) peers: Vec<Peer>,
    pub(crate) progress: Box<dyn Fn(FetchProgress) + Send + Sync>,
}

impl Job {
    /// Fetches to `into`. If the caller drops the fetch, the blocks that arrived are still stored properly.
    pub(crate) async fn start(self, into: PathBuf) -> Result<Fetched, Error> {
        let (_alive, caller_gone) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let staging = Staging::open(&into, self.kind, self.hash).await?;
            let outcome = tokio::select! {
                outcome = self.run(&staging) => outcome,
                _ = caller_gone => Err(Error::Cancelled),
            };
            match outcome {
                Ok(fetched) => staging.deliver().await.map(|()| fetched),
                Err(error) => {
                    staging.suspend().await;
                    Err(error)
                }
            }
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panicked) => panic::resume_unwind(panicked),
                Err(_) => Err(Error::Cancelled),
            },
        }
    }

    /// Asks the peers one by one as they are reached, and repeats this as long as any of them sends
    /// something.
    async fn run(&self, staging: &Staging) -> Result<Fetched, Error> {
        let mut asked = Asked::default();
        let mut fetched = Fetched {
            bytes: 0,
            received: 0,
            from: Vec::new(),
        };
        loop {
            let before = fetched.received;
            let believed = self.peers.iter().filter(|peer| !asked.lied(peer));
            let peers: Vec<_> = believed.cloned().collect();
            let mut reaching = Reaching::new(&self.endpoint, &peers, &self.options);
            while let Some((peer, reached)) = reaching.next().await {
                let answer = match reached {
                    Ok(holder) => self.ask(&holder, peer.id, staging, &mut fetched).await?,
                    Err(fault) => Err(fault),
                };
                match answer {
                    Ok(()) => return Ok(fetched),
                    Err(fault) => {
                        tracing::debug!(%peer, hash = %self.hash, %fault, "a holder failed");
                        asked.record(peer, fault);
                    }
                }
            }
            if fetched.received == before {
                return Err(asked.into_error(self.hash));
            }
        }
    }

    async fn ask(
        &self,
        holder: &Holder<'_>,
        peer: PeerId,
        staging: &Staging,
        fetched: &mut Fetched,
    ) -> Result<Result<(), PeerFault>, Error> {
        let sizes = match holder.sizes(self.kind, self.hash).await {
            Ok(sizes) => sizes,
            Err(fault) => return Ok(Err(fault)),
        };
        let total = sizes.bytes;
        if total > self.limit {
            return Err(Error::TooLarge {
                hash: self.hash,
                bytes: total,
                limit: self.limit,
            });
        }
        let present = staging.present().await?;
        staging.ensure_room(total.saturating_sub(present))?;
        fetched.bytes = total;
        let mut received = 0;
        let transferred = holder
            .transfer(&staging.store, staging.content(), |bytes| {
                received = bytes;
                (self.progress)(FetchProgress {
                    present: present.saturating_add(bytes).min(total),
                    total,
                    from: peer,
                });
            })
            .await;
        fetched.received += received;
        if received > 0 && fetched.from.last() != Some(&peer) {
            fetched.from.push(peer);
        }
        Ok(transferred)
    }
}
