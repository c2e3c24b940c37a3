//! How much memory this process needs, as far as the system tells.

use std::fs;

/// The most resident memory that this process has had, in bytes; `None` where there is no `/proc`.
pub fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

/// Has [`peak_bytes`] forget what was before. Where the system cannot, it stays the peak of all the time.
pub fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_allocated_counts() {
        let before = peak_bytes().expect("Linux tells");
        let much = vec![1u8; 64 << 20];
        let after = peak_bytes().expect("Linux tells");
        assert!(after >= before + much.len() as u64 / 2);
    }
}
