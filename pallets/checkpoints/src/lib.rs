//! Records model families and checkpoints.
