//! What peers and artefacts are known by.

use std::{fmt, net::SocketAddr, str::FromStr};

/// The public key of a peer (Ed25519); a connection proves it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 32]);

/// The BLAKE3 hash of a file, or of the list of names and hashes that a directory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

/// A peer, and where it may be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its public key.
    pub id: PeerId,
    /// Its addresses (UDP); all are tried.
    pub addresses: Vec<SocketAddr>,
}

macro_rules! hexadecimal {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = hex::FromHexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)?;
                Ok(Self(bytes))
            }
        }
    };
}

hexadecimal!(PeerId);
hexadecimal!(BlobHash);

impl From<iroh_blobs::Hash> for BlobHash {
    fn from(hash: iroh_blobs::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl From<BlobHash> for iroh_blobs::Hash {
    fn from(hash: BlobHash) -> Self {
        Self::from_bytes(hash.0)
    }
}
