//! The transitions of a round from block to block: phases that end, draws, and effects outside the round.

use crate::{
    claim::Decision, score::Tally, CheckpointClaim, Hearing, Phase, Rejection, Round, RoundOutcome,
    Ruling, Validator,
};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::draw_weighted;
use noema_protocol::{hashing::round_draw, Offence};
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::H256;

/// The inputs of a round from the chain at the end of a block.
#[derive(Clone, Copy, Debug)]
pub struct RoundContext<BlockNumber> {
    /// The block.
    pub now: BlockNumber,
    /// Randomness that is younger than [`Round::unknown_since`]; without any, a draw waits.
    pub randomness: Option<H256>,
    /// Whether the parent is still canonical.
    pub parent_is_canonical: bool,
    /// Bonded operators that announced to hold the next checkpoint.
    pub holders: u32,
}

/// Effects of a block outside the round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoundEffect<AccountId> {
    /// Another phase began.
    PhaseBegan,
    /// The operator committed an offence.
    Offended(AccountId, Offence),
    /// The next checkpoint is known, and operators can announce to hold it.
    Aggregated(CheckpointClaim),
    /// The round is over.
    Closed(RoundOutcome),
}

impl<AccountId, BlockNumber> Round<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Where the phase is over and the next begins with a draw, records that the inputs of the draw were
    /// fixed in relay chain block `relay`. Returns whether it did: the round then waits for randomness that
    /// operators did not know while they could still choose when to join or to reveal.
    pub fn fix_draw(&mut self, now: BlockNumber, relay: u32) -> bool {
        let is_due = match self.phase {
            Phase::Registering { until } => {
                now >= until && self.has_trainers() && !self.validators.is_empty()
            }
            Phase::Revealing { until } => self.is_revealed(now, until) && self.has_contributions(),
            _ => false,
        };
        let is_news = is_due && self.unknown_since.is_none();
        if is_news {
            self.unknown_since = Some(relay);
        }
        is_news
    }

    /// Advances the round at the end of a block. At most one phase begins in a block.
    pub fn advance(&mut self, at: &RoundContext<BlockNumber>) -> Vec<RoundEffect<AccountId>> {
        let mut effects = Vec::new();
        if self.outcome().is_some() {
            return effects;
        }
        if !at.parent_is_canonical {
            self.close(
                RoundOutcome::Rejected(Rejection::ParentReplaced),
                &mut effects,
            );
            return effects;
        }
        let before = self.phase;
        match self.phase {
            Phase::Registering { until } if at.now >= until => self.assign(at, &mut effects),
            Phase::Training { until } if at.now >= until || self.all_committed() => {
                self.open_reveals(at, &mut effects);
            }
            Phase::Revealing { until } if self.is_revealed(at.now, until) => {
                self.open_scoring(at, &mut effects);
            }
            Phase::Scoring { until } if at.now >= until || self.all_scored() => {
                let until = at.now.saturating_add(self.rules.windows.score_reveal);
                self.phase = Phase::ScoreRevealing { until };
            }
            Phase::ScoreRevealing { until } if at.now >= until || self.all_scores_revealed() => {
                self.close_scoring(at, &mut effects);
            }
            Phase::Claiming { until } if at.now >= until || self.all_claimed() => {
                self.close_claims(at, &mut effects);
            }
            Phase::Objectable { until } if at.now >= until || !self.has_unheard() => {
                self.open_holding(at, &mut effects);
            }
            Phase::Holding { until } => self.watch_holders(at, until, &mut effects),
            _ => {}
        }
        if self.phase != before && self.outcome().is_none() {
            self.unknown_since = None;
            effects.push(RoundEffect::PhaseBegan);
        }
        effects
    }

    /// Ends the round at once, without a new checkpoint.
    pub fn stop(&mut self) -> Vec<RoundEffect<AccountId>> {
        let mut effects = Vec::new();
        if self.outcome().is_none() {
            self.close(RoundOutcome::Rejected(Rejection::Stopped), &mut effects);
        }
        effects
    }

    fn close(&mut self, outcome: RoundOutcome, effects: &mut Vec<RoundEffect<AccountId>>) {
        self.phase = Phase::Closed(outcome);
        effects.push(RoundEffect::Closed(outcome));
    }

    fn reject(&mut self, rejection: Rejection, effects: &mut Vec<RoundEffect<AccountId>>) {
        self.close(RoundOutcome::Rejected(rejection), effects);
    }

    /// Gives each trainer its shards.
    fn assign(
        &mut self,
        at: &RoundContext<BlockNumber>,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        if !self.has_trainers() {
            return self.reject(Rejection::TooFewTrainers, effects);
        }
        if self.validators.is_empty() {
            return self.reject(Rejection::NoValidators, effects);
        }
        let Some(randomness) = at.randomness else {
            return;
        };
        let trainers = u32::try_from(self.trainers.len()).unwrap_or(u32::MAX);
        let wanted = trainers.saturating_mul(self.rules.shards_per_trainer);
        // Enough shards stay unassigned for the evaluation.
        let free = self
            .dataset
            .shards
            .saturating_sub(self.rules.evaluation_shards);
        let drawn = self.draw_shards(randomness, b"assignment", wanted.min(free), &[]);
        // Where there are fewer shards than are wanted, trainers share them.
        let mut deal = drawn.iter().copied().cycle();
        for trainer in self.trainers.iter_mut() {
            for _ in 0..self.rules.shards_per_trainer {
                if let Some(shard) = deal.next() {
                    let _ = trainer.shards.try_push(shard);
                }
            }
            trainer.shards.as_mut().sort_unstable();
        }
        let until = at.now.saturating_add(self.rules.windows.training);
        self.phase = Phase::Training { until };
    }

    /// Draws `count` different shards outside `except`.
    fn draw_shards(
        &self,
        randomness: H256,
        subject: &[u8],
        count: u32,
        except: &[u32],
    ) -> Vec<u32> {
        let weights = (0..self.dataset.shards).map(|shard| u128::from(!except.contains(&shard)));
        draw_weighted(weights, round_draw(randomness, subject, self.id).0, count)
            .into_iter()
            .filter_map(|shard| u32::try_from(shard).ok())
            .collect()
    }

    fn open_reveals(
        &mut self,
        at: &RoundContext<BlockNumber>,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        for trainer in &self.trainers {
            if trainer.commitment.is_none() {
                effects.push(RoundEffect::Offended(
                    trainer.account.clone(),
                    Offence::MissedContribution,
                ));
            }
        }
        let until = at.now.saturating_add(self.rules.windows.reveal);
        self.phase = Phase::Revealing { until };
    }

    /// Draws the evaluation shards and the validators that score.
    fn open_scoring(
        &mut self,
        at: &RoundContext<BlockNumber>,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        let is_enough = self.has_contributions();
        if is_enough && at.randomness.is_none() {
            return;
        }
        for trainer in &self.trainers {
            if trainer.commitment.is_some() && trainer.contribution.is_none() {
                effects.push(RoundEffect::Offended(
                    trainer.account.clone(),
                    Offence::MissedContribution,
                ));
            }
        }
        let Some(randomness) = at.randomness.filter(|_| is_enough) else {
            return self.reject(Rejection::TooFewContributions, effects);
        };
        let assigned: Vec<u32> = self
            .trainers
            .iter()
            .flat_map(|trainer| trainer.shards.iter().copied())
            .collect();
        let mut evaluation = self.draw_shards(
            randomness,
            b"evaluation",
            self.rules.evaluation_shards,
            &assigned,
        );
        evaluation.sort_unstable();
        for shard in evaluation {
            let _ = self.evaluation.try_push(shard);
        }
        let drawn = draw_weighted(
            self.validators.iter().map(|validator| validator.bond),
            round_draw(randomness, b"validators", self.id).0,
            self.rules.validators,
        );
        for place in drawn {
            if let Some(validator) = self.validators.get_mut(place) {
                validator.seat = Hearing::Scores;
            }
        }
        let until = at.now.saturating_add(self.rules.windows.scoring);
        self.phase = Phase::Scoring { until };
    }

    fn close_scoring(
        &mut self,
        at: &RoundContext<BlockNumber>,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        match self.tally_scores() {
            Tally::Contested => {
                self.widen();
                let until = at.now.saturating_add(self.rules.windows.scoring);
                self.phase = Phase::Scoring { until };
            }
            Tally::Nothing => self.end_hearing(Rejection::NoScores, effects),
            Tally::Decided if self.is_any_accepted() => {
                let until = at.now.saturating_add(self.rules.windows.claim);
                self.phase = Phase::Claiming { until };
            }
            // Without an accepted contribution there is no claim, but validators may still object to the
            // scores.
            Tally::Decided => {
                let until = at.now.saturating_add(self.rules.windows.objection);
                self.phase = Phase::Objectable { until };
            }
        }
    }

    fn close_claims(
        &mut self,
        at: &RoundContext<BlockNumber>,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        match self.decide_claim() {
            Decision::Contested => {
                self.widen_claims();
                let until = at.now.saturating_add(self.rules.windows.claim);
                self.phase = Phase::Claiming { until };
            }
            Decision::Nothing => self.end_hearing(Rejection::NoClaim, effects),
            Decision::Decided => {
                let until = at.now.saturating_add(self.rules.windows.objection);
                self.phase = Phase::Objectable { until };
            }
        }
    }

    fn open_holding(
        &mut self,
        at: &RoundContext<BlockNumber>,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        let (Some(claim), Some(parent_loss)) = (self.claim, self.parent_loss) else {
            return self.end_hearing(Rejection::NothingAccepted, effects);
        };
        if claim.loss >= parent_loss {
            return self.end_hearing(Rejection::LossNotLower, effects);
        }
        self.penalise_validators(effects);
        effects.push(RoundEffect::Aggregated(claim));
        let until = at.now.saturating_add(self.rules.windows.holding);
        self.phase = Phase::Holding { until };
    }

    fn end_hearing(&mut self, rejection: Rejection, effects: &mut Vec<RoundEffect<AccountId>>) {
        self.penalise_validators(effects);
        self.reject(rejection, effects);
    }

    fn watch_holders(
        &mut self,
        at: &RoundContext<BlockNumber>,
        until: BlockNumber,
        effects: &mut Vec<RoundEffect<AccountId>>,
    ) {
        match self.claim {
            Some(claim) if at.holders >= self.rules.min_holders => {
                self.close(RoundOutcome::Promoted(claim.checkpoint), effects);
            }
            _ if at.now >= until => self.reject(Rejection::TooFewHolders, effects),
            _ => {}
        }
    }

    /// Records the worst offence of each validator that was heard. Only at this point, because an objection
    /// could have overturned the decisions before.
    fn penalise_validators(&self, effects: &mut Vec<RoundEffect<AccountId>>) {
        let contradicted = self.contradicted();
        let is_claim_due = self.is_any_accepted();
        for validator in self.seats() {
            let is_scorer = validator.seat == Hearing::Scores;
            let is_false =
                |decided: CheckpointClaim| validator.claim.is_some_and(|claim| claim != decided);
            let offence = if contradicted.contains(&validator.account) {
                Offence::FalseScore
            } else if self.claim.is_some_and(is_false) {
                Offence::FalseClaim
            } else if is_scorer && validator.sheet.is_none() {
                Offence::MissedScore
            } else if is_claim_due && validator.claim.is_none() {
                Offence::MissedClaim
            } else {
                continue;
            };
            effects.push(RoundEffect::Offended(validator.account.clone(), offence));
        }
    }

    fn is_any_accepted(&self) -> bool {
        self.trainers
            .iter()
            .any(|trainer| matches!(trainer.ruling, Some(Ruling::Accepted { .. })))
    }

    /// Whether enough trainers joined to continue.
    fn has_trainers(&self) -> bool {
        let trainers = u32::try_from(self.trainers.len()).unwrap_or(u32::MAX);
        trainers >= self.rules.min_contributions
    }

    /// Whether enough contributions were revealed to continue.
    fn has_contributions(&self) -> bool {
        let revealed = u32::try_from(self.contributors().len()).unwrap_or(u32::MAX);
        revealed >= self.rules.min_contributions
    }

    fn is_revealed(&self, now: BlockNumber, until: BlockNumber) -> bool {
        now >= until || self.all_revealed()
    }

    fn all_committed(&self) -> bool {
        self.trainers
            .iter()
            .all(|trainer| trainer.commitment.is_some())
    }

    fn all_revealed(&self) -> bool {
        self.trainers
            .iter()
            .all(|trainer| trainer.commitment.is_none() || trainer.contribution.is_some())
    }

    fn all_scored(&self) -> bool {
        self.scorers()
            .all(|validator| validator.commitment.is_some() || validator.sheet.is_some())
    }

    fn all_scores_revealed(&self) -> bool {
        self.scorers()
            .all(|validator| validator.commitment.is_none() || validator.sheet.is_some())
    }

    fn all_claimed(&self) -> bool {
        self.seats().all(|validator| validator.claim.is_some())
    }

    /// The validators that are heard.
    pub fn seats(&self) -> impl Iterator<Item = &Validator<AccountId>> {
        self.validators
            .iter()
            .filter(|validator| validator.seat != Hearing::Unheard)
    }

    /// The validators that are heard on the contributions.
    fn scorers(&self) -> impl Iterator<Item = &Validator<AccountId>> {
        self.validators
            .iter()
            .filter(|validator| validator.seat == Hearing::Scores)
    }
}
