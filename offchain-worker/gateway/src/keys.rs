//! Bearer keys, each with a budget and a rate, from a file.
//!
//! The file holds the hash of each key, not the key. Programs that make and revoke keys write it; the gateway reads it
//! again when it has changed. What the keys have spent is in a second file beside it, which only the gateway writes,
//! together with what is reserved for answers in progress: before a key with a budget pays for one, every few seconds,
//! and at the end. After a crash, what was reserved counts as spent; less is never counted than was spent.

use crate::{Purse, SourceFault};
use async_trait::async_trait;
use noema_economics::Balance;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What every key begins with.
const PREFIX: &str = "noema-";
/// The time over which a rate counts.
const MINUTE: Duration = Duration::from_secs(60);
/// How often the file of the keys is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Why the keys cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BearerKeyError {
    /// The file cannot be read or written.
    #[error("the file of the bearer keys {path} cannot be accessed: {source}; check the folder and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not one of keys.
    #[error("{path} is no file of bearer keys: {reason}; restore it, or make the keys again in another file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A key has this name already.
    #[error("a bearer key is called {0} already; choose another name, or revoke it first")]
    Exists(String),
    /// No key has this name.
    #[error("no bearer key is called {0}; list them with: noema-worker gateway key list")]
    Unknown(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness for a key: {0}")]
    NoRandomness(getrandom::Error),
}

/// A bearer key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BearerKey {
    /// Its name, for the command line.
    pub name: String,
    /// BLAKE3 of the key, in hexadecimal digits.
    pub hash: String,
    /// The most that its answers cost together, in the smallest unit; `None` without limit.
    #[serde(default, with = "amount")]
    pub budget: Option<Balance>,
    /// The most calls in a minute; `None` without limit.
    #[serde(default)]
    pub rate: Option<u32>,
}

/// Amounts as texts: not every reader of JSON has integers of 128 bits.
mod amount {
    use noema_economics::Balance;
    use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        amount: &Option<Balance>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        amount
            .map(|amount| amount.to_string())
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Balance>, D::Error> {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

#[derive(Default, Serialize, Deserialize)]
struct KeyFile {
    keys: Vec<BearerKey>,
}

/// Makes a key, and adds its hash to the file at `path`, which is created if need be. Returns the key, which is stored
/// nowhere.
///
/// # Errors
/// When a key has this name already, or the file cannot be written.
pub fn make_key(
    path: &Path,
    name: &str,
    budget: Option<Balance>,
    rate: Option<u32>,
) -> Result<String, BearerKeyError> {
    let mut file = read(path)?;
    if file.keys.iter().any(|key| key.name == name) {
        return Err(BearerKeyError::Exists(name.to_owned()));
    }
    let mut secret = [0; 24];
    getrandom::fill(&mut secret).map_err(BearerKeyError::NoRandomness)?;
    let key = format!("{PREFIX}{}", hex::encode(secret));
    file.keys.push(BearerKey {
        name: name.to_owned(),
        hash: hash(&key),
        budget,
        rate,
    });
    write(path, &file)?;
    Ok(key)
}

/// Removes the key with this name from the file at `path`.
///
/// # Errors
/// When there is none, or the file cannot be written.
pub fn revoke_key(path: &Path, name: &str) -> Result<(), BearerKeyError> {
    let mut file = read(path)?;
    let before = file.keys.len();
    file.keys.retain(|key| key.name != name);
    if file.keys.len() == before {
        return Err(BearerKeyError::Unknown(name.to_owned()));
    }
    write(path, &file)
}

/// The keys in the file at `path`, and what each has spent, or has reserved for answers in progress.
///
/// # Errors
/// When the file cannot be read.
pub fn list_keys(path: &Path) -> Result<Vec<(BearerKey, Balance)>, BearerKeyError> {
    let spent = read_spent(&spent_path(path))?;
    let keys = read(path)?.keys.into_iter();
    Ok(keys
        .map(|key| {
            let spent = spent.get(&key.hash).copied().unwrap_or_default();
            (key, spent)
        })
        .collect())
}

/// Why a key may not call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRefusal {
    /// It is not in the file.
    Unknown,
    /// It has called too often; it may call again after this many seconds.
    Rate(u64),
    /// Its budget does not cover the call.
    Budget,
}

/// The keys of a running gateway.
#[derive(Debug)]
pub struct BearerKeys {
    path: PathBuf,
    state: Mutex<State>,
    /// Held while what was spent is written: one that waits finds it written.
    writing: Mutex<()>,
}

/// The budget of one key.
pub(crate) struct KeyPurse {
    keys: Arc<BearerKeys>,
    /// The hash of the key.
    key: String,
}

#[async_trait]
impl Purse for KeyPurse {
    async fn reserve(&self, amount: Balance) -> Result<(), SourceFault> {
        let is_limited = self.keys.reserve(&self.key, amount);
        if !is_limited.map_err(|_| SourceFault::KeyBudget)? {
            return Ok(());
        }
        let keys = self.keys.clone();
        let reason = match tokio::task::spawn_blocking(move || keys.save()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(%reason, "what a key may spend cannot be stored; its call is refused");
        self.keys.settle(&self.key, amount, 0);
        Err(SourceFault::Store("what keys have spent".to_owned()))
    }

    fn settle(&self, reserved: Balance, price: Balance) {
        self.keys.settle(&self.key, reserved, price);
    }
}

#[derive(Debug)]
struct State {
    keys: HashMap<String, BearerKey>,
    /// When the file was changed last, as of the last look.
    changed: Option<SystemTime>,
    looked: Instant,
    /// What each key has spent, by its hash.
    spent: BTreeMap<String, Balance>,
    /// What calls in progress may cost, by the hash of their key.
    reserved: HashMap<String, Balance>,
    /// The times of the calls in the last minute.
    calls: HashMap<String, VecDeque<Instant>>,
    is_dirty: bool,
}

impl BearerKeys {
    /// Reads the keys in the file at `path`, and what they have spent.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn open(path: &Path) -> Result<Arc<Self>, BearerKeyError> {
        let state = State {
            keys: by_hash(read(path)?),
            changed: changed(path),
            looked: Instant::now(),
            spent: read_spent(&spent_path(path))?,
            reserved: HashMap::new(),
            calls: HashMap::new(),
            is_dirty: false,
        };
        Ok(Arc::new(Self {
            path: path.to_owned(),
            state: Mutex::new(state),
            writing: Mutex::default(),
        }))
    }

