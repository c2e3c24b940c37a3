//! The cost and yield of dishonest behaviour, by simulation over many claims.
//!
//! The figures are those of the rules in `support`: a claim of 1,000 with a check fee of 200, a stake
//! of 3,700 for each leaf that a validator checks, half of a fallen stake to the challenger up to 400.

mod support;

use noema_claims::{
    juror_share, lost_challenge, Beacon, ClaimEffect, ClaimFault, ClaimOutcome, ClaimRules,
    ClaimStage, ClaimTerms, Decision, DrawRandomness, SeatState, MAX_JUROR_SEATS,
};
use noema_protocol::hashing::blake2_256;
use proptest::prelude::*;
use support::*;

const CLAIMS: u64 = 4_000;

/// Simulates claims whose leaf is false. A part of the validators, in percent, colludes: it confirms the
/// claimant's value without executing; every other validator executes and challenges. Returns the claimant's
/// and the colluding validators' mean profit per claim, with the claimant's payment as its own gain.
fn false_claims(stake: u128, colluding_percent: u64) -> (i128, i128) {
    let terms = ClaimTerms { stake, ..terms() };
    let (mut claimant, mut colluders) = (0i128, 0i128);
    for seed in 0..CLAIMS {
        let mut play = Play::with(terms.clone(), 100, seed);
        play.until_drawn();
        let mut is_shown = false;
        for (validator, leaf) in play.open_seats() {
            if u64::from(validator - VALIDATOR) < colluding_percent {
                play.commit(validator, leaf).expect("it is seated");
            } else {
                play.challenge(validator, leaf, is_shown)
                    .expect("it may challenge");
                is_shown = true;
            }
        }
        play.until(|stage| !matches!(stage, ClaimStage::Committing { .. }));
        if matches!(play.claim.stage, ClaimStage::Revealing { .. }) {
            play.reveal_all();
        }
        if is_shown {
            play.claim
                .conclude_dispute(0, Decision::False, play.relay)
                .expect("it is open");
        }
        match play.until_ended() {
            ClaimOutcome::Final(_) => {
                let settlement = play.settlement();
                claimant += settlement.claimant.paid as i128;
                let paid: u128 = settlement
                    .validators
                    .iter()
                    .map(|(_, paid)| paid.paid)
                    .sum();
                colluders += paid as i128;
            }
            // The payer of the only leaf gets everything back, and no stake is lost.
            ClaimOutcome::Unconfirmed => {}
            ClaimOutcome::Fallen(_) => {
                let lost = play.settlement().false_confirmations.len() as i128;
                claimant -= stake as i128;
                colluders -= lost * terms.rules.seat_stake(terms.leaf_tokens) as i128;
            }
        }
    }
    (claimant / CLAIMS as i128, colluders / CLAIMS as i128)
}

#[test]
fn a_false_claim_loses_more_than_its_margin_where_validators_are_honest() {
    for stake in [1_000, 2_000, 5_000, 20_000] {
        let (profit, _) = false_claims(stake, 0);
        assert!(profit < -900, "stake {stake}: {profit} a claim");
    }
}

#[test]
fn a_false_claim_loses_where_half_of_the_validators_collude() {
    for stake in [1_000, 2_000, 5_000, 20_000] {
        let (claimant, colluders) = false_claims(stake, 50);
        assert!(
            claimant + colluders < 0,
            "stake {stake}: {claimant} and {colluders} a claim"
        );
        assert!(colluders < 0, "stake {stake}: {colluders} a claim");
    }
}

#[test]
fn silence_costs_as_much_as_a_false_confirmation() {
    let mut silent = Play::with(terms(), 9, 1);
    silent.until_drawn();
    silent.until(|stage| matches!(stage, ClaimStage::Undrawn));
    let lost = silent
        .effects
        .iter()
        .filter(|effect| matches!(effect, ClaimEffect::Silent(..)))
        .count();
    assert_eq!(lost, 2);

    // Committing without revealing is no cheaper.
    let mut play = Play::with(terms(), 9, 1);
    play.until_drawn();
    play.commit_all();
    play.until(|stage| matches!(stage, ClaimStage::Undrawn));
    assert!(play
        .claim
        .seats
        .iter()
        .all(|seat| seat.state == SeatState::Silent));

    // Challenging without executing is no cheaper either: the challenge is lost, and with it the stake of the seat,
    // of which at least half burns or pays jurors.
    let stake = play.claim.seat_stake();
    let lost = lost_challenge(stake, stake);
    assert_eq!((lost.to_claimant, lost.burned), (1_850, 1_850));
}

