//! Artefacts (checkpoints, updates, shards) by content hash: shared with peers, and fetched from any of them.
//!
//! The transfer is iroh-blobs over iroh's QUIC: every 16 KiB are checked against the BLAKE3 tree under the
//! hash before they are kept, so a wrong byte costs one block and identifies the peer that sent it. This
//! crate adds what a node on a public ledger needs around it. Only artefacts that were shared explicitly are
//! served, to a bounded number of peers. Connections go only to the addresses given with a request (no relay,
//! no name service, no discovery). A fetch has a size limit, resumes after an interruption, passes to the
//! next holder when one fails or does not answer soon, and reports which peers were asked and what each did.
//!
//! A peer is identified by its public key, which the connection proves; its addresses are hints. A connected
//! peer may announce further addresses of its own, which the transport probes with single packets; nothing is
//! requested there.
//!
//! ```no_run
//! # async fn example(holder: noema_artefacts::Peer) -> Result<(), noema_artefacts::Error> {
//! use noema_artefacts::{Artefacts, Options};
//!
//! let artefacts = Artefacts::open("artefacts", &[7; 32], Options::default()).await?;
//! let hash = artefacts.share_directory("checkpoints/mine").await?;
//! println!("{hash} is served at {:?}", artefacts.addresses());
//! artefacts
//!     .fetcher()
//!     .fetch_directory(hash, 1 << 30, &[holder], "checkpoints/theirs", |_| {})
//!     .await?;
//! artefacts.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod artefacts;
mod ask;
mod endpoint;
mod error;
mod fetch;
mod handshakes;
mod hash;
mod identity;
mod kind;
mod options;
mod reach;
mod serve;
mod staging;

pub use artefacts::{is_shared_from, Artefacts, Protocol};
pub use endpoint::Fetcher;
pub use error::{Asked, Error, PeerFault};
pub use fetch::{FetchProgress, Fetched};
pub use handshakes::network;
pub use hash::{hash_file, hash_files};
pub use identity::{BlobHash, Peer, PeerId};
pub use options::Options;

/// Most files in a shared or fetched directory.
pub const MAX_FILES: usize = 64;
/// Most bytes of a file's name in a directory.
pub const MAX_NAME_BYTES: usize = 255;