    /// The hash of this key.
    pub(crate) fn find(&self, key: &str) -> Result<String, KeyRefusal> {
        let mut state = self.state();
        self.look(&mut state);
        let hash = hash(key);
        match state.keys.contains_key(&hash) {
            true => Ok(hash),
            false => Err(KeyRefusal::Unknown),
        }
    }

    /// Counts a call with this key. Returns the hash of the key.
    pub(crate) fn call(&self, key: &str) -> Result<String, KeyRefusal> {
        let mut state = self.state();
        self.look(&mut state);
        let hash = hash(key);
        let found = state.keys.get(&hash).ok_or(KeyRefusal::Unknown)?;
        let Some(rate) = found.rate else {
            return Ok(hash);
        };
        let now = Instant::now();
        let calls = state.calls.entry(hash.clone()).or_default();
        while calls
            .front()
            .is_some_and(|call| now.duration_since(*call) >= MINUTE)
        {
            calls.pop_front();
        }
        if calls.len() >= rate as usize {
            let oldest = calls.front().map(|call| now.duration_since(*call));
            let wait = MINUTE.saturating_sub(oldest.unwrap_or_default());
            return Err(KeyRefusal::Rate(wait.as_secs().saturating_add(1)));
        }
        calls.push_back(now);
        Ok(hash)
    }

    /// The budget of the key with this hash.
    pub(crate) fn purse(self: &Arc<Self>, hash: &str) -> Arc<KeyPurse> {
        Arc::new(KeyPurse {
            keys: self.clone(),
            key: hash.to_owned(),
        })
    }

    /// Reserves an amount for the key with this hash. Returns whether the key has a budget.
    fn reserve(&self, hash: &str, amount: Balance) -> Result<bool, KeyRefusal> {
        let mut state = self.state();
        let found = state.keys.get(hash).ok_or(KeyRefusal::Unknown)?;
        let budget = found.budget;
        let spent = state.spent.get(hash).copied().unwrap_or_default();
        let reserved = state.reserved.get(hash).copied().unwrap_or_default();
        let reserved = reserved.saturating_add(amount);
        if spent.saturating_add(reserved) > budget.unwrap_or(Balance::MAX) {
            return Err(KeyRefusal::Budget);
        }
        state.reserved.insert(hash.to_owned(), reserved);
        state.is_dirty = true;
        Ok(budget.is_some())
    }

