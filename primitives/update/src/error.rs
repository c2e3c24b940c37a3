//! Errors, with their places.

use core::fmt;
use noema_checkpoint::CheckpointId;
use thiserror::Error;

/// The place of an error in an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkPlace {
    /// Index of the tensor in the canonical list.
    pub tensor: u16,
    /// Index of the chunk in the tensor.
    pub chunk: u32,
}

impl fmt::Display for ChunkPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chunk {} of tensor {}", self.chunk, self.tensor)
    }
}

/// Why bytes are not an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the update does.
    #[error("the bytes end before the update does; fetch it again")]
    Truncated,
    /// Bytes follow the end of the update.
    #[error("{count} bytes follow the end of the update; remove them")]
    TrailingBytes {
        /// Their number.
        count: usize,
    },
    /// The update is longer than the receiver allows.
    #[error("the update has {length} bytes; at most {limit} are accepted")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The largest length.
        limit: usize,
    },
    /// The bytes do not start with the magic of an update.
    #[error("the bytes do not start with NUPD, so they are not an update")]
    NotAnUpdate,
    /// This program does not read this format version.
    #[error(
        "the update has format {0}; this program reads format {version}",
        version = crate::VERSION
    )]
    UnknownVersion(u16),
    /// The update is of another checkpoint.
    #[error("the update changes checkpoint {found}; one of {expected} is expected")]
    OtherParent {
        /// The checkpoint that was expected.
        expected: CheckpointId,
        /// The one in the update.
        found: CheckpointId,
    },
    /// The bound on the entries of a chunk is zero or above the receiver's limit.
    #[error("the update has up to {found} entries a chunk; 1 to {limit} are accepted")]
    BoundOutOfRange {
        /// The number in the update.
        found: u16,
        /// The largest that is allowed.
        limit: u16,
    },
    /// The update touches more tensors than the receiver allows.
    #[error("the update touches {found} tensors; at most {limit} are accepted")]
    TooManyTensors {
        /// The number in the update.
        found: u16,
        /// The largest number.
        limit: u16,
    },
    /// The tensors are not strictly ascending.
    #[error("tensor {tensor} is not listed in ascending order")]
    TensorsNotAscending {
        /// The tensor that does not come after the one before it.
        tensor: u16,
    },
    /// The architecture has no such tensor.
    #[error("the architecture has no tensor {tensor}")]
    UnknownTensor {
        /// The tensor.
        tensor: u16,
    },
    /// The tensor cannot be trained: the rotation table.
    #[error("tensor {tensor} is the rotation table, which cannot be trained")]
    NotTrainable {
        /// The tensor.
        tensor: u16,
    },
    /// A tensor is listed of which no chunk has an entry.
    #[error("tensor {tensor} is listed but nothing in it changes")]
    UntouchedTensor {
        /// The tensor.
        tensor: u16,
    },
    /// A chunk has more entries than the update's bound or than coordinates.
    #[error(
        "{place} has {found} entries, more than the update's bound or than it has coordinates"
    )]
    TooManyEntries {
        /// The chunk.
        place: ChunkPlace,
        /// Its entries.
        found: u16,
    },
    /// A chunk's scale is above [`SCALE_MAX`](crate::SCALE_MAX).
    #[error("the scale of {0} is above {max}", max = crate::SCALE_MAX)]
    ScaleTooLarge(ChunkPlace),
    /// All entries of a chunk have the larger magnitude; the canonical form has a scale twice as large.
    #[error("all entries of {0} have the larger magnitude; its scale should be doubled")]
    ScaleNotMinimal(ChunkPlace),
    /// An index is beyond the end of its chunk.
    #[error("an index is beyond the end of {0}")]
    IndexOutOfRange(ChunkPlace),
    /// No weight has this index: it is in the padding of its tensor.
    #[error("index {index} of {place} is padding; no weight is there")]
    IndexInPadding {
        /// The chunk.
        place: ChunkPlace,
        /// The index in the chunk.
        index: u16,
    },
    /// The bits between the end of a tensor and the next byte are not zero.
    #[error("the bits after the end of tensor {tensor} are not zero")]
    PaddingBits {
        /// The tensor.
        tensor: u16,
    },
}

