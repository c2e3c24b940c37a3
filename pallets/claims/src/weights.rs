//! Weights of the calls of `pallet_claims`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.
//!
//! `demand_leaf`, `post_leaf`, `close_disputes`, `charge_demands`, and what `poll_base` reads and writes of
//! `RecentValues` and `FirstOfMany`, are counted by hand until they are measured.

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
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1041 bytes. Shortest time: 106_098_000 ps.
    fn commit_check() -> Weight {
        Weight::from_parts(178_383_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1041 bytes. Shortest time: 93_534_000 ps.
    fn commit_early() -> Weight {
        Weight::from_parts(151_994_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 20_368_000 ps.
    fn verify_commitment() -> Weight {
        Weight::from_parts(35_676_000, 0)
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Claims::UndrawnSpan` (r:1 w:1)
    // Proof: `Claims::UndrawnSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Undrawn` (r:0 w:1)
    // Proof: `Claims::Undrawn` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 665 bytes. Shortest time: 154_359_000 ps.
    fn reveal_check() -> Weight {
        Weight::from_parts(186_488_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 681 bytes. Shortest time: 97_141_000 ps.
    fn reveal_early() -> Weight {
        Weight::from_parts(159_558_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 649 bytes. Shortest time: 108_262_000 ps.
    fn reveal_last() -> Weight {
        Weight::from_parts(157_123_000, 6_682)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 37_850_000 ps.
    fn verify_reveal() -> Weight {
        Weight::from_parts(46_136_000, 0)
    }

    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 701 bytes. Shortest time: 172_091_000 ps.
    fn challenge() -> Weight {
        Weight::from_parts(250_648_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:1 w:1)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `Claims::UndrawnSpan` (r:1 w:1)
    // Proof: `Claims::UndrawnSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 1101 bytes. Shortest time: 128_660_000 ps.
    fn challenge_seated() -> Weight {
        Weight::from_parts(210_522_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    fn demand_leaf() -> Weight {
        Weight::from_parts(186_588_000, 6_650)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    fn post_leaf(t: u32) -> Weight {
        Weight::from_parts(308_536_000, 8_079)
            .saturating_add(Weight::from_parts(100_000, 0).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Claims::LatestValues` (r:1 w:1)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Beacon::Latest` (r:1 w:0)
    // Proof: `Beacon::Latest` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
    // Storage: `Claims::AgendaCursor` (r:1 w:1)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:1 w:0)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::UndrawnSpan` (r:1 w:1)
    // Proof: `Claims::UndrawnSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Claims::FirstNew` (r:1 w:1)
    // Proof: `Claims::FirstNew` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Claims::NextClaim` (r:1 w:1)
    // Proof: `Claims::NextClaim` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:1)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:1)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 347 bytes. Shortest time: 40_245_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(70_000_000, 6_400)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(11))
    }

    // Storage: `Claims::AgendaCursor` (r:1 w:1)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:1 w:0)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 32 bytes. Shortest time: 10_570_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(14_126_000, 3_493)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 412 bytes. Shortest time: 17_623_000 ps.
    fn look() -> Weight {
        Weight::from_parts(37_650_000, 6_682).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Jury::Backlogs` (r:32 w:0)
    // Proof: `Jury::Backlogs` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 446 bytes. Shortest time: 55_213_000 ps.
    fn begin_check(s: u32) -> Weight {
        Weight::from_parts(106_337_133, 6_682)
            .saturating_add(Weight::from_parts(6_223_970, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_531).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Claims::Agenda` (r:1 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:32 w:32)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:32 w:32)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:32 w:32)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:32 w:32)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 200 + s * 664 bytes. Shortest time: 59_952_000 ps.
    fn advance(s: u32) -> Weight {
        Weight::from_parts(62_126_000, 6_682)
            .saturating_add(Weight::from_parts(127_856_581, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_808).saturating_mul(s.into()))
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
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:20 w:20)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4328 + t * 4058 bytes. Shortest time: 128_851_000 ps.
    fn draw(t: u32) -> Weight {
        Weight::from_parts(55_437_249, 7_108)
            .saturating_add(Weight::from_parts(72_496_452, 0).saturating_mul(t.into()))
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
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::DesertedSpan` (r:1 w:1)
    // Proof: `Operators::DesertedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:20 w:0)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Deserted` (r:0 w:1)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4350 + t * 4078 bytes. Shortest time: 132_096_000 ps.
    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(66_459_440, 7_108)
            .saturating_add(Weight::from_parts(79_679_208, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Claims::Agenda` (r:1 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:33 w:33)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:3 w:3)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:33 w:33)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1023 + s * 491 bytes. Shortest time: 367_636_000 ps.
    fn settle(s: u32) -> Weight {
        Weight::from_parts(415_931_800, 6_682)
            .saturating_add(Weight::from_parts(24_370_379, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_808).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(s.into()))
    }

    // Reads and writes for each: Disputes, and Account and Holds of four challengers.
    fn close_disputes(d: u32) -> Weight {
        Weight::from_parts(10_000_000, 4_124)
            .saturating_add(Weight::from_parts(250_000_000, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(0, 25_136).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(9).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().writes(9).saturating_mul(d.into()))
    }

    // Reads and writes for each: Operators, Locks, Account and Holds.
    fn charge_demands(d: u32) -> Weight {
        Weight::from_parts(5_000_000, 0)
            .saturating_add(Weight::from_parts(120_000_000, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(0, 10_621).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(d.into()))
    }
}
