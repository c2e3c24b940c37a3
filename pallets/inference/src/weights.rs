//! Weights of the calls of `pallet_inference`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `request_inference` in the pallet's benchmarks; `p` is 1 to 8192, `t` is 1 to 20.
    fn request_inference(p: u32, t: u32) -> Weight;
    /// See `cancel_request` in the pallet's benchmarks.
    fn cancel_request() -> Weight;
    /// See `submit_answer` in the pallet's benchmarks; `t` is 1 to 1024, `b` is 0 to 8192.
    fn submit_answer(t: u32, b: u32) -> Weight;
    /// See `verify_answer` in the pallet's benchmarks; `t` is 1 to 1024, `b` is 0 to 8192.
    fn verify_answer(t: u32, b: u32) -> Weight;
    /// See `poll_base` in the pallet's benchmarks.
    fn poll_base() -> Weight;
    /// See `skip_block` in the pallet's benchmarks.
    fn skip_block() -> Weight;
    /// See `visit` in the pallet's benchmarks; `r` is 0 to 32.
    fn visit(r: u32) -> Weight;
    /// See `draw_workers` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw_workers(t: u32) -> Weight;
    /// See `draw_absent` in the pallet's benchmarks; `t` is 1 to 20.
    fn draw_absent(t: u32) -> Weight;
    /// See `consider` in the pallet's benchmarks; `r` is 0 to 32.
    fn consider(r: u32) -> Weight;
    /// See `assign` in the pallet's benchmarks.
    fn assign() -> Weight;
    /// See `refund` in the pallet's benchmarks.
    fn refund() -> Weight;
    /// See `pass_over` in the pallet's benchmarks.
    fn pass_over() -> Weight;
    /// See `miss` in the pallet's benchmarks.
    fn miss() -> Weight;
    /// See `prune_bodies` in the pallet's benchmarks.
    fn prune_bodies() -> Weight;
    /// See `prune_record` in the pallet's benchmarks.
    fn prune_record() -> Weight;
    /// See `visit_late` in the pallet's benchmarks.
    fn visit_late() -> Weight;
    /// See `ended` in the pallet's benchmarks.
    fn ended() -> Weight;
}

