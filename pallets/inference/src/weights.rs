//! What the calls of `pallet_inference` weigh, measured by `scripts/weights.sh`, which writes this file.
//!
//! 2026-11-28, Intel(R) Xeon(R) Processor @ 2.50GHz, 20 steps and 20 repetitions. Time is a fit of least squares;
//! proof sizes are those of the longest values, in maps of a million entries.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each benchmark of the pallet weighs.
pub trait WeightInfo {
    /// See `request_inference` in the pallet's benchmarks; `p` is 1 to 8192.
    fn request_inference(p: u32) -> Weight;
    /// See `cancel_request` in the pallet's benchmarks.
    fn cancel_request() -> Weight;
    /// See `submit_result` in the pallet's benchmarks; `t` is 1 to 1024, `b` is 0 to 8192.
    fn submit_result(t: u32, b: u32) -> Weight;
    /// See `commit_verdict` in the pallet's benchmarks.
    fn commit_verdict() -> Weight;
    /// See `reveal_verdict` in the pallet's benchmarks.
    fn reveal_verdict() -> Weight;
    /// See `object` in the pallet's benchmarks.
    fn object() -> Weight;
    /// See `agenda_base` in the pallet's benchmarks.
    fn agenda_base() -> Weight;
    /// See `assign` in the pallet's benchmarks.
    fn assign() -> Weight;
    /// See `draw_panel` in the pallet's benchmarks.
    fn draw_panel() -> Weight;
    /// See `close_panel` in the pallet's benchmarks; `s` is 1 to 12.
    fn close_panel(s: u32) -> Weight;
    /// See `settle` in the pallet's benchmarks; `s` is 0 to 12.
    fn settle(s: u32) -> Weight;
    /// See `conclude` in the pallet's benchmarks.
    fn conclude() -> Weight;
    /// See `prune_base` in the pallet's benchmarks.
    fn prune_base() -> Weight;
    /// See `prune` in the pallet's benchmarks.
    fn prune() -> Weight;
}

