//! The state machine of a dispute, without storage.
//!
//! The pallet keeps a [`Dispute`] in storage, provides blocks, jurors and calls, and carries out its
//! [`Judgement`](crate::Judgement).

use crate::{Juror, JurorState, Jury};
use codec::Encode;
use core::fmt;
use noema_claims::{Claim, Decision, RelayBlock};
use noema_economics::Balance;
use noema_protocol::{apply, sent, stored, CheckpointId, ClaimId, Verdict};
use sp_core::H256;
use sp_runtime::traits::{AtLeast32BitUnsigned, One};

/// A leaf of a claim on which juries decide.
#[apply(stored)]
pub struct Dispute<AccountId, BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The terms that were fixed when the dispute was opened.
    pub terms: DisputeTerms<BlockNumber>,
    /// The sitting jury: the first or the second.
    pub instance: Instance,
    /// The present stage.
    pub stage: DisputeStage<BlockNumber>,
    /// The first jury; empty until it is drawn.
    pub first: Jury<AccountId>,
    /// The second jury; empty until it is drawn.
    pub second: Jury<AccountId>,
    /// The appeal against the verdict of the first jury.
    pub appeal: Option<Appeal<AccountId>>,
}

/// The terms that are fixed when a dispute is opened, by the rules of its claim.
#[apply(stored)]
#[derive(Copy)]
pub struct DisputeTerms<BlockNumber> {
    /// The checkpoint that the claim names.
    pub checkpoint: CheckpointId,
    /// Relay chain blocks by which randomness has to be younger than the event that it draws jurors for.
    pub freshness: RelayBlock,
    /// The amount locked of a juror's bond for each of its seats.
    pub juror_stake: Balance,
    /// The amount that an account puts on hold to appeal.
    pub appeal_bond: Balance,
    /// Tokens of the leaf, which a juror executes.
    pub leaf_tokens: u64,
    /// Blocks to reveal.
    pub reveal_window: BlockNumber,
    /// Blocks to appeal.
    pub appeal_window: BlockNumber,
}

/// Which of the two juries.
#[apply(sent)]
#[derive(Copy)]
pub enum Instance {
    /// The jury of every dispute.
    First,
    /// The larger jury, after an appeal or where the first did not decide.
    Second,
}

/// The stage of a dispute; `until` is its last block.
#[apply(stored)]
#[derive(Copy)]
pub enum DisputeStage<BlockNumber> {
    /// It waits for randomness to draw a jury with.
    Undrawn {
        /// The randomness has to be younger than this relay chain block.
        unknown_since: RelayBlock,
    },
    /// Jurors re-execute the leaf and commit.
    Committing {
        /// The last block of the stage.
        until: BlockNumber,
    },
    /// Jurors reveal.
    Revealing {
        /// The last block of the stage.
        until: BlockNumber,
    },
    /// The first jury has decided, and any account may appeal.
    Appealable {
        /// The last block of the stage.
        until: BlockNumber,
    },
    /// It is over.
    Concluded(Decision),
}

/// An appeal against the verdict of the first jury.
#[apply(stored)]
pub struct Appeal<AccountId> {
    /// The account that appealed.
    pub by: AccountId,
    /// The amount that it has on hold for that.
    pub bond: Balance,
}

/// The effect of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeProgress {
    /// Nothing.
    Nothing,
    /// A jury was drawn, and has to commit.
    CommitOpened,
    /// Jurors that committed have to reveal.
    RevealOpened,
    /// The first jury has decided, and the window to appeal has opened.
    AppealOpened(Verdict),
    /// The first jury did not decide, or has no juror: the second will be drawn.
    SecondJuryOpened,
    /// The dispute is over.
    Concluded(Decision),
}

/// The reason for which a step of a dispute is refused. A refused step changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisputeError {
    /// The account has no seat in the sitting jury.
    NotAJuror,
    /// Jurors still commit.
    TooEarly,
    /// The window is over.
    TooLate,
    /// The juror has already committed.
    AlreadyCommitted,
    /// The juror has already revealed.
    AlreadyRevealed,
    /// The juror has not committed.
    NotCommitted,
    /// The verdict and salt do not match the commitment.
    CommitmentDiffers,
    /// The dispute has no verdict of a first jury that can be appealed.
    NotAppealable,
}

impl fmt::Display for DisputeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAJuror => "the account has no seat in the sitting jury",
            Self::TooEarly => "jurors still commit",
            Self::TooLate => "the window is over",
            Self::AlreadyCommitted => "the juror has already committed",
            Self::AlreadyRevealed => "the juror has already revealed",
            Self::NotCommitted => "the juror has not committed",
            Self::CommitmentDiffers => "the verdict and salt do not match the commitment",
            Self::NotAppealable => "there is no verdict of a first jury that can be appealed",
        })
    }
}

impl core::error::Error for DisputeError {}