/// The measured weights, with those of the reads and writes of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(363), added: 2838, mode: `Measured`)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `Measured`)
    // Storage: `Operators::Rosters` (r:1 w:1)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `Measured`)
    // Storage: `Operators::RosterPages` (r:20 w:19)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `Measured`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `Measured`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Prompts` (r:0 w:1)
    // Proof: `Inference::Prompts` (`max_values`: None, `max_size`: Some(8210), added: 10685, mode: `Measured`)
    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 5463 + t * 4061 bytes. Shortest time: 485_567_000 ps.
    fn request_inference(_p: u32, t: u32) -> Weight {
        Weight::from_parts(374_514_872, 11_465)
            .saturating_add(Weight::from_parts(87_866_934, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_532).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Queue` (r:2 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Searches` (r:0 w:1)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Proof in the benchmark: 962 bytes. Shortest time: 201_576_000 ps.
    fn cancel_request() -> Weight {
        Weight::from_parts(217_526_000, 6_902)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `Measured`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Storage: `Inference::Answers` (r:0 w:1)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12308), added: 14783, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:0 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Claims::Claims` (r:0 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `Measured`)
    // Proof in the benchmark: 1559 bytes. Shortest time: 152_064_000 ps.
    fn submit_answer(t: u32, b: u32) -> Weight {
        Weight::from_parts(168_463_002, 5_024)
            .saturating_add(Weight::from_parts(22_056, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(11_406, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Proof in the benchmark: 1232 bytes. Shortest time: 72_605_000 ps.
    fn verify_answer(t: u32, b: u32) -> Weight {
        Weight::from_parts(6_878_741, 4_697)
            .saturating_add(Weight::from_parts(79_461, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(14_363, 0).saturating_mul(b.into()))
    }

    // Storage: `Inference::NextDeadlines` (r:1 w:1)
    // Proof: `Inference::NextDeadlines` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:1 w:0)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::PruningState` (r:1 w:1)
    // Proof: `Inference::PruningState` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `Measured`)
    // Storage: `Inference::NextRequestId` (r:1 w:1)
    // Proof: `Inference::NextRequestId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `Measured`)
    // Storage: `Inference::Requests` (r:2 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `Measured`)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `Measured`)
    // Storage: `Inference::LastVisited` (r:1 w:0)
    // Proof: `Inference::LastVisited` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `Measured`)
    // Storage: `Inference::Queue` (r:1 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Proof in the benchmark: 304 bytes. Shortest time: 35_276_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(95_000_000, 8_300)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Inference::NextDeadlines` (r:1 w:1)
    // Proof: `Inference::NextDeadlines` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:1 w:0)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Proof in the benchmark: 169 bytes. Shortest time: 14_326_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(17_392_000, 3_634)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(363), added: 2838, mode: `Measured`)
    // Storage: `Inference::Searches` (r:1 w:0)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Storage: `Inference::Queue` (r:34 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:31 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 1160 + r * 56 bytes. Shortest time: 67_706_000 ps.
    fn visit(r: u32) -> Weight {
        Weight::from_parts(99_016_066, 11_242)
            .saturating_add(Weight::from_parts(14_080_383, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(0, 2_437).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(r.into()))
    }

    // Storage: `Operators::Rosters` (r:1 w:0)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `Measured`)
    // Storage: `Operators::RosterPages` (r:20 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `Measured`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `Measured`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Proof in the benchmark: 4659 + t * 4059 bytes. Shortest time: 113_883_000 ps.
    fn draw_workers(t: u32) -> Weight {
        Weight::from_parts(50_000_000, 8_172)
            .saturating_add(Weight::from_parts(60_000_000, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_522).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
    }

    // Storage: `Operators::Rosters` (r:1 w:1)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `Measured`)
    // Storage: `Operators::RosterPages` (r:20 w:20)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `Measured`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `Measured`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Storage: `Operators::DesertedSpan` (r:1 w:1)
    // Proof: `Operators::DesertedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `Measured`)
    // Storage: `Operators::Deserted` (r:0 w:1)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `Measured`)
    // Proof in the benchmark: 4747 + t * 4072 bytes. Shortest time: 184_654_000 ps.
    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(17_424_768, 8_239)
            .saturating_add(Weight::from_parts(101_492_277, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_537).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 500_000 ps.
    fn consider(r: u32) -> Weight {
        Weight::from_parts(1_000_000, 0)
            .saturating_add(Weight::from_parts(1_100_000, 0).saturating_mul(r.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Storage: `Operators::Locks` (r:1 w:1)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:0 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 843 bytes. Shortest time: 97_242_000 ps.
    fn assign() -> Weight {
        Weight::from_parts(139_271_000, 4_308)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 442 bytes. Shortest time: 110_296_000 ps.
    fn refund() -> Weight {
        Weight::from_parts(121_587_000, 3_907)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 0 bytes. Shortest time: 10_860_000 ps.
    fn pass_over() -> Weight {
        Weight::from_parts(20_268_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Deadlines` (r:1 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Storage: `Operators::Locks` (r:1 w:1)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `Measured`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `Measured`)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Proof in the benchmark: 1958 bytes. Shortest time: 253_083_000 ps.
    fn miss() -> Weight {
        Weight::from_parts(381_352_000, 7_898)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Inference::Answers` (r:0 w:1)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12308), added: 14783, mode: `Measured`)
    // Storage: `Inference::Prompts` (r:0 w:1)
    // Proof: `Inference::Prompts` (`max_values`: None, `max_size`: Some(8210), added: 10685, mode: `Measured`)
    // Storage: `Claims::Claims` (r:0 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3217), added: 5692, mode: `Measured`)
    // Proof in the benchmark: 1062 bytes. Shortest time: 72_095_000 ps.
    fn prune_bodies() -> Weight {
        Weight::from_parts(93_584_000, 4_527)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 322 bytes. Shortest time: 49_212_000 ps.
    fn prune_record() -> Weight {
        Weight::from_parts(76_142_000, 3_787)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::LateRequests` (r:2 w:0)
    // Proof: `Inference::LateRequests` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 1062 bytes. Shortest time: 50_000_000 ps.
    fn visit_late() -> Weight {
        Weight::from_parts(80_000_000, 6_500).saturating_add(T::DbWeight::get().reads(3))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 1004 bytes. Shortest time: 45_365_000 ps.
    fn ended() -> Weight {
        Weight::from_parts(70_041_000, 4_469)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
