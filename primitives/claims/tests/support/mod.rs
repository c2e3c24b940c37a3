//! A claim within a simulated chain: blocks, relay chain blocks, validators with locked stakes, and a record
//! of payments and slashes.

// Each test file uses a part of it.
#![allow(dead_code)]

use noema_claims::{
    merkle_root, prove_hidden, Availability, Beacon, Claim, ClaimEffect, ClaimError, ClaimOutcome,
    ClaimRules, ClaimStage, ClaimTerms, ClaimWindows, HiddenProof, Permill, SeatState, Settlement,
    Validators, ValueHistory,
};
use noema_economics::{draw_below, Balance};
use noema_protocol::{
    hashing::{blake2_256, check_commitment, roster_draw},
    CheckpointId, ClaimId,
};
use sp_core::H256;
use std::collections::BTreeMap;

pub(crate) const CLAIMANT: u32 = 1;
pub(crate) const PAYER: u32 = 2;
/// The first of the validators.
pub(crate) const VALIDATOR: u32 = 100;
/// Tokens, and so hidden states, of each answer.
pub(crate) const POSITIONS: u32 = 11;

pub(crate) type TestClaim = Claim<u32, u32>;

pub(crate) fn rules() -> ClaimRules<u32> {
    ClaimRules {
        windows: ClaimWindows {
            finality: 0,
            commit: 3,
            tokens_per_block: 50,
            reveal: 2,
            challenge: 4,
            post: 2,
        },
        freshness: 4,
        margin_percent: 200,
        min_check_rate: Permill::from_percent(5),
        validators_per_leaf: 2,
        max_draws: 3,
        validator_stake: 1_000,
        challenger_share: Permill::from_percent(50),
        challenger_cap: 400,
        challenge_bond: 1_000,
        juror_fee_per_token: 1,
        burned_share: Permill::from_percent(10),
    }
}

pub(crate) fn terms() -> ClaimTerms<u32, u32> {
    ClaimTerms {
        claimant: CLAIMANT,
        payer: PAYER,
        checkpoint: CheckpointId(H256::repeat_byte(7)),
        root: H256::repeat_byte(8),
        leaves: 1,
        leaf_tokens: 100,
        availability: Availability::OnChain,
        payment: 1_000,
        exposure: 0,
        check_fee: 200,
        stake: 1_000,
        rules: rules(),
    }
}

/// The hidden states that execution yields for a leaf.
pub(crate) fn hidden_states(leaf: u32) -> Vec<H256> {
    (0..POSITIONS)
        .map(|position| blake2_256(&[leaf.to_le_bytes(), position.to_le_bytes()].concat()))
        .collect()
}

pub(crate) fn salt(validator: u32) -> H256 {
    blake2_256(&validator.to_le_bytes())
}

/// The validators of the chain, each with the remaining and the locked part of its bond.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    pub(crate) free: BTreeMap<u32, Balance>,
    pub(crate) locked: BTreeMap<u32, Balance>,
    pub(crate) absent: Vec<u32>,
    pub(crate) stake: Balance,
    /// Tokens of a leaf.
    pub(crate) leaf_tokens: u64,
    /// The number of leaves that each validator was drawn for.
    pub(crate) leaves: BTreeMap<u32, u64>,
}

impl Validators<u32> for Roster {
    fn draw(
        &mut self,
        randomness: H256,
        _leaf: u32,
        wanted: u32,
        suits: &dyn Fn(&u32) -> bool,
    ) -> Vec<u32> {
        const TRIES: u32 = 20;
        let members: Vec<u32> = self.free.keys().copied().collect();
        let mut drawn = Vec::new();
        for n in 0..TRIES {
            if members.is_empty() || drawn.len() == wanted as usize {
                break;
            }
            let point = roster_draw(randomness, n).0;
            let member = members[draw_below(members.len() as u128, point) as usize];
            let free = self.free.get_mut(&member).expect("it is a member");
            let is_there = !self.absent.contains(&member) && *free >= self.stake;
            if is_there && !drawn.contains(&member) && suits(&member) {
                *free -= self.stake;
                *self.locked.entry(member).or_default() += self.stake;
                *self.leaves.entry(member).or_default() += 1;
                drawn.push(member);
            }
        }
        drawn
    }

