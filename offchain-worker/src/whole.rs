//! Files that are written completely or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Replaces the file at `path`, and creates its folder if it does not exist.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)
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
