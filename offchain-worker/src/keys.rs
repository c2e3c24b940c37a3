//! Keys and key files.
//!
//! A hot key only signs duties: the chain does not let it move funds. It is an sr25519 key, stored as a
//! phrase, a seed or a derivation path in a file that only its owner may read. Controllers, which hold the
//! funds, sign with the same code when an operator registers; so do requesters.

use crate::chain::types::WireSignature;
use crate::store::AccountBytes;
use noema_protocol::hashing;
use noema_session_transport::{Sign, SignatureBytes};
use sp_core::H256;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use subxt::config::substrate::AccountId32;
use subxt_signer::bip39::Mnemonic;
use subxt_signer::sr25519::Keypair;
use subxt_signer::SecretUri;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot {action} the key file {path}: {source}")]
    File {
        /// The operation that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Other users may read the file.
    #[error("other users may read the key file {0}; make it private with: chmod 600 {0}")]
    NotPrivate(PathBuf),
    /// A new key would overwrite a file.
    #[error("{0} exists already; move it away first: a key that is overwritten is lost")]
    Exists(PathBuf),
    /// The source is neither a file nor a development key.
    #[error("`{0}` is neither a key file nor a development key such as //Alice//worker; make a key with: noema-worker key generate <FILE>")]
    Unknown(String),
    /// The secret cannot be read.
    #[error("the secret in {from} is not a phrase, a 0x seed or a derivation path: {reason}")]
    Secret {
        /// The source of the secret.
        from: String,
        /// The parser's error.
        reason: String,
    },
    /// An address cannot be read.
    #[error("`{0}` is not an address: expected SS58 such as 5GrwvaEF…, 32 bytes as 0x…, or a development key such as //Alice")]
    Address(String),
    /// The system has no randomness.
    #[error("the system provides no randomness for a key: {0}")]
    NoRandomness(getrandom::Error),
}

/// A key pair that can sign for an account.
#[derive(Clone)]
pub struct Key {
    pair: Keypair,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.address())
    }
}

impl Key {
    /// Reads a key from `source`: the path of a key file, or a development key that begins with
    /// `//`. Secrets of any other form belong in a file, where other users cannot see them.
    pub fn load(source: &str) -> Result<Self, KeyError> {
        let path = Path::new(source);
        if source.starts_with("//") {
            Self::from_secret(source, "the command line")
        } else if path.exists() {
            Self::from_file(path)
        } else {
            Err(KeyError::Unknown(source.to_owned()))
        }
    }

    /// Reads a key file.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let file = |action, source| KeyError::File {
            action,
            path: path.to_owned(),
            source,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let metadata = std::fs::metadata(path).map_err(|error| file("read", error))?;
            if metadata.permissions().mode() & 0o077 != 0 {
                return Err(KeyError::NotPrivate(path.to_owned()));
            }
        }
        let secret = std::fs::read_to_string(path).map_err(|error| file("read", error))?;
        Self::from_secret(secret.trim(), &path.display().to_string())
    }

    fn from_secret(secret: &str, from: &str) -> Result<Self, KeyError> {
        let refused = |reason: String| KeyError::Secret {
            from: from.to_owned(),
            reason,
        };
        let uri = SecretUri::from_str(secret).map_err(|error| refused(error.to_string()))?;
        let pair = Keypair::from_uri(&uri).map_err(|error| refused(error.to_string()))?;
        Ok(Self { pair })
    }

    /// Generates a key with a random phrase of twelve words and writes the phrase to a new file that
    /// only its owner may read.
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let mut entropy = [0u8; 16];
        getrandom::fill(&mut entropy).map_err(KeyError::NoRandomness)?;
        let phrase = Mnemonic::from_entropy(&entropy)
            .map_err(|error| KeyError::Secret {
                from: "fresh randomness".into(),
                reason: error.to_string(),
            })?
            .to_string();
        let key = Self::from_secret(&phrase, "fresh randomness")?;
        let file = |source| KeyError::File {
            action: "write",
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut handle = options.open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => file(error),
        })?;
        writeln!(handle, "{phrase}").map_err(file)?;
        handle.sync_all().map_err(file)?;
        Ok(key)
    }

    /// The account that the key signs for.
    pub fn account(&self) -> AccountBytes {
        self.pair.public_key().0
    }

    /// The account's address.
    pub fn address(&self) -> String {
        address(&self.account())
    }

    /// Proves to the chain with this `genesis` that this hot key submits for `controller`.
    pub fn possession(&self, genesis: H256, controller: &AccountBytes) -> WireSignature {
        let payload = hashing::possession_payload(genesis, controller);
        WireSignature::Sr25519(self.pair.sign(payload.as_bytes()).0)
    }

    /// The pair, for signing.
    pub fn pair(&self) -> &Keypair {
        &self.pair
    }
}

impl Sign for Key {
    fn account(&self) -> AccountBytes {
        self.pair.public_key().0
    }

    fn sign(&self, payload: &H256) -> SignatureBytes {
        self.pair.sign(payload.as_bytes()).0
    }
}

/// The SS58 address of an account, with the prefix that the development chain uses (42).
pub fn address(account: &AccountBytes) -> String {
    AccountId32(*account).to_string()
}

/// An account from its address, its 32 bytes as hexadecimal, or the development key behind it.
pub fn parse_account(text: &str) -> Result<AccountBytes, KeyError> {
    if text.starts_with("//") {
        return Key::load(text).map(|key| key.account());
    }
    if let Some(digits) = text.strip_prefix("0x") {
        let bytes = hex::decode(digits).map_err(|_| KeyError::Address(text.to_owned()))?;
        return bytes
            .try_into()
            .map_err(|_| KeyError::Address(text.to_owned()));
    }
    AccountId32::from_str(text)
        .map(|account| account.0)
        .map_err(|_| KeyError::Address(text.to_owned()))
}

/// An account from its key, or from its address if the key is not on this machine.
pub fn load_account(source: &str) -> Result<AccountBytes, KeyError> {
    match Key::load(source) {
        Err(KeyError::Unknown(_)) => parse_account(source),
        key => key.map(|key| key.account()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn development_keys_are_the_well_known_ones() {
        assert_eq!(Key::load("//Alice").expect("a key").address(), ALICE);
        assert_eq!(
            parse_account(ALICE).expect("an account"),
            parse_account("//Alice").expect("an account")
        );
    }

    #[test]
    fn a_generated_key_is_read_back_from_its_private_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys/worker");
        let made = Key::generate(&path).expect("a key");
        let read = Key::from_file(&path).expect("the same key");
        assert_eq!(made.account(), read.account());
        assert!(matches!(Key::generate(&path), Err(KeyError::Exists(_))));
    }

    #[test]
    fn an_account_is_found_by_its_key_file_or_its_address() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        let made = Key::generate(&path).expect("a key");
        let by = |source: &str| load_account(source).expect("an account");
        assert_eq!(by(&path.display().to_string()), made.account());
        assert_eq!(by(&made.address()), made.account());
        assert!(matches!(load_account("nobody"), Err(KeyError::Address(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("worker");
        Key::generate(&path).expect("a key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(
            Key::from_file(&path),
            Err(KeyError::NotPrivate(_))
        ));
    }

    #[test]
    fn what_is_no_key_is_named() {
        assert!(matches!(Key::load("alice"), Err(KeyError::Unknown(_))));
        assert!(matches!(parse_account("0x12"), Err(KeyError::Address(_))));
        assert!(matches!(parse_account("5Grwva"), Err(KeyError::Address(_))));
    }
}