/// Why changes cannot be written as an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The bound on the entries of a chunk is zero or above the coordinates of a chunk.
    #[error(
        "a bound of {0} entries a chunk is outside 1 to {limit}",
        limit = crate::CHUNK_COORDINATES
    )]
    BoundOutOfRange(u16),
    /// The architecture has no such trainable tensor.
    #[error("the architecture has no trainable tensor {tensor}")]
    UnknownTensor {
        /// The tensor.
        tensor: u16,
    },
    /// The tensor does not come after the one before it.
    #[error("tensor {tensor} does not come after the one before it; write tensors in order")]
    TensorsNotAscending {
        /// The tensor.
        tensor: u16,
    },
    /// The number of values is not the number of coordinates of the tensor.
    #[error("the tensor has {expected} coordinates but {found} values are given")]
    Length {
        /// Coordinates of the tensor.
        expected: u64,
        /// Values given.
        found: u64,
    },
    /// The coordinates are not strictly ascending: one is out of order or repeated.
    #[error("coordinate {coordinate} does not come after the one before it")]
    CoordinatesNotAscending {
        /// The coordinate.
        coordinate: u64,
    },
    /// The tensor has no such coordinate.
    #[error("the tensor has no coordinate {coordinate}")]
    CoordinateOutOfRange {
        /// The coordinate.
        coordinate: u64,
    },
    /// No weight has this coordinate: it is in the padding of the tensor.
    #[error("coordinate {coordinate} is padding; no weight is there")]
    CoordinateInPadding {
        /// The coordinate.
        coordinate: u64,
    },
    /// A chunk has more entries than the bound.
    #[error("{0} has more entries than the bound; raise it or leave some out")]
    TooManyEntries(ChunkPlace),
    /// An entry of a chunk changes nothing.
    #[error("an entry of {0} changes nothing; leave it out")]
    ZeroEntry(ChunkPlace),
    /// The magnitudes of a chunk are not one scale or twice that scale, or it is too large.
    #[error(
        "the magnitudes of {0} are not one scale of at most {max} and twice that scale",
        max = crate::SCALE_MAX
    )]
    NotOneScale(ChunkPlace),
    /// A delta and the residual at its coordinate add up to more than an i32.
    #[error("delta and residual at coordinate {coordinate} add up to more than 32 bits")]
    ResidualOverflow {
        /// The coordinate.
        coordinate: u64,
    },
}

/// Why updates cannot be applied. In that case nothing has been changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// There is no update to apply.
    #[error("there is no update to apply")]
    NoUpdates,
    /// There are more updates than [`MAX_UPDATES`](crate::MAX_UPDATES).
    #[error(
        "there are {0} updates; at most {limit} are applied together",
        limit = crate::MAX_UPDATES
    )]
    TooManyUpdates(usize),
    /// An update has weight zero.
    #[error("update {update} has weight zero; leave it out")]
    ZeroWeight {
        /// Its index.
        update: usize,
    },
    /// The weights of the updates add up to more than a u32.
    #[error("the weights of the updates add up to more than 32 bits; divide them")]
    WeightsTooLarge,
    /// An update is of another checkpoint or architecture than the first.
    #[error("update {update} is of another checkpoint or architecture than the first")]
    OtherParent {
        /// Its index.
        update: usize,
    },
    /// An update is malformed.
    #[error("update {update} is malformed: {error}")]
    Decode {
        /// Its index.
        update: usize,
        /// Its error.
        #[source]
        error: DecodeError,
    },
    /// The number of exponents is not the number of tensors.
    #[error("the architecture needs {expected} exponents but {found} are given")]
    ExponentsLength {
        /// Tensors of the architecture, the rotation table included.
        expected: usize,
        /// Exponents given.
        found: usize,
    },
    /// The weights do not have the length that the architecture needs.
    #[error("the architecture needs {expected} bytes of weights but {found} are given")]
    WeightsLength {
        /// Bytes that the architecture needs.
        expected: u64,
        /// Bytes given.
        found: u64,
    },
    /// The masters do not have the length that the architecture needs.
    #[error("the architecture needs {expected} bytes of masters but {found} are given")]
    MastersLength {
        /// Bytes that the architecture needs.
        expected: u64,
        /// Bytes given.
        found: u64,
    },
}
