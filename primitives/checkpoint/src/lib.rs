#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod frame;
mod manifest;
mod merkle;

pub use frame::Frame;
pub use manifest::{
    Manifest, ManifestError, Source, SourceFormat, FORMAT, MAX_NAME_BYTES, MAX_STOPS,
    TEXT_LAYER_VERSION,
};
pub use merkle::{join_roots, tiles_root, weights_root, CHUNK_TILES};
pub use noema_numerics::{
    layout, tile, Architecture, AttentionWindow, ExpertMixture, LayerPattern, Variant,
};
pub use noema_protocol::{hashing::blake2_256, CheckpointId};
pub use sp_core::H256;
