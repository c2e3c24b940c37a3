//! Endpoints, files and a peer that sends wrong bytes.

use iroh::{
    endpoint::{presets, Connection},
    protocol::{AcceptError, ProtocolHandler, Router},
    Endpoint, RelayMode, SecretKey,
};
use noema_artefacts::{Artefacts, BlobHash, Options, Peer, PeerId};
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;

/// Most bytes that the tests accept.
pub(crate) const LIMIT: u64 = 1 << 30;

/// An endpoint and its folder.
pub(crate) struct Node {
    pub(crate) artefacts: Artefacts,
    pub(crate) home: TempDir,
}

pub(crate) fn options() -> Options {
    Options {
        // Those that are there answer in time also on a busy machine.
        patience: Duration::from_secs(15),
        ..Options::default()
    }
}

impl Node {
    pub(crate) async fn start(number: u8) -> Self {
        Self::start_with(number, options()).await
    }

    pub(crate) async fn start_with(number: u8, options: Options) -> Self {
        let home = tempfile::tempdir().expect("a folder for the test");
        let artefacts = open(home.path(), number, options).await;
        Self { artefacts, home }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file of this node and shares it.
    pub(crate) async fn share_file(&self, name: &str, seed: u64, length: usize) -> BlobHash {
        write(&self.path(name), seed, length);
        let shared = self.artefacts.share(self.path(name)).await;
        shared.expect("a file that was just written can be shared")
    }

    /// The node's address for other nodes.
    pub(crate) fn peer(&self) -> Peer {
        Peer::new(self.artefacts.peer(), self.artefacts.addresses())
    }
}

pub(crate) async fn open(home: &Path, number: u8, options: Options) -> Artefacts {
    let opened = Artefacts::open(home.join("artefacts"), &[number; 32], options).await;
    opened.expect("an endpoint on the loopback interface")
}

/// Bytes that depend on the seed.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8))
        .flat_map(|_| next())
        .take(length)
        .collect()
}

pub(crate) fn write(path: &Path, seed: u64, length: usize) {
    fs::write(path, bytes(seed, length)).expect("the test's folder can be written");
}

/// A folder like a checkpoint: one large file and two small ones.
pub(crate) fn checkpoint(path: &Path, seed: u64, length: usize) {
    fs::create_dir(path).expect("the test's folder can be written");
    write(&path.join("weights.tiles"), seed, length);
    write(&path.join("manifest.bin"), seed + 1, 300);
    write(&path.join("tokenizer.json"), seed + 2, 40_000);
}

pub(crate) fn assert_same(left: &Path, right: &Path) {
    let names = |path: &Path| {
        let mut names: Vec<_> = fs::read_dir(path)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(left), names(right));
    for name in names(left) {
        let read = |folder: &Path| fs::read(folder.join(&name)).expect("a file");
        assert!(read(left) == read(right), "{name:?} differs");
    }
}

/// A peer that answers every request with wrong bytes.
pub(crate) struct Liar {
    router: Router,
}

impl Liar {
    pub(crate) async fn start(number: u8) -> Self {
        let endpoint = Endpoint::builder(presets::Minimal)
            .secret_key(SecretKey::from_bytes(&[number; 32]))
            .relay_mode(RelayMode::Disabled)
            .clear_ip_transports()
            .bind_addr("127.0.0.1:0")
            .expect("an address")
            .bind()
            .await
            .expect("an endpoint on the loopback interface");
        let router = Router::builder(endpoint)
            .accept(iroh_blobs::ALPN, Lie)
            .spawn();
        Self { router }
    }

    pub(crate) fn peer(&self) -> Peer {
        let endpoint = self.router.endpoint();
        Peer::new(PeerId(*endpoint.id().as_bytes()), endpoint.bound_sockets())
    }
}

#[derive(Debug)]
struct Lie;

impl ProtocolHandler for Lie {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            let _request = receive.read_to_end(1 << 20).await;
            // A plausible size, then bytes that match no hash.
            let mut answer = 96u64.to_le_bytes().to_vec();
            answer.extend(bytes(99, 4_096));
            let _gone = send.write_all(&answer).await;
            let _gone = send.finish();
        }
        Ok(())
    }
}
