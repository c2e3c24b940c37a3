//! What the calls of `pallet_operators` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-25, Intel(R) Xeon(R) Processor, 50 steps and 20 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `register` in the pallet's benchmarks.
    fn register() -> Weight;
    /// See `set_prices` in the pallet's benchmarks.
    fn set_prices() -> Weight;
    /// See `serve` in the pallet's benchmarks.
    fn serve() -> Weight;
    /// See `stop_serving` in the pallet's benchmarks; `s` is 1 to 32.
    fn stop_serving(s: u32) -> Weight;
    /// See `heartbeat` in the pallet's benchmarks.
    fn heartbeat() -> Weight;
    /// See `bond_extra` in the pallet's benchmarks.
    fn bond_extra() -> Weight;
    /// See `start_unbonding` in the pallet's benchmarks.
    fn start_unbonding() -> Weight;
    /// See `cancel_unbonding` in the pallet's benchmarks.
    fn cancel_unbonding() -> Weight;
    /// See `withdraw_bond` in the pallet's benchmarks; `c` is 0 to 16, `s` is 1 to 32.
    fn withdraw_bond(c: u32, s: u32) -> Weight;
    /// See `rotate_key` in the pallet's benchmarks.
    fn rotate_key() -> Weight;
    /// See `report_device` in the pallet's benchmarks.
    fn report_device() -> Weight;
    /// See `set_endpoint` in the pallet's benchmarks.
    fn set_endpoint() -> Weight;
    /// See `follow_canonical` in the pallet's benchmarks.
    fn follow_canonical() -> Weight;
}

/// As measured, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4 bytes. Shortest time: 292_299_000 ps.
    fn register() -> Weight {
        Weight::from_parts(305_179_000, 3_608)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 206 bytes. Shortest time: 44_773_000 ps.
    fn set_prices() -> Weight {
        Weight::from_parts(47_963_000, 3_608)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:33 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(285), added: 2760, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:2 w:2)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:2 w:2)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 7363 bytes. Shortest time: 799_443_000 ps.
    fn serve() -> Weight {
        Weight::from_parts(833_289_000, 87_384)
            .saturating_add(T::DbWeight::get().reads(39))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:2 w:2)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 511 + s * 63 bytes. Shortest time: 97_285_000 ps.
    fn stop_serving(s: u32) -> Weight {
        Weight::from_parts(110_191_663, 8_104)
            .saturating_add(Weight::from_parts(1_629_741, 0).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 274 bytes. Shortest time: 57_191_000 ps.
    fn heartbeat() -> Weight {
        Weight::from_parts(62_390_000, 3_608)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 364 bytes. Shortest time: 261_097_000 ps.
    fn bond_extra() -> Weight {
        Weight::from_parts(270_618_000, 3_608)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 206 bytes. Shortest time: 46_872_000 ps.
    fn start_unbonding() -> Weight {
        Weight::from_parts(51_402_000, 3_608)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 210 bytes. Shortest time: 45_127_000 ps.
    fn cancel_unbonding() -> Weight {
        Weight::from_parts(48_982_000, 3_608)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:32 w:32)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:0 w:1)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1073), added: 3548, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:0 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 663 + c * 154 + s * 78 bytes. Shortest time: 347_657_000 ps.
    fn withdraw_bond(c: u32, s: u32) -> Weight {
        Weight::from_parts(267_590_950, 6_196)
            .saturating_add(Weight::from_parts(47_383_646, 0).saturating_mul(c.into()))
            .saturating_add(Weight::from_parts(3_596_149, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 7_114).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(c.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(143), added: 2618, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:2)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 429 bytes. Shortest time: 123_090_000 ps.
    fn rotate_key() -> Weight {
        Weight::from_parts(127_847_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 144 bytes. Shortest time: 58_752_000 ps.
    fn report_device() -> Weight {
        Weight::from_parts(62_056_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Counted by hand after `report_device`, which reads and writes the same way, with a margin of a
    // quarter: not measured yet.
    fn set_endpoint() -> Weight {
        Weight::from_parts(77_570_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // `serve`, `stop_serving` of a full list, and reads of `Operators::Keys`, `Checkpoints::Checkpoints`
    // and `Checkpoints::Canonical`, added up by hand: not measured yet.
    fn follow_canonical() -> Weight {
        Self::serve()
            .saturating_add(Self::stop_serving(32))
            .saturating_add(Weight::from_parts(30_000_000, 8_000))
            .saturating_add(T::DbWeight::get().reads(3))
    }
}