#[test]
fn challenging_ones_own_claim_through_another_account_is_a_loss() {
    // The claim is false, and falls to an accomplice that gets the challenger's part.
    let mut play = Play::with(terms(), 5, 1);
    play.challenge(50, 0, false)
        .expect("any account may challenge");
    play.claim
        .conclude_dispute(0, Decision::False, play.relay)
        .expect("it is open");
    let split = play.settlement().slash.expect("the stake is taken");
    assert_eq!(split.challengers as i128 - terms().stake as i128, -600);

    // The claim is true, and the accomplice loses, a hundred times.
    let lost = lost_challenge(1_000, 5_000);
    assert_eq!(100 * (lost.to_claimant as i128 - 1_000), -50_000);
}

#[test]
fn a_juror_is_paid_by_its_work_where_the_answer_is_free() {
    let terms = |payment, check_fee, juror_fee_per_token| ClaimTerms {
        payment,
        check_fee,
        rules: ClaimRules {
            juror_fee_per_token,
            ..rules()
        },
        ..terms()
    };
    let fee = |terms| Play::with(terms, 5, 1).claim.juror_fee();
    // A hundred tokens.
    assert_eq!(fee(terms(0, 0, 3)), 300);
    assert_eq!(fee(terms(1_000, 200, 1)), 100, "as much as for a check");
    assert_eq!(fee(terms(1_000, 900, 1)), 450, "as much as for a check");
}

#[test]
fn the_least_stakes_pay_every_juror() {
    let rules = ClaimRules {
        juror_fee_per_token: 5,
        ..rules()
    };
    // 36 · 500 = 18,000 for jurors, and as much for challengers.
    assert_eq!(rules.stake_for_jurors(100), 36_000);
    // 37 · 500: the claimant gets a part, too.
    assert_eq!(rules.challenge_for_jurors(100), 18_500);
    let whole = ClaimRules {
        challenger_share: noema_claims::Permill::one(),
        ..rules
    };
    assert_eq!(whole.stake_for_jurors(100), u128::MAX);
    assert_eq!(rules.stake_for_jurors(u64::MAX), {
        let fees = u128::from(u64::MAX) * 5 * 36;
        2 * fees
    });
}

/// At the rules of a live chain: a NOEMA is a million units. Without the tokens, a false challenge of the longest leaf
/// would have cost 1 NOEMA, and 36 jurors would have shared it for work of 12.
#[test]
fn a_false_challenge_of_a_seat_pays_every_juror_however_long_the_leaf_is() {
    let rules = ClaimRules {
        validator_stake: 1_000_000,
        juror_fee_per_token: 10,
        ..rules()
    };
    for (tokens, stake) in [
        (1, 1_000_000),
        (2_048, 1_000_000),
        (2_702, 1_000_000),
        (2_703, 1_000_110),
        (32_768, 12_124_160),
    ] {
        assert_eq!(rules.seat_stake(tokens), stake);
        let fee = rules.least_juror_fee(tokens);
        let lost = lost_challenge(stake, fee);
        assert_eq!(lost.to_claimant, fee);
        let each = juror_share(lost.burned, MAX_JUROR_SEATS as usize, fee);
        assert_eq!(each, fee, "{tokens} tokens");
    }
    assert_eq!(rules.seat_stake(u64::MAX), u128::from(u64::MAX) * 370);
}

/// A claim of 100,000 answers for 7,400 NOEMA with as much at stake, by the rules of a live chain, of which five leaves
/// are drawn. A NOEMA is a million units.
fn large() -> ClaimTerms<u32, u32> {
    const NOEMA: u128 = 1_000_000;
    ClaimTerms {
        leaves: 100_000,
        payment: 7_400 * NOEMA,
        exposure: 7_400 * NOEMA,
        check_fee: NOEMA / 10,
        stake: 7_400 * NOEMA,
        rules: ClaimRules {
            margin_percent: 450,
            validator_stake: NOEMA,
            juror_fee_per_token: 10,
            ..rules()
        },
        ..terms()
    }
}

