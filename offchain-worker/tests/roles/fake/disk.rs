//! A fake disk that can be full or missing.

use noema_worker::store::{Store, StorePlace};
use redb::{Database, DatabaseError, StorageBackend};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// A fake disk that can be full or missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    pub(crate) is_full: Arc<AtomicBool>,
    pub(crate) is_away: Arc<AtomicBool>,
    pub(crate) opened: Arc<AtomicU32>,
}

impl Disk {
    /// A store on this disk, opened at its first use.
    pub(crate) fn store(&self) -> Store {
        Store::over(Path::new("the test's disk"), self.clone())
    }

    fn reach(&self) -> io::Result<()> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the test took the disk away")),
            false => Ok(()),
        }
    }
}

impl StorePlace for Disk {
    fn open(&self) -> Result<Database, DatabaseError> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Database::builder().create_with_backend(self.clone())
    }

    fn ensure_room(&self) -> io::Result<()> {
        match self.is_full.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.reach()?;
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.reach()?;
        let bytes = self.bytes.lock().unwrap();
        let range = offset as usize..offset as usize + out.len();
        let found = bytes.get(range).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.reach()?;
        self.bytes.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.reach()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.reach()?;
        let mut bytes = self.bytes.lock().unwrap();
        let range = offset as usize..offset as usize + data.len();
        let place = bytes.get_mut(range).ok_or(io::ErrorKind::UnexpectedEof)?;
        place.copy_from_slice(data);
        Ok(())
    }
}