    /// Spends `price` of a reserved amount, and returns the rest.
    fn settle(&self, hash: &str, reserved: Balance, price: Balance) {
        let mut state = self.state();
        let left = state.reserved.get(hash).copied().unwrap_or_default();
        match left.saturating_sub(reserved) {
            0 => state.reserved.remove(hash),
            left => state.reserved.insert(hash.to_owned(), left),
        };
        let spent = state.spent.entry(hash.to_owned()).or_default();
        *spent = spent.saturating_add(price);
        state.is_dirty = true;
    }

    /// Writes what the keys have spent, and what is reserved, to disk, if it has changed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<(), BearerKeyError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut amounts = {
            let mut state = self.state();
            if !std::mem::replace(&mut state.is_dirty, false) {
                return Ok(());
            }
            let mut amounts = state.spent.clone();
            for (hash, reserved) in &state.reserved {
                let amount = amounts.entry(hash.clone()).or_default();
                *amount = amount.saturating_add(*reserved);
            }
            amounts
        };
        amounts.retain(|_, amount| *amount > 0);
        let written = amounts.into_iter();
        let written: BTreeMap<String, String> = written
            .map(|(hash, amount)| (hash, amount.to_string()))
            .collect();
        let saved = write(&spent_path(&self.path), &written);
        if saved.is_err() {
            self.state().is_dirty = true;
        }
        saved
    }

    /// Reads the file again if it has changed. One that cannot be read leaves the keys as they are.
    fn look(&self, state: &mut State) {
        if state.looked.elapsed() < LOOK {
            return;
        }
        state.looked = Instant::now();
        let changed = changed(&self.path);
        if changed == state.changed {
            return;
        }
        match read(&self.path) {
            Ok(file) => {
                state.keys = by_hash(file);
                state.changed = changed;
            }
            Err(error) => tracing::warn!(%error, "the bearer keys stay as they were"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(key: &str) -> String {
    blake3::hash(key.as_bytes()).to_hex().to_string()
}

fn by_hash(file: KeyFile) -> HashMap<String, BearerKey> {
    let keys = file.keys.into_iter();
    keys.map(|key| (key.hash.clone(), key)).collect()
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// The file of what the keys in the file at `path` have spent.
fn spent_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".spent");
    path.with_file_name(name)
}

/// A missing file has no keys.
fn read(path: &Path) -> Result<KeyFile, BearerKeyError> {
    read_or_default(path)
}

fn read_spent(path: &Path) -> Result<BTreeMap<String, Balance>, BearerKeyError> {
    let written: BTreeMap<String, String> = read_or_default(path)?;
    let amounts = written.into_iter().map(|(hash, amount)| {
        let amount = amount.parse::<Balance>();
        let amount = amount.map_err(|error| unreadable(path, error.to_string()))?;
        Ok((hash, amount))
    });
    amounts.collect()
}

fn read_or_default<T: Default + for<'de> Deserialize<'de>>(
    path: &Path,
) -> Result<T, BearerKeyError> {
    match std::fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| unreadable(path, error.to_string()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(source) => Err(BearerKeyError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn unreadable(path: &Path, reason: String) -> BearerKeyError {
    BearerKeyError::Unreadable {
        path: path.to_owned(),
        reason,
    }
}

/// Replaces the file at `path` as a whole; only its owner can read it.
fn write(path: &Path, value: &impl Serialize) -> Result<(), BearerKeyError> {
    let written = || -> std::io::Result<()> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(serde_json::to_string_pretty(value)?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|source| BearerKeyError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        (folder, path)
    }

    #[test]
    fn a_key_is_known_until_it_is_revoked() {
        let (_folder, path) = file();
        let key = make_key(&path, "one", None, None).expect("a key");
        assert!(key.starts_with(PREFIX));
        let written = std::fs::read_to_string(&path).expect("a file");
        assert!(!written.contains(&key));
        let keys = BearerKeys::open(&path).expect("keys");
        assert!(keys.call(&key).is_ok());
        assert_eq!(keys.call("noema-other"), Err(KeyRefusal::Unknown));
        let again = make_key(&path, "one", None, None);
        assert!(matches!(again, Err(BearerKeyError::Exists(_))));
        revoke_key(&path, "one").expect("revoked");
        assert!(revoke_key(&path, "one").is_err());
        let keys = BearerKeys::open(&path).expect("keys");
        assert_eq!(keys.call(&key), Err(KeyRefusal::Unknown));
    }

    #[test]
    fn a_running_gateway_learns_of_a_revoked_key() {
        let (_folder, path) = file();
        let key = make_key(&path, "one", None, None).expect("a key");
        let keys = BearerKeys::open(&path).expect("keys");
        revoke_key(&path, "one").expect("revoked");
        {
            let mut state = keys.state();
            state.looked = Instant::now() - LOOK;
            state.changed = None;
        }
        assert_eq!(keys.call(&key), Err(KeyRefusal::Unknown));
    }

    #[test]
    fn a_budget_covers_what_is_spent_and_what_may_be() {
        let (_folder, path) = file();
        let key = make_key(&path, "one", Some(100), None).expect("a key");
        let keys = BearerKeys::open(&path).expect("keys");
        let hash = keys.call(&key).expect("a key");
        keys.reserve(&hash, 60).expect("within the budget");
        assert_eq!(keys.reserve(&hash, 41), Err(KeyRefusal::Budget));
        keys.settle(&hash, 60, 10);
        keys.reserve(&hash, 90).expect("within the budget");
        keys.settle(&hash, 90, 90);
        assert_eq!(keys.reserve(&hash, 1), Err(KeyRefusal::Budget));
        keys.save().expect("saved");
        let keys = BearerKeys::open(&path).expect("keys");
        assert_eq!(keys.reserve(&hash, 1), Err(KeyRefusal::Budget));
        let listed = list_keys(&path).expect("keys");
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].1, 100);
    }

    #[tokio::test]
    async fn what_was_reserved_counts_as_spent_after_a_crash() {
        let (_folder, path) = file();
        let key = make_key(&path, "one", Some(100), None).expect("a key");
        let keys = BearerKeys::open(&path).expect("keys");
        let hash = keys.call(&key).expect("a key");
        let purse = keys.purse(&hash);
        purse.reserve(60).await.expect("within the budget");
        assert_eq!(purse.reserve(41).await, Err(SourceFault::KeyBudget));
        // Nothing else is written before the crash.
        let after = BearerKeys::open(&path).expect("keys");
        assert_eq!(after.reserve(&hash, 41), Err(KeyRefusal::Budget));
        assert!(after.reserve(&hash, 40).is_ok());
        purse.settle(60, 10);
        keys.save().expect("saved");
        assert_eq!(list_keys(&path).expect("keys")[0].1, 10);
    }

    #[tokio::test]
    async fn a_key_whose_budget_cannot_be_stored_pays_for_nothing() {
        let (_folder, path) = file();
        let key = make_key(&path, "one", Some(100), None).expect("a key");
        let free = make_key(&path, "two", None, None).expect("a key");
        let keys = BearerKeys::open(&path).expect("keys");
        // A folder in the place of the file.
        std::fs::create_dir(spent_path(&path)).expect("a folder");
        let purse = keys.purse(&keys.call(&key).expect("a key"));
        let refused = purse.reserve(60).await;
        assert!(matches!(refused, Err(SourceFault::Store(_))), "{refused:?}");
        let unlimited = keys.purse(&keys.call(&free).expect("a key"));
        assert_eq!(unlimited.reserve(60).await, Ok(()));
        std::fs::remove_dir(spent_path(&path)).expect("removed");
        assert_eq!(purse.reserve(100).await, Ok(()), "nothing stayed reserved");
    }

    #[test]
    fn a_rate_counts_the_calls_of_a_minute() {
        let (_folder, path) = file();
        let key = make_key(&path, "one", None, Some(2)).expect("a key");
        let keys = BearerKeys::open(&path).expect("keys");
        assert!(keys.call(&key).is_ok());
        assert!(keys.call(&key).is_ok());
        let refused = keys.call(&key);
        assert!(
            matches!(refused, Err(KeyRefusal::Rate(1..=61))),
            "{refused:?}"
        );
    }
}
