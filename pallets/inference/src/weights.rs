//! Weights of the calls of `pallet_inference`, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-30, AMD EPYC, 5 steps and 5 repetitions. Times are medians;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// The weight of each benchmark of the pallet.
pub trait WeightInfo {
    /// See `request_inference` in the pallet's benchmarks; `p` is 1 to 8192, `t` is 1 to 20.
    fn request_inference(p: u32, t: u32) -> Weight;
    /// See `enqueue` in the pallet's benchmarks.
    fn enqueue() -> Weight;
    /// See `dequeue` in the pallet's benchmarks.
    fn dequeue() -> Weight;
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
    /// See `visit_early` in the pallet's benchmarks.
    fn visit_early() -> Weight;
    /// See `look` in the pallet's benchmarks.
    fn look() -> Weight;
    /// See `visit_unqueued` in the pallet's benchmarks.
    fn visit_unqueued() -> Weight;
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
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `Measured`)
    // Storage: `Parameters::Parameters` (r:2 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `Measured`)
    // Storage: `Operators::Rosters` (r:1 w:1)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `Measured`)
    // Storage: `Operators::RosterPages` (r:20 w:19)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `Measured`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `Measured`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Prompts` (r:0 w:1)
    // Proof: `Inference::Prompts` (`max_values`: None, `max_size`: Some(8210), added: 10685, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 4830 + t * 4155 bytes. Shortest time: 317_393_000 ps.
    fn request_inference(p: u32, t: u32) -> Weight {
        Weight::from_parts(272_893_679, 10_770)
            .saturating_add(Weight::from_parts(3_478, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(40_016_842, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_630).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Proof in the benchmark: 0 bytes. Shortest time: 3_646_000 ps.
    fn enqueue() -> Weight {
        Weight::from_parts(4_098_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Proof in the benchmark: 0 bytes. Shortest time: 3_597_000 ps.
    fn dequeue() -> Weight {
        Weight::from_parts(4_097_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Inference::Unqueued` (r:1 w:0)
    // Proof: `Inference::Unqueued` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Queue` (r:2 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Searches` (r:0 w:1)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Proof in the benchmark: 919 bytes. Shortest time: 108_021_000 ps.
    fn cancel_request() -> Weight {
        Weight::from_parts(117_470_000, 6_859)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `Measured`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `Measured`)
    // Storage: `Inference::Answers` (r:0 w:1)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12308), added: 14783, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:0 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Claims::Claims` (r:0 w:1)
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `Measured`)
    // Proof in the benchmark: 1117 bytes. Shortest time: 149_790_000 ps.
    fn submit_answer(t: u32, b: u32) -> Weight {
        Weight::from_parts(106_615_782, 4_582)
            .saturating_add(Weight::from_parts(49_956, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(8_448, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 50_465_000 ps.
    fn verify_answer(t: u32, b: u32) -> Weight {
        Weight::from_parts(18_152_043, 0)
            .saturating_add(Weight::from_parts(31_956, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(8_614, 0).saturating_mul(b.into()))
    }

    // Storage: `Inference::NextDeadlines` (r:1 w:1)
    // Proof: `Inference::NextDeadlines` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:1 w:0)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::PruningState` (r:1 w:1)
    // Proof: `Inference::PruningState` (`max_values`: Some(1), `max_size`: Some(28), added: 523, mode: `Measured`)
    // Storage: `Inference::NextRequestId` (r:1 w:1)
    // Proof: `Inference::NextRequestId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `Measured`)
    // Storage: `Inference::Requests` (r:2 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Claims::LatestValues` (r:1 w:0)
    // Proof: `Claims::LatestValues` (`max_values`: Some(1), `max_size`: Some(74), added: 569, mode: `Measured`)
    // Storage: `Inference::Unqueued` (r:1 w:1)
    // Proof: `Inference::Unqueued` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `Measured`)
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `Measured`)
    // Storage: `Inference::LastVisited` (r:1 w:0)
    // Proof: `Inference::LastVisited` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `Measured`)
    // Storage: `Inference::Queue` (r:1 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Proof in the benchmark: 1074 bytes. Shortest time: 91_602_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(98_804_000, 7_014)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::NextDeadlines` (r:1 w:1)
    // Proof: `Inference::NextDeadlines` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:1 w:0)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Proof in the benchmark: 202 bytes. Shortest time: 11_732_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(12_834_000, 3_667)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Queue` (r:34 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:31 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `Measured`)
    // Storage: `Inference::Searches` (r:1 w:0)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Proof in the benchmark: 1671 + r * 56 bytes. Shortest time: 54_292_000 ps.
    fn visit(r: u32) -> Weight {
        Weight::from_parts(64_467_500, 11_578)
            .saturating_add(Weight::from_parts(7_964_187, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(0, 2_529).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(r.into()))
    }

    // Storage: `Inference::Queue` (r:3 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 888 bytes. Shortest time: 44_523_000 ps.
    fn visit_early() -> Weight {
        Weight::from_parts(47_229_000, 9_303).saturating_add(T::DbWeight::get().reads(4))
    }

    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 475 bytes. Shortest time: 13_656_000 ps.
    fn look() -> Weight {
        Weight::from_parts(15_800_000, 3_940).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `Measured`)
    // Storage: `Inference::Queue` (r:1 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Searches` (r:1 w:0)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Proof in the benchmark: 440 bytes. Shortest time: 24_987_000 ps.
    fn visit_unqueued() -> Weight {
        Weight::from_parts(27_451_000, 3_905).saturating_add(T::DbWeight::get().reads(3))
    }

    // Storage: `Operators::Rosters` (r:1 w:0)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `Measured`)
    // Storage: `Operators::RosterPages` (r:20 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `Measured`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `Measured`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `Measured`)
    // Proof in the benchmark: 4330 + t * 4155 bytes. Shortest time: 60_623_000 ps.
    fn draw_workers(t: u32) -> Weight {
        Weight::from_parts(34_716_428, 7_795)
            .saturating_add(Weight::from_parts(26_289_857, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_630).saturating_mul(t.into()))
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
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `Measured`)
    // Storage: `Operators::DesertedSpan` (r:1 w:1)
    // Proof: `Operators::DesertedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `Measured`)
    // Storage: `Operators::Deserted` (r:0 w:1)
    // Proof: `Operators::Deserted` (`max_values`: None, `max_size`: Some(53), added: 2528, mode: `Measured`)
    // Proof in the benchmark: 4418 + t * 4168 bytes. Shortest time: 87_514_000 ps.
    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(53_185_333, 7_883)
            .saturating_add(Weight::from_parts(41_510_666, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_643).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 992_000 ps.
    fn consider(r: u32) -> Weight {
        Weight::from_parts(2_665_000, 0)
            .saturating_add(Weight::from_parts(323_125, 0).saturating_mul(r.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `Measured`)
    // Storage: `Operators::Locks` (r:1 w:1)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:0 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 417 bytes. Shortest time: 43_712_000 ps.
    fn assign() -> Weight {
        Weight::from_parts(48_751_000, 3_882)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::Unqueued` (r:1 w:0)
    // Proof: `Inference::Unqueued` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `Measured`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 502 bytes. Shortest time: 73_156_000 ps.
    fn refund() -> Weight {
        Weight::from_parts(78_657_000, 3_967)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 0 bytes. Shortest time: 6_472_000 ps.
    fn pass_over() -> Weight {
        Weight::from_parts(8_696_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Deadlines` (r:1 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(429), added: 2904, mode: `Measured`)
    // Storage: `Operators::Locks` (r:1 w:1)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `Measured`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `Measured`)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Proof in the benchmark: 1472 bytes. Shortest time: 158_947_000 ps.
    fn miss() -> Weight {
        Weight::from_parts(167_673_000, 7_412)
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
    // Proof: `Claims::Claims` (`max_values`: None, `max_size`: Some(3577), added: 6052, mode: `Measured`)
    // Proof in the benchmark: 1046 bytes. Shortest time: 25_497_000 ps.
    fn prune_bodies() -> Weight {
        Weight::from_parts(29_766_000, 4_511)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 1046 bytes. Shortest time: 20_689_000 ps.
    fn prune_record() -> Weight {
        Weight::from_parts(23_914_000, 4_511)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::LateRequests` (r:3 w:0)
    // Proof: `Inference::LateRequests` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 879 bytes. Shortest time: 28_754_000 ps.
    fn visit_late() -> Weight {
        Weight::from_parts(29_876_000, 9_294).saturating_add(T::DbWeight::get().reads(4))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 1041 bytes. Shortest time: 24_927_000 ps.
    fn ended() -> Weight {
        Weight::from_parts(28_754_000, 4_506)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