/// The decision that follows from a verdict.
pub(crate) const fn decision(verdict: Verdict) -> Decision {
    match verdict {
        Verdict::True => Decision::True,
        Verdict::False => Decision::False,
    }
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> DisputeTerms<BlockNumber> {
    /// The terms of a dispute over a leaf of `claim`.
    pub fn of<AccountId>(claim: &Claim<AccountId, BlockNumber>) -> Self {
        let terms = &claim.terms;
        let rules = &terms.rules;
        Self {
            checkpoint: terms.checkpoint,
            freshness: rules.freshness,
            juror_stake: rules.validator_stake,
            appeal_bond: rules.challenge_bond.max(terms.stake),
            leaf_tokens: terms.leaf_tokens,
            reveal_window: rules.windows.reveal_window(),
            appeal_window: rules.windows.appeal_window(),
        }
    }
}

impl<AccountId, BlockNumber> Dispute<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// A dispute over `leaf` of `claim`, opened on top of relay chain block `relay`.
    pub fn new(
        claim: ClaimId,
        leaf: u32,
        terms: DisputeTerms<BlockNumber>,
        relay: RelayBlock,
    ) -> Self {
        Self {
            claim,
            leaf,
            terms,
            instance: Instance::First,
            stage: DisputeStage::Undrawn {
                unknown_since: relay,
            },
            first: Jury::default(),
            second: Jury::default(),
            appeal: None,
        }
    }

    /// The sitting jury.
    pub const fn sitting(&self) -> &Jury<AccountId> {
        match self.instance {
            Instance::First => &self.first,
            Instance::Second => &self.second,
        }
    }

    /// The jurors of both juries. A validator that sits in both is listed twice.
    pub fn jurors(&self) -> impl Iterator<Item = &Juror<AccountId>> {
        self.first.jurors().iter().chain(self.second.jurors())
    }

    /// How many seats an account has in both juries together.
    pub fn seats_of(&self, account: &AccountId) -> u32 {
        self.jurors()
            .filter(|juror| juror.account == *account)
            .fold(0, |sum, juror| sum.saturating_add(juror.seats))
    }

    /// The jurors that have to execute the leaf and to commit.
    pub fn executing(&self) -> impl Iterator<Item = &Juror<AccountId>> {
        let is_open = matches!(self.stage, DisputeStage::Committing { .. });
        let jurors = self.sitting().jurors().iter();
        jurors.filter(move |juror| is_open && juror.state == JurorState::Seated)
    }

    /// Seats the drawn jury, in block `now` on top of relay chain block `relay`; it has `window` blocks to
    /// execute the leaf and to commit. Does nothing where the dispute does not wait for a jury.
    ///
    /// Returns the jury where it is not seated after all. A verdict is reviewed only by a jury that has half
    /// of its seats filled, and no fewer than the first: where free bonds do not suffice for that, the
    /// verdict of the first jury stands.
    pub fn seat(
        &mut self,
        jury: Jury<AccountId>,
        window: BlockNumber,
        now: BlockNumber,
        relay: RelayBlock,
    ) -> (DisputeProgress, Option<Jury<AccountId>>) {
        if !matches!(self.stage, DisputeStage::Undrawn { .. }) {
            return (DisputeProgress::Nothing, Some(jury));
        }
        let verdict = match self.instance {
            Instance::First => None,
            Instance::Second => self.first.verdict(),
        };
        let is_small = !jury.is_half_filled() || jury.filled() < self.first.filled();
        if let Some(verdict) = verdict.filter(|_| is_small) {
            return (self.conclude(decision(verdict)), Some(jury));
        }
        if jury.is_empty() {
            return (self.close_undecided(relay), None);
        }
        *self.sitting_mut() = jury;
        let until = now.saturating_add(window);
        self.stage = DisputeStage::Committing { until };
        (DisputeProgress::CommitOpened, None)
    }

    /// Records a juror's commitment.
    ///
    /// # Errors
    /// [`DisputeError::NotAJuror`], [`DisputeError::TooLate`] or [`DisputeError::AlreadyCommitted`].
    pub fn commit(
        &mut self,
        juror: &AccountId,
        commitment: H256,
        now: BlockNumber,
    ) -> Result<(), DisputeError> {
        self.ensure_juror(juror)?;
        match self.stage {
            DisputeStage::Committing { until } if now <= until => {}
            _ => return Err(DisputeError::TooLate),
        }
        self.sitting_mut().commit(juror, commitment)
    }

    /// Records the verdict that a juror committed to.
    ///
    /// # Errors
    /// [`DisputeError::NotAJuror`], [`DisputeError::TooEarly`], [`DisputeError::TooLate`],
    /// [`DisputeError::NotCommitted`], [`DisputeError::AlreadyRevealed`] or
    /// [`DisputeError::CommitmentDiffers`].
    pub fn reveal(
        &mut self,
        juror: &AccountId,
        verdict: Verdict,
        salt: H256,
        now: BlockNumber,
    ) -> Result<(), DisputeError> {
        self.ensure_juror(juror)?;
        match self.stage {
            DisputeStage::Revealing { until } if now <= until => {}
            DisputeStage::Committing { .. } => return Err(DisputeError::TooEarly),
            _ => return Err(DisputeError::TooLate),
        }
        let leaf = (self.claim, self.leaf);
        self.sitting_mut().reveal(leaf, juror, verdict, salt)
    }

    /// Appeals the verdict of the first jury to a second one, in block `now` on top of relay chain block
    /// `relay`. The caller puts [`DisputeTerms::appeal_bond`] of the account's funds on hold.
    ///
    /// # Errors
    /// [`DisputeError::NotAppealable`] or [`DisputeError::TooLate`].
    pub fn appeal(
        &mut self,
        by: &AccountId,
        now: BlockNumber,
        relay: RelayBlock,
    ) -> Result<(), DisputeError> {
        match self.stage {
            DisputeStage::Appealable { until } if now <= until => {}
            DisputeStage::Appealable { .. } => return Err(DisputeError::TooLate),
            _ => return Err(DisputeError::NotAppealable),
        }
        self.appeal = Some(Appeal {
            by: by.clone(),
            bond: self.terms.appeal_bond,
        });
        self.open_second(relay);
        Ok(())
    }

    /// Advances the dispute at the beginning of block `now`, before its transactions, on top of relay chain
    /// block `relay`: a window that ends with the block before is over.
    pub fn advance(&mut self, now: BlockNumber, relay: RelayBlock) -> DisputeProgress {
        let jury = self.sitting();
        match self.stage {
            DisputeStage::Committing { until } if until < now || jury.have_all_committed() => {
                // Without a commitment there is nothing to reveal.
                if jury.have_all_revealed() {
                    return self.close_jury(now, relay);
                }
                let until = now.saturating_add(self.terms.reveal_window);
                self.stage = DisputeStage::Revealing { until };
                DisputeProgress::RevealOpened
            }
            DisputeStage::Revealing { until } if until < now || jury.have_all_revealed() => {
                self.close_jury(now, relay)
            }
            DisputeStage::Appealable { until } if until < now => match self.first.verdict() {
                Some(verdict) => self.conclude(decision(verdict)),
                None => self.close_undecided(relay),
            },
            _ => DisputeProgress::Nothing,
        }
    }

    /// The next block in which [`Self::advance`] has an effect; `None` where the dispute waits for
    /// randomness, or is over.
    pub fn due(&self, now: BlockNumber) -> Option<BlockNumber> {
        let next = now.saturating_add(One::one());
        let jury = self.sitting();
        match self.stage {
            DisputeStage::Undrawn { .. } | DisputeStage::Concluded(_) => None,
            DisputeStage::Committing { .. } if jury.have_all_committed() => Some(next),
            DisputeStage::Revealing { .. } if jury.have_all_revealed() => Some(next),
            DisputeStage::Committing { until }
            | DisputeStage::Revealing { until }
            | DisputeStage::Appealable { until } => {
                Some(until.saturating_add(One::one()).max(next))
            }
        }
    }

    fn sitting_mut(&mut self) -> &mut Jury<AccountId> {
        match self.instance {
            Instance::First => &mut self.first,
            Instance::Second => &mut self.second,
        }
    }

    fn ensure_juror(&self, account: &AccountId) -> Result<(), DisputeError> {
        if self.sitting().contains(account) {
            Ok(())
        } else {
            Err(DisputeError::NotAJuror)
        }
    }

    fn close_jury(&mut self, now: BlockNumber, relay: RelayBlock) -> DisputeProgress {
        match (self.sitting().verdict(), self.instance) {
            (Some(verdict), Instance::First) => {
                let until = now.saturating_add(self.terms.appeal_window);
                self.stage = DisputeStage::Appealable { until };
                DisputeProgress::AppealOpened(verdict)
            }
            (Some(verdict), Instance::Second) => self.conclude(decision(verdict)),
            (None, _) => self.close_undecided(relay),
        }
    }

    fn close_undecided(&mut self, relay: RelayBlock) -> DisputeProgress {
        match self.instance {
            Instance::First => {
                self.open_second(relay);
                DisputeProgress::SecondJuryOpened
            }
            Instance::Second => self.conclude(Decision::Undecided),
        }
    }

    fn open_second(&mut self, relay: RelayBlock) {
        self.instance = Instance::Second;
        self.stage = DisputeStage::Undrawn {
            unknown_since: relay,
        };
    }

    fn conclude(&mut self, decision: Decision) -> DisputeProgress {
        self.stage = DisputeStage::Concluded(decision);
        DisputeProgress::Concluded(decision)
    }
}
