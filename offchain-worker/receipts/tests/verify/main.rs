//! Receipts against a state that pallets wrote, and everything about them that can be false.

mod files;
mod proofs;
mod standings;
mod world;
