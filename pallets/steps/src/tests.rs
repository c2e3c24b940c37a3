// The macros make items public that only the tests use.
#![allow(unreachable_pub)]

use crate::{
    forged::{longest_manifest, Forged},
    weights::SubstrateWeight,
    Steps,
};
use frame_support::derive_impl;
use noema_checkpoint::Manifest;
use noema_referee::{DeclaredEvidence, ShownCheckpoint};
use noema_trace::{StepEvidence, StepKind};
use pallet_disputes::StepWeight;

/// 10 ms, in picoseconds.
const MOST: u64 = 10_000_000_000;

type OfSteps = Steps<SubstrateWeight<Test>>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
}

#[test]
fn the_benchmarks_execute_a_whole_step_of_each_kind() {
    for kind in StepKind::ALL {
        let forged = Forged::of(*kind);
        let executed = forged.execute();
        assert!(executed.is_ok(), "{kind}: {executed:?}");
        assert!(
            forged.bytes() <= pallet_disputes::MAX_EVIDENCE_BYTES,
            "{kind}"
        );
    }
}

#[test]
fn no_step_takes_more_than_ten_milliseconds() {
    for kind in StepKind::ALL {
        let evidence = DeclaredEvidence {
            kind: *kind,
            inputs: StepEvidence::default(),
        };
        let weight = OfSteps::weigh(&evidence);
        assert!(weight.ref_time() <= MOST, "{kind}: {weight:?}");
        assert!(weight.all_lte(OfSteps::heaviest()));
    }
}

#[test]
fn the_longest_manifest_is_as_long_as_one_can_be() {
    let bytes = codec::Encode::encode(&longest_manifest());
    assert_eq!(bytes.len(), Manifest::MAX_BYTES);
    assert!(ShownCheckpoint::new(&Manifest::id_of(&bytes), &bytes).is_ok());
}

/// Prints how long each kind takes here, without Wasm: `cargo test -p pallet-steps -- --ignored --nocapture times`.
#[test]
#[ignore = "measures"]
fn times() {
    for kind in StepKind::ALL {
        let forged = Forged::of(*kind);
        let shortest = (0..20)
            .map(|_| {
                let start = std::time::Instant::now();
                forged.execute().expect("a whole step");
                start.elapsed()
            })
            .min();
        let micros = shortest.map_or(0, |time| time.as_micros());
        println!("{kind}: {micros} µs, {} bytes", forged.bytes());
    }
}
