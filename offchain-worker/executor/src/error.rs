//! Errors of an executor.

use noema_numerics::{ForwardError, ModelError};

/// Why an executor cannot be created, or does not execute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// A segment is refused; the device is fine.
    #[error("The tokens cannot be executed: {0}.")]
    Refused(#[from] ForwardError),
    /// The weights do not fit the architecture.
    #[error("The checkpoint cannot be executed: {0}.")]
    Model(#[from] ModelError),
    /// The kernels of a device do not cover the network of the checkpoint.
    #[error(
        "{device} has no kernel for '{operator}' as the checkpoint uses it. Use --device cpu."
    )]
    NoKernel {
        /// The device.
        device: String,
        /// Name of the operator.
        operator: &'static str,
    },
    /// A segment names a sequence that is not open, or one that another segment names.
    #[error("The pass names a sequence that is not open, or names one twice.")]
    Sequence,
    /// The device has not enough memory.
    #[error(
        "{device} has no room for {what}: {needed} bytes are needed and {available} are left."
    )]
    OutOfMemory {
        /// The device.
        device: String,
        /// The data that needs memory.
        what: &'static str,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that are left.
        available: u64,
    },
    /// The device is gone or its driver fails; nothing that it holds can be used any longer.
    #[error("{device} was lost: {reason}. Its work continues on another device; see `noema-worker doctor`.")]
    DeviceLost {
        /// The device.
        device: String,
        /// The driver's message.
        reason: String,
    },
    /// The device computes something other than the defined results.
    #[error("{device} returns wrong numbers ({what}): its driver or the device itself is faulty. It is not used; update the driver, or choose another --device.")]
    WrongNumbers {
        /// The device.
        device: String,
        /// The wrong result.
        what: String,
    },
    /// There is no such device.
    #[error("There is no device '{wanted}'. {hint}")]
    NoDevice {
        /// The requested device.
        wanted: String,
        /// The available devices.
        hint: String,
    },
    /// No threads to execute on.
    #[error("The threads to execute on cannot be started: {0}.")]
    Threads(String),
}
