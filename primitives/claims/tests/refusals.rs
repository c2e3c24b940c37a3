//! Refused steps, each with its reason, and rules that are refused.

mod support;

use noema_claims::{
    merkle_root, Availability, Claim, ClaimError, ClaimRules, ClaimRulesError, ClaimStage,
    ClaimTerms, ClaimWindows, Decision, Permill, SeatState,
};
use noema_protocol::ClaimId;
use sp_core::H256;
use support::*;

#[test]
fn a_claim_needs_leaves_and_a_stake() {
    let made = |terms| Claim::new(ClaimId(1), terms, 10u32, 20).map(|claim| claim.stage);
    let without_leaves = ClaimTerms {
        leaves: 0,
        ..terms()
    };
    assert_eq!(made(without_leaves), Err(ClaimError::NoLeaves));
    let without_stake = ClaimTerms {
        leaves: 100,
        stake: 1,
        ..terms()
    };
    assert_eq!(made(without_stake), Err(ClaimError::StakeTooSmall));
    assert_eq!(made(terms()), Ok(ClaimStage::Undrawn));
}

#[test]
fn a_validator_commits_once_at_its_time_and_at_its_seat() {
    let mut play = Play::with(terms(), 5, 1);
    let commitment = H256::repeat_byte(1);
    let outsider = 50;
    let commit = |play: &mut Play, validator: u32| {
        let now = play.now;
        play.claim.commit(&validator, 0, commitment, now)
    };
    assert_eq!(
        commit(&mut play, VALIDATOR),
        Err(ClaimError::WrongStage),
        "nothing is drawn"
    );
    play.until_drawn();
    let (validator, _) = play.open_seats()[0];
    assert_eq!(commit(&mut play, outsider), Err(ClaimError::NotSeated));
    assert_eq!(commit(&mut play, validator), Ok(()));
    assert_eq!(
        commit(&mut play, validator),
        Err(ClaimError::AlreadyCommitted)
    );
    let (other, _) = play.open_seats()[1];
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    assert_eq!(commit(&mut play, other), Err(ClaimError::TooLate));
    play.until_ended();
    assert_eq!(commit(&mut play, validator), Err(ClaimError::Ended));
}

#[test]
fn the_last_block_of_a_window_counts_and_the_next_does_not() {
    let mut play = Play::with(terms(), 5, 1);
    play.until_drawn();
    let ClaimStage::Committing { until } = play.claim.stage else {
        panic!("validators commit");
    };
    while play.now < until {
        play.block();
    }
    play.commit_all();
    play.block();
    let ClaimStage::Revealing { until } = play.claim.stage else {
        panic!("validators reveal");
    };
    while play.now < until {
        play.block();
    }
    play.reveal_all();
    play.block();
    let ClaimStage::Challengeable { until, .. } = play.claim.stage else {
        panic!("accounts challenge");
    };
    while play.now < until {
        play.block();
    }
    assert_eq!(play.challenge(50, 0, false), Ok(()));
    assert_eq!(
        play.claim.challenge(&51, 0, true, play.now + 1),
        Err(ClaimError::TooLate)
    );
}

#[test]
fn only_what_was_committed_and_stands_in_the_claim_is_revealed() {
    let mut play = Play::with(terms(), 5, 1);
    play.until_drawn();
    let [(first, _), (second, _)] = play.open_seats()[..] else {
        panic!("two are seated");
    };
    assert_eq!(play.reveal(first, 0), Err(ClaimError::WrongStage));
    // It commits to the hidden state at the other's position, as if it knew that one.
    let others = play.proof(second, 0);
    let own = play.proof(first, 0);
    assert_ne!(own.hidden, others.hidden, "the positions differ");
    play.commit_to(first, 0, others.hidden)
        .expect("it is seated");
    play.commit(second, 0).expect("it is seated");
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    assert_eq!(
        play.reveal_with(first, 0, &others),
        Err(ClaimError::NotInClaim),
        "another validator's reveal is for another position"
    );
    assert_eq!(
        play.reveal_with(first, 0, &own),
        Err(ClaimError::CommitmentDiffers),
        "it cannot change its commitment"
    );
    assert_eq!(play.reveal_with(50, 0, &own), Err(ClaimError::NotSeated));
    assert_eq!(play.reveal(second, 0), Ok(()));
    assert_eq!(play.reveal(second, 0), Err(ClaimError::NotSeated));
}