/// The amount that a payer gets back of a large claim where all validators are silent for `silent` of the five drawn
/// leaves, and how many seats are lost.
fn silence(silent: usize) -> (u128, usize) {
    let mut play = Play::with(large(), 60, 1);
    play.until_drawn();
    assert_eq!(play.claim.drawn.len(), 5);
    let leaves: Vec<u32> = play.claim.drawn.iter().copied().take(silent).collect();
    for _ in 0..400 {
        match play.claim.stage {
            ClaimStage::Committing { .. } => {
                for (validator, leaf) in play.open_seats() {
                    if !leaves.contains(&leaf) {
                        let _ = play.commit(validator, leaf);
                    }
                }
            }
            ClaimStage::Revealing { .. } => play.reveal_all(),
            ClaimStage::Ended(_) => break,
            _ => {}
        }
        play.block();
    }
    assert_eq!(play.claim.outcome(), Some(ClaimOutcome::Unconfirmed));
    let settlement = play.settlement();
    assert_exact(&play.claim, &settlement);
    assert_eq!(settlement.slash, None, "the claimant keeps its stake");
    let paid = settlement.claimant.paid + settlement.claimant.burned;
    let seats = play.claim.seats.iter();
    let lost = seats.filter(|seat| seat.state == SeatState::Silent).count();
    (large().payment - paid, lost)
}

#[test]
fn silence_does_not_pay_for_the_payer_of_a_large_claim() {
    let refunds: Vec<_> = (1..=5).map(silence).collect();
    // Each leaf costs 0.074 NOEMA. Two validators are drawn for it, three times.
    let whole = large().payment;
    let expected = [
        (74_000, 6),
        (148_000, 12),
        (whole, 18),
        (whole, 24),
        (whole, 30),
    ];
    assert_eq!(refunds, expected);
    // Validators with a part of the bonds are silent for a payer. They see their seats before they are silent, so the
    // best they can do is to begin where both seats of each of these leaves are theirs, and to continue as long as that
    // holds.
    let stake = large().rules.validator_stake as f64;
    for percent in [5, 20, 30, 40, 50] {
        let part = f64::from(percent) / 100.0;
        for (index, (refund, _)) in refunds.iter().enumerate() {
            let leaves = index as i32 + 1;
            let all = part.powi(2 * leaves);
            let lost = 2.0 * f64::from(leaves) * stake * (1.0 + all + all * all);
            let gained = *refund as f64 * all * all;
            assert!(
                gained < lost,
                "{percent} %, {leaves} leaves: {gained} for {lost}"
            );
            // If each leaf decided about the whole payment, as for a claim of one leaf, it would pay from here on.
            if leaves == 1 {
                assert_eq!(whole as f64 * all * all > lost, percent >= 20);
            }
        }
    }
}

/// The mean profit of false claims of a hundred leaves, of which twenty are false, as a part of the stake. Validators
/// with that part of the bonds, in percent, are friends of the claimant: at a false leaf they confirm it, or are
/// silent. Others challenge it.
fn with_friends(percent: u32, confirm: bool) -> f64 {
    const PRICE: u128 = 100_000;
    let terms = ClaimTerms {
        leaves: 100,
        payment: PRICE,
        stake: PRICE,
        check_fee: 2_000,
        rules: ClaimRules {
            margin_percent: 450,
            ..rules()
        },
        ..terms()
    };
    let (mut profit, claims) = (0.0, 1_000);
    for seed in 0..claims {
        let mut play = Play::with(terms.clone(), 100, seed);
        play.until_drawn();
        for _ in 0..400 {
            match play.claim.stage {
                ClaimStage::Committing { .. } => {
                    for (validator, leaf) in play.open_seats() {
                        let is_friend = validator - VALIDATOR < percent;
                        if leaf >= 20 || (is_friend && confirm) {
                            let _ = play.commit(validator, leaf);
                        } else if !is_friend && play.claim.outcome().is_none() {
                            play.challenge(validator, leaf, false)
                                .expect("it was drawn");
                            play.claim
                                .conclude_dispute(leaf, Decision::False, play.relay)
                                .expect("it is open");
                        }
                    }
                }
                ClaimStage::Revealing { .. } => play.reveal_all(),
                ClaimStage::Ended(_) => break,
                _ => {}
            }
            play.block();
        }
        profit += match play.claim.outcome().expect("every claim ends") {
            ClaimOutcome::Fallen(_) => -1.0,
            // What it is paid for the false leaves.
            _ => play.settlement().claimant.paid as f64 / PRICE as f64 * 0.2,
        };
    }
    profit / claims as f64
}

