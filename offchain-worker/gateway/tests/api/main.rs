//! The API over a pool whose workers are scripted: no chain, no model, real HTTP.

mod answers;
mod connections;
mod failures;
mod keys;
mod page;
mod parameters;
mod receipts;
mod returns;
mod support;
mod verifying;
