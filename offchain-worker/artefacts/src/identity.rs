//! The identities of peers and artefacts.

use std::{fmt, net::SocketAddr, str::FromStr};

/// The public key of a peer (Ed25519); a connection proves it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 32]);

/// The BLAKE3 hash of a file, or of the list of names and hashes that stands for a directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

/// Most names of a peer in a message.
const MOST_NAMES: usize = 3;

/// A peer, and the addresses at which it may be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its public key.
    pub id: PeerId,
    /// Its addresses (UDP); all are tried.
    pub addresses: Vec<SocketAddr>,
    /// Its names, such as the accounts of operators; used only in messages.
    pub names: Vec<String>,
}

impl Peer {
    /// A peer without a name.
    pub fn new(id: PeerId, addresses: impl Into<Vec<SocketAddr>>) -> Self {
        Self {
            id,
            addresses: addresses.into(),
            names: Vec::new(),
        }
    }
}

/// The first names, the key and all addresses.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        let place = match addresses.is_empty() {
            true => "without an address".to_owned(),
            false => format!("at {}", addresses.join(", ")),
        };
        let named: Vec<_> = self.names.iter().take(MOST_NAMES).cloned().collect();
        let named = named.join(", ");
        match self.names.len().saturating_sub(MOST_NAMES) {
            _ if named.is_empty() => write!(f, "peer {} {place}", self.id),
            0 => write!(f, "{named} (peer {} {place})", self.id),
            more => write!(f, "{named} and {more} more (peer {} {place})", self.id),
        }
    }
}

impl PeerId {
    /// The id of an endpoint with this secret key.
    pub fn of_secret(secret: &[u8; 32]) -> Self {
        Self(*iroh::SecretKey::from_bytes(secret).public().as_bytes())
    }
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
