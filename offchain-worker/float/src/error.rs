//! Why floats cannot be computed.

/// Why the float model does not run on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FloatError {
    /// burn cannot open the device.
    #[error("burn cannot use {device}: {reason}. Choose another device, or the processor.")]
    Device {
        /// The device.
        device: String,
        /// What burn says.
        reason: String,
    },
    /// A computation failed on the way; nothing on the device can be used any more.
    #[error("The float model failed on {device}: {reason}.")]
    Failed {
        /// The device.
        device: String,
        /// What burn or the driver says.
        reason: String,
    },
}
