//! Options that choose what executes the model.

use clap::Args;
use noema_executor::{DeviceChoice, DeviceOptions};

/// What executes the model.
#[derive(Clone, Debug, Args)]
pub(super) struct DeviceArgs {
    /// `auto`: the best graphics processor that passes the self-test, or else the processor; `cpu`;
    /// `gpu`; or `gpu:<index>` as `noema-worker doctor` lists them.
    #[arg(long, default_value_t, value_name = "DEVICE")]
    pub(super) device: DeviceChoice,
    /// Fail where `auto` would fall back to the processor.
    #[arg(long)]
    pub(super) require_gpu: bool,
    /// Most memory of a graphics processor to use, in MB [default: what it has].
    #[arg(long, value_name = "MB")]
    pub(super) device_memory: Option<u64>,
    /// Threads for the processor [default: one per core].
    #[arg(long)]
    pub(super) threads: Option<usize>,
}

impl DeviceArgs {
    /// The memory cap in bytes.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        self.device_memory.map(|mb| mb.saturating_mul(1_000_000))
    }

    /// As the executors take them.
    pub(super) fn options(&self) -> DeviceOptions {
        DeviceOptions {
            choice: self.device,
            require_gpu: self.require_gpu,
            threads: self.threads,
            memory: self.memory_bytes(),
        }
    }
}
