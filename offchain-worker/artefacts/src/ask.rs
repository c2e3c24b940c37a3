//! One connection to one peer.

use crate::{kind::Kind, BlobHash, Options, Peer, PeerFault, MAX_FILES, MAX_NAME_BYTES};
use futures::StreamExt;
use iroh::{endpoint::Connection, Endpoint, EndpointAddr, PublicKey, TransportAddr};
use iroh_blobs::{
    api::{remote::GetProgressItem, Store},
    get::{
        fsm::{AtBlobHeaderNextError, DecodeError},
        request::{get_hash_seq_and_sizes, get_verified_size},
        GetError, GetResult,
    },
    protocol::{ERR_LIMIT, ERR_PERMISSION},
    HashAndFormat,
};
use std::pin::pin;
use tokio::time::{timeout, timeout_at, Instant};

/// Most bytes of the list of a directory: one hash for each file and one for their names.
const MAX_LIST_BYTES: u64 = 32 * (MAX_FILES as u64 + 1);
/// Most bytes that a killed fetch loses; [`Holder::transfer`] describes how the store works.
const RECORDED_EVERY: u64 = 1 << 20;
/// Most bytes of the names of a directory, with their lengths.
const MAX_NAMES_BYTES: u64 = 32 + MAX_FILES as u64 * (MAX_NAME_BYTES as u64 + 2);

/// A peer that accepted the connection.
pub(crate) struct Holder<'a> {
    connection: Connection,
    options: &'a Options,
}

/// Sizes, as proven by the last block of each file.
pub(crate) struct Sizes {
    /// The sum over all files, including the list and the names of a directory.
    pub(crate) bytes: u64,
}

impl<'a> Holder<'a> {
    /// Connects to a peer at one of its addresses.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        peer: &Peer,
        options: &'a Options,
    ) -> Result<Self, PeerFault> {
        let id = PublicKey::from_bytes(&peer.id.0)
            .map_err(|_| PeerFault::Unreachable("its id is not a public key".to_owned()))?;
        let addresses = peer.addresses.iter().copied().map(TransportAddr::Ip);
        let address = EndpointAddr::from_parts(id, addresses);
        let connecting = endpoint.connect(address, iroh_blobs::ALPN);
        match timeout(options.patience, connecting).await {
            Ok(Ok(connection)) => Ok(Self {
                connection,
                options,
            }),
            Ok(Err(error)) => Err(PeerFault::Unreachable(format!("{error:#}"))),
            Err(_) => Err(PeerFault::Unreachable("no answer".to_owned())),
        }
    }

    /// Asks how large an artefact is.
    pub(crate) async fn sizes(&self, kind: Kind, hash: BlobHash) -> Result<Sizes, PeerFault> {
        let hash = hash.into();
        match kind {
            Kind::File => {
                let (bytes, _) = self
                    .answer(get_verified_size(&self.connection, &hash))
                    .await?;
                Ok(Sizes { bytes })
            }
            Kind::Directory => {
                // Check the length first: a peer that is asked for the entries of a file that is not a list
                // breaks off, and what it sent before may be lost.
                let asked = get_verified_size(&self.connection, &hash);
                let (list, _) = self.answer(asked).await?;
                if list == 0 || list % 32 != 0 || list > MAX_LIST_BYTES {
                    return Err(PeerFault::NotADirectory);
                }
                let asked = get_hash_seq_and_sizes(&self.connection, &hash, MAX_LIST_BYTES, None);
                let (list, sizes) = self.answer(asked).await?;
                if sizes.first().is_none_or(|names| *names > MAX_NAMES_BYTES) {
                    return Err(PeerFault::NotADirectory);
                }
                let files = sizes.iter().copied().fold(0, u64::saturating_add);
                let list = 32 * list.len() as u64;
                Ok(Sizes {
                    bytes: files.saturating_add(list),
                })
            }
        }
    }

    /// Transfers from the peer what `store` lacks of `content`; `progress` gets the number of bytes of it
    /// that have arrived.
    ///
    /// The store writes blocks when they arrive, but its record of a file only from half a second after the
    /// start of that file. Blocks of a file without a record are ignored when the store is opened again. So
    /// the transfer regularly makes the store write its records, which takes no time if there is nothing to
    /// write.
    pub(crate) async fn transfer(
        &self,
        store: &Store,
        content: HashAndFormat,
        mut progress: impl FnMut(u64),
    ) -> Result<(), PeerFault> {
        let stream = store
            .remote()
            .fetch(self.connection.clone(), content)
            .stream();
        let mut stream = pin!(stream);
        let mut window = Window::new(self.options);
        let mut recorded = 0;
        loop {
            let Ok(item) = timeout_at(window.end, stream.next()).await else {
                window.next(self.options)?;
                continue;
            };
            match item {
                Some(GetProgressItem::Progress(bytes)) => {
                    window.bytes = bytes;
                    if bytes.saturating_sub(recorded) >= RECORDED_EVERY {
                        recorded = bytes;
                        // If the store does not work, its next read or write fails.
                        if let Err(error) = store.sync_db().await {
                            tracing::debug!(%error, "cannot record the blocks that arrived");
                        }
                    }
                    progress(bytes);
                }
                Some(GetProgressItem::Done(_)) => return Ok(()),
                Some(GetProgressItem::Error(error)) => return Err(self.fault(&error)),
                None => return Err(PeerFault::BrokeOff("the stream ended early".to_owned())),
            }
        }
    }

    async fn answer<R>(&self, asked: impl Future<Output = GetResult<R>>) -> Result<R, PeerFault> {
        match timeout(self.options.patience, asked).await {
            Ok(answer) => answer.map_err(|error| self.fault(&error)),
            Err(_) => Err(PeerFault::Slow),
        }
    }

    fn fault(&self, error: &GetError) -> PeerFault {
        let code = error.iroh_error_code().or_else(|| self.closed_with());
        match error {
            _ if code == Some(ERR_PERMISSION) => PeerFault::NotShared,
            _ if code == Some(ERR_LIMIT) => PeerFault::Busy,
            GetError::AtBlobHeaderNext {
                source: AtBlobHeaderNextError::NotFound { .. },
                ..
            } => PeerFault::NotShared,
            GetError::Decode {
                source:
                    DecodeError::ParentHashMismatch { .. } | DecodeError::LeafHashMismatch { .. },
                ..
            } => PeerFault::Corrupt,
            GetError::BadRequest { .. } => PeerFault::NotADirectory,
            _ => PeerFault::BrokeOff(format!("{error:#}")),
        }
    }

    fn closed_with(&self) -> Option<iroh::endpoint::VarInt> {
        match self.connection.close_reason()? {
            iroh::endpoint::ConnectionError::ApplicationClosed(closed) => Some(closed.error_code),
            _ => None,
        }
    }
}

impl Drop for Holder<'_> {
    fn drop(&mut self) {
        self.connection.close(0u32.into(), b"done");
    }
}

/// The time within which a peer has to send something.
struct Window {
    end: Instant,
    begun_with: u64,
    bytes: u64,
}

impl Window {
    fn new(options: &Options) -> Self {
        Self {
            end: Instant::now() + options.patience,
            begun_with: 0,
            bytes: 0,
        }
    }

    fn next(&mut self, options: &Options) -> Result<(), PeerFault> {
        if self.bytes - self.begun_with < options.least_bytes {
            return Err(PeerFault::Slow);
        }
        self.begun_with = self.bytes;
        self.end = Instant::now() + options.patience;
        Ok(())
    }
}
