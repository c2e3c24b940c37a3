//! The endpoint, and fetching over it.

use crate::{
    fetch::{FetchProgress, Fetched, Job},
    kind::Kind,
    BlobHash, Error, Options, Peer,
};
use iroh::{
    endpoint::{presets, QuicTransportConfig, VarInt},
    Endpoint, RelayMode, SecretKey,
};
use std::{path::Path, time::Duration};

/// Milliseconds without a packet after which a peer counts as gone. A handshake takes no longer, either.
const GONE: u32 = 10_000;
/// The time after which a packet shows that both sides are there: three of them may be lost.
const ALIVE: Duration = Duration::from_secs(3);

/// An endpoint that fetches and does not serve.
#[derive(Clone, Debug)]
pub struct Fetcher {
    endpoint: Endpoint,
    options: Options,
}

impl Fetcher {
    /// Listens. The same `secret` gives the same [`PeerId`](crate::PeerId).
    pub async fn bind(secret: &[u8; 32], options: Options) -> Result<Self, Error> {
        let bound = bind(secret, &options).await;
        let endpoint = bound.map_err(|reason| Error::Bind {
            addresses: options.bind.clone(),
            reason,
        })?;
        Ok(Self { endpoint, options })
    }

    /// Fetches a file of at most `limit` bytes from any of `peers` to `into`, which must not exist yet.
    ///
    /// Every block is verified as it arrives. Verified blocks are kept beside `into` until the file is
    /// complete, so that an interrupted or dropped fetch resumes; then the file is moved to `into` in one
    /// step.
    /// one step.
    pub async fn fetch_file(
        &self,
        hash: BlobHash,
        limit: u64,
        peers: &[Peer],
        into: impl AsRef<Path>,
        progress: impl Fn(FetchProgress) + Send + Sync + 'static,
    ) -> Result<Fetched, Error> {
        self.start(Kind::File, hash, limit, peers, into.as_ref(), progress)
            .await
    }

    /// Fetches a directory as [`fetch_file`](Self::fetch_file) does a file.
    pub async fn fetch_directory(
        &self,
        hash: BlobHash,
        limit: u64,
        peers: &[Peer],
        into: impl AsRef<Path>,
        progress: impl Fn(FetchProgress) + Send + Sync + 'static,
    ) -> Result<Fetched, Error> {
        self.start(Kind::Directory, hash, limit, peers, into.as_ref(), progress)
            .await
    }

    /// Closes all connections.
    pub async fn shutdown(&self) {
        self.endpoint.close().await;
    }

    /// The endpoint, for connections of other protocols.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn start(
        &self,
        kind: Kind,
        hash: BlobHash,
        limit: u64,
        peers: &[Peer],
        into: &Path,
        progress: impl Fn(FetchProgress) + Send + Sync + 'static,
    ) -> Result<Fetched, Error> {
        let job = Job {
            endpoint: self.endpoint.clone(),
            options: self.options.clone(),
            kind,
            hash,
            limit,
            peers: peers.to_vec(),
            progress: Box::new(progress),
        };
        job.start(into.to_owned()).await
    }
}

/// Binds an endpoint that uses no relay and no address lookup.
async fn bind(secret: &[u8; 32], options: &Options) -> Result<Endpoint, String> {
    let transport = QuicTransportConfig::builder()
        .max_idle_timeout(Some(VarInt::from_u32(GONE).into()))
        .keep_alive_interval(ALIVE)
        .default_path_keep_alive_interval(ALIVE)
        .max_concurrent_bidi_streams(options.max_requests.into())
        .max_concurrent_uni_streams(0u32.into())
        .build();
    let mut builder = Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(secret))
        .relay_mode(RelayMode::Disabled)
        .clear_address_lookup()
        .transport_config(transport)
        .clear_ip_transports();
    for address in &options.bind {
        builder = builder
            .bind_addr(*address)
            .map_err(|error| error.to_string())?;
    }
    builder.bind().await.map_err(|error| format!("{error:#}"))
}
