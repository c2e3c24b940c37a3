//! Weights of the calls of `pallet_operators`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
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
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 124 bytes. Shortest time: 194_864_000 ps.
    fn register() -> Weight {
        Weight::from_parts(218_297_000, 3_894)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 571 bytes. Shortest time: 24_526_000 ps.
    fn set_prices() -> Weight {
        Weight::from_parts(26_069_000, 3_894)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 571 bytes. Shortest time: 24_095_000 ps.
    fn set_reserve() -> Weight {
        Weight::from_parts(25_848_000, 3_894)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 6301 bytes. Shortest time: 122_418_000 ps.
    fn serve() -> Weight {
        Weight::from_parts(139_351_000, 13_246)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:2 w:2)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:2 w:2)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 5861 bytes. Shortest time: 113_913_000 ps.
    fn stop_serving() -> Weight {
        Weight::from_parts(130_344_000, 13_246)
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
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:4 w:4)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:4 w:4)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 11467 bytes. Shortest time: 225_892_000 ps.
    fn follow_canonical() -> Weight {
        Weight::from_parts(242_443_000, 25_502)
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(721), added: 3196, mode: `MaxEncodedLen`)
    // Storage: `Operators::Rosters` (r:32 w:32)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `MaxEncodedLen`)
    // Storage: `Operators::RosterPages` (r:32 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 815 + s * 287 bytes. Shortest time: 37_490_000 ps.
    fn resume(s: u32) -> Weight {
        Weight::from_parts(44_734_000, 4_186)
            .saturating_add(Weight::from_parts(31_540_250, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 12_256).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(s.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 902 + s * 287 bytes. Shortest time: 88_886_000 ps.
    fn bond_extra(s: u32) -> Weight {
        Weight::from_parts(97_427_500, 4_186)
            .saturating_add(Weight::from_parts(43_908_125, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 12_256).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(s.into()))
    }

    // Storage: `Operators::TermLength` (r:1 w:0)
    // Proof: `Operators::TermLength` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
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
    // Proof in the benchmark: 815 + s * 287 bytes. Shortest time: 29_135_000 ps.
    fn start_unbonding(s: u32) -> Weight {
        Weight::from_parts(44_613_000, 4_186)
            .saturating_add(Weight::from_parts(54_787_250, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 12_256).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(6).saturating_mul(s.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 575 bytes. Shortest time: 22_262_000 ps.
    fn cancel_unbonding() -> Weight {
        Weight::from_parts(24_025_000, 3_894)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:3 w:3)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:1 w:1)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Storage: `Operators::Controllers` (r:0 w:1)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:0 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1150 bytes. Shortest time: 164_247_000 ps.
    fn withdraw_bond() -> Weight {
        Weight::from_parts(170_418_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(10))
    }

    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:2)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 849 bytes. Shortest time: 141_905_000 ps.
    fn rotate_key() -> Weight {
        Weight::from_parts(169_316_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 775 bytes. Shortest time: 83_716_000 ps.
    fn withdraw() -> Weight {
        Weight::from_parts(86_081_000, 6_196)
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
    // Proof in the benchmark: 496 bytes. Shortest time: 41_117_000 ps.
    fn forget_deserted() -> Weight {
        Weight::from_parts(45_585_000, 7_108)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 223 bytes. Shortest time: 25_157_000 ps.
    fn report_device() -> Weight {
        Weight::from_parts(27_371_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 223 bytes. Shortest time: 24_185_000 ps.
    fn set_endpoint() -> Weight {
        Weight::from_parts(26_339_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
