//! Weights of the calls of `pallet_jury`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `commit_verdict` in the pallet's benchmarks.
    fn commit_verdict() -> Weight;
    /// See `reveal_verdict` in the pallet's benchmarks.
    fn reveal_verdict() -> Weight;
    /// See `appeal` in the pallet's benchmarks.
    fn appeal() -> Weight;
    /// See `poll_base` in the pallet's benchmarks.
    fn poll_base() -> Weight;
    /// See `skip_block` in the pallet's benchmarks.
    fn skip_block() -> Weight;
    /// See `look` in the pallet's benchmarks.
    fn look() -> Weight;
    /// See `advance` in the pallet's benchmarks.
    fn advance() -> Weight;
    /// See `note_known` in the pallet's benchmarks.
    fn note_known() -> Weight;
    /// See `draw_jury` in the pallet's benchmarks; `j` is 1 to 27.
    fn draw_jury(j: u32) -> Weight;
    /// See `draw` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw(t: u32) -> Weight;
    /// See `conclude` in the pallet's benchmarks; `j` is 0 to 36.
    fn conclude(j: u32) -> Weight;
    /// See `drop_dispute` in the pallet's benchmarks; `j` is 0 to 36.
    fn drop_dispute(j: u32) -> Weight;
}

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Jury::AgendaCursor` (r:1 w:0)
    // Proof: `Jury::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Jury::Backlogs` (r:1 w:1)
    // Proof: `Jury::Backlogs` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:0 w:2)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 2899 bytes. Shortest time: 89_918_000 ps.
    fn commit_verdict() -> Weight {
        Weight::from_parts(98_394_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Jury::AgendaCursor` (r:1 w:0)
    // Proof: `Jury::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:0 w:2)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 2047 bytes. Shortest time: 76_713_000 ps.
    fn reveal_verdict() -> Weight {
        Weight::from_parts(87_764_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Jury::QueueSpan` (r:1 w:1)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:0 w:1)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Jury::Queue` (r:0 w:1)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 3419 bytes. Shortest time: 146_403_000 ps.
    fn appeal() -> Weight {
        Weight::from_parts(168_795_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Jury::AgendaCursor` (r:1 w:1)
    // Proof: `Jury::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:1 w:0)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Jury::QueueSpan` (r:1 w:0)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 103 bytes. Shortest time: 16_401_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(17_623_000, 3_497)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Jury::AgendaCursor` (r:1 w:1)
    // Proof: `Jury::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:1 w:0)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 103 bytes. Shortest time: 11_762_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(12_814_000, 3_497)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Jury::Queue` (r:1 w:0)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:0)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 339 bytes. Shortest time: 21_650_000 ps.
    fn look() -> Weight {
        Weight::from_parts(23_694_000, 8_079).saturating_add(T::DbWeight::get().reads(2))
    }

    // Storage: `Jury::AgendaCursor` (r:1 w:1)
    // Proof: `Jury::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:2 w:1)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Jury::QueueSpan` (r:1 w:1)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Jury::Backlogs` (r:9 w:9)
    // Proof: `Jury::Backlogs` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Jury::KnownValue` (r:1 w:0)
    // Proof: `Jury::KnownValue` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Jury::Queue` (r:0 w:1)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 3111 bytes. Shortest time: 152_084_000 ps.
    fn advance() -> Weight {
        Weight::from_parts(160_079_000, 23_769)
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().writes(14))
    }

    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Jury::KnownValue` (r:1 w:1)
    // Proof: `Jury::KnownValue` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 82 bytes. Shortest time: 6_101_000 ps.
    fn note_known() -> Weight {
        Weight::from_parts(6_772_000, 1_559)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:1 w:0)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:22 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:22 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:22 w:22)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:22 w:22)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 8424 + j * 3613 bytes. Shortest time: 104_455_000 ps.
    fn draw_jury(j: u32) -> Weight {
        Weight::from_parts(68_938_368, 7_108)
            .saturating_add(Weight::from_parts(46_141_947, 0).saturating_mul(j.into()))
            .saturating_add(Weight::from_parts(0, 5_106).saturating_mul(j.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(j.into()))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(j.into()))
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
    // Storage: `Operators::Deserted` (r:0 w:1)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5666 + t * 4223 bytes. Shortest time: 105_237_000 ps.
    fn draw(t: u32) -> Weight {
        Weight::from_parts(66_939_000, 7_108)
            .saturating_add(Weight::from_parts(42_236_000, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:73 w:69)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:69 w:69)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:25 w:25)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:25 w:25)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:2 w:1)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 21820 + j * 680 bytes. Shortest time: 2_046_341_000 ps.
    fn conclude(j: u32) -> Weight {
        Weight::from_parts(2_083_931_000, 108_438)
            .saturating_add(Weight::from_parts(56_641_833, 0).saturating_mul(j.into()))
            .saturating_add(Weight::from_parts(0, 2_904).saturating_mul(j.into()))
            .saturating_add(T::DbWeight::get().reads(88))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(j.into()))
            .saturating_add(T::DbWeight::get().writes(83))
            .saturating_add(T::DbWeight::get().writes(3).saturating_mul(j.into()))
    }

    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Jury::Backlogs` (r:27 w:27)
    // Proof: `Jury::Backlogs` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:36 w:36)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:36 w:36)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Jury::Turns` (r:0 w:1)
    // Proof: `Jury::Turns` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 3529 + j * 671 bytes. Shortest time: 97_833_000 ps.
    fn drop_dispute(j: u32) -> Weight {
        Weight::from_parts(78_929_000, 8_079)
            .saturating_add(Weight::from_parts(19_778_000, 0).saturating_mul(j.into()))
            .saturating_add(Weight::from_parts(0, 2_904).saturating_mul(j.into()))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(j.into()))
            .saturating_add(T::DbWeight::get().writes(3).saturating_mul(j.into()))
    }
}
