use crate::{mock::*, FirstUnseeded};
use frame_support::{assert_ok, weights::Weight};
use noema_protocol::SessionId;
use noema_sessions::{Ended, Stage};

#[test]
fn a_seed_is_younger_than_the_opening_and_differs_by_session() {
    test(|| {
        let first = open_with(Some(WORKER), HELD).expect("the session can be opened");
        let second = open_with(Some(WORKER), HELD).expect("the session can be opened");
        assert_eq!(session(first).seed, None);
        assert_eq!(Sessions::session_terms(first), None);
        blocks(1);
        let seeds = [first, second].map(|id| session(id).seed.expect("it has a seed"));
        assert_ne!(seeds[0], seeds[1]);
        let terms = [first, second].map(|id| Sessions::session_info(id).and_then(|i| i.terms));
        assert_ne!(terms[0], terms[1]);
    });
}

#[test]
fn sessions_wait_while_the_relay_chain_has_no_randomness() {
    test(|| {
        IsRandom::set(false);
        let id = open_with(None, HELD).expect("the session can be opened");
        blocks(30);
        assert_eq!(stage(id), Stage::Unseeded);
        IsRandom::set(true);
        blocks(1);
        assert!(matches!(stage(id), Stage::Open { .. }));
    });
}

#[test]
fn a_worker_is_drawn_from_those_within_the_price_limit() {
    let mut drawn = std::collections::BTreeSet::new();
    for salt in 0..12 {
        Salt::set(salt);
        new_test_ext().execute_with(|| {
            let id = open_with(None, HELD).expect("the session can be opened");
            blocks(1);
            let worker = workers()[&id].expect("a worker is drawn");
            assert!([WORKER, OTHER_WORKER].contains(&worker));
            assert_eq!(session(id).prices.per_answer_token, 10);
            drawn.insert(worker);
            audit();
        });
    }
    assert_eq!(drawn.len(), 2, "each worker is drawn now and then");
    test(|| {
        let id = crate::NextSession::<Test>::get();
        assert_ok!(Sessions::open_session(
            RuntimeOrigin::signed(PAYER),
            CHECKPOINT,
            None,
            VOUCHER_KEY,
            LEAF_TOKENS,
            Default::default(),
            HELD,
        ));
        blocks(1);
        assert_eq!(stage(id), Stage::Ended(Ended::NoWorker));
        assert_eq!(held(PAYER), 0, "everything on hold returns");
    });
}

#[test]
fn a_block_does_no_more_than_its_budget_and_the_next_continues() {
    test(|| {
        for _ in 0..6 {
            open_with(Some(WORKER), 1_000).expect("the session can be opened");
        }
        use crate::WeightInfo;
        let weights = <Test as crate::Config>::WeightInfo::draw_absent(20);
        // Room for little more than one seed in the worst case.
        PollBudget::set(
            weights
                .saturating_mul(3)
                .max(Weight::from_parts(0, 500_000)),
        );
        let mut counts = Vec::new();
        for _ in 0..6 {
            blocks(1);
            counts.push(FirstUnseeded::<Test>::get().0);
        }
        assert!(counts[0] > 0);
        assert!(counts.is_sorted());
        PollBudget::set(BUDGET);
        blocks(1);
        assert_eq!(FirstUnseeded::<Test>::get(), SessionId(6));
    });
}
