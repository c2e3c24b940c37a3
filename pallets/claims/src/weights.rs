//! What the calls of `pallet_claims` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.
//!
//! Counted since, until they are measured again: the reads and writes of the last part of a stage, of each seat, of
//! the poll and of leaving a block, and the functions `verify_*`, `challenge_seated` and `draw_absent`, which repeat
//! those of the calls and of `draw`. Not measured yet: `reveal_early`, `reveal_last`, `look` and `begin_check`.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
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
}

/// As measured, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1010 bytes. Shortest time: 114_714_000 ps.
    fn commit_check() -> Weight {
        Weight::from_parts(186_588_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    fn commit_early() -> Weight {
        Weight::from_parts(186_588_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn verify_commitment() -> Weight {
        Weight::from_parts(186_588_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 997 bytes. Shortest time: 132_687_000 ps.
    fn reveal_check() -> Weight {
        Weight::from_parts(191_107_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    fn reveal_early() -> Weight {
        Weight::from_parts(170_000_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn reveal_last() -> Weight {
        Weight::from_parts(190_000_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    fn verify_reveal() -> Weight {
        Weight::from_parts(191_107_000, 6_666)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:1 w:1)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Jury::OpenDisputes` (r:1 w:1)
    // Proof: `Jury::OpenDisputes` (`max_values`: None, `max_size`: Some(4614), added: 7089, mode: `MaxEncodedLen`)
    // Storage: `ParachainSystem::ValidationData` (r:1 w:0)
    // Proof: `ParachainSystem::ValidationData` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
    // Storage: `Jury::QueueSpan` (r:1 w:1)
    // Proof: `Jury::QueueSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Jury::Queue` (r:0 w:1)
    // Proof: `Jury::Queue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 930 bytes. Shortest time: 259_715_000 ps.
    fn challenge() -> Weight {
        Weight::from_parts(308_536_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    fn challenge_seated() -> Weight {
        Weight::from_parts(308_536_000, 8_079)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Storage: `ParachainSystem::ValidationData` (r:1 w:0)
    // Proof: `ParachainSystem::ValidationData` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Beacon::Latest` (r:1 w:0)
    // Proof: `Beacon::Latest` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
    // Storage: `Claims::AgendaCursor` (r:1 w:0)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 36 bytes. Shortest time: 16_932_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(40_456_000, 1_559)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Claims::AgendaCursor` (r:1 w:0)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6 bytes. Shortest time: 4_679_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(8_726_000, 1_489)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Claims::Claims` (r:1 w:0)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    fn look() -> Weight {
        Weight::from_parts(50_000_000, 6_666).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    // Storage: `Claims::AgendaCursor` (r:1 w:0)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:0 w:1)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:32 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Jury::Backlogs` (r:32 w:0)
    // Proof: `Jury::Backlogs` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `MaxEncodedLen`)
    fn begin_check(s: u32) -> Weight {
        Weight::from_parts(190_000_000, 6_666)
            .saturating_add(Weight::from_parts(30_000_000, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 5_062).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `ParachainSystem::ValidationData` (r:1 w:0)
    // Proof: `ParachainSystem::ValidationData` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Beacon::Latest` (r:1 w:0)
    // Proof: `Beacon::Latest` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
    // Storage: `Claims::AgendaCursor` (r:1 w:1)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:2 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:32 w:32)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1337 + s * 87 bytes. Shortest time: 151_413_000 ps.
    fn advance(s: u32) -> Weight {
        Weight::from_parts(451_982_666, 6_666)
            .saturating_add(Weight::from_parts(151_006_393, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_808).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(6))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(s.into()))
    }

    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 4669 + t * 3972 bytes. Shortest time: 158_616_000 ps.
    fn draw(t: u32) -> Weight {
        Weight::from_parts(161_772_000, 7_108)
            .saturating_add(Weight::from_parts(147_654_067, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(t.into()))
    }

    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(161_772_000, 7_108)
            .saturating_add(Weight::from_parts(147_654_067, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_128).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `ParachainSystem::ValidationData` (r:1 w:0)
    // Proof: `ParachainSystem::ValidationData` (`max_values`: Some(1), `max_size`: None, mode: `Measured`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `MaxEncodedLen`)
    // Storage: `Beacon::Latest` (r:1 w:0)
    // Proof: `Beacon::Latest` (`max_values`: Some(1), `max_size`: Some(36), added: 531, mode: `MaxEncodedLen`)
    // Storage: `Claims::AgendaCursor` (r:1 w:1)
    // Proof: `Claims::AgendaCursor` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Claims::Agenda` (r:2 w:2)
    // Proof: `Claims::Agenda` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Claims::Claims` (r:1 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3201), added: 5676, mode: `MaxEncodedLen`)
    // Storage: `Claims::Disputes` (r:1 w:0)
    // Proof: `Claims::Disputes` (`max_values`: None, `max_size`: Some(1649), added: 4124, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:2 w:2)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Storage: `Operators::Locks` (r:33 w:33)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:2 w:2)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1874 + s * 88 bytes. Shortest time: 665_171_000 ps.
    fn settle(s: u32) -> Weight {
        Weight::from_parts(911_901_166, 6_666)
            .saturating_add(Weight::from_parts(32_063_727, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 2_808).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(11))
            .saturating_add(T::DbWeight::get().writes(3).saturating_mul(s.into()))
    }
}
