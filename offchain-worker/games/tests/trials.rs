//! Games with liars on either side: the honest side wins, whatever the other does.

use noema_games::testing::Trials;

#[test]
fn every_forgery_of_a_step_of_any_kind_is_caught() {
    let mut trials = Trials::new(16);
    while trials.tally().forgeries_tried < 1_000 {
        trials.forge(3);
    }
    let tally = trials.tally();
    assert_eq!(tally.forgeries_caught, tally.forgeries_tried, "{tally:?}");
    let missing: Vec<_> = trials
        .kinds()
        .filter(|kind| !tally.kinds.contains_key(kind))
        .collect();
    assert!(missing.is_empty(), "no forgery was proven at: {missing:?}");
}

#[test]
fn no_honest_trace_is_found_false() {
    let mut trials = Trials::new(17);
    trials.check_steps();
    trials.accuse(600);
    while trials.tally().honest_checks < 10_000 {
        trials.accuse(100);
    }
    assert_eq!(trials.tally().false_accusations, 0, "{:?}", trials.tally());
}
