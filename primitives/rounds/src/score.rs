//! The validators' scores of the contributions, and the procedure where they do not agree.

use crate::{
    accept, Finding, Hearing, Phase, Round, RoundError, Ruling, ScoreSheet, Validator, MAX_TRAINERS,
};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::{majority, Balance};
use noema_protocol::hashing;
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::H256;

/// The decision over the validators' scores.
pub(crate) enum Tally {
    /// The scores differ, and not all validators were heard.
    Contested,
    /// No validator scored, or no majority agrees on the parent's loss.
    Nothing,
    /// The rulings are recorded.
    Decided,
}

impl<AccountId, BlockNumber> Round<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Records a validator's commitment to its scores; see [`hashing::score_commitment`].
    ///
    /// # Errors
    /// Outside the scoring, for accounts other than validators that are heard, and for a second commitment.
    pub fn commit_scores(
        &mut self,
        account: &AccountId,
        commitment: H256,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Registering { .. } | Phase::Training { .. } | Phase::Revealing { .. } => {
                return Err(RoundError::TooEarly);
            }
            Phase::Scoring { until } if now <= until => {}
            _ => return Err(RoundError::TooLate),
        }
        let validator = self.scorer(account)?;
        if validator.commitment.is_some() || validator.sheet.is_some() {
            return Err(RoundError::AlreadyCommitted);
        }
        validator.commitment = Some(commitment);
        Ok(())
    }

    /// Records the scores that a validator committed to.
    ///
    /// # Errors
    /// Outside the revealing of scores, for scores that were not committed, and for a sheet that does not fit
    /// the contributions.
    pub fn reveal_scores(
        &mut self,
        account: &AccountId,
        sheet: ScoreSheet,
        salt: H256,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Registering { .. }
            | Phase::Training { .. }
            | Phase::Revealing { .. }
            | Phase::Scoring { .. } => return Err(RoundError::TooEarly),
            Phase::ScoreRevealing { until } if now <= until => {}
            _ => return Err(RoundError::TooLate),
        }
        self.check_sheet(&sheet)?;
        let id = self.id;
        let validator = self.scorer(account)?;
        if validator.sheet.is_some() {
            return Err(RoundError::AlreadyRevealed);
        }
        let commitment = validator.commitment.ok_or(RoundError::NotCommitted)?;
        if hashing::score_commitment(id, account, &sheet, salt) != commitment {
            return Err(RoundError::CommitmentDiffers);
        }
        validator.sheet = Some(sheet);
        Ok(())
    }

    /// Objects to the rulings with another score sheet: all validators of the round are heard.
    ///
    /// # Errors
    /// Outside the claiming and the time for objections, for a validator that has been heard, and for scores
    /// from which the same rulings follow.
    pub fn object_to_scores(
        &mut self,
        account: &AccountId,
        sheet: ScoreSheet,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Claiming { until } | Phase::Objectable { until } if now <= until => {}
            Phase::Claiming { .. }
            | Phase::Objectable { .. }
            | Phase::Holding { .. }
            | Phase::Closed(_) => return Err(RoundError::TooLate),
            _ => return Err(RoundError::TooEarly),
        }
        self.check_sheet(&sheet)?;
        let agrees = self.agrees(&sheet);
        let validator = self.unheard(account)?;
        if agrees {
            return Err(RoundError::NothingToObject);
        }
        validator.sheet = Some(sheet);
        self.drop_decisions();
        self.widen();
        let until = now.saturating_add(self.rules.windows.scoring);
        self.phase = Phase::Scoring { until };
        Ok(())
    }

    /// Whether the rulings follow from `sheet`, too.
    pub fn agrees(&self, sheet: &ScoreSheet) -> bool {
        self.parent_loss == Some(sheet.parent) && self.rulings_of(sheet) == self.rulings()
    }

    /// The ruling on each contribution, in the order of the findings.
    pub fn rulings(&self) -> Vec<Ruling> {
        self.contributors()
            .into_iter()
            .filter_map(|trainer| trainer.ruling)
            .collect()
    }

    fn rulings_of(&self, sheet: &ScoreSheet) -> Vec<Ruling> {
        let findings: Vec<_> = sheet.findings.iter().copied().map(Some).collect();
        accept(sheet.parent, &findings)
    }

    fn check_sheet(&self, sheet: &ScoreSheet) -> Result<(), RoundError> {
        if sheet.findings.len() != self.contributors().len() {
            return Err(RoundError::SheetLength);
        }
        let is_earlier = |(place, finding): (u32, &Finding)| match finding {
            Finding::Copy { of } => *of < place,
            _ => true,
        };
        if !(0..MAX_TRAINERS).zip(&sheet.findings).all(is_earlier) {
            return Err(RoundError::NotEarlier);
        }
        Ok(())
    }

    /// Counts the scores and records the decision.
    pub(crate) fn tally_scores(&mut self) -> Tally {
        let sheets: Vec<&ScoreSheet> = self.sheets().map(|(sheet, _)| sheet).collect();
        let is_contested = sheets.iter().any(|a| sheets.iter().any(|b| a != b));
        if is_contested && !self.widened && self.has_unheard() {
            return Tally::Contested;
        }
        let Some((parent, findings)) = self.decided_scores() else {
            return Tally::Nothing;
        };
        self.parent_loss = Some(parent);
        self.record_rulings(accept(parent, &findings));
        Tally::Decided
    }

    /// The parent's loss on which more than half of the heard bonds agree, and the finding of each
    /// contribution where they agree on it.
    fn decided_scores(&self) -> Option<(u64, Vec<Option<Finding>>)> {
        let parents: Vec<_> = self
            .sheets()
            .map(|(sheet, bond)| (sheet.parent, bond))
            .collect();
        let parent = majority(&parents).copied()?;
        let findings = (0..self.contributors().len())
            .map(|place| {
                let votes: Vec<_> = self
                    .sheets()
                    .filter_map(|(sheet, bond)| Some((*sheet.findings.get(place)?, bond)))
                    .collect();
                majority(&votes).copied()
            })
            .collect();
        Some((parent, findings))
    }

    fn sheets(&self) -> impl Iterator<Item = (&ScoreSheet, Balance)> {
        self.validators
            .iter()
            .filter_map(|validator| Some((validator.sheet.as_ref()?, validator.bond)))
    }

    /// The validators whose scores contradict the decision.
    pub fn contradicted(&self) -> Vec<AccountId> {
        let Some((parent, findings)) = self.decided_scores() else {
            return Vec::new();
        };
        self.validators
            .iter()
            .filter(|validator| {
                validator.sheet.as_ref().is_some_and(|sheet| {
                    sheet.parent != parent
                        || sheet.findings.iter().zip(&findings).any(|(said, decided)| {
                            decided.is_some_and(|decided| contradict(said, &decided))
                        })
                })
            })
            .map(|validator| validator.account.clone())
            .collect()
    }

    fn record_rulings(&mut self, rulings: Vec<Ruling>) {
        let order: Vec<AccountId> = self
            .contributors()
            .into_iter()
            .map(|trainer| trainer.account.clone())
            .collect();
        for (account, ruling) in order.into_iter().zip(rulings) {
            for trainer in self.trainers.iter_mut() {
                if trainer.account == account {
                    trainer.ruling = Some(ruling);
                }
            }
        }
    }

    /// Clears the rulings and the decided checkpoint, since more validators are heard.
    fn drop_decisions(&mut self) {
        for trainer in self.trainers.iter_mut() {
            trainer.ruling = None;
        }
        for validator in self.validators.iter_mut() {
            validator.claim = None;
        }
        self.parent_loss = None;
        self.claim = None;
    }

    /// Lets every validator of the round be heard on contributions and next checkpoint.
    pub(crate) fn widen(&mut self) {
        self.widened = true;
        for validator in self.validators.iter_mut() {
            validator.seat = Hearing::Scores;
        }
    }

    pub(crate) fn has_unheard(&self) -> bool {
        self.validators
            .iter()
            .any(|validator| validator.seat == Hearing::Unheard)
    }

    /// A validator that has not been heard.
    pub(crate) fn unheard(
        &mut self,
        account: &AccountId,
    ) -> Result<&mut Validator<AccountId>, RoundError> {
        let validator = self.validator(account)?;
        match validator.seat {
            Hearing::Unheard => Ok(validator),
            Hearing::Claim | Hearing::Scores => Err(RoundError::AllHeard),
        }
    }

    /// A validator that is heard on the contributions.
    fn scorer(&mut self, account: &AccountId) -> Result<&mut Validator<AccountId>, RoundError> {
        let validator = self.validator(account)?;
        match validator.seat {
            Hearing::Scores => Ok(validator),
            Hearing::Unheard | Hearing::Claim => Err(RoundError::NotDrawn),
        }
    }

    pub(crate) fn validator(
        &mut self,
        account: &AccountId,
    ) -> Result<&mut Validator<AccountId>, RoundError> {
        self.validators
            .iter_mut()
            .find(|validator| validator.account == *account)
            .ok_or(RoundError::NotAValidator)
    }
}

/// Whether two honest validators cannot both have found this: `Unavailable` contradicts no other finding.
fn contradict(a: &Finding, b: &Finding) -> bool {
    a != b && *a != Finding::Unavailable && *b != Finding::Unavailable
}
