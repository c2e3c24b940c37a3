//! Rules that change while requests are open.

use crate::{mock::*, *};
use noema_claims::Permill;

#[test]
fn a_request_keeps_the_rules_with_which_it_was_made() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        set_rules(|rules| {
            rules.answer = 50;
            rules.check_fee = Permill::from_percent(90);
            rules.stake_percent = 1_000;
            rules.silence_share = Permill::one();
            rules.body_retention = 1;
            rules.retention = 1;
        });
        TestClaimRules::mutate(|rules| {
            rules.windows.finality = 30;
            rules.burned_share = Permill::from_percent(50);
        });
        next_block();
        let assignment = request(id).assignment.expect("the request is assigned");
        assert_eq!((assignment.check_fee, assignment.stake), (CHECK_FEE, STAKE));
        assert_eq!(deadline(id), 2 + 4 + 1 + 2);
        let claim = answer(id);
        assert_eq!(claim_terms(claim).rules, claim_rules());
        end_claim(claim, TRUE);
        assert_eq!(request(id).payments.worker, 51);
        advance(19);
        assert!(Requests::<Test>::contains_key(id));
        next_block();
        assert!(!Requests::<Test>::contains_key(id));
    });
}

#[test]
fn the_room_of_workers_is_that_of_now() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        for _ in 0..6 {
            ask(ASKER);
        }
        next_block();
        assert_eq!(load(10).open, 2);
        set_rules(|rules| rules.room = 5);
        next_block();
        assert_eq!(load(10).open, 5);
        set_rules(|rules| rules.room = 1);
        next_block();
        assert_eq!(load(10).open, 5, "the worker keeps its requests");
        for id in assigned().into_iter().take(4) {
            answer(id);
        }
        next_block();
        assert_eq!(load(10).open, 1);
    });
}

#[test]
fn rules_that_cannot_work_do_not_stop_what_is_under_way() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, _) = ask_and_assign();
        let waiting = ask(ASKER);
        set_rules(|rules| rules.tokens_per_block = 0);
        next_block();
        assert_eq!(worker_of(waiting), Some(10));
        end_claim(answer(id), TRUE);
        end_claim(answer(waiting), TRUE);
        advance(25);
        assert_eq!(Requests::<Test>::iter().count(), 0);
    });
}
