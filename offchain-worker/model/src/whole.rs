//! Files and folders that are written completely or not at all, even if the machine stops meanwhile.
//!
//! They are written under a temporary name, synced to disk, and renamed; then the folder with the new name is
//! synced, too.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};
use tempfile::{NamedTempFile, TempDir};

/// Replaces the file at `path`, and creates its folder if it does not exist.
///
/// # Errors
/// Those of the system.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(parent(path))?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    // No random name: the next write replaces the file that a killed program left, which may be large.
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, bytes)?;
    publish(&part, path)
}

/// The same for a file that only its owner can read.
///
/// # Errors
/// Those of the system.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = parent(path);
    fs::create_dir_all(folder)?;
    // Such a file is private from its first byte on.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync(folder)
}

/// A folder under a temporary name, which is removed when it is dropped before it is published.
#[derive(Debug)]
pub struct StagedFolder(TempDir);

impl StagedFolder {
    /// Creates a folder in `parent`, whose name begins with `prefix`. Creates `parent` if it does not exist.
    ///
    /// # Errors
    /// Those of the system.
    pub fn create(parent: &Path, prefix: &OsStr) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        Ok(Self(folder))
    }

    /// Its temporary place.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Moves it to `place`, which may be an empty folder. The files in it have to be on disk.
    ///
    /// # Errors
    /// Those of the system.
    pub fn publish(mut self, place: &Path) -> io::Result<()> {
        publish(self.path(), place)?;
        self.0.disable_cleanup(true);
        Ok(())
    }
}

/// Syncs a file, or the entries of a folder, to disk and moves it to `place`.
///
/// # Errors
/// Those of the system.
pub fn publish(path: &Path, place: &Path) -> io::Result<()> {
    sync(path)?;
    fs::rename(path, place)?;
    sync(parent(place))
}

/// Writes `bytes` to a new file and syncs it to disk.
///
/// # Errors
/// Those of the system.
pub fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Syncs a file, or the entries of a folder, to disk.
///
/// # Errors
/// Those of the system.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The folder with the entry `path`.
pub fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|f| !f.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Refuses if the disk has no room for `bytes` more at `path`, which need not exist.
///
/// # Errors
/// Those of the system, and [`io::ErrorKind::StorageFull`].
pub fn ensure_room(path: &Path, bytes: u64) -> io::Result<()> {
    let existing = path.ancestors().find(|path| path.exists());
    let disk = rustix::fs::statvfs(existing.unwrap_or(path))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < bytes {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            format!("{bytes} bytes are needed, but {free} are free"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_file_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/file");
        for bytes in [b"first".as_slice(), b"second"] {
            write(&path, bytes).expect("is written");
            assert_eq!(fs::read(&path).expect("is there"), bytes);
        }
        assert_eq!(names(&folder.path().join("new")), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_replaces_one_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/file");
        write(&path, b"before").expect("is written");
        write_private(&path, b"after").expect("is written");
        assert_eq!(fs::read(&path).expect("is there"), b"after");
        let mode = fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o077, 0);
        assert_eq!(names(&folder.path().join("new")), ["file"]);
    }

    #[test]
    fn a_staged_folder_is_published_or_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let parent = folder.path().join("new");
        let place = parent.join("place");
        for publishes in [false, true] {
            let staged = StagedFolder::create(&parent, "part-".as_ref()).expect("is created");
            fs::write(staged.path().join("file"), b"content").expect("is written");
            assert!(names(&parent).iter().all(|name| name.starts_with("part-")));
            match publishes {
                true => staged.publish(&place).expect("is published"),
                false => drop(staged),
            }
            assert_eq!(place.join("file").exists(), publishes);
        }
        assert_eq!(names(&parent), ["place"]);
    }

    #[test]
    fn a_disk_without_room_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("not/there/yet");
        assert!(ensure_room(&path, 1).is_ok());
        let refused = ensure_room(&path, u64::MAX).expect_err("no disk has that");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
}
