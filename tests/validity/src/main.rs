//! Executes the blocks of a development chain as validators of the relay chain do: from the runtime's Wasm,
//! the block and its proof alone.
//!
//! ```sh
//! noema-validity ./chain    # the folder of a stopped `noema-node --dev --base-path ./chain`
//! ```
//!
//! Each block is executed again on its parent's state, which records its proof. It gets the Aura seal that a
//! collator would have added, which development nodes do not. Then the exported `validate_block` has to
//! return the block's own header. Last, invalid blocks have to be refused: flipped bytes of a proof, another
//! key's seal, a missing transaction, another relay chain parent.

mod chain;
mod forgeries;
mod validator;

use anyhow::{bail, ensure, Context, Result};
use chain::{Candidate, Chain};
use clap::Parser;
use codec::Encode;
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};
use validator::Validator;

/// Execute every block of a development chain as the relay chain's validators do.
#[derive(Parser)]
struct Options {
    /// The base path of a node that has stopped.
    base_path: PathBuf,
}

/// The largest of some values, and its block.
#[derive(Clone, Copy, Default)]
struct Largest {
    value: u64,
    block: u32,
}

impl Largest {
    fn or(self, other: Self) -> Self {
        if other.value > self.value {
            other
        } else {
            self
        }
    }
}

/// The measurements of some valid blocks.
#[derive(Clone, Copy, Default)]
struct Seen {
    blocks: u32,
    /// Bytes of the compact proof.
    proof: Largest,
    /// Bytes of block and proof together.
    pov: Largest,
    /// Picoseconds of reference time of the block's weight.
    ref_time: Largest,
}

impl Seen {
    fn and(self, other: Self) -> Self {
        Self {
            blocks: self.blocks + other.blocks,
            proof: self.proof.or(other.proof),
            pov: self.pov.or(other.pov),
            ref_time: self.ref_time.or(other.ref_time),
        }
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let chain = Chain::open(&options.base_path)?;
    let best = chain.best();
    ensure!(best > 0, "the chain has no block beside the genesis block");
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let validator = Validator::new(threads);

    let seen = all(&chain, &validator, best, threads)?;
    println!(
        "{} blocks are valid; largest proof {} KiB (block {}), with its block {} KiB (block {}), \
         largest reference time {} ms (block {})",
        seen.blocks,
        seen.proof.value.div_ceil(1024),
        seen.proof.block,
        seen.pov.value.div_ceil(1024),
        seen.pov.block,
        seen.ref_time.value.div_ceil(1_000_000_000),
        seen.ref_time.block,
    );

    let refused = forgeries::all_are_refused(&chain, &validator, best, seen.proof.block)?;
    println!("{refused} forgeries are refused");
    Ok(())
}

/// Validates the blocks up to `best`.
fn all(chain: &Chain, validator: &Validator, best: u32, threads: usize) -> Result<Seen> {
    let next = AtomicU32::new(1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = Seen::default();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number > best {
                            return Ok(seen);
                        }
                        let one = one(chain, validator, number)
                            .with_context(|| format!("block {number}"));
                        match one {
                            Ok(one) => seen = seen.and(one),
                            Err(error) => {
                                // Stops the other threads.
                                next.store(best.saturating_add(1), Ordering::Relaxed);
                                return Err(error);
                            }
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .try_fold(Seen::default(), |seen, worker| {
                let Ok(found) = worker.join() else {
                    bail!("a thread panicked");
                };
                Ok(seen.and(found?))
            })
    })
}

/// Validates one block.
fn one(chain: &Chain, validator: &Validator, number: u32) -> Result<Seen> {
    let candidate = Candidate::new(chain, validator, number)?;
    let head = validator.validate(&candidate)?;
    ensure!(
        head == candidate.block.header.encode(),
        "validators arrive at another head than the block's header"
    );
    let largest = |value| Largest {
        value,
        block: number,
    };
    Ok(Seen {
        blocks: 1,
        proof: largest(candidate.proof.encoded_size() as u64),
        pov: largest(candidate.data().encoded_size() as u64),
        ref_time: largest(chain.ref_time(number)?),
    })
}
