//! Artefacts between operators over the loopback interface.

mod checkpoints;
mod datasets;
mod support;
