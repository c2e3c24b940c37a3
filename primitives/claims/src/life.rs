//! The transitions of a claim from block to block.

use crate::{
    Claim, ClaimError, ClaimFault, ClaimOutcome, ClaimStage, ClaimTerms, Demand, DrawRandomness,
    RelayBlock, Sample, SeatState, Validators, Verification,
};
use alloc::vec::Vec;
use codec::Encode;
use noema_protocol::ClaimId;
use sp_arithmetic::traits::{AtLeast32BitUnsigned, One};

/// Effects of a block outside the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimEffect<AccountId> {
    /// No leaf was drawn for a check.
    Waived,
    /// These validators were drawn, each for the leaf in its pair, and have to commit.
    Drawn(Vec<(AccountId, u32)>),
    /// Validators that committed have to reveal.
    RevealOpened,
    /// The checks are over, and the challenge window is open.
    ChallengeOpened(Verification),
    /// The validator did not do its part for the leaf in time: it loses its stake for that leaf.
    Silent(AccountId, u32),
    /// The claim is over.
    Ended(ClaimOutcome),
}

impl<AccountId, BlockNumber> Claim<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// A claim made in block `now`, on top of relay chain block `relay`.
    ///
    /// # Errors
    /// [`ClaimError::NoLeaves`], or [`ClaimError::StakeTooSmall`] where more leaves would have to be
    /// drawn than can be.
    pub fn new(
        id: ClaimId,
        terms: ClaimTerms<AccountId, BlockNumber>,
        now: BlockNumber,
        relay: RelayBlock,
    ) -> Result<Self, ClaimError> {
        if terms.leaves == 0 {
            return Err(ClaimError::NoLeaves);
        }
        let claim = Self {
            id,
            terms,
            made_at: now,
            unknown_since: relay,
            stage: ClaimStage::Undrawn,
            drawn: Default::default(),
            draws: 0,
            fruitless: 0,
            seats: Default::default(),
            disputes: 0,
            demands: Default::default(),
        };
        claim.sample().ok_or(ClaimError::StakeTooSmall)?;
        Ok(claim)
    }

    /// The number of leaves that are drawn from it.
    pub fn sample(&self) -> Option<Sample> {
        let terms = &self.terms;
        let exposure = terms.exposure.max(terms.payment);
        crate::leaves_to_draw(&terms.rules, exposure, terms.stake, terms.leaves)
    }

    /// Advances the claim at the beginning of block `now`, before its transactions, on top of relay chain
    /// block `relay`: a window ends with the block before. `randomness` is [`Self::draw_randomness`] in a block that
    /// draws, `None` in any other.
    ///
    /// At most one stage begins in a block.
    pub fn advance(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
        randomness: Option<DrawRandomness>,
        validators: &mut impl Validators<AccountId>,
    ) -> Vec<ClaimEffect<AccountId>> {
        let mut effects = Vec::new();
        if self.outcome().is_some() {
            return effects;
        }
        let withheld = self.open_demands().find(|demand| demand.until < now);
        if let Some(leaf) = withheld.map(|demand| demand.leaf) {
            self.end(
                ClaimOutcome::Fallen(ClaimFault::Withheld(leaf)),
                &mut effects,
            );
            return effects;
        }
        match self.stage {
            ClaimStage::Undrawn => {
                if let Some(randomness) = randomness {
                    self.draw(now, relay, randomness, validators, &mut effects);
                }
            }
            ClaimStage::Committing { until } if until < now => {
                self.close_commits(now, relay, &mut effects);
            }
            ClaimStage::Revealing { until } if until < now => {
                self.close_reveals(now, relay, &mut effects);
            }
            ClaimStage::Challengeable {
                until,
                verification,
            } if until < now && self.disputes == 0 && self.open_demands().next().is_none() => {
                let outcome = match verification {
                    Verification::Unconfirmed => ClaimOutcome::Unconfirmed,
                    _ => ClaimOutcome::Final(verification),
                };
                self.end(outcome, &mut effects);
            }
            _ => {}
        }
        effects
    }

    /// Ends the stage of commitments, or of reveals, where all drawn validators have done their part in it.
    /// Called after each part, in block `now` on top of relay chain block `relay`, so that the next stage
    /// does not wait for another block.
    ///
    /// A validator may then reveal in the block of the last commitment. No commitment can follow it in that
    /// chain. In a competing block another validator can still commit; the reveal helps it only where both
    /// have to show the same position.
    pub fn end_stage_if_done(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
    ) -> Vec<ClaimEffect<AccountId>> {
        let mut effects = Vec::new();
        match self.stage {
            ClaimStage::Committing { .. } if self.all_committed() => {
                self.close_commits(now, relay, &mut effects);
            }
            ClaimStage::Revealing { .. } if self.all_revealed() => {
                self.close_reveals(now, relay, &mut effects);
            }
            _ => {}
        }
        effects
    }

    /// The next block in which [`Self::advance`] has an effect, as far as that depends on blocks only; `None`
    /// where the claim waits for randomness or a dispute, or has ended.
    pub fn due(&self, now: BlockNumber) -> Option<BlockNumber> {
        let next = now.saturating_add(One::one());
        let after = |until: BlockNumber| until.saturating_add(One::one()).max(next);
        let stage = match self.stage {
            ClaimStage::Undrawn | ClaimStage::Ended(_) => None,
            ClaimStage::Challengeable { .. } if self.disputes > 0 => None,
            ClaimStage::Committing { until }
            | ClaimStage::Revealing { until }
            | ClaimStage::Challengeable { until, .. } => Some(after(until)),
        };
        let demand = self.open_demands().map(|demand| after(demand.until)).min();
        match self.outcome() {
            Some(_) => None,
            None => stage.into_iter().chain(demand).min(),
        }
    }

    /// Opens the stage in which validators commit, of which the busiest has to execute `tokens` tokens.
    pub(crate) fn open_commits(&mut self, now: BlockNumber, tokens: u64) {
        let windows = &self.terms.rules.windows;
        let until = now.saturating_add(windows.commit_window(tokens));
        self.stage = ClaimStage::Committing { until };
    }

    pub(crate) fn open_challenges(
        &mut self,
        now: BlockNumber,
        effects: &mut Vec<ClaimEffect<AccountId>>,
    ) {
        let verification = if self.drawn.is_empty() {
            Verification::NotDrawn
        } else if self.unconfirmed().next().is_none() {
            Verification::Confirmed
        } else {
            Verification::Unconfirmed
        };
        let windows = &self.terms.rules.windows;
        let until = now.saturating_add(windows.challenge_window(self.terms.leaf_tokens));
        self.stage = ClaimStage::Challengeable {
            until,
            verification,
        };
        effects.push(ClaimEffect::ChallengeOpened(verification));
    }

    /// Demanded leaves that are not posted.
    fn open_demands(&self) -> impl Iterator<Item = &Demand<AccountId, BlockNumber>> {
        self.demands.iter().filter(|demand| !demand.is_posted)
    }

    /// The seats whose part is not done yet.
    fn open_seats(&self) -> impl Iterator<Item = &SeatState> {
        self.seats
            .iter()
            .map(|seat| &seat.state)
            .filter(|state| matches!(state, SeatState::Seated | SeatState::Committed(_)))
    }

    fn all_committed(&self) -> bool {
        self.open_seats().all(|state| *state != SeatState::Seated)
    }

    fn all_revealed(&self) -> bool {
        self.open_seats().next().is_none()
    }

    fn close_commits(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
        effects: &mut Vec<ClaimEffect<AccountId>>,
    ) {
        self.silence(|state| *state == SeatState::Seated, effects);
        if self.all_revealed() {
            return self.close_check(now, relay, effects);
        }
        let until = now.saturating_add(self.terms.rules.windows.reveal_window());
        self.stage = ClaimStage::Revealing { until };
        effects.push(ClaimEffect::RevealOpened);
    }

    fn close_reveals(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
        effects: &mut Vec<ClaimEffect<AccountId>>,
    ) {
        self.silence(|state| matches!(state, SeatState::Committed(_)), effects);
        self.close_check(now, relay, effects);
    }

    fn silence(
        &mut self,
        is_late: impl Fn(&SeatState) -> bool,
        effects: &mut Vec<ClaimEffect<AccountId>>,
    ) {
        for seat in self.seats.iter_mut().filter(|seat| is_late(&seat.state)) {
            seat.state = SeatState::Silent;
            effects.push(ClaimEffect::Silent(seat.validator.clone(), seat.leaf));
        }
    }

    /// All drawn validators have done their part or lost their stake. Draws others for leaves that none
    /// confirmed, with randomness that is not known yet, as often as the rules allow.
    pub(crate) fn close_check(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
        effects: &mut Vec<ClaimEffect<AccountId>>,
    ) {
        let is_open = self.unconfirmed().next().is_some();
        if is_open && self.draws < self.terms.rules.max_draws {
            self.unknown_since = relay;
            self.stage = ClaimStage::Undrawn;
        } else {
            self.open_challenges(now, effects);
        }
    }

    pub(crate) fn end(&mut self, outcome: ClaimOutcome, effects: &mut Vec<ClaimEffect<AccountId>>) {
        self.stage = ClaimStage::Ended(outcome);
        effects.push(ClaimEffect::Ended(outcome));
    }
}
