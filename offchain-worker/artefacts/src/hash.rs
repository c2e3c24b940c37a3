//! The hash under which files would be shared, without an endpoint.

use crate::{artefacts::io_at, BlobHash, Error};
use iroh_blobs::{format::collection::Collection, Hash};
use std::{io, path::Path};

/// The hash under which [`Artefacts::share_files`](crate::Artefacts::share_files) would share these files of
/// a folder. Reads all of them, on one thread.
pub fn hash_files(
    directory: &Path,
    names: impl IntoIterator<Item = impl Into<String>>,
) -> Result<BlobHash, Error> {
    let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
    names.sort();
    let parts = names.into_iter().map(|name| {
        let hash = hash_file(&directory.join(&name))?;
        Ok((name, Hash::from(hash)))
    });
    let parts = parts.collect::<Result<Vec<_>, Error>>()?;
    let collection: Collection = parts.into_iter().collect();
    let list = collection.to_blobs().next_back().unwrap_or_default();
    Ok(Hash::new(list).into())
}

/// The hash under which [`Artefacts::share`](crate::Artefacts::share) would share this file.
pub fn hash_file(file: &Path) -> Result<BlobHash, Error> {
    let mut hasher = blake3::Hasher::new();
    let hashed =
        std::fs::File::open(file).and_then(|mut opened| io::copy(&mut opened, &mut hasher));
    hashed.map_err(io_at(file))?;
    Ok(BlobHash(*hasher.finalize().as_bytes()))
}
