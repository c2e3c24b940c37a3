use crate::mock::*;
use frame_support::assert_ok;
use noema_rounds::Phase;

/// The relay chain block after which the next draw's randomness has to be made.
fn unknown_since() -> Option<u32> {
    round().unknown_since
}

/// The evaluation shards and the drawn validators, where the relay chain brings values of `before` until the
/// last trainer reveals, and values of `after` from then on.
fn drawn(before: u64, after: u64) -> (Vec<u32>, Vec<u64>) {
    let mut drawn = Default::default();
    test(|| {
        assert_ok!(start());
        join_all();
        Salt::set(0);
        pass_window();
        let id = round().id;
        for trainer in TRAINERS {
            let commitment = commitment(id, trainer);
            assert_ok!(Training::commit_contribution(by(trainer), id, commitment));
        }
        pass_window();
        Salt::set(before);
        end_block();
        for trainer in TRAINERS {
            reveal(trainer);
        }
        // The value of the block with the last reveal is known to a trainer that may still wait to reveal.
        end_block();
        Salt::set(after);
        pass_window();
        drawn = (round().evaluation.into_inner(), seated());
    });
    drawn
}

fn reveal(trainer: u64) {
    let (id, contribution) = (round().id, contribution(trainer));
    let salt = salt(trainer);
    assert_ok!(Training::reveal_contribution(
        by(trainer),
        id,
        contribution,
        salt
    ));
}

#[test]
fn nothing_that_was_known_when_the_last_trainer_revealed_decides_the_draw() {
    assert_eq!(drawn(1, 9), drawn(2, 9));
    let others: Vec<_> = (10..15).map(|after| drawn(1, after)).collect();
    assert!(others.iter().any(|other| *other != drawn(1, 9)));
}

#[test]
fn a_draw_waits_for_values_that_are_younger_than_the_last_to_join() {
    test(|| {
        assert_ok!(start());
        join_all();
        let Phase::Registering { until } = phase() else {
            panic!("the round has just opened");
        };
        while System::block_number() < until {
            end_block();
            assert_eq!(unknown_since(), None);
        }
        end_block();
        assert_eq!(unknown_since(), Some(until as u32));
        // The older of two values has to be younger by the freshness, as for claims.
        for _ in 0..FRESHNESS {
            end_block();
            assert!(matches!(phase(), Phase::Registering { .. }));
        }
        end_block();
        assert!(matches!(phase(), Phase::Training { .. }));
        assert_eq!(unknown_since(), None);
    });
}

#[test]
fn a_draw_waits_as_long_as_the_relay_chain_brings_no_value() {
    test(|| {
        assert_ok!(start());
        join_all();
        IsRandom::set(false);
        for _ in 0..10 * WINDOW {
            end_block();
        }
        assert!(matches!(phase(), Phase::Registering { .. }));
        IsRandom::set(true);
        pass_window();
        assert!(matches!(phase(), Phase::Training { .. }));
    });
}
