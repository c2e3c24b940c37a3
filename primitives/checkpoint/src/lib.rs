//! Checkpoint manifests and the Merkle root of their weights.
