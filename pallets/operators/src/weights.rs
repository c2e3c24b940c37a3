//! Weights of the calls of `pallet_operators`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `register` in the pallet's benchmarks.
    fn register() -> Weight;
    /// See `set_prices` in the pallet's benchmarks.
    fn set_prices() -> Weight;
    /// See `set_reserve` in the pallet's benchmarks.
    fn set_reserve() -> Weight;
    /// See `serve` in the pallet's benchmarks.
    fn serve() -> Weight;
    /// See `stop_serving` in the pallet's benchmarks.
    fn stop_serving() -> Weight;
    /// See `follow_canonical` in the pallet's benchmarks.
    fn follow_canonical() -> Weight;
    /// See `resume` in the pallet's benchmarks; `s` is 0 to 16.
    fn resume(s: u32) -> Weight;
    /// See `bond_extra` in the pallet's benchmarks; `s` is 0 to 16.
    fn bond_extra(s: u32) -> Weight;
    /// See `start_unbonding` in the pallet's benchmarks; `s` is 0 to 16.
    fn start_unbonding(s: u32) -> Weight;
    /// See `cancel_unbonding` in the pallet's benchmarks.
    fn cancel_unbonding() -> Weight;
    /// See `withdraw_bond` in the pallet's benchmarks.
    fn withdraw_bond() -> Weight;
    /// See `rotate_key` in the pallet's benchmarks.
    fn rotate_key() -> Weight;
    /// See `withdraw` in the pallet's benchmarks.
    fn withdraw() -> Weight;
    /// See `forget_deserted` in the pallet's benchmarks.
    fn forget_deserted() -> Weight;
    /// See `report_device` in the pallet's benchmarks.
    fn report_device() -> Weight;
    /// See `set_endpoint` in the pallet's benchmarks.
    fn set_endpoint() -> Weight;
}

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Operators::NextIndex` (r:1 w:1)
    // Proof: `Operators::NextIndex` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:0 w:1)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 124 bytes. Shortest time: 224_119_000 ps.
    fn register() -> Weight {
        Weight::from_parts(336_849_000, 3_798)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 475 bytes. Shortest time: 32_992_000 ps.
    fn set_prices() -> Weight {
        Weight::from_parts(45_515_000, 3_798)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // As `set_prices`, until it is measured.
    fn set_reserve() -> Weight {
        Self::set_prices()
    }

    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:2 w:2)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:2 w:2)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6172 bytes. Shortest time: 172_713_000 ps.
    fn serve() -> Weight {
        Weight::from_parts(257_951_000, 13_246)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:2 w:2)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:2 w:2)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5765 bytes. Shortest time: 218_648_000 ps.
    fn stop_serving() -> Weight {
        Weight::from_parts(273_571_000, 13_246)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:2 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:4 w:4)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:4 w:4)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 11338 bytes. Shortest time: 324_155_000 ps.
    fn follow_canonical() -> Weight {
        Weight::from_parts(559_444_000, 25_502)
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:32 w:32)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:32 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 719 + s * 287 bytes. Shortest time: 42_379_000 ps.
    fn resume(s: u32) -> Weight {
        Weight::from_parts(85_630_169, 4_186)
            .saturating_add(Weight::from_parts(55_802_437, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 12_256).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(s.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:32 w:32)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:32 w:32)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 806 + s * 287 bytes. Shortest time: 115_285_000 ps.
    fn bond_extra(s: u32) -> Weight {
        Weight::from_parts(146_845_070, 4_186)
            .saturating_add(Weight::from_parts(80_792_927, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 12_256).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(s.into()))
    }

    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:32 w:32)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:32 w:32)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Storage: `Operators::DesertedSpan` (r:1 w:1)
    // Proof: `Operators::DesertedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Operators::Deserted` (r:0 w:32)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 719 + s * 287 bytes. Shortest time: 36_638_000 ps.
    fn start_unbonding(s: u32) -> Weight {
        Weight::from_parts(82_920_820, 4_186)
            .saturating_add(Weight::from_parts(97_420_280, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 12_256).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(6).saturating_mul(s.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 479 bytes. Shortest time: 22_572_000 ps.
    fn cancel_unbonding() -> Weight {
        Weight::from_parts(43_752_000, 3_798)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:3 w:3)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:0 w:1)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:0 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 841 bytes. Shortest time: 154_359_000 ps.
    fn withdraw_bond() -> Weight {
        Weight::from_parts(287_176_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:2)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 753 bytes. Shortest time: 214_831_000 ps.
    fn rotate_key() -> Weight {
        Weight::from_parts(271_277_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 679 bytes. Shortest time: 85_710_000 ps.
    fn withdraw() -> Weight {
        Weight::from_parts(154_859_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Operators::DesertedSpan` (r:1 w:0)
    // Proof: `Operators::DesertedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Deserted` (r:1 w:0)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:1 w:1)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:0 w:1)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 496 bytes. Shortest time: 61_895_000 ps.
    fn forget_deserted() -> Weight {
        Weight::from_parts(94_958_000, 7_108)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 223 bytes. Shortest time: 25_348_000 ps.
    fn report_device() -> Weight {
        Weight::from_parts(50_294_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 223 bytes. Shortest time: 24_986_000 ps.
    fn set_endpoint() -> Weight {
        Weight::from_parts(45_896_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
