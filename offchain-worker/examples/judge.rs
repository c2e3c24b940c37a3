//! Times a validator's work in a round: scoring one contribution, and making the next checkpoint of several.
//! `cargo run -p noema-worker --example judge -- <checkpoint> <dataset> <contributions> <entries>`.
//!
//! `<checkpoint>` and `<dataset>` are folders. Every contribution changes as many weights as `<entries>`
//! allows, with random values: the cost of judging one does not depend on its content. One shard is the
//! trainer's, two are for evaluation. Prints one JSON object: seconds, and the peak memory of this process
//! during scoring and during aggregation.

use noema_checkpoint::weights_root;
use noema_executor::Device;
use noema_model::{
    checkpoint::OpenCheckpoint,
    dataset::{OpenDataset, Shard},
    memory::{peak_bytes, reset_peak},
};
use noema_numerics::testing::Random;
use noema_training::{Judge, Submitted, TrainableCheckpoint};
use noema_update::{masters_root, Encoder, Limits, Update};
use std::{env, error::Error, path::Path, sync::Arc, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [checkpoint, dataset, contributions, entries] = arguments.as_slice() else {
        return Err("expected: <checkpoint> <dataset> <contributions> <entries>".into());
    };
    let (contributions, entries): (u64, u16) = (contributions.parse()?, entries.parse()?);
    let parent = Arc::new(TrainableCheckpoint::read(&OpenCheckpoint::open(
        Path::new(checkpoint),
    )?)?);
    let dataset = OpenDataset::open(Path::new(dataset))?;
    let shards: Vec<Shard> = (0..3).map(|i| dataset.shard(i)).collect::<Result<_, _>>()?;
    let updates: Vec<Vec<u8>> = (1..=contributions)
        .map(|seed| made_up(&parent, entries, seed))
        .collect::<Result<_, _>>()?;
    let limits = Limits::with_entries(entries);
    let device = Device::cpu(None);
    let judge = Judge {
        parent: &parent,
        evaluation: &shards[1..],
        limits,
        most_shared: 500,
        device: &device,
    };

    reset_peak();
    let began = Instant::now();
    judge.judge(&[])?;
    let parent_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    judge.judge(&[Submitted {
        bytes: updates.first().map(Vec::as_slice),
        assigned: &shards[..1],
    }])?;
    let scoring_seconds = began.elapsed().as_secs_f64() - parent_seconds;
    let scoring_peak = peak_bytes();

    reset_peak();
    let began = Instant::now();
    let opened: Vec<(Update<'_>, u32)> = updates
        .iter()
        .map(|bytes| {
            Ok((
                Update::open(bytes, parent.trainable(), parent.id(), limits)?,
                1,
            ))
        })
        .collect::<Result<_, noema_update::DecodeError>>()?;
    let child = parent.with(&opened)?;
    let aggregation_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let roots = (weights_root(child.weights()), masters_root(child.masters()));
    let hashing_seconds = began.elapsed().as_secs_f64();
    let said = serde_json::json!({
        "contributions": contributions,
        "bytes_per_contribution": updates.first().map(Vec::len),
        "parent_loss_seconds": parent_seconds,
        "scoring_seconds": scoring_seconds,
        "scoring_peak_bytes": scoring_peak,
        "aggregation_seconds": aggregation_seconds,
        "hashing_seconds": hashing_seconds,
        "aggregation_peak_bytes": peak_bytes(),
        "weights_root": roots.0,
        "masters_root": roots.1,
    });
    println!("{said}");
    Ok(())
}

/// An update of every tensor.
fn made_up(
    parent: &TrainableCheckpoint,
    entries: u16,
    seed: u64,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut random = Random::new(seed);
    let mut encoder = Encoder::new(parent.trainable(), parent.id(), entries)?;
    for (index, tensor) in (0..).zip(parent.trainable().tensors()) {
        let changes = (0..tensor.coordinates()).map(|_| i32::from(random.bits() as i8));
        let changes: Vec<i32> = changes.collect();
        encoder.compress(index, &changes, &mut vec![0; changes.len()])?;
    }
    Ok(encoder.finish())
}
