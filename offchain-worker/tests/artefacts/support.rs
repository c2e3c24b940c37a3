//! Machines that share and fetch.

use noema_artefacts::{Artefacts, Peer};
use noema_worker::artefacts;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};
use tempfile::TempDir;

/// A machine with a home and an endpoint.
pub(crate) struct Machine {
    pub(crate) home: TempDir,
    pub(crate) artefacts: Artefacts,
}

impl Machine {
    pub(crate) async fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder for the test");
        let artefacts = endpoint(home.path()).await;
        Self { home, artefacts }
    }

    /// The machine's address for other machines.
    pub(crate) fn peer(&self) -> Peer {
        Peer::new(self.artefacts.peer(), self.artefacts.addresses())
    }
}

pub(crate) async fn endpoint(home: &Path) -> Artefacts {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let opened = artefacts::open(&home.join("artefacts"), here).await;
    opened.expect("an endpoint on the loopback interface")
}
