//! Updates, tested through the crate's public interface.

mod apply;
mod common;
mod compress;
mod format;
mod golden;
mod master;
mod overlap;
