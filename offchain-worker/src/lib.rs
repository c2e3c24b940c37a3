//! Serves and validates inference for a Noema chain.
//!
//! - [`import`] turns a published model into a checkpoint, [`checkpoint`] keeps and opens them;
//! - [`engine`] runs one: it answers a prompt, or checks an answer in one pass; [`reference`] holds
//!   the float model that tells what the integers cost;
//! - [`dataset`] turns text into what is trained on, [`training`] trains;
//! - [`roles`] decides what an operator does next, given what the chain expects of it and what the
//!   [`store`] says it has done; [`roles::rounds`] is its part in rounds of training;
//! - [`chain`] reads a node's finalized blocks and sends transactions; [`keys`] signs them;
//! - [`artefacts`] shares checkpoints with other operators, and fetches them;
//! - [`metrics`] tells what happens, [`memory`] how much of it a process needs, [`doctor`] what is in
//!   order and what is not;
//! - [`service`] runs all of it for the operators of a machine, [`cli`] is the program.
//!
//! `roles` knows neither a node nor a loaded model nor a network: all are traits there, so every crash and
//! every refusal is a test without them.

pub mod artefacts;
pub mod chain;
pub mod checkpoint;
pub mod cli;
pub mod dataset;
pub mod doctor;
pub mod engine;
pub mod import;
pub mod keys;
pub mod memory;
pub mod metrics;
mod now_and_then;
mod panicked;
mod printable;
pub mod reference;
pub mod roles;
pub mod service;
pub mod store;
pub mod training;
mod whole;

/// Ends once `stop` turns true, or once nobody is left to turn it.
pub(crate) async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for another `head`. False once `stop` turns true, or once nobody is left to change either.
pub(crate) async fn next_head(
    head: &mut tokio::sync::watch::Receiver<u64>,
    stop: &mut tokio::sync::watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        biased;
        () = stopped(stop) => false,
        changed = head.changed() => changed.is_ok(),
    }
}
