//! The Wasm side: exports, imports, memory, panics.

use crate::{Case, Evidence, Task};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use codec::{Decode, Encode};
use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
};
use noema_numerics::{layout, testing::golden, Architecture, Model, Scalar, Transformer};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn ext_equality_read_weights_version_1(to: u32, length: u32);
    fn ext_panic_handler_abort_on_panic_version_1(message: u64);
}

/// See the crate's documentation.
#[unsafe(no_mangle)]
extern "C" fn golden(_pointer: u32, _length: u32) -> u64 {
    let vectors: Vec<(String, String)> = golden::results(&Scalar)
        .into_iter()
        .map(|(name, hash)| (name.to_string(), hash))
        .collect();
    give(&vectors)
}

/// See the crate's documentation.
#[unsafe(no_mangle)]
extern "C" fn operator(pointer: u32, length: u32) -> u64 {
    let case: Case = take(pointer, length);
    give(&case.run(&Scalar))
}

/// See the crate's documentation.
#[unsafe(no_mangle)]
extern "C" fn execute(pointer: u32, length: u32) -> u64 {
    let (architecture, exponents, task): (_, Vec<i8>, _) = take(pointer, length);
    give(&run(&architecture, &exponents, &task))
}

fn run(architecture: &Architecture, exponents: &[i8], task: &Task) -> Result<Evidence, String> {
    let length = layout::weights_bytes(architecture).map_err(|error| error.to_string())?;
    let length = usize::try_from(length).map_err(|error| error.to_string())?;
    let mut weights = alloc::vec![0u8; length];
    // SAFETY: the host writes exactly `length` bytes to the start of `weights`.
    unsafe { ext_equality_read_weights_version_1(weights.as_mut_ptr() as u32, length as u32) };
    let model = Model::new(architecture, exponents, &weights).map_err(|error| error.to_string())?;
    task.run(Transformer::new(model, Scalar, task.positions() as u32))
}

/// Decodes the argument that the host has written.
fn take<T: Decode>(pointer: u32, length: u32) -> T {
    // SAFETY: the host has written the argument there, and nothing else uses that memory.
    let mut bytes = unsafe { core::slice::from_raw_parts(pointer as *const u8, length as usize) };
    T::decode(&mut bytes).expect("the host encodes the function's argument")
}

/// Passes a result to the host, which reads it before the instance ends.
fn give(result: &impl Encode) -> u64 {
    let bytes = result.encode().leak();
    fat_pointer(bytes)
}

fn fat_pointer(bytes: &[u8]) -> u64 {
    (bytes.len() as u64) << 32 | u64::from(bytes.as_ptr() as u32)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let message = format!("{info}");
    // SAFETY: the host reads the message and traps.
    unsafe { ext_panic_handler_abort_on_panic_version_1(fat_pointer(message.as_bytes())) };
    wasm32::unreachable()
}

const PAGE: usize = 64 << 10;

/// Allocates at the end of the instance's memory, beyond the host's arguments. Only the last allocation is
/// freed: an instance lives for one call.
struct Bump {
    next: Cell<usize>,
    end: Cell<usize>,
}

#[global_allocator]
static ALLOCATOR: Bump = Bump {
    next: Cell::new(0),
    end: Cell::new(0),
};

// SAFETY: the target has no threads.
unsafe impl Sync for Bump {}

impl Bump {
    /// Whether memory up to `end` exists, or could be added.
    fn reach(&self, end: usize) -> bool {
        if end <= self.end.get() {
            return true;
        }
        let pages = (end - self.end.get()).div_ceil(PAGE);
        let before = wasm32::memory_grow::<0>(pages);
        if before == usize::MAX || before * PAGE != self.end.get() {
            return false;
        }
        self.end.set(self.end.get() + pages * PAGE);
        true
    }
}

// SAFETY: every block lies between `next` before and `next` after it was allocated, in memory that
// nothing else uses, and stays there until it is freed.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.end.get() == 0 {
            // The host grows memory only before the call.
            let end = wasm32::memory_size::<0>() * PAGE;
            self.next.set(end);
            self.end.set(end);
        }
        let start = self.next.get().next_multiple_of(layout.align());
        let Some(end) = start.checked_add(layout.size()) else {
            return core::ptr::null_mut();
        };
        if !self.reach(end) {
            return core::ptr::null_mut();
        }
        self.next.set(end);
        start as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize;
        if start + layout.size() == self.next.get()
            && start.checked_add(size).is_some_and(|end| self.reach(end))
        {
            self.next.set(start + size);
            return block;
        }
        // SAFETY: the caller keeps the contract of `realloc`: alignment and size are valid, and
        // the old block holds the bytes that are copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                core::ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
