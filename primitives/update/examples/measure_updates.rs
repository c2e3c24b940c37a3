//! Size and speed of updates on a model of about 12.6 million weights, on one thread.
//!
//! ```sh
//! cargo run -p noema-update --example measure_updates
//! ```

use noema_checkpoint::{weights_root, CheckpointId, H256};
use noema_numerics::{
    layout::TensorKind,
    testing::{Random, TestModel},
    Architecture, Variant,
};
use noema_update::{
    apply, from_weights, master, masters_root, overlap, Encoder, Limits, Trainable, Update,
    DEFAULT_ENTRIES,
};
use std::time::{Duration, Instant};

const SHAPE: Architecture = Architecture {
    layers: 6,
    hidden: 384,
    heads: 6,
    kv_heads: 2,
    head_dim: 64,
    feed_forward: 1_024,
    vocabulary: 8_192,
    context_length: 512,
    norm_epsilon_q32: 42_950,
    tied_head: true,
    variant: Variant::LLAMA,
};
const TRAINERS: usize = 4;
const PARENT: CheckpointId = CheckpointId(H256::repeat_byte(7));

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

fn print(what: &str, time: Duration) {
    println!("{what:<44} {:>9.1} ms", time.as_secs_f64() * 1e3);
}

/// Changes of every tensor, approximately normally distributed.
fn deltas(trainable: &Trainable, seed: u64) -> Vec<Vec<i32>> {
    let mut random = Random::new(seed);
    let tensors = trainable.tensors().iter();
    tensors
        .map(|tensor| {
            (0..tensor.coordinates())
                .map(|_| {
                    let bits = random.bits();
                    (0..4).map(|i| i32::from((bits >> (16 * i)) as i16)).sum()
                })
                .collect()
        })
        .collect()
}

fn encode(trainable: &Trainable, bound: u16, deltas: &[Vec<i32>]) -> Vec<u8> {
    let mut encoder = Encoder::new(trainable, PARENT, bound).expect("a bound in range");
    for (index, deltas) in (0..).zip(deltas) {
        let mut residual = vec![0; deltas.len()];
        encoder
            .compress(index, deltas, &mut residual)
            .expect("tensors in order, with a residual of the same length");
    }
    encoder.finish()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut checkpoint = TestModel::seeded(SHAPE, 1);
    let trainable = Trainable::new(&SHAPE)?;
    let weights: u64 = trainable
        .tensors()
        .iter()
        .map(|tensor| match tensor.kind() {
            TensorKind::Linear { rows, columns } => u64::from(rows) * u64::from(columns),
            TensorKind::Gain { length } => u64::from(length),
            _ => 0,
        })
        .sum();
    println!("{weights} weights, one thread\n");

    println!(
        "{:>4} {:>12} {:>13} {:>12}",
        "k", "bytes", "bits/weight", "under f32"
    );
    let changes = deltas(&trainable, 1);
    for bound in [16, 32, 64, 128, 256] {
        let bytes = encode(&trainable, bound, &changes).len() as f64;
        let bits = bytes * 8.0 / weights as f64;
        println!("{bound:>4} {bytes:>12} {bits:>13.4} {:>11.0}x", 32.0 / bits);
    }
    println!();

    let (mut masters, time) = timed(|| from_weights(&trainable, &checkpoint.weights));
    print("masters from weights", time);
    let masters = masters.as_mut().expect("weights of this shape");
    let mut encoded = vec![timed(|| encode(&trainable, DEFAULT_ENTRIES, &changes))];
    print("compress (k = 128)", encoded[0].1);
    for seed in 2..=TRAINERS as u64 {
        let changes = deltas(&trainable, seed);
        encoded.push(timed(|| encode(&trainable, DEFAULT_ENTRIES, &changes)));
    }
    let updates: Vec<(Update<'_>, u32)> = encoded
        .iter()
        .map(|(bytes, _)| {
            Ok((
                Update::open(bytes, &trainable, PARENT, Limits::default())?,
                1,
            ))
        })
        .collect::<Result<_, noema_update::DecodeError>>()?;
    let (checked, time) = timed(|| updates.iter().try_for_each(|(u, _)| u.check().map(|_| ())));
    checked?;
    print("check 4 updates", time);
    let (found, time) = timed(|| overlap(&updates[0].0, &updates[1].0));
    print("overlap of 2 updates", time);
    let permill = found?.permill();
    let (applied, time) = timed(|| {
        apply(
            &updates,
            &checkpoint.exponents,
            masters,
            &mut checkpoint.weights,
        )
    });
    print("check and apply 4 updates", time);
    let applied = applied?;

    let leaves: Vec<master::TileMasters> = masters
        .as_chunks()
        .0
        .iter()
        .map(master::from_bytes)
        .collect();
    let (tiles, time) = timed(|| leaves.iter().map(master::requantise).collect::<Vec<_>>());
    print("requantise every tile", time);
    let (root, time) = timed(|| masters_root(masters));
    print("masters root", time);
    let (_, time) = timed(|| weights_root(&checkpoint.weights));
    print("weights root", time);
    println!(
        "\n{} masters in {} of {} tiles changed; two updates share {permill} thousandths; root {root}",
        applied.masters,
        applied.tiles,
        tiles.len()
    );
    Ok(())
}