#[test]
fn an_answer_without_hidden_states_cannot_be_confirmed() {
    let mut play = Play::with(terms(), 5, 1);
    play.until_drawn();
    let (validator, leaf) = play.open_seats()[0];
    play.commit(validator, leaf).expect("it is seated");
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    let proof = play.proof(validator, leaf);
    let root = merkle_root(&[]);
    let revealed = play.claim.reveal(
        &validator,
        leaf,
        (root, 0),
        &proof,
        salt(validator),
        play.now,
    );
    assert_eq!(revealed, Err(ClaimError::NotInClaim));
}

#[test]
fn a_challenge_names_a_leaf_and_comes_from_another() {
    let mut play = Play::with(terms(), 5, 1);
    let challenge = |play: &mut Play, by: u32, leaf| play.challenge(by, leaf, false);
    assert_eq!(challenge(&mut play, 50, 1), Err(ClaimError::UnknownLeaf));
    assert_eq!(challenge(&mut play, CLAIMANT, 0), Err(ClaimError::OwnClaim));
    assert_eq!(
        play.claim.conclude_dispute(0, Decision::False, play.relay),
        Err(ClaimError::NotChallenged)
    );
    assert_eq!(challenge(&mut play, PAYER, 0), Ok(()), "the payer may");
    play.claim
        .conclude_dispute(0, Decision::False, play.relay)
        .expect("it is open");
    assert_eq!(challenge(&mut play, 50, 0), Err(ClaimError::Ended));
    assert_eq!(
        play.claim.conclude_dispute(0, Decision::False, play.relay),
        Err(ClaimError::Ended)
    );
}

#[test]
fn a_leaf_is_demanded_once_by_a_validator_that_needs_it() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        ..terms()
    };
    let mut play = Play::with(terms, 5, 1);
    assert_eq!(
        play.claim.demand(&VALIDATOR, 0, play.now),
        Err(ClaimError::WrongStage)
    );
    play.until_drawn();
    let [(first, _), (second, _)] = play.open_seats()[..] else {
        panic!("two are seated");
    };
    assert_eq!(
        play.claim.demand(&50, 0, play.now),
        Err(ClaimError::NotSeated)
    );
    assert_eq!(
        play.claim.post(0, play.now).map(drop),
        Err(ClaimError::NotDemanded)
    );
    assert_eq!(play.claim.demand(&first, 0, play.now), Ok(()));
    assert_eq!(
        play.claim.demand(&first, 0, play.now),
        Err(ClaimError::AlreadyDemanded)
    );
    let mut late = play.claim.clone();
    assert_eq!(
        late.post(0, play.now + 3).map(drop),
        Err(ClaimError::TooLate)
    );
    play.claim.post(0, play.now + 2).expect("it is in time");
    let stage = play.claim.stage;
    assert_eq!(
        play.claim.demand(&second, 0, play.now),
        Ok(()),
        "it shares the demand"
    );
    assert_eq!(play.claim.stage, stage, "a window is extended once");
    assert_eq!(
        play.claim.demand(&second, 0, play.now),
        Err(ClaimError::AlreadyDemanded)
    );
    play.commit(second, 0).expect("it is seated");
    assert_eq!(
        play.claim.demand(&second, 0, play.now),
        Err(ClaimError::NotSeated),
        "a validator that has committed has read the leaf"
    );

    let mut public = Play::with(support::terms(), 5, 1);
    public.until_drawn();
    let (validator, leaf) = public.open_seats()[0];
    assert_eq!(
        public.claim.demand(&validator, leaf, public.now),
        Err(ClaimError::LeafIsPublic)
    );
}

#[test]
fn a_challenged_leaf_that_is_not_on_chain_is_demanded_and_places_are_kept_for_drawn_ones() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        leaves: 100,
        stake: 500,
        ..terms()
    };
    let mut play = Play::with(terms, 9, 1);
    play.until_drawn();
    let drawn: Vec<u32> = play.claim.drawn.to_vec();
    let others: Vec<u32> = (0..100).filter(|leaf| !drawn.contains(leaf)).collect();
    for leaf in &others[..8] {
        assert_eq!(play.claim.challenge(&50, *leaf, false, play.now), Ok(()));
        assert!(!play.claim.is_on_chain(*leaf));
    }
    assert_eq!(
        play.claim.challenge(&50, others[8], false, play.now),
        Err(ClaimError::TooManyDemands)
    );
    assert_eq!(play.claim.challenge(&51, others[0], true, play.now), Ok(()));
    for leaf in drawn {
        assert_eq!(play.claim.challenge(&50, leaf, false, play.now), Ok(()));
    }
    play.claim
        .post(others[0], play.now)
        .expect("it is demanded");
    assert!(play.claim.is_on_chain(others[0]));
    // A decided dispute frees its place.
    play.claim
        .conclude_dispute(others[0], Decision::True, play.relay)
        .expect("its dispute is open");
    assert_eq!(
        play.claim.challenge(&50, others[8], false, play.now),
        Ok(())
    );
}

