//! Keeping resident memory close to the memory in use.
//!
//! glibc keeps the memory that a program frees, in a pool for each thread: after a tokenizer has been parsed,
//! or after a long prompt, that is tens of megabytes which are never needed at the same time.

/// Allocations of this size or more get pages of their own, which freeing returns at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES: i32 = 1 << 20;

/// Makes large buffers return to the system when they are freed, on every thread.
pub(crate) fn prepare() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` may be called at any time, from any thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES);
    }
}

/// Returns freed memory to the system.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
