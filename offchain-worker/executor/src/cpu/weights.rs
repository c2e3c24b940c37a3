//! Weights in memory: mapped and shared, or copied into large pages.

use memmap2::{Mmap, MmapMut};
use std::{
    fs::File,
    io::{self, Read, Seek},
    ops::{Deref, Range},
};

/// Size and alignment of large pages.
const PAGE: usize = 2 << 20;

/// The weights of a model: a file mapped into memory, or a copy of it in large pages.
///
/// A mapped file is shared by all processes that map it, and only the used parts are resident. But answering
/// reads all weights for every token, and with small pages address translation can take half of that time: in
/// a virtual machine every 4 KiB cost a walk through two page tables. A copy in large pages is faster to
/// read, but private to the process.
#[derive(Debug)]
pub struct CpuWeights(Memory);

#[derive(Debug)]
enum Memory {
    Mapped(Mmap),
    /// The part of a larger allocation that starts at a large page.
    Copied(MmapMut, Range<usize>),
}

impl CpuWeights {
    /// Maps the whole of `file`.
    ///
    /// # Errors
    /// When it cannot be mapped.
    ///
    /// # Safety
    /// The file is not changed or shortened while the weights are in use.
    pub unsafe fn map(file: &File) -> io::Result<Self> {
        // SAFETY: guaranteed by the caller.
        Ok(Self(Memory::Mapped(unsafe { Mmap::map(file)? })))
    }

    /// Reads the whole of `file` into large pages, or into small ones if the system has no large ones.
    ///
    /// # Errors
    /// When it cannot be read, or memory is short.
    pub fn copy(mut file: &File) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut memory = MmapMut::map_anon(length + PAGE)?;
        let first = memory.as_ptr().align_offset(PAGE);
        let range = first..first + length;
        // Fails if the kernel was built without large pages.
        #[cfg(target_os = "linux")]
        let _ = memory.advise_range(memmap2::Advice::HugePage, first, length);
        file.rewind()?;
        file.read_exact(&mut memory[range.clone()])?;
        Ok(Self(Memory::Copied(memory, range)))
    }

    /// Releases the pages of a mapped file, which are loaded again when they are used: some never are, such
    /// as the rotations of positions that no prompt reaches.
    pub fn unload(&self) {
        #[cfg(unix)]
        if let Memory::Mapped(memory) = &self.0 {
            // SAFETY: the mapping is of a file and read-only, so no page of it can lose a change.
            let unloaded = unsafe { memory.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
            if let Err(error) = unloaded {
                tracing::debug!(%error, "cannot release the pages of the weights");
            }
        }
    }
}

impl Deref for CpuWeights {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Memory::Copied(memory, range) => &memory[range.clone()],
            Memory::Mapped(memory) => memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn weights_are_the_bytes_of_the_file() {
        let path = std::env::temp_dir().join(format!("noema-weights-{}", std::process::id()));
        let bytes: Vec<u8> = (0..3 * PAGE + 5).map(|i| ((i * 31) >> 3) as u8).collect();
        let mut file = File::create(&path).expect("a temporary file");
        file.write_all(&bytes).expect("room for it");
        let file = File::open(&path).expect("the written file");
        let copied = CpuWeights::copy(&file).expect("a copy");
        // SAFETY: only this test uses the file.
        let mapped = unsafe { CpuWeights::map(&file) }.expect("a mapping");
        for weights in [copied, mapped] {
            assert!(*weights == *bytes);
            weights.unload();
            assert!(*weights == *bytes);
        }
        std::fs::remove_file(&path).expect("still there");
    }
}
