//! Errors, and which peer caused them.

use crate::{BlobHash, Peer, MAX_FILES, MAX_NAME_BYTES};
use std::{fmt, io, net::SocketAddr, path::PathBuf};

/// Why an artefact is not shared or not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint did not start.
    #[error("cannot listen on {addresses:?} (UDP): {reason}")]
    Bind {
        /// The addresses it should have listened on.
        addresses: Vec<SocketAddr>,
        /// The system's message.
        reason: String,
    },
    /// The store of shared artefacts failed.
    #[error("the artefact store in {path} failed: {reason}; check that the folder is writable and that the disk has room, or remove it: all it holds can be shared or fetched again")]
    Store {
        /// The store's folder.
        path: PathBuf,
        /// The store's message.
        reason: String,
    },
    /// Another process shares over the same store.
    #[error("another process shares files from {path}; stop that process, or use another folder")]
    InUse {
        /// The store's folder.
        path: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
    /// The disk has no room for the artefact.
    #[error(
        "{path} has {free} bytes free, but {needed} are needed; make room or choose another disk"
    )]
    DiskFull {
        /// The artefact's destination.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The folder cannot be shared.
    #[error("{path} cannot be shared: {reason}; a folder must have at most {MAX_FILES} files, each with a plain name of at most {MAX_NAME_BYTES} bytes")]
    NotShareable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The hash names something other than a directory with plain names.
    #[error("{hash} is not a directory that can be stored: {reason}; its holder announced the wrong hash")]
    Malformed {
        /// The hash.
        hash: BlobHash,
        /// Why it cannot be stored.
        reason: String,
    },
    /// The artefact exceeds the limit.
    #[error("{hash} has {bytes} bytes, but at most {limit} are accepted")]
    TooLarge {
        /// The artefact.
        hash: BlobHash,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Peers were reached, and none sent the artefact.
    #[error("no holder of {hash} is left: {asked}")]
    NoHolder {
        /// The artefact.
        hash: BlobHash,
        /// The peers asked.
        asked: Asked,
    },
    /// No peer was reached.
    #[error("none of the holders of {hash} can be reached: {asked}; check that they run and that no firewall blocks UDP")]
    NotConnected {
        /// The artefact.
        hash: BlobHash,
        /// The peers asked.
        asked: Asked,
    },
    /// The only peers that sent anything sent wrong bytes.
    #[error("only wrong bytes were received for {hash}: {asked}; none of them were kept")]
    Corrupt {
        /// The artefact.
        hash: BlobHash,
        /// The peers asked.
        asked: Asked,
    },
    /// The destination already exists.
    #[error("{path} already exists")]
    Exists {
        /// The artefact's destination.
        path: PathBuf,
    },
    /// Another fetch to the same destination is under way.
    #[error("another fetch to {path} is under way")]
    Busy {
        /// The artefact's destination.
        path: PathBuf,
    },
    /// The fetch was cancelled.
    #[error("the fetch was cancelled; verified blocks are kept for the next try")]
    Cancelled,
}

impl Error {
    /// Whether the peers asked are the cause, and not this machine: asking others, or later, may help.
    pub fn is_of_peers(&self) -> bool {
        matches!(
            self,
            Self::NoHolder { .. }
                | Self::NotConnected { .. }
                | Self::Corrupt { .. }
                | Self::Malformed { .. }
                | Self::TooLarge { .. }
        )
    }

    /// Whether the same peers may send it later: they were not reached, or could not send it now.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NoHolder { .. } | Self::NotConnected { .. })
    }
}

/// The peers asked, and the last fault of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked(pub Vec<(Peer, PeerFault)>);

/// Why a peer did not send an artefact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerFault {
    /// No connection.
    #[error("not reached ({0})")]
    Unreachable(String),
    /// It does not share the artefact.
    #[error("does not share it")]
    NotShared,
    /// It has something else under this hash.
    #[error("says that it is not a directory of at most {MAX_FILES} files")]
    NotADirectory,
    /// It already serves as many peers as it allows.
    #[error("is busy")]
    Busy,
    /// It sent bytes that do not match the hash.
    #[error("sent wrong bytes")]
    Corrupt,
    /// It closed the connection before the end.
    #[error("broke off ({0})")]
    BrokeOff(String),
    /// It sent too little within its time.
    #[error("is too slow")]
    Slow,
}

impl Asked {
    /// Records the last fault of a peer.
    pub(crate) fn record(&mut self, peer: &Peer, fault: PeerFault) {
        match self.0.iter_mut().find(|(other, _)| other == peer) {
            Some((_, last)) => *last = fault,
            None => self.0.push((peer.clone(), fault)),
        }
    }

    /// Whether a peer sent something other than what was requested.
    pub(crate) fn lied(&self, peer: &Peer) -> bool {
        let mut faults = self.0.iter().filter(|(other, _)| other.id == peer.id);
        faults.any(|(_, fault)| *fault == PeerFault::Corrupt)
    }

    /// The error of a fetch without a result.
    pub(crate) fn into_error(self, hash: BlobHash) -> Error {
        let unreachable = |fault: &PeerFault| matches!(fault, PeerFault::Unreachable(_));
        let reached = self
            .0
            .iter()
            .map(|(_, fault)| fault)
            .filter(|fault| !unreachable(fault));
        let (reached, corrupt) = reached.fold((0, 0), |(all, corrupt), fault| {
            (all + 1, corrupt + usize::from(*fault == PeerFault::Corrupt))
        });
        match (self.0.is_empty(), reached, corrupt) {
            (false, 0, _) => Error::NotConnected { hash, asked: self },
            (_, reached, corrupt) if reached > 0 && reached == corrupt => {
                Error::Corrupt { hash, asked: self }
            }
            _ => Error::NoHolder { hash, asked: self },
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no holder is known");
        }
        for (index, (peer, fault)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{peer} {fault}")?;
        }
        Ok(())
    }
}
