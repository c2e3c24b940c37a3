//! An empty stand-in for the pallet `pallet-message-queue`, which nothing in this workspace uses.
//!
//! `cumulus-pallet-parachain-system` depends on it, but names it in its own tests alone. A use of it fails to
//! compile, and another version takes the real crate again.

#![no_std]
