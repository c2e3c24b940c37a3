//! The memory use of this process, if the system reports it.

use std::fs;

/// The peak of this process's resident memory, in bytes; `None` without `/proc`.
pub fn peak_bytes() -> Option<u64> {
    of_status("VmHWM:")
}

/// The address space that this process uses, in bytes; `None` without `/proc`.
pub(crate) fn address_space_bytes() -> Option<u64> {
    of_status("VmSize:")
}

/// A size in the status of this process.
fn of_status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

/// Resets the peak of [`peak_bytes`]. If the system cannot, it stays the peak since the start.
pub fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_allocated_counts() {
        let before = peak_bytes().expect("Linux reports it");
        let much = vec![1u8; 64 << 20];
        let after = peak_bytes().expect("Linux reports it");
        assert!(after >= before + much.len() as u64 / 2);
        assert!(address_space_bytes().expect("Linux reports it") >= much.len() as u64);
    }
}
