//! Why a device does not execute.

use noema_numerics::{ForwardError, ModelError};

/// Why an executor cannot be had, or does not execute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// A segment is refused; the device is fine.
    #[error("The tokens cannot be executed: {0}.")]
    Refused(#[from] ForwardError),
    /// The weights do not fit the architecture.
    #[error("The checkpoint cannot be executed: {0}.")]
    Model(#[from] ModelError),
    /// A segment names a sequence that is not open, or one that another segment names.
    #[error("The pass names a sequence that is not open, or names one twice.")]
    Sequence,
    /// The device has no room.
    #[error(
        "{device} has no room for {what}: {needed} bytes are needed and {available} are left."
    )]
    OutOfMemory {
        /// The device.
        device: String,
        /// What there is no room for.
        what: &'static str,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that are left.
        available: u64,
    },
    /// The device is gone or its driver fails; nothing that it holds can be used any more.
    #[error("{device} was lost: {reason}. Its work goes on elsewhere; see `noema-worker doctor`.")]
    DeviceLost {
        /// The device.
        device: String,
        /// What the driver says.
        reason: String,
    },
    /// The device computes something else than is defined.
    #[error("{device} returns wrong numbers ({what}): its driver or the device itself is faulty. It is not used; update the driver, or choose another --device.")]
    WrongNumbers {
        /// The device.
        device: String,
        /// What was wrong.
        what: String,
    },
    /// There is no such device.
    #[error("There is no device '{wanted}'. {hint}")]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// What there is.
        hint: String,
    },
    /// No threads to execute on.
    #[error("The threads to execute on cannot be started: {0}.")]
    Threads(String),
}