    fn backlog(&self, validator: &u32) -> u64 {
        self.leaf_tokens * self.leaves.get(validator).copied().unwrap_or_default()
    }
}

/// A claim in progress.
pub(crate) struct Play {
    pub(crate) claim: TestClaim,
    pub(crate) now: u32,
    pub(crate) relay: u32,
    pub(crate) beacon: Beacon,
    pub(crate) history: ValueHistory,
    pub(crate) roster: Roster,
    /// Separates the random values of one play from those of another.
    pub(crate) seed: u64,
    pub(crate) effects: Vec<ClaimEffect<u32>>,
    /// Whether relay chain blocks carry randomness.
    pub(crate) is_random: bool,
}

impl Play {
    pub(crate) fn with(terms: ClaimTerms<u32, u32>, validators: u32, seed: u64) -> Self {
        let leaf_tokens = terms.leaf_tokens;
        let stake = terms.rules.seat_stake(leaf_tokens);
        let claim = Claim::new(ClaimId(seed), terms, 10, 20).expect("the terms can be claimed");
        let free = (VALIDATOR..VALIDATOR + validators)
            .map(|validator| (validator, 100 * stake))
            .collect();
        let mut play = Self {
            claim,
            now: 10,
            relay: 20,
            beacon: Beacon::default(),
            history: ValueHistory::default(),
            roster: Roster {
                free,
                stake,
                leaf_tokens,
                ..Default::default()
            },
            seed,
            effects: Vec::new(),
            is_random: true,
        };
        play.beacon.push(20, play.value(20));
        play
    }

    pub(crate) fn value(&self, relay: u32) -> H256 {
        blake2_256(&[&self.seed.to_le_bytes()[..], &relay.to_le_bytes()[..]].concat())
    }

    /// Makes the next block, on the next relay chain block.
    pub(crate) fn block(&mut self) -> Vec<ClaimEffect<u32>> {
        self.now += 1;
        self.relay += 1;
        if self.is_random {
            self.beacon.push(self.relay, self.value(self.relay));
            self.history.push(self.relay, self.value(self.relay));
        }
        let randomness = self.claim.draw_randomness(&self.beacon, &self.history);
        let effects = self
            .claim
            .advance(self.now, self.relay, randomness, &mut self.roster);
        for effect in &effects {
            if let ClaimEffect::Silent(validator, _) = effect {
                *self
                    .roster
                    .locked
                    .get_mut(validator)
                    .expect("it was locked") -= self.roster.stake;
            }
        }
        self.effects.extend(effects.clone());
        effects
    }

    /// Makes blocks until `is_reached`. Panics if the stage is never reached.
    pub(crate) fn until(&mut self, is_reached: impl Fn(&ClaimStage<u32>) -> bool) {
        for _ in 0..400 {
            if is_reached(&self.claim.stage) {
                return;
            }
            self.block();
        }
        panic!("not reached: {:?}", self.claim.stage);
    }

    pub(crate) fn until_ended(&mut self) -> ClaimOutcome {
        self.until(|stage| matches!(stage, ClaimStage::Ended(_)));
        self.claim.outcome().expect("it has ended")
    }

    pub(crate) fn until_drawn(&mut self) {
        self.until(|stage| !matches!(stage, ClaimStage::Undrawn));
    }

    /// The seats whose part is not done yet.
    pub(crate) fn open_seats(&self) -> Vec<(u32, u32)> {
        self.claim
            .seats
            .iter()
            .filter(|seat| matches!(seat.state, SeatState::Seated | SeatState::Committed(_)))
            .map(|seat| (seat.validator, seat.leaf))
            .collect()
    }

