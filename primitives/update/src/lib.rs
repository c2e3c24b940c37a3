#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod aggregate;
mod bits;
mod clip;
mod compress;
mod encode;
mod error;
pub mod master;
mod norm;
mod overlap;
mod reader;
mod shape;
mod stretch;
mod update;

/// The parts that [`apply`] consists of, for who computes one of them alone.
pub mod parts {
    pub use crate::{
        aggregate::{add_changes, requantise_changed},
        clip::{median, Factor},
        norm::{in_unit, squares},
        overlap::shared_of,
        reader::{read_chunk, CHUNK_BYTES_MAX},
        stretch::Stretch,
    };
}

pub use aggregate::{apply, Applied, Sum, Sums, MAX_UPDATES};
pub use encode::Encoder;
pub use error::{ApplyError, ChunkPlace, DecodeError, EncodeError};
pub use master::{from_weights, masters_root};
pub use overlap::{overlap, Overlap};
pub use reader::{Chunk, Entry, Reader, SCALE_MAX};
pub use shape::{Tensor, Trainable, CHUNK_COORDINATES, CHUNK_TILES, TILE_COORDINATES};
pub use update::{Limits, Summary, Update, DEFAULT_ENTRIES, HEADER_BYTES, MAGIC, VERSION};
