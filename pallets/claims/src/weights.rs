//! Weights of the calls of `pallet_claims`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `commit_check` in the pallet's benchmarks.
    fn commit_check() -> Weight;
    /// See `commit_early` in the pallet's benchmarks.
    fn commit_early() -> Weight;
    /// See `verify_commitment` in the pallet's benchmarks.
    fn verify_commitment() -> Weight;
    /// See `reveal_check` in the pallet's benchmarks.
    fn reveal_check() -> Weight;
    /// See `reveal_early` in the pallet's benchmarks.
    fn reveal_early() -> Weight;
    /// See `reveal_last` in the pallet's benchmarks.
    fn reveal_last() -> Weight;
    /// See `verify_reveal` in the pallet's benchmarks.
    fn verify_reveal() -> Weight;
    /// See `challenge` in the pallet's benchmarks.
    fn challenge() -> Weight;
    /// See `challenge_seated` in the pallet's benchmarks.
    fn challenge_seated() -> Weight;
    /// See `demand_leaf` in the pallet's benchmarks.
    fn demand_leaf() -> Weight;
    /// See `post_leaf` in the pallet's benchmarks; `t` is 2 to 8192.
    fn post_leaf(t: u32) -> Weight;
    /// See `poll_base` in the pallet's benchmarks.
    fn poll_base() -> Weight;
    /// See `skip_block` in the pallet's benchmarks.
    fn skip_block() -> Weight;
    /// See `look` in the pallet's benchmarks.
    fn look() -> Weight;
    /// See `begin_check` in the pallet's benchmarks; `s` is 0 to 32.
    fn begin_check(s: u32) -> Weight;
    /// See `advance` in the pallet's benchmarks; `s` is 0 to 32.
    fn advance(s: u32) -> Weight;
    /// See `draw` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw(t: u32) -> Weight;
    /// See `draw_absent` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw_absent(t: u32) -> Weight;
    /// See `settle` in the pallet's benchmarks; `s` is 0 to 32.
    fn settle(s: u32) -> Weight;
    /// See `close_disputes` in the pallet's benchmarks; `d` is 0 to 16.
    fn close_disputes(d: u32) -> Weight;
    /// See `charge_demands` in the pallet's benchmarks; `d` is 0 to 8.
    fn charge_demands(d: u32) -> Weight;
}

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1153 bytes. Shortest time: 61_184_000 ps.
    fn commit_check() -> Weight {
        Weight::from_parts(67_356_000, 7_042)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1153 bytes. Shortest time: 57_076_000 ps.
    fn commit_early() -> Weight {
        Weight::from_parts(66_374_000, 7_042)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 11_791_000 ps.
    fn verify_commitment() -> Weight {
        Weight::from_parts(13_515_000, 0)
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Claims::UndrawnSpan` (r:1 w:1)
    // Proof: `Claims::UndrawnSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Undrawn` (r:0 w:1)
    // Proof: `Claims::Undrawn` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 681 bytes. Shortest time: 65_522_000 ps.
    fn reveal_check() -> Weight {
        Weight::from_parts(70_522_000, 7_042)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 697 bytes. Shortest time: 57_417_000 ps.
    fn reveal_early() -> Weight {
        Weight::from_parts(62_557_000, 7_042)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 665 bytes. Shortest time: 66_194_000 ps.
    fn reveal_last() -> Weight {
        Weight::from_parts(71_804_000, 7_042)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 25_367_000 ps.
    fn verify_reveal() -> Weight {
        Weight::from_parts(28_373_000, 0)
    }

    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:1 w:1)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Jury::QueueSpan` (r:1 w:1)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Jury::Queue` (r:0 w:1)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 717 bytes. Shortest time: 131_526_000 ps.
    fn challenge() -> Weight {
        Weight::from_parts(139_861_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:1 w:1)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `Claims::UndrawnSpan` (r:1 w:1)
    // Proof: `Claims::UndrawnSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Jury::QueueSpan` (r:1 w:1)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Jury::Queue` (r:0 w:1)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Undrawn` (r:0 w:1)
    // Proof: `Claims::Undrawn` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1213 bytes. Shortest time: 87_914_000 ps.
    fn challenge_seated() -> Weight {
        Weight::from_parts(93_304_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 550 bytes. Shortest time: 47_268_000 ps.
    fn demand_leaf() -> Weight {
        Weight::from_parts(51_797_000, 7_042)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:1 w:0)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `Jury::QueueSpan` (r:1 w:1)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Jury::Queue` (r:0 w:1)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 630 bytes. Shortest time: 74_679_000 ps.
    fn post_leaf(t: u32) -> Weight {
        Weight::from_parts(77_560_169, 8_079)
            .saturating_add(Weight::from_parts(33_186, 0).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Beacon::Latest` (r:1 w:0)
    // Proof: `Beacon::Latest` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
    // Storage: `Claims::AgendaCursor` (r:1 w:1)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:1 w:0)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::LatestValues` (r:1 w:1)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Claims::RecentValues` (r:1 w:1)
    // Proof: `Claims::RecentValues` (`max_values`: Some(1), `max_size`: Some(2306), added: 2801, mode: `MaxEncodedLen`)
    // Storage: `Claims::UndrawnSpan` (r:1 w:1)
    // Proof: `Claims::UndrawnSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Claims::FirstNew` (r:1 w:1)
    // Proof: `Claims::FirstNew` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Claims::NextClaim` (r:1 w:1)
    // Proof: `Claims::NextClaim` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Claims::FirstOfMany` (r:1 w:1)
    // Proof: `Claims::FirstOfMany` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:1)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:1)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 2710 bytes. Shortest time: 57_738_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(60_653_000, 3_791)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(11))
    }

    // Storage: `Claims::AgendaCursor` (r:1 w:1)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:1 w:0)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 32 bytes. Shortest time: 10_360_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(11_351_000, 3_493)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 428 bytes. Shortest time: 14_317_000 ps.
    fn look() -> Weight {
        Weight::from_parts(17_723_000, 7_042).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Jury::Backlogs` (r:32 w:0)
    // Proof: `Jury::Backlogs` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 462 bytes. Shortest time: 24_435_000 ps.
    fn begin_check(s: u32) -> Weight {
        Weight::from_parts(28_232_000, 7_042)
            .saturating_add(Weight::from_parts(6_628_625, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_531).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Claims::Agenda` (r:1 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:32 w:32)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:32 w:32)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:32 w:32)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:32 w:32)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 216 + s * 760 bytes. Shortest time: 40_466_000 ps.
    fn advance(s: u32) -> Weight {
        Weight::from_parts(54_843_000, 7_042)
            .saturating_add(Weight::from_parts(75_261_750, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_904).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(s.into()))
    }

    // Storage: `Operators::Rosters` (r:1 w:0)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:20 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:20 w:20)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:20 w:20)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4327 + t * 4154 bytes. Shortest time: 58_138_000 ps.
    fn draw(t: u32) -> Weight {
        Weight::from_parts(25_827_000, 7_108)
            .saturating_add(Weight::from_parts(40_016_800, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(t.into()))
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
    // Storage: `Operators::Locks` (r:20 w:0)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Deserted` (r:0 w:1)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4350 + t * 4174 bytes. Shortest time: 88_726_000 ps.
    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(54_902_000, 7_108)
            .saturating_add(Weight::from_parts(49_252_000, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Claims::Agenda` (r:1 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:33 w:33)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:33 w:33)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1135 + s * 587 bytes. Shortest time: 180_327_000 ps.
    fn settle(s: u32) -> Weight {
        Weight::from_parts(191_118_750, 7_042)
            .saturating_add(Weight::from_parts(13_402_843, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_904).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(6))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(s.into()))
    }

    // Storage: `Claims::Disputes` (r:17 w:16)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:64 w:64)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:64 w:64)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 0 + d * 969 bytes. Shortest time: 7_124_000 ps.
    fn close_disputes(d: u32) -> Weight {
        Weight::from_parts(7_654_000, 5_114)
            .saturating_add(Weight::from_parts(200_258_166, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(0, 10_600).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(9).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().writes(9).saturating_mul(d.into()))
    }

    // Storage: `Operators::Operators` (r:8 w:8)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:8 w:8)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:8 w:8)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:8 w:8)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 33 + d * 686 bytes. Shortest time: 391_000 ps.
    fn charge_demands(d: u32) -> Weight {
        Weight::from_parts(4_676_250, 990)
            .saturating_add(Weight::from_parts(55_893_125, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(0, 2_904).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(d.into()))
    }
}