    /// The hidden state at the validator's position, as execution of the leaf yields it.
    pub(crate) fn proof(&self, validator: u32, leaf: u32) -> HiddenProof {
        let seat = self
            .claim
            .seats
            .iter()
            .find(|seat| seat.validator == validator && seat.leaf == leaf)
            .expect("it has a seat");
        let position = seat.position(POSITIONS).expect("the answer has positions");
        prove_hidden(&hidden_states(leaf), position).expect("the answer has this position")
    }

    pub(crate) fn commit(&mut self, validator: u32, leaf: u32) -> Result<(), ClaimError> {
        let hidden = self.proof(validator, leaf).hidden;
        self.commit_to(validator, leaf, hidden)
    }

    pub(crate) fn commit_to(
        &mut self,
        validator: u32,
        leaf: u32,
        hidden: H256,
    ) -> Result<(), ClaimError> {
        let commitment = check_commitment(self.claim.id, leaf, &validator, hidden, salt(validator));
        let result = self.claim.commit(&validator, leaf, commitment, self.now);
        self.after_part(result)
    }

    pub(crate) fn reveal(&mut self, validator: u32, leaf: u32) -> Result<(), ClaimError> {
        let proof = self.proof(validator, leaf);
        self.reveal_with(validator, leaf, &proof)
    }

    pub(crate) fn reveal_with(
        &mut self,
        validator: u32,
        leaf: u32,
        proof: &HiddenProof,
    ) -> Result<(), ClaimError> {
        let root = merkle_root(&hidden_states(leaf));
        let result = self.claim.reveal(
            &validator,
            leaf,
            (root, POSITIONS),
            proof,
            salt(validator),
            self.now,
        );
        self.after_part(result)
    }

    pub(crate) fn challenge(
        &mut self,
        challenger: u32,
        leaf: u32,
        joins: bool,
    ) -> Result<(), ClaimError> {
        let result = self.claim.challenge(&challenger, leaf, joins, self.now);
        self.after_part(result)
    }

    /// Ends the stage where the part that was just done is the last one in it.
    fn after_part(&mut self, result: Result<(), ClaimError>) -> Result<(), ClaimError> {
        result.map(|()| {
            let effects = self.claim.end_stage_if_done(self.now, self.relay);
            self.effects.extend(effects);
        })
    }

    pub(crate) fn commit_all(&mut self) {
        for (validator, leaf) in self.open_seats() {
            self.commit(validator, leaf).expect("it is seated");
        }
    }

    pub(crate) fn reveal_all(&mut self) {
        for (validator, leaf) in self.open_seats() {
            self.reveal(validator, leaf).expect("it has committed");
        }
    }

    /// Every validator does its part.
    pub(crate) fn check_honestly(&mut self) {
        self.until_drawn();
        if matches!(self.claim.stage, ClaimStage::Committing { .. }) {
            self.commit_all();
            self.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
            self.reveal_all();
        }
        self.until(|stage| matches!(stage, ClaimStage::Challengeable { .. }));
    }

    pub(crate) fn settlement(&self) -> Settlement<u32> {
        self.claim
            .settle(self.claim.outcome().expect("it has ended"))
    }
}

/// Checks that a settlement divides the payer's money and the claimant's stake exactly.
pub(crate) fn assert_exact(claim: &TestClaim, settlement: &Settlement<u32>) {
    let terms = &claim.terms;
    let validators: Balance = settlement
        .validators
        .iter()
        .map(|(_, paid)| paid.paid + paid.burned)
        .sum();
    let claimant = settlement.claimant.paid + settlement.claimant.burned;
    assert_eq!(
        claimant + validators + settlement.payer,
        terms.payment + terms.check_fee,
        "the payer's money is divided"
    );
    if let Some(split) = &settlement.slash {
        let validators: Balance = split.validators.iter().map(|(_, paid)| paid).sum();
        assert_eq!(
            split.challengers + validators + split.burned,
            terms.stake,
            "the stake is divided"
        );
    }
}
