//! What can go wrong, and who did it.

use crate::{BlobHash, Peer, MAX_FILES, MAX_NAME_BYTES};
use std::{fmt, io, net::SocketAddr, path::PathBuf};

/// Why an artefact is neither shared nor fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint does not start.
    #[error("cannot listen on {addresses:?} (UDP): {reason}")]
    Bind {
        /// Where it should have listened.
        addresses: Vec<SocketAddr>,
        /// What the system says.
        reason: String,
    },
    /// The store of shared artefacts refuses.
    #[error("the artefact store in {path} failed: {reason}; see that the folder can be written and that the disk has room, or else remove it: it holds nothing that cannot be shared or fetched again")]
    Store {
        /// The store's folder.
        path: PathBuf,
        /// What it says.
        reason: String,
    },
    /// Another process shares over the same store.
    #[error("another process shares files from {path}; stop that one, or use another folder")]
    InUse {
        /// The store's folder.
        path: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no room for the artefact.
    #[error(
        "{path} has {free} bytes free, and {needed} are needed: make room or choose another disk"
    )]
    DiskFull {
        /// Where the artefact goes.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        free: u64,
    },
    /// The folder is nothing that can be shared.
    #[error("{path} cannot be shared: {reason}; a folder of at most {MAX_FILES} files, each with a plain name of at most {MAX_NAME_BYTES} bytes, can")]
    NotShareable {
        /// The folder.
        path: PathBuf,
        /// What is in the way.
        reason: String,
    },
    /// The hash names something other than a directory with plain names.
    #[error("{hash} is no directory that can be kept: {reason}; whoever announced it announced the wrong hash")]
    Malformed {
        /// The hash.
        hash: BlobHash,
        /// What is wrong.
        reason: String,
    },
    /// The artefact exceeds the limit.
    #[error("{hash} has {bytes} bytes and at most {limit} are accepted")]
    TooLarge {
        /// The artefact.
        hash: BlobHash,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Peers were reached, and none gave the artefact.
    #[error("no holder of {hash} is left: {asked}")]
    NoHolder {
        /// The artefact.
        hash: BlobHash,
        /// Who was asked.
        asked: Asked,
    },
    /// No peer was reached.
    #[error("none of the holders of {hash} can be reached: {asked}; see that UDP is let through and that they run")]
    NotConnected {
        /// The artefact.
        hash: BlobHash,
        /// Who was asked.
        asked: Asked,
    },
    /// The only peers that answered sent something else.
    #[error("{hash} was only offered with wrong bytes: {asked}; nothing of them was kept")]
    Corrupt {
        /// The artefact.
        hash: BlobHash,
        /// Who was asked.
        asked: Asked,
    },
    /// Something is already where the artefact should go.
    #[error("{path} already exists")]
    Exists {
        /// Where the artefact should go.
        path: PathBuf,
    },
    /// Another fetch to the same place is under way.
    #[error("another fetch to {path} is under way")]
    Busy {
        /// Where the artefact should go.
        path: PathBuf,
    },
    /// The fetch was given up.
    #[error("the fetch was given up; what arrived is kept for the next try")]
    Cancelled,
}

impl Error {
    /// Whether those who were asked are to blame, and not this machine: asking others, or later, may
    /// help.
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

    /// Whether the same peers may give it later: they were not reached, or could not give it now.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NoHolder { .. } | Self::NotConnected { .. })
    }
}

/// Who was asked, and what each did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked(pub Vec<(Peer, Fault)>);

/// Why a peer did not give an artefact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection.
    #[error("not reached ({0})")]
    Unreachable(String),
    /// It does not share the artefact.
    #[error("does not share it")]
    NotShared,
    /// It has something else under the hash.
    #[error("says that it is no directory of at most {MAX_FILES} files")]
    NotADirectory,
    /// It serves as many peers as it will.
    #[error("is busy")]
    Busy,
    /// It sent bytes that do not match the hash.
    #[error("sent wrong bytes")]
    Corrupt,
    /// It stopped in the middle.
    #[error("broke off ({0})")]
    BrokeOff(String),
    /// It sent too little in the time it has.
    #[error("is too slow")]
    Slow,
}

impl Asked {
    /// Records what a peer did last.
    pub(crate) fn record(&mut self, peer: &Peer, fault: Fault) {
        match self.0.iter_mut().find(|(other, _)| other == peer) {
            Some((_, last)) => *last = fault,
            None => self.0.push((peer.clone(), fault)),
        }
    }

    /// Whether a peer sent something else than it was asked for.
    pub(crate) fn lied(&self, peer: &Peer) -> bool {
        let mut faults = self.0.iter().filter(|(other, _)| other.id == peer.id);
        faults.any(|(_, fault)| *fault == Fault::Corrupt)
    }

    /// The error that a fetch without result ends with.
    pub(crate) fn into_error(self, hash: BlobHash) -> Error {
        let unreachable = |fault: &Fault| matches!(fault, Fault::Unreachable(_));
        let reached = self
            .0
            .iter()
            .map(|(_, fault)| fault)
            .filter(|fault| !unreachable(fault));
        let (reached, corrupt) = reached.fold((0, 0), |(all, corrupt), fault| {
            (all + 1, corrupt + usize::from(*fault == Fault::Corrupt))
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
            return f.write_str("nobody was known to hold it");
        }
        for (index, (peer, fault)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{peer} {fault}")?;
        }
        Ok(())
    }
}
