//! What the calls of `pallet_operators` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-28, Intel(R) Xeon(R) Processor @ 2.50GHz, 20 steps and 20 repetitions. Time is a fit of least squares;
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
    /// See `follow_canonical` in the pallet's benchmarks.
    fn follow_canonical() -> Weight;
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
}

/// As measured, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 4 bytes. Shortest time: 719_728_000 ps.
    fn register() -> Weight {
        Weight::from_parts(1_049_265_000, 3_609)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 207 bytes. Shortest time: 131_763_000 ps.
    fn set_prices() -> Weight {
        Weight::from_parts(143_091_000, 3_609)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:33 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:2 w:2)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:2 w:2)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 7430 bytes. Shortest time: 1_909_645_000 ps.
    fn serve() -> Weight {
        Weight::from_parts(1_982_904_000, 87_417)
            .saturating_add(T::DbWeight::get().reads(39))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Operators` (r:1 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:2 w:2)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 525 + s * 62 bytes. Shortest time: 284_789_000 ps.
    fn stop_serving(s: u32) -> Weight {
        Weight::from_parts(328_966_419, 8_104)
            .saturating_add(Weight::from_parts(2_311_390, 0).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Checkpoints` (r:2 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(354), added: 2829, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Canonical` (r:1 w:0)
    // Proof: `Checkpoints::Canonical` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:33 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:2 w:2)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:4 w:4)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Storage: `Checkpoints::Families` (r:1 w:0)
    // Proof: `Checkpoints::Families` (`max_values`: None, `max_size`: Some(199), added: 2674, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 10835 bytes. Shortest time: 3_810_407_000 ps.
    fn follow_canonical() -> Weight {
        Weight::from_parts(4_117_814_000, 87_417)
            .saturating_add(T::DbWeight::get().reads(44))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 275 bytes. Shortest time: 176_864_000 ps.
    fn heartbeat() -> Weight {
        Weight::from_parts(287_156_000, 3_609)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 365 bytes. Shortest time: 759_864_000 ps.
    fn bond_extra() -> Weight {
        Weight::from_parts(1_056_845_000, 3_609)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 207 bytes. Shortest time: 179_111_000 ps.
    fn start_unbonding() -> Weight {
        Weight::from_parts(233_226_000, 3_609)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 211 bytes. Shortest time: 127_161_000 ps.
    fn cancel_unbonding() -> Weight {
        Weight::from_parts(165_184_000, 3_609)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Served` (r:1 w:1)
    // Proof: `Operators::Served` (`max_values`: None, `max_size`: Some(561), added: 3036, mode: `MaxEncodedLen`)
    // Storage: `Operators::Servers` (r:32 w:32)
    // Proof: `Operators::Servers` (`max_values`: None, `max_size`: Some(1082), added: 3557, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:0 w:1)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:0 w:1)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 675 + c * 154 + s * 78 bytes. Shortest time: 846_437_000 ps.
    fn withdraw_bond(c: u32, s: u32) -> Weight {
        Weight::from_parts(66_774_118, 6_196)
            .saturating_add(Weight::from_parts(146_302_150, 0).saturating_mul(c.into()))
            .saturating_add(Weight::from_parts(21_999_631, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 7_114).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().writes(9))
            .saturating_add(T::DbWeight::get().writes(2).saturating_mul(c.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:2)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 430 bytes. Shortest time: 317_085_000 ps.
    fn rotate_key() -> Weight {
        Weight::from_parts(339_622_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Devices` (r:0 w:1)
    // Proof: `Operators::Devices` (`max_values`: None, `max_size`: Some(151), added: 2626, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 144 bytes. Shortest time: 158_231_000 ps.
    fn report_device() -> Weight {
        Weight::from_parts(174_601_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Operators::Endpoints` (r:0 w:1)
    // Proof: `Operators::Endpoints` (`max_values`: None, `max_size`: Some(162), added: 2637, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 144 bytes. Shortest time: 150_843_000 ps.
    fn set_endpoint() -> Weight {
        Weight::from_parts(162_547_000, 3_545)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
