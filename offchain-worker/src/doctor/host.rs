//! Checks of the machine: cores and disk.

use super::{Area, Diagnosis};
use std::path::Path;

/// Free disk below which job stores and imports are at risk, in bytes.
const LEAST_DISK: u64 = 1 << 30;

/// Cores, and the disk under `home`, where checkpoints and job stores are.
pub fn host(home: &Path) -> Vec<Diagnosis> {
    let cores = match std::thread::available_parallelism() {
        Ok(cores) => Area::Host.passed("cores", format!("{cores} can be used")),
        Err(error) => Area::Host.warned(
            "cores",
            format!("the system does not report their number: {error}"),
            "set the number to use with --threads",
        ),
    };
    vec![cores, disk(home)]
}

/// Free disk at `home`, which need not exist yet.
fn disk(home: &Path) -> Diagnosis {
    let Some(existing) = home.ancestors().find(|path| path.exists()) else {
        return Area::Host.failed(
            "disk",
            format!("{} has no existing parent folder", home.display()),
            "name another folder with --home",
        );
    };
    let subject = format!("disk at {}", existing.display());
    match rustix::fs::statvfs(existing) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let detail = format!("{:.1} GB free", free as f64 / 1e9);
            if free < LEAST_DISK {
                Area::Host.failed(
                    subject,
                    detail,
                    "free at least 1 GB, or name another folder with --home",
                )
            } else {
                Area::Host.passed(subject, detail)
            }
        }
        Err(error) => Area::Host.warned(
            subject,
            format!("the system does not report the free space: {error}"),
            "check that at least 1 GB is free",
        ),
    }
}