#[test]
fn rules_that_cannot_work_are_refused_by_name() {
    assert_eq!(rules().check(), Ok(()));
    let windows = |change: fn(&mut ClaimWindows<u32>)| {
        let mut rules = rules();
        change(&mut rules.windows);
        rules.check()
    };
    assert_eq!(windows(|w| w.commit = 0), Err(ClaimRulesError::EmptyWindow));
    assert_eq!(windows(|w| w.reveal = 0), Err(ClaimRulesError::EmptyWindow));
    assert_eq!(
        windows(|w| w.challenge = 0),
        Err(ClaimRulesError::EmptyWindow)
    );
    assert_eq!(windows(|w| w.post = 0), Err(ClaimRulesError::EmptyWindow));
    assert_eq!(windows(|w| w.finality = 0), Ok(()));
    assert_eq!(
        windows(|w| w.tokens_per_block = 0),
        Err(ClaimRulesError::NoTokensPerBlock)
    );
    let refused = |change: fn(&mut ClaimRules<u32>)| {
        let mut rules = rules();
        change(&mut rules);
        rules.check()
    };
    assert_eq!(refused(|r| r.freshness = 0), Err(ClaimRulesError::NotFresh));
    assert_eq!(
        refused(|r| r.margin_percent = 99),
        Err(ClaimRulesError::MarginBelowGain)
    );
    assert_eq!(
        refused(|r| r.min_check_rate = Permill::zero()),
        Err(ClaimRulesError::NeverChecked)
    );
    for validators in [0, 5] {
        let rules = ClaimRules {
            validators_per_leaf: validators,
            ..rules()
        };
        assert_eq!(rules.check(), Err(ClaimRulesError::Validators));
    }
    for draws in [0, 5] {
        let rules = ClaimRules {
            max_draws: draws,
            ..rules()
        };
        assert_eq!(rules.check(), Err(ClaimRulesError::Draws));
    }
    assert_eq!(
        refused(|r| r.challenge_bond = 0),
        Err(ClaimRulesError::NoChallengeBond)
    );
    assert_eq!(
        refused(|r| r.challenger_share = Permill::one()),
        Err(ClaimRulesError::WholeShare)
    );
    assert_eq!(
        refused(|r| r.burned_share = Permill::one()),
        Err(ClaimRulesError::WholeShare)
    );
    assert_eq!(
        refused(|r| r.validator_stake = 0),
        Err(ClaimRulesError::NoValidatorStake)
    );
    assert_eq!(
        refused(|r| r.juror_fee_per_token = 0),
        Err(ClaimRulesError::JurorsUnpaid)
    );
    // 36 seats and the claimant: 37 · 27 = 999 of the stake of 1,000.
    assert_eq!(refused(|r| r.juror_fee_per_token = 27), Ok(()));
    assert_eq!(
        refused(|r| r.juror_fee_per_token = 28),
        Err(ClaimRulesError::JurorsUnpaid)
    );
}

#[test]
fn a_challenge_after_the_deadline_is_no_part_of_a_check() {
    let mut play = Play::with(terms(), 5, 1);
    play.until_drawn();
    let (validator, leaf) = play.open_seats()[0];
    let ClaimStage::Committing { until } = play.claim.stage else {
        panic!("validators commit");
    };
    // The turn of the next block is late.
    play.now = until + 1;
    assert!(!play.claim.has_open_seat(&validator, leaf, play.now));
    play.challenge(validator, leaf, false)
        .expect("any account may challenge");
    let seat = play
        .claim
        .seats
        .iter()
        .find(|seat| seat.validator == validator);
    assert_eq!(seat.map(|seat| seat.state), Some(SeatState::Seated));
    assert!(matches!(play.claim.stage, ClaimStage::Committing { .. }));
}
