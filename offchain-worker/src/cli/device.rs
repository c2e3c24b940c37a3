//! Options that select the device.

use super::values::within;
use clap::Args;
use noema_executor::{DeviceChoice, DeviceOptions};

/// The most memory, in MB: ten terabytes.
const MOST_MEMORY_MB: u64 = 10_000_000;
/// The most threads: more than a machine has cores.
const MOST_THREADS: usize = 4_096;

/// The device that executes the model.
#[derive(Clone, Debug, Args)]
pub(super) struct DeviceArgs {
    /// Device that executes the model: `auto` for the best graphics processor that passes the self-test,
    /// or else the processor; `cpu`; `gpu`; or `gpu:<index>` such as gpu:0, as listed by
    /// `noema-worker doctor`.
    #[arg(long, default_value_t, value_name = "DEVICE")]
    pub(super) device: DeviceChoice,
    /// Fail if `auto` would fall back to the processor.
    #[arg(long)]
    pub(super) require_gpu: bool,
    /// The most memory of a graphics processor to use, in MB, such as 6000 [default: all of it].
    #[arg(long, value_parser = within(1..=MOST_MEMORY_MB), value_name = "MB")]
    pub(super) device_memory: Option<u64>,
    /// Threads of the processor to execute on [default: one for each core].
    #[arg(long, value_parser = within(1..=MOST_THREADS))]
    pub(super) threads: Option<usize>,
}

impl DeviceArgs {
    /// The memory cap in bytes.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        self.device_memory.map(|mb| mb.saturating_mul(1_000_000))
    }

    /// The options for the executors.
    pub(super) fn options(&self) -> DeviceOptions {
        DeviceOptions {
            choice: self.device,
            require_gpu: self.require_gpu,
            threads: self.threads,
            memory: self.memory_bytes(),
        }
    }
}
