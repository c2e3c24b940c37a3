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
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 4830 + t * 4059 bytes. Shortest time: 353_740_000 ps.
    fn request_inference(p: u32, t: u32) -> Weight {
        Weight::from_parts(354_863_000, 10_835)
            .saturating_add(Weight::from_parts(21_104, 0).saturating_mul(p.into()))
            .saturating_add(Weight::from_parts(55_901_053, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_530).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    fn enqueue() -> Weight {
        Weight::from_parts(10_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    fn dequeue() -> Weight {
        Weight::from_parts(10_000_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Queue` (r:2 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Searches` (r:0 w:1)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Proof in the benchmark: 859 bytes. Shortest time: 181_339_000 ps.
    fn cancel_request() -> Weight {
        Weight::from_parts(205_613_000, 6_799)
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
    // Proof in the benchmark: 1020 bytes. Shortest time: 175_838_000 ps.
    fn submit_answer(t: u32, b: u32) -> Weight {
        Weight::from_parts(191_329_343, 4_485)
            .saturating_add(Weight::from_parts(12_727, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(12_148, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 61_766_000 ps.
    fn verify_answer(t: u32, b: u32) -> Weight {
        Weight::from_parts(16_504_572, 0)
            .saturating_add(Weight::from_parts(56_606, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(8_991, 0).saturating_mul(b.into()))
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
    // Storage: `Parameters::Parameters` (r:1 w:0)
    // Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(136), added: 2611, mode: `Measured`)
    // Storage: `Inference::LastVisited` (r:1 w:0)
    // Proof: `Inference::LastVisited` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `Measured`)
    // Storage: `Inference::Queue` (r:1 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Proof in the benchmark: 1014 bytes. Shortest time: 97_622_000 ps.
    fn poll_base() -> Weight {
        Weight::from_parts(133_500_000, 6_954)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Inference::NextDeadlines` (r:1 w:1)
    // Proof: `Inference::NextDeadlines` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:1 w:0)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Proof in the benchmark: 169 bytes. Shortest time: 12_894_000 ps.
    fn skip_block() -> Weight {
        Weight::from_parts(20_389_000, 3_634)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `Measured`)
    // Storage: `Inference::Searches` (r:1 w:0)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    // Storage: `Inference::Queue` (r:34 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:31 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 1173 + r * 56 bytes. Shortest time: 90_359_000 ps.
    fn visit(r: u32) -> Weight {
        Weight::from_parts(114_639_333, 11_255)
            .saturating_add(Weight::from_parts(9_862_112, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(0, 2_437).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().reads(2).saturating_mul(r.into()))
    }

    // Storage: `Inference::Queue` (r:3 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    fn visit_early() -> Weight {
        Weight::from_parts(60_000_000, 9_000).saturating_add(T::DbWeight::get().reads(4))
    }

    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    fn look() -> Weight {
        Weight::from_parts(25_000_000, 4_451).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Checkpoints::Checkpoints` (r:1 w:0)
    // Proof: `Checkpoints::Checkpoints` (`max_values`: None, `max_size`: Some(371), added: 2846, mode: `Measured`)
    // Storage: `Inference::Queue` (r:1 w:0)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Searches` (r:1 w:0)
    // Proof: `Inference::Searches` (`max_values`: None, `max_size`: Some(61), added: 2536, mode: `Measured`)
    fn visit_unqueued() -> Weight {
        Weight::from_parts(50_000_000, 6_000).saturating_add(T::DbWeight::get().reads(3))
    }

    // Storage: `Operators::Rosters` (r:1 w:0)
    // Proof: `Operators::Rosters` (`max_values`: None, `max_size`: Some(3643), added: 6118, mode: `Measured`)
    // Storage: `Operators::RosterPages` (r:20 w:0)
    // Proof: `Operators::RosterPages` (`max_values`: None, `max_size`: Some(3653), added: 6128, mode: `Measured`)
    // Storage: `Operators::Controllers` (r:20 w:0)
    // Proof: `Operators::Controllers` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `Measured`)
    // Storage: `Operators::Operators` (r:20 w:0)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Proof in the benchmark: 4330 + t * 4059 bytes. Shortest time: 64_971_000 ps.
    fn draw_workers(t: u32) -> Weight {
        Weight::from_parts(31_326_038, 7_841)
            .saturating_add(Weight::from_parts(32_723_695, 0).saturating_mul(t.into()))
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
    // Proof in the benchmark: 4418 + t * 4072 bytes. Shortest time: 113_271_000 ps.
    fn draw_absent(t: u32) -> Weight {
        Weight::from_parts(87_410_284, 7_909)
            .saturating_add(Weight::from_parts(45_547_749, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(0, 6_537).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(3).saturating_mul(t.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(t.into()))
    }

    // Proof in the benchmark: 0 bytes. Shortest time: 731_000 ps.
    fn consider(r: u32) -> Weight {
        Weight::from_parts(2_621_600, 0)
            .saturating_add(Weight::from_parts(414_975, 0).saturating_mul(r.into()))
    }

    // Storage: `Operators::Operators` (r:1 w:1)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(333), added: 2808, mode: `Measured`)
    // Storage: `Operators::Locks` (r:1 w:1)
    // Proof: `Operators::Locks` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `Measured`)
    // Storage: `Inference::Deadlines` (r:0 w:1)
    // Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 321 bytes. Shortest time: 75_682_000 ps.
    fn assign() -> Weight {
        Weight::from_parts(91_851_000, 3_786)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `Measured`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `Measured`)
    // Storage: `Inference::Queue` (r:0 w:1)
    // Proof: `Inference::Queue` (`max_values`: None, `max_size`: Some(56), added: 2531, mode: `Measured`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 196 bytes. Shortest time: 78_166_000 ps.
    fn refund() -> Weight {
        Weight::from_parts(129_311_000, 3_661)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 0 bytes. Shortest time: 9_869_000 ps.
    fn pass_over() -> Weight {
        Weight::from_parts(16_812_000, 0).saturating_add(T::DbWeight::get().writes(1))
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
    // Proof in the benchmark: 1375 bytes. Shortest time: 173_915_000 ps.
    fn miss() -> Weight {
        Weight::from_parts(197_669_000, 7_315)
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
    // Proof in the benchmark: 986 bytes. Shortest time: 28_203_000 ps.
    fn prune_bodies() -> Weight {
        Weight::from_parts(40_275_000, 4_451)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 986 bytes. Shortest time: 26_429_000 ps.
    fn prune_record() -> Weight {
        Weight::from_parts(51_567_000, 4_451)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Inference::LateRequests` (r:3 w:0)
    // Proof: `Inference::LateRequests` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `Measured`)
    // Storage: `Inference::Requests` (r:1 w:0)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 819 bytes. Shortest time: 38_853_000 ps.
    fn visit_late() -> Weight {
        Weight::from_parts(44_573_000, 9_234).saturating_add(T::DbWeight::get().reads(4))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(749), added: 3224, mode: `Measured`)
    // Proof in the benchmark: 981 bytes. Shortest time: 34_805_000 ps.
    fn ended() -> Weight {
        Weight::from_parts(40_696_000, 4_446)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
