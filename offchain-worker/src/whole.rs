//! Files and folders that are written completely or not at all, even if the machine stops meanwhile.
//!
//! They are written under a temporary name, synced to disk, and renamed; then the folder with the new name is
//! synced, too.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Replaces the file at `path`, and creates its folder if it does not exist.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(parent(path))?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    fill(File::create(&part)?, bytes)?;
    fs::rename(&part, path)?;
    sync(parent(path))
}

/// Writes `bytes` to a new file and syncs it to disk.
pub(crate) fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Syncs the entries of a folder to disk.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder with the entry `path`.
pub(crate) fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|f| !f.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Refuses if the disk has no room for `bytes` more at `path`, which need not exist.
pub(crate) fn ensure_room(path: &Path, bytes: u64) -> io::Result<()> {
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

    #[test]
    fn a_disk_without_room_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("not/there/yet");
        assert!(ensure_room(&path, 1).is_ok());
        let refused = ensure_room(&path, u64::MAX).expect_err("no disk has that");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
}
