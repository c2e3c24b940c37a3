//! Each target on its seeds, on the kept corpus, and on a bounded number of changed inputs, the same in each run.

use noema_fuzz::{InputPool, TARGETS};
use std::time::Instant;

/// Runs a target, and expects that some inputs were read to their ends, and others refused.
fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.expect("a target");
    let started = Instant::now();
    let mut pool = InputPool::new(target, 1).expect("its corpus");
    let from_seeds = pool.outcomes().len();
    for _ in 0..target.runs {
        let input = pool.next_input();
        pool.run(&input);
    }
    println!(
        "{name}: {} outcomes, of which {from_seeds} of seeds and corpus, in {:.1} s",
        pool.outcomes().len(),
        started.elapsed().as_secs_f64()
    );
    assert!(pool.outcomes().len() > 2, "{:?}", pool.outcomes().keys());
}

macro_rules! tests {
    ($($test:ident: $target:ident,)*) => {
        $(#[test]
        fn $test() {
            run(stringify!($target));
        })*

        #[test]
        fn every_target_is_tested() {
            let tested = [$(stringify!($target)),*];
            assert!(TARGETS.iter().map(|target| target.name).eq(tested));
        }
    };
}

tests! {
    evidence_yields_the_leaf_of_the_trace_or_is_refused: evidence,
    steps_of_any_inputs_are_executed_or_refused: forged,
    a_proof_shows_what_the_tree_has_at_its_place: multiproof,
    an_honest_claimant_loses_a_game_by_silence_only: game,
    a_receipt_that_is_read_is_written_the_same: receipt,
    a_message_of_a_session_has_one_form: session,
    a_side_of_a_session_signs_and_takes_what_is_owed_only: sides,
    a_manifest_that_is_read_is_written_the_same: manifest,
    an_update_changes_no_more_than_it_says: update,
}
