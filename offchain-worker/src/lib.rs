//! Serves and validates inference for a Noema chain. Models and datasets are those of [`noema_model`], rounds of
//! training run [`noema_training`].
//!
//! - [`roles`] decides what an operator does next, given its duties on chain and its records in the
//!   [`store`]; [`roles::rounds`] is the part for rounds of training;
//! - [`chain`] reads a node's finalized blocks and sends transactions; [`keys`] signs them;
//! - [`games`] plays both sides of a dispute over an answer;
//! - [`payer`] opens the session of a payer with its worker, [`gateway`] those of a gateway;
//! - [`artefacts`] shares checkpoints and datasets with other operators, and fetches them;
//! - [`metrics`] exports counters and health, and [`doctor`] diagnoses the setup;
//! - [`service`] runs all of it for the operators of a machine; [`cli`] is the command line.
//!
//! In `roles`, the node, the model and the network are traits, so that crashes and refusals can be tested
//! without them.

pub mod artefacts;
pub mod chain;
pub mod cli;
pub mod doctor;
pub mod games;
pub mod gateway;
pub mod keys;
pub mod metrics;
mod now_and_then;
mod panicked;
pub mod payer;
pub mod roles;
pub mod service;
pub mod store;

/// Ends once `stop` turns true, or once its sender is dropped.
pub(crate) async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for another `head`. False once `stop` turns true, or once a sender is dropped.
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