/// As measured, with what a read and a write of the runtime's database weigh.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// A draw from a roster of the worst size: an index, and for each of 20 tries a page, an operator and its
/// lock. Derived by hand, not measured.
fn draw<T: frame_system::Config>() -> Weight {
    const TRIES: u64 = 20;
    Weight::from_parts(
        TRIES * 200_000_000,
        6_061 + TRIES * (6_061 + 2_531 + 2_700 + 2_570),
    )
    .saturating_add(T::DbWeight::get().reads(1 + TRIES * 4))
    .saturating_add(T::DbWeight::get().writes(1 + TRIES))
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Derived by hand, not measured.
    fn request_inference(_p: u32) -> Weight {
        Weight::from_parts(1_850_000_000, 6_222)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:0)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Inference::Agenda` (r:1 w:1)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Storage: `Inference::LiveRequests` (r:1 w:1)
    // Proof: `Inference::LiveRequests` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedSpan` (r:1 w:1)
    // Proof: `Inference::FinishedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedQueue` (r:0 w:1)
    // Proof: `Inference::FinishedQueue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 612 bytes. Shortest time: 704_385_000 ps.
    fn cancel_request() -> Weight {
        Weight::from_parts(738_949_000, 4_904)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:0)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Inference::Answers` (r:1 w:1)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12496), added: 14971, mode: `MaxEncodedLen`)
    // Storage: `Inference::Agenda` (r:2 w:2)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 831 bytes. Shortest time: 419_112_000 ps.
    fn submit_result(t: u32, b: u32) -> Weight {
        Weight::from_parts(417_807_854, 15_961)
            .saturating_add(Weight::from_parts(20_395, 0).saturating_mul(t.into()))
            .saturating_add(Weight::from_parts(9_619, 0).saturating_mul(b.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:1)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Inference::Agenda` (r:2 w:2)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1007 bytes. Shortest time: 423_949_000 ps.
    fn commit_verdict() -> Weight {
        Weight::from_parts(702_228_000, 6_222)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Operators::Keys` (r:1 w:0)
    // Proof: `Operators::Keys` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:1)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Inference::Agenda` (r:1 w:1)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 1039 bytes. Shortest time: 472_887_000 ps.
    fn reveal_verdict() -> Weight {
        Weight::from_parts(700_093_000, 4_904)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Derived by hand, not measured.
    fn object() -> Weight {
        Weight::from_parts(1_700_000_000, 23_000)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Inference::Agenda` (r:1 w:0)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 109 bytes. Shortest time: 52_189_000 ps.
    fn agenda_base() -> Weight {
        Weight::from_parts(88_618_000, 3_606).saturating_add(T::DbWeight::get().reads(1))
    }

    // Derived by hand, not measured.
    fn assign() -> Weight {
        Weight::from_parts(820_457_539, 6_222)
            .saturating_add(draw::<T>())
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Derived by hand, not measured.
    fn draw_panel() -> Weight {
        Weight::from_parts(900_000_000, 15_961)
            .saturating_add(draw::<T>())
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(16))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:1)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Inference::Answers` (r:1 w:0)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12496), added: 14971, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:12 w:12)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:12 w:12)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:12 w:12)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:12 w:12)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Storage: `Inference::Agenda` (r:1 w:1)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 13411 + s * 365 bytes. Shortest time: 703_256_000 ps.
    fn close_panel(s: u32) -> Weight {
        Weight::from_parts(1_371_010_263, 15_961)
            .saturating_add(Weight::from_parts(369_490_324, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 3_580).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().reads(4).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(4).saturating_mul(s.into()))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:1)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Inference::Answers` (r:1 w:0)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12496), added: 14971, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:14 w:14)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:13 w:13)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:13 w:13)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Storage: `Issuance::CurrentEpoch` (r:1 w:0)
    // Proof: `Issuance::CurrentEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Issuance::WorkDone` (r:13 w:13)
    // Proof: `Issuance::WorkDone` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Issuance::RunningWork` (r:1 w:1)
    // Proof: `Issuance::RunningWork` (`max_values`: Some(1), `max_size`: Some(48), added: 543, mode: `MaxEncodedLen`)
    // Storage: `Inference::Engagements` (r:13 w:13)
    // Proof: `Inference::Engagements` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Inference::Exposure` (r:1 w:1)
    // Proof: `Inference::Exposure` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Inference::LiveRequests` (r:1 w:1)
    // Proof: `Inference::LiveRequests` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedSpan` (r:1 w:1)
    // Proof: `Inference::FinishedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedQueue` (r:0 w:1)
    // Proof: `Inference::FinishedQueue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 13861 + s * 423 bytes. Shortest time: 1_680_023_000 ps.
    fn settle(s: u32) -> Weight {
        Weight::from_parts(1_879_162_078, 15_961)
            .saturating_add(Weight::from_parts(1_683_848_811, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(0, 3_580).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().reads(5).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().writes(14))
            .saturating_add(T::DbWeight::get().writes(5).saturating_mul(s.into()))
    }

    // Storage: `Inference::Requests` (r:1 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:1 w:1)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Operators::Operators` (r:13 w:13)
    // Proof: `Operators::Operators` (`max_values`: None, `max_size`: Some(144), added: 2619, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:8 w:8)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(139), added: 2614, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:14 w:14)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Operators::Ledgers` (r:13 w:13)
    // Proof: `Operators::Ledgers` (`max_values`: None, `max_size`: Some(1105), added: 3580, mode: `MaxEncodedLen`)
    // Storage: `Inference::Engagements` (r:13 w:13)
    // Proof: `Inference::Engagements` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Inference::Exposure` (r:1 w:1)
    // Proof: `Inference::Exposure` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Inference::Agenda` (r:1 w:1)
    // Proof: `Inference::Agenda` (`max_values`: None, `max_size`: Some(141), added: 2616, mode: `MaxEncodedLen`)
    // Storage: `Inference::LiveRequests` (r:1 w:1)
    // Proof: `Inference::LiveRequests` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedSpan` (r:1 w:1)
    // Proof: `Inference::FinishedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedQueue` (r:0 w:1)
    // Proof: `Inference::FinishedQueue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 6808 bytes. Shortest time: 26_060_556_000 ps.
    fn conclude() -> Weight {
        Weight::from_parts(41_904_304_000, 47_530)
            .saturating_add(T::DbWeight::get().reads(67))
            .saturating_add(T::DbWeight::get().writes(68))
    }

    // Storage: `Inference::FinishedSpan` (r:1 w:0)
    // Proof: `Inference::FinishedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 109 bytes. Shortest time: 15_881_000 ps.
    fn prune_base() -> Weight {
        Weight::from_parts(16_849_000, 1_501).saturating_add(T::DbWeight::get().reads(1))
    }

    // Storage: `Inference::FinishedSpan` (r:1 w:1)
    // Proof: `Inference::FinishedSpan` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
    // Storage: `Inference::FinishedQueue` (r:1 w:1)
    // Proof: `Inference::FinishedQueue` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    // Storage: `Inference::Checks` (r:0 w:1)
    // Proof: `Inference::Checks` (`max_values`: None, `max_size`: Some(1439), added: 3914, mode: `MaxEncodedLen`)
    // Storage: `Inference::Answers` (r:0 w:1)
    // Proof: `Inference::Answers` (`max_values`: None, `max_size`: Some(12496), added: 14971, mode: `MaxEncodedLen`)
    // Storage: `Inference::Prompts` (r:0 w:1)
    // Proof: `Inference::Prompts` (`max_values`: None, `max_size`: Some(8210), added: 10685, mode: `MaxEncodedLen`)
    // Storage: `Inference::Requests` (r:0 w:1)
    // Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(1038), added: 3513, mode: `MaxEncodedLen`)
    // Proof in the benchmark: 325 bytes. Shortest time: 196_511_000 ps.
    fn prune() -> Weight {
        Weight::from_parts(210_652_000, 3_493)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(6))
    }
}
