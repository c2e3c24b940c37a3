//! Weights of the calls and of the agenda's turns.
//!
//! `()` holds estimates, not measurements: the reads and writes are counted from the code, the
//! reference time is a guess on the high side (25 µs for each read, 100 µs for each write and what
//! hashing and drawing may take). A runtime replaces them with the output of
//! `frame-omni-bencher` on its own machine.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// What the pallet needs weights for. `c` is the number of candidates of a draw, `s` the number of
/// seats of a request.
pub trait WeightInfo {
    /// `p`: bytes of the prompt.
    fn request_inference(p: u32, c: u32) -> Weight;
    /// Taking a request back.
    fn cancel_request() -> Weight;
    /// `t`: tokens of the answer; `b`: bytes of its text.
    fn submit_result(t: u32, b: u32) -> Weight;
    /// Committing a verdict.
    fn commit_verdict() -> Weight;
    /// Revealing a verdict.
    fn reveal_verdict() -> Weight;
    /// Objecting.
    fn object(c: u32) -> Weight;
    /// Reading the agenda of a block.
    fn agenda_base() -> Weight;
    /// A turn that draws a worker.
    fn assign(c: u32) -> Weight;
    /// A turn that draws validators.
    fn draw_panel(c: u32) -> Weight;
    /// A turn that ends a sitting: every validator was silent.
    fn close_panel(s: u32) -> Weight;
    /// A turn that settles.
    fn settle(s: u32) -> Weight;
    /// A turn that ends a dispute: everybody who has a seat won or lost.
    fn conclude(s: u32) -> Weight;
    /// Reading where the queue of final requests begins.
    fn prune_base() -> Weight;
    /// Removing a final request.
    fn prune() -> Weight;
}

/// Estimates with the database weights of `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> Db for SubstrateWeight<T> {
    fn db() -> RuntimeDbWeight {
        T::DbWeight::get()
    }
}

impl Db for () {
    fn db() -> RuntimeDbWeight {
        RocksDbWeight::get()
    }
}

/// Where the weights of reads and writes come from.
pub trait Db {
    /// What a read and a write weigh.
    fn db() -> RuntimeDbWeight;
}

/// A turn or call: its own work, and the reads and writes it causes.
fn cost<D: Db>(micros: u64, proof_bytes: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(1_000_000), proof_bytes)
        .saturating_add(D::db().reads_writes(reads, writes))
}

/// The same for each of `n` items.
fn each<D: Db>(n: u32, micros: u64, proof_bytes: u64, reads: u64, writes: u64) -> Weight {
    cost::<D>(micros, proof_bytes, reads, writes).saturating_mul(n.into())
}

impl<D: Db> WeightInfo for D {
    fn request_inference(p: u32, c: u32) -> Weight {
        Weight::from_parts(u64::from(p).saturating_mul(5_000), 0)
            .saturating_add(cost::<D>(60, 8_000, 7, 7))
            .saturating_add(each::<D>(c, 2, 600, 2, 0))
    }
    fn cancel_request() -> Weight {
        cost::<D>(60, 10_000, 6, 7)
    }
    fn submit_result(t: u32, b: u32) -> Weight {
        Weight::from_parts(
            u64::from(t)
                .saturating_mul(20_000)
                .saturating_add(u64::from(b).saturating_mul(5_000)),
            0,
        )
        .saturating_add(cost::<D>(60, 16_000, 6, 5))
    }
    fn commit_verdict() -> Weight {
        cost::<D>(40, 10_000, 5, 4)
    }
    fn reveal_verdict() -> Weight {
        cost::<D>(50, 10_000, 5, 4)
    }
    fn object(c: u32) -> Weight {
        cost::<D>(70, 16_000, 9, 8).saturating_add(each::<D>(c, 2, 600, 2, 0))
    }
    fn agenda_base() -> Weight {
        cost::<D>(5, 1_000, 1, 1)
    }
    fn assign(c: u32) -> Weight {
        cost::<D>(60, 12_000, 8, 6).saturating_add(each::<D>(c, 8, 600, 2, 0))
    }
    fn draw_panel(c: u32) -> Weight {
        cost::<D>(120, 16_000, 10, 12).saturating_add(each::<D>(c, 8, 600, 2, 0))
    }
    fn close_panel(s: u32) -> Weight {
        cost::<D>(60, 16_000, 8, 6).saturating_add(each::<D>(s, 60, 1_000, 3, 3))
    }
    fn settle(s: u32) -> Weight {
        cost::<D>(120, 20_000, 12, 12).saturating_add(each::<D>(s, 90, 1_000, 4, 5))
    }
    fn conclude(s: u32) -> Weight {
        cost::<D>(150, 20_000, 12, 12).saturating_add(each::<D>(s, 150, 1_500, 6, 7))
    }
    fn prune_base() -> Weight {
        cost::<D>(3, 1_500, 1, 1)
    }
    fn prune() -> Weight {
        cost::<D>(30, 30_000, 1, 5)
    }
}
