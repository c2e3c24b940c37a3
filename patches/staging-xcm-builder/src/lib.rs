//! The interface to queues of messages, with that of the crate `staging-xcm-builder`.
//!
//! That crate configures an executor of messages between chains, which this chain does not have.
//! `cumulus-pallet-parachain-system` depends on it for the trait below alone. A use of anything else fails to
//! compile, and another version takes the real crate again.

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use xcm::{VersionedLocation, VersionedXcm};

/// The messages in queues, for runtime APIs.
pub trait InspectMessageQueues {
    /// Empties the queues.
    fn clear_messages();

    /// The messages in the queues, by destination.
    fn get_messages() -> Vec<(VersionedLocation, Vec<VersionedXcm<()>>)>;
}
