//! Errors of the float model.

/// Why the float model does not run on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FloatError {
    /// burn cannot open the device.
    #[error("burn cannot use {device}: {reason}. Choose another device, or the processor.")]
    Device {
        /// The device.
        device: String,
        /// burn's message.
        reason: String,
    },
    /// A computation failed; nothing on the device can be used any longer.
    #[error("The float model failed on {device}: {reason}.")]
    Failed {
        /// The device.
        device: String,
        /// The message of burn or the driver.
        reason: String,
    },
}
