//! One file for the call, one for each hook, one for reading, one for everything at random.

mod claim;
mod closing;
mod expiry;
mod sequences;
mod views;