#[test]
fn silence_does_not_pay_for_the_claimant_of_false_leaves_either() {
    for percent in [0, 20, 40, 50] {
        let (silent, confirmed) = (with_friends(percent, false), with_friends(percent, true));
        assert!(silent < -0.4, "{percent} %: {silent} of the stake");
        assert!(
            silent <= confirmed,
            "{percent} %: silence is worth no more than confirming"
        );
        assert!(confirmed < 0.0, "{percent} %: {confirmed} of the stake");
    }
}

#[test]
fn asking_oneself_burns_a_part_of_every_payment() {
    // Payer, claimant and both validators are one party: the best case for it.
    let mut play = Play::with(terms(), 5, 1);
    play.check_honestly();
    play.until_ended();
    let settlement = play.settlement();
    let back: u128 = settlement.claimant.paid
        + settlement.payer
        + settlement
            .validators
            .iter()
            .map(|(_, paid)| paid.paid)
            .sum::<u128>();
    assert_eq!(1_200 - back, 120);
}

#[test]
fn the_author_of_one_relay_block_can_only_throw_a_draw_away() {
    // With the value of its own block, an author knows the outcome of a draw before it publishes. If it
    // withholds the block, the next author's value counts, which it does not know.
    let terms = ClaimTerms {
        stake: 20_000,
        ..terms()
    };
    let is_checked = |beacon: &Beacon, seed: u64| {
        let mut play = Play::with(terms.clone(), 5, seed);
        let randomness = play.claim.draw_randomness(beacon, &play.history);
        play.claim
            .advance(30, 30, randomness, &mut play.roster)
            .iter()
            .any(|effect| matches!(effect, ClaimEffect::Drawn(_)))
    };
    let value = |seed: u64, relay: u32| {
        blake2_256(&[&seed.to_le_bytes()[..], &relay.to_le_bytes()[..]].concat())
    };
    let (mut honest, mut attacked, mut discarded) = (0, 0, 0);
    for seed in 0..CLAIMS {
        let with = |last: u32| {
            let mut beacon = Beacon::default();
            beacon.push(24, value(seed, 24));
            beacon.push(last, value(seed, last));
            is_checked(&beacon, seed)
        };
        honest += u32::from(with(25));
        if with(25) {
            discarded += 1;
            attacked += u32::from(with(26));
        }
    }
    // A tenth is checked. An author of the deciding block reduces that to a hundredth, and pays with a block
    // reward for each check that it avoids.
    assert!((340..460).contains(&honest), "{honest} of 4,000");
    assert!(attacked <= 60, "{attacked} of 4,000");
    assert_eq!(discarded, honest);
}

/// The part of large claims with 5 % of false leaves of which a false leaf is drawn. The claimant can discard the values
/// of relay chain blocks that are its `own`, in turns of `round` blocks, and makes its claims `offset` blocks after the
/// beginning of one.
fn found_in_two_steps(own: fn(u32) -> bool, round: u32, offset: u32) -> f64 {
    const FALSE_LEAVES: u32 = 5_000;
    let claims = 1_000u32;
    let mut found = 0;
    for seed in 0..claims {
        let mut play = Play::with(large(), 0, seed.into());
        let freshness = play.claim.terms.rules.freshness;
        let made = 100 * round + offset - freshness;
        let mut last = made + freshness;
        // The first step: it discards values until the second would be its own.
        let draws_from = loop {
            let mut history = play.history.clone();
            history.push(last, play.value(last));
            let from = history.draws_from(play.claim.id, made, freshness);
            let from = from.expect("the first value is known");
            if !own(last) || own(from) {
                play.history = history;
                break from;
            }
            last += 1;
        };
        // The second step: it discards values that draw a false leaf.
        last = draws_from;
        let is_found = loop {
            let mut history = play.history.clone();
            history.push(last, play.value(last));
            let leaves = history.for_leaves(play.claim.id, made, freshness);
            let leaves = leaves.expect("the second value is known");
            let randomness = DrawRandomness {
                leaves,
                validators: leaves,
            };
            let mut claim = play.claim.clone();
            claim.advance(30, last, Some(randomness), &mut play.roster);
            let is_found = claim.drawn.iter().any(|leaf| *leaf < FALSE_LEAVES);
            if !is_found || !own(last) {
                break is_found;
            }
            last += 1;
        };
        found += u32::from(is_found);
    }
    f64::from(found) / f64::from(claims)
}

