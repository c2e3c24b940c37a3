//! Language models as checkpoints: imported from published files, stored, and run on text; and the datasets that
//! they are trained on.
//!
//! - [`import`] turns a published model into a checkpoint; [`checkpoint`] stores and opens checkpoints;
//! - [`engine`] runs a checkpoint: it answers a prompt, or checks an answer in one pass;
//!   [`reference`](mod@reference) is the floating-point model that measures the loss due to integer
//!   arithmetic;
//! - [`dataset`] turns text into a dataset;
//! - [`whole`] writes files and folders that are there whole or not at all, [`printable`] makes foreign text
//!   harmless for a terminal, and [`memory`] measures memory.

mod chat_template;
pub mod checkpoint;
pub mod dataset;
mod encoding;
pub mod engine;
pub mod import;
pub mod memory;
pub mod printable;
pub mod reference;
pub mod whole;
