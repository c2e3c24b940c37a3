//! What the calls of `pallet_sessions` weigh, by hand until `scripts/weights.sh` measures them and writes this file.
//!
//! Time and proof sizes are those of measured calls and steps with the same reads and writes, in the pallets
//! `inference` and `claims`.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `open_session` in the pallet's benchmarks.
    fn open_session() -> Weight;
    /// See `top_up` in the pallet's benchmarks.
    fn top_up() -> Weight;
    /// See `claim` in the pallet's benchmarks.
    fn claim() -> Weight;
    /// See `close_session` in the pallet's benchmarks.
    fn close_session() -> Weight;
    /// See `end_session` in the pallet's benchmarks.
    fn end_session() -> Weight;
    /// See `poll_base` in the pallet's benchmarks.
    fn poll_base() -> Weight;
    /// See `skip_block` in the pallet's benchmarks.
    fn skip_block() -> Weight;
    /// See `look` in the pallet's benchmarks.
    fn look() -> Weight;
    /// See `seed` in the pallet's benchmarks.
    fn seed() -> Weight;
    /// See `draw_worker` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw_worker(t: u32) -> Weight;
    /// See `draw_absent` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw_absent(t: u32) -> Weight;
    /// See `turn` in the pallet's benchmarks.
    fn turn() -> Weight;
    /// See `prune` in the pallet's benchmarks.
    fn prune() -> Weight;
    /// See `prune_claim` in the pallet's benchmarks.
    fn prune_claim() -> Weight;
    /// See `ended` in the pallet's benchmarks.
    fn ended() -> Weight;
}

/// As counted, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads: parameters 2, Checkpoints 1, Operators, Served, RosterPages, Rosters, Holds. Writes: Sessions, Holds.
    fn open_session() -> Weight {
        Weight::from_parts(400_000_000, 12_000)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Reads: Sessions, Holds. Writes: Sessions, Holds, Agenda 2.
    fn top_up() -> Weight {
        Weight::from_parts(250_000_000, 4_500)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Reads: Keys, Sessions, BlockHash, Operators, Locks. Writes: Operators, Locks, Claims, OpenClaims, Sessions.
    fn claim() -> Weight {
        Weight::from_parts(350_000_000, 6_700)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Reads: Sessions, Keys, Account, Holds. Writes: Sessions, Account, Holds, Agenda 2.
    fn close_session() -> Weight {
        Weight::from_parts(300_000_000, 4_500)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // As `close_session`, which releases the hold, too, where the session has no seed.
    fn end_session() -> Weight {
        Self::close_session()
    }

    // Reads: LatestValues, FirstUnseeded, NextSession, AgendaCursor, Agenda. Writes: FirstUnseeded, NextSession,
    // AgendaCursor.
    fn poll_base() -> Weight {
        Weight::from_parts(50_000_000, 4_500)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Reads: AgendaCursor, Agenda. Writes: AgendaCursor.
    fn skip_block() -> Weight {
        Weight::from_parts(20_000_000, 3_500)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Reads: Sessions.
    fn look() -> Weight {
        Weight::from_parts(30_000_000, 4_200).saturating_add(T::DbWeight::get().reads(1))
    }

    // Reads: Sessions, BlockHash. Writes: Sessions, Agenda.
    fn seed() -> Weight {
        Weight::from_parts(150_000_000, 4_200)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // As of the pallet `inference`, and the release of the hold where no worker is found.
    fn draw_worker(t: u32) -> Weight {
        Weight::from_parts(300_000_000, 8_449)
            .saturating_add(Weight::from_parts(116_603_425, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_422).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(420_000_000, 8_449)
            .saturating_add(Weight::from_parts(129_089_329, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_437).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(5))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Reads: Agenda, Sessions, Account, Holds. Writes: Sessions, Account, Holds, Agenda 2.
    fn turn() -> Weight {
        Weight::from_parts(250_000_000, 7_000)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Reads: Agenda, Sessions. Writes: Sessions, Agenda 2.
    fn prune() -> Weight {
        Weight::from_parts(100_000_000, 7_000)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Reads: Agenda. Writes: Agenda, Claims.
    fn prune_claim() -> Weight {
        Weight::from_parts(76_142_000, 3_787)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Reads: Sessions, OpenClaims. Writes: Sessions, OpenClaims, Agenda 3.
    fn ended() -> Weight {
        Weight::from_parts(150_000_000, 4_867)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
