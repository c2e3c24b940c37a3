//! Shared test support: a small checkpoint with padding everywhere, and updates of it.

use noema_checkpoint::{CheckpointId, H256};
use noema_numerics::{
    testing::{Random, TestModel},
    Architecture,
};
use noema_update::{ChunkPlace, DecodeError, Encoder, Entry, Limits, Trainable, Update};

pub(crate) const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(7));

/// Limits that every update satisfies.
pub(crate) const ANY: Limits = Limits {
    bytes: usize::MAX,
    tensors: u16::MAX,
    entries: 4_096,
};

/// Tensor 0, the embedding, has two chunks and 7 rows of padding; 1 is a norm of 64 gains; 2 the
/// query, one chunk of 4,096; 3 the key, half a chunk; 7 the gate, a chunk and a half.
pub(crate) fn checkpoint() -> TestModel {
    let architecture = Architecture {
        vocabulary: 121,
        ..TestModel::TINY
    };
    TestModel::seeded(architecture, 5)
}

pub(crate) fn trainable() -> Trainable {
    Trainable::new(&checkpoint().architecture).unwrap()
}

pub(crate) fn exponents() -> Vec<i8> {
    checkpoint().exponents
}

pub(crate) fn open<'a>(
    bytes: &'a [u8],
    trainable: &'a Trainable,
) -> Result<Update<'a>, DecodeError> {
    Update::open(bytes, trainable, PARENT, ANY)
}

/// All entries of an update, chunk by chunk.
pub(crate) fn read(update: &Update<'_>) -> Result<Vec<(ChunkPlace, Vec<Entry>)>, DecodeError> {
    let mut reader = update.reader();
    let mut chunks = Vec::new();
    while let Some(chunk) = reader.next()? {
        chunks.push((chunk.place, chunk.entries.to_vec()));
    }
    Ok(chunks)
}

/// Changes of a tensor, as `Encoder::exact` takes them: in each chunk up to `most` at random places
/// with magnitudes s and 2 s.
pub(crate) fn changes(
    trainable: &Trainable,
    tensor: u16,
    most: usize,
    random: &mut Random,
) -> Vec<(u64, i32)> {
    let shape = trainable.tensor(tensor).unwrap();
    let mut changes = Vec::new();
    for chunk in 0..shape.chunks() {
        let first = u64::from(chunk) * 4_096;
        let length = shape.chunk_coordinates(chunk) as u64;
        let scale = (1 << random.below(30)) | random.below(1 << 10) as i32;
        let mut coordinates: Vec<u64> = (0..random.below(most as u64 + 1))
            .map(|_| first + random.below(length))
            .filter(|&coordinate| !shape.is_padding(coordinate))
            .collect();
        coordinates.sort_unstable();
        coordinates.dedup();
        changes.extend(coordinates.iter().enumerate().map(|(i, &coordinate)| {
            let magnitude = scale << (i > 0 && random.below(2) == 1) as u32;
            let sign = 1 - 2 * random.below(2) as i32;
            (coordinate, sign * magnitude)
        }));
    }
    changes
}

/// An update of some tensors.
pub(crate) fn update(trainable: &Trainable, bound: u16, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut encoder = Encoder::new(trainable, PARENT, bound).unwrap();
    for tensor in 0..trainable.tensors().len() as u16 {
        if random.below(3) > 0 {
            let changes = changes(trainable, tensor, usize::from(bound), &mut random);
            encoder.exact(tensor, &changes).unwrap();
        }
    }
    encoder.finish()
}

/// Encodes an update again from its decoded entries.
pub(crate) fn encode_again(update: &Update<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut encoder = Encoder::new(update.trainable(), update.parent(), update.bound()).unwrap();
    let chunks = read(update)?;
    for tensor in update.tensors() {
        let changes: Vec<(u64, i32)> = chunks
            .iter()
            .filter(|(place, _)| place.tensor == tensor)
            .flat_map(|(place, entries)| {
                let first = u64::from(place.chunk) * 4_096;
                entries
                    .iter()
                    .map(move |e| (first + u64::from(e.index), e.value))
            })
            .collect();
        encoder.exact(tensor, &changes).unwrap();
    }
    Ok(encoder.finish())
}
