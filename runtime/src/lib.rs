//! The Noema parachain runtime.
