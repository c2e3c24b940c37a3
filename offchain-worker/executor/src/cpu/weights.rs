//! Weights in memory, the way that reads fastest.

use memmap2::{Mmap, MmapMut};
use std::{
    fs::File,
    io::{self, Read, Seek},
    ops::{Deref, Range},
};

/// Size and alignment of the larger pages that processors have.
const PAGE: usize = 2 << 20;

/// The weights of a model.
///
/// Answering reads all of them for every token, and on small pages half of that time goes into
/// finding them: in a virtual machine every 4 KiB cost a walk through two page tables. Where the
/// system gives large pages, the file is therefore read into some; else it is mapped. A mapped
/// file is shared by the processes that map it, a copy is not.
#[derive(Debug)]
pub struct Weights(Memory);

#[derive(Debug)]
enum Memory {
    /// The part of a larger allocation that begins at a large page.
    Copied(MmapMut, Range<usize>),
    Mapped(Mmap),
}

impl Weights {
    /// The whole of `file`.
    ///
    /// # Errors
    /// When it cannot be read or mapped, or memory is short.
    ///
    /// # Safety
    /// Nobody changes or shortens the file while the weights are in use.
    pub unsafe fn open(file: &File) -> io::Result<Self> {
        if large_pages() {
            if let Ok(copied) = Self::copied(file) {
                return Ok(copied);
            }
        }
        // SAFETY: as the caller grants.
        Ok(Self(Memory::Mapped(unsafe { Mmap::map(file)? })))
    }

    fn copied(mut file: &File) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut memory = MmapMut::map_anon(length + PAGE)?;
        let first = memory.as_ptr().align_offset(PAGE);
        let range = first..first + length;
        #[cfg(target_os = "linux")]
        memory.advise_range(memmap2::Advice::HugePage, first, length)?;
        file.rewind()?;
        file.read_exact(&mut memory[range.clone()])?;
        Ok(Self(Memory::Copied(memory, range)))
    }

    /// Whether they are a copy in large pages.
    pub fn is_copy(&self) -> bool {
        matches!(self.0, Memory::Copied(..))
    }
}

impl Deref for Weights {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Memory::Copied(memory, range) => &memory[range.clone()],
            Memory::Mapped(memory) => memory,
        }
    }
}

/// Whether the system gives large pages to those who ask.
fn large_pages() -> bool {
    // The choice in force stands in brackets.
    std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled")
        .is_ok_and(|choices| !choices.contains("[never]"))
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
        let file = File::open(&path).expect("what was written");
        // SAFETY: only this test knows the file.
        let weights = unsafe { Weights::open(&file) }.expect("weights");
        assert!(*weights == *bytes);
        // SAFETY: as above.
        let mapped = unsafe { Mmap::map(&file) }.expect("a mapping");
        assert!(*Weights(Memory::Mapped(mapped)) == *bytes);
        std::fs::remove_file(&path).expect("still there");
    }
}
