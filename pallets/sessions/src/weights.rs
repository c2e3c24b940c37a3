//! Weights of the calls of `pallet_sessions`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `open_session` in the pallet's benchmarks.
    fn open_session() -> Weight;
    /// See `top_up` in the pallet's benchmarks.
    fn top_up() -> Weight;
    /// See `claim` in the pallet's benchmarks.
    fn claim() -> Weight;
    /// See `verify_claim` in the pallet's benchmarks.
    fn verify_claim() -> Weight;
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

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:0)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:1 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Sessions` (r:0 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5398 bytes. Shortest time: 195_165_000 ps.
    fn open_session() -> Weight {
        Weight::from_parts(224_770_000, 7_118)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 684 bytes. Shortest time: 107_951_000 ps.
    fn top_up() -> Weight {
        Weight::from_parts(120_295_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:1 w:1)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Sessions::OpenClaims` (r:0 w:1)
    // Proof: `Sessions::OpenClaims` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:0 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1132 bytes. Shortest time: 186_738_000 ps.
    fn claim() -> Weight {
        Weight::from_parts(199_763_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    fn verify_claim() -> Weight {
        Weight::from_parts(199_763_000, 4_070).saturating_add(T::DbWeight::get().reads(5))
    }

    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Agenda` (r:0 w:1)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 784 bytes. Shortest time: 117_810_000 ps.
    fn close_session() -> Weight {
        Weight::from_parts(127_819_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Agenda` (r:0 w:2)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 893 bytes. Shortest time: 121_206_000 ps.
    fn end_session() -> Weight {
        Weight::from_parts(126_075_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Sessions::FirstUnseeded` (r:1 w:1)
    // Proof: `Sessions::FirstUnseeded` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Sessions::NextSession` (r:1 w:1)
    // Proof: `Sessions::NextSession` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Sessions::AgendaCursor` (r:1 w:1)
    // Proof: `Sessions::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Agenda` (r:1 w:0)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 208 bytes. Shortest time: 19_076_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(20_829_000, 3_494)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Sessions::AgendaCursor` (r:1 w:1)
    // Proof: `Sessions::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Agenda` (r:1 w:0)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 202 bytes. Shortest time: 11_742_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(12_824_000, 3_494)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Sessions::FirstUnseeded` (r:1 w:0)
    // Proof: `Sessions::FirstUnseeded` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Sessions` (r:1 w:0)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 581 bytes. Shortest time: 32_200_000 ps.
    fn look() -> Weight {
        Weight::from_parts(39_193_000, 4_070).saturating_add(T::DbWeight::get().reads(3))
    }

    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Agenda` (r:0 w:1)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 606 bytes. Shortest time: 51_967_000 ps.
    fn seed() -> Weight {
        Weight::from_parts(70_541_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Rosters` (r:1 w:0)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:20 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4817 + t * 4173 bytes. Shortest time: 126_737_000 ps.
    fn draw_worker(t: u32) -> Weight {
        Weight::from_parts(117_048_600, 7_108)
            .saturating_add(Weight::from_parts(25_978_400, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Rosters` (r:1 w:1)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:20 w:20)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::DesertedSpan` (r:1 w:1)
    // Proof: `Operators::DesertedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Operators::Deserted` (r:0 w:1)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4873 + t * 4193 bytes. Shortest time: 165_640_000 ps.
    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(132_588_000, 7_108)
            .saturating_add(Weight::from_parts(40_103_533, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(5))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Sessions::Agenda` (r:1 w:2)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 841 bytes. Shortest time: 99_867_000 ps.
    fn turn() -> Weight {
        Weight::from_parts(109_284_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Sessions::Agenda` (r:1 w:1)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 610 bytes. Shortest time: 36_629_000 ps.
    fn prune() -> Weight {
        Weight::from_parts(42_279_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Sessions::Agenda` (r:1 w:1)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:0 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 53 bytes. Shortest time: 34_143_000 ps.
    fn prune_claim() -> Weight {
        Weight::from_parts(38_532_000, 3_494)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Sessions::Sessions` (r:1 w:1)
    // Proof: `Sessions::Sessions` (`max_values`: None, `max_size`: Some(605), added: 3080, mode: `MaxEncodedLen`)
    // Storage: `Sessions::Agenda` (r:0 w:3)
    // Proof: `Sessions::Agenda` (`max_values`: None, `max_size`: Some(29), added: 2504, mode: `MaxEncodedLen`)
    // Storage: `Sessions::OpenClaims` (r:0 w:1)
    // Proof: `Sessions::OpenClaims` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 592 bytes. Shortest time: 42_078_000 ps.
    fn ended() -> Weight {
        Weight::from_parts(51_707_000, 4_070)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
