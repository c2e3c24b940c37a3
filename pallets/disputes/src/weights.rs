//! Weights of the calls and turns of `pallet_disputes`: upper estimates, until `scripts/weights.sh` measures them and
//! writes this file.
//!
//! An estimate counts each storage value at the longest, in maps of a million entries, and a hash at a microsecond.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `open_trace` in the pallet's benchmarks.
    fn open_trace() -> Weight;
    /// See `join` in the pallet's benchmarks.
    fn join() -> Weight;
    /// See `point` in the pallet's benchmarks.
    fn point() -> Weight;
    /// See `show` in the pallet's benchmarks; `l` is the number of lines.
    fn show(l: u32) -> Weight;
    /// See `prove` in the pallet's benchmarks.
    fn prove() -> Weight;
    /// See `conclude` in the pallet's benchmarks.
    fn conclude() -> Weight;
    /// See `poll_base` in the pallet's benchmarks.
    fn poll_base() -> Weight;
    /// See `skip` in the pallet's benchmarks.
    fn skip() -> Weight;
    /// See `turn` in the pallet's benchmarks.
    fn turn() -> Weight;
    /// See `tick` in the pallet's benchmarks.
    fn tick() -> Weight;
}

/// The estimates, with the weights of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads a hot key, a game, a claim and a backlog; writes a game and a backlog. 80 hashes.
    fn open_trace() -> Weight {
        Weight::from_parts(180_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Reads a hot key, a game, a line, a claim, an account with its holds, a backlog and the cursor; writes all but
    // the hot key and the claim, and a turn.
    fn join() -> Weight {
        Weight::from_parts(150_000_000, 20_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Reads a hot key, a game, a claim, a line, two backlogs and the cursor; writes a line, two backlogs and two
    // turns. 48 hashes.
    fn point() -> Weight {
        Weight::from_parts(180_000_000, 18_000)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Reads a hot key, a game, a claim, a backlog and the cursor; writes a game and a backlog. For each line, reads it
    // and a backlog, writes both and two turns, and hashes 1,023 times.
    fn show(l: u32) -> Weight {
        let lines = u64::from(l);
        Weight::from_parts(100_000_000, 14_000)
            .saturating_add(Weight::from_parts(1_200_000_000, 6_000).saturating_mul(lines))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(lines))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(lines))
    }

    // Reads a hot key, a game, a claim, a line and a backlog; writes a line, a backlog, a turn, and the bond with its
    // account. 100 hashes, and those of a statement.
    fn prove() -> Weight {
        Weight::from_parts(250_000_000, 24_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // The end of a claim with all seats, and of the disputes over it.
    fn conclude() -> Weight {
        Weight::from_parts(3_000_000_000, 400_000)
            .saturating_add(T::DbWeight::get().reads(120))
            .saturating_add(T::DbWeight::get().writes(160))
    }

    // Reads the time and the cursor, and looks for a turn.
    fn poll_base() -> Weight {
        Weight::from_parts(20_000_000, 6_000)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Looks for a turn.
    fn skip() -> Weight {
        Weight::from_parts(15_000_000, 3_600)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Reads a turn, a line, a game, a claim, a backlog, and a bond with its account; writes all but the claim.
    fn turn() -> Weight {
        Weight::from_parts(180_000_000, 26_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Reads and writes the time.
    fn tick() -> Weight {
        Weight::from_parts(10_000_000, 1_500)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
