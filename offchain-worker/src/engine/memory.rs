//! Keeping resident memory near what is in use.
//!
//! glibc keeps what a program frees, in a pool for each thread: after a tokenizer has been parsed,
//! or after a long prompt, that is tens of megabytes which are never needed at the same time.

/// Allocations from this size on get pages of their own, which freeing returns at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES: i32 = 1 << 20;

/// Lets large buffers leave the process when they are freed, whichever thread they belong to.
pub(crate) fn prepare() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` may be called at any time, from any thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES);
    }
}

/// Returns memory that has been freed to the system.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