/// Five leaves of a claim are drawn: without discarded values, one of 5 % false leaves is found with 22.6 %.
#[test]
fn false_answers_of_many_do_not_pay_for_the_author_of_every_fifth_block() {
    let undisturbed = 1.0 - 0.95f64.powi(5);
    // A twentieth of the blocks; a fifth, one by one, four in a row, and seven in a row.
    type Own = fn(u32) -> bool;
    let authors: [(Own, u32, f64); 4] = [
        (|at| at % 20 < 1, 20, 0.65),
        (|at| at % 5 < 1, 5, 0.45),
        (|at| at % 20 < 4, 20, 0.3),
        (|at| at % 35 < 7, 35, 0.3),
    ];
    for (own, round, least) in authors {
        let offsets = 0..round;
        let found = offsets.map(|offset| found_in_two_steps(own, round, offset));
        let found = found.fold(1.0, f64::min);
        assert!(found > least * undisturbed, "{found} of {undisturbed}");
        // As much is at stake as the claim costs.
        let gain = (1.0 - found) * 0.05;
        assert!(found > gain, "{found} of the stake for {gain}");
    }
    // In one step, the author of one block discards what finds a false leaf: the loss would be no larger than the gain
    // at 5 %, and a fortieth of it at 0.1 %.
    let in_one_step = undisturbed * undisturbed;
    assert!((in_one_step / (0.05 * (1.0 - in_one_step)) - 1.08).abs() < 0.01);
}

#[test]
fn a_bond_topped_up_after_the_claim_changes_nothing() {
    // The stake and the rules are the claim's own; the roster is that of a term fixed before.
    let play = Play::with(terms(), 5, 1);
    let before = play.claim.sample();
    let mut later = play;
    later.roster.free.values_mut().for_each(|free| *free *= 100);
    assert_eq!(later.claim.sample(), before);
}

proptest! {
    #[test]
    fn jurors_never_get_more_than_there_is(
        fund in any::<u128>(),
        seats in 0..=MAX_JUROR_SEATS as usize,
        fee in any::<u128>(),
    ) {
        let each = juror_share(fund, seats, fee);
        prop_assert!(each <= fee);
        prop_assert!(each.checked_mul(seats as u128).is_some_and(|sum| sum <= fund));
        // In full, or equal parts of all of it.
        let left = fund - each * seats as u128;
        prop_assert!(each == fee || left < (seats as u128).max(1) || seats == 0);
    }

    #[test]
    fn a_lost_challenge_is_divided_and_never_pays(bond in any::<u128>(), cost in any::<u128>()) {
        let lost = lost_challenge(bond, cost);
        prop_assert_eq!(lost.to_claimant.checked_add(lost.burned), Some(bond));
        prop_assert!(lost.to_claimant <= lost.burned);
    }

    #[test]
    fn a_withheld_leaf_costs_the_claimant_its_stake(seed in any::<u64>()) {
        let terms = ClaimTerms {
            availability: noema_claims::Availability::FromClaimant,
            ..terms()
        };
        let mut play = Play::with(terms, 5, seed);
        play.until_drawn();
        let (validator, leaf) = play.open_seats()[0];
        play.claim.demand(&validator, leaf, play.now).expect("it is seated");
        prop_assert_eq!(play.until_ended(), ClaimOutcome::Fallen(ClaimFault::Withheld(leaf)));
        let split = play.settlement().slash.expect("the stake is taken");
        prop_assert_eq!(split.challengers, 400);
    }
}
