//! The record of a round.

use crate::{
    Dataset, RoundRules, Ruling, MAX_ASSIGNED_SHARDS, MAX_EVALUATION_SHARDS, MAX_TRAINERS,
    MAX_VALIDATORS,
};
use noema_economics::Balance;
use noema_protocol::{apply, sent, stored, CheckpointId, FamilyId, RoundId};
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// A round of training: its participants, their commitments and reveals, and the decisions.
#[apply(stored)]
pub struct Round<AccountId, BlockNumber> {
    /// Its number.
    pub id: RoundId,
    /// The family whose next checkpoint it makes.
    pub family: FamilyId,
    /// The checkpoint it starts from.
    pub parent: CheckpointId,
    /// The text.
    pub dataset: Dataset,
    /// The rules, as they were when it opened.
    pub rules: RoundRules<BlockNumber>,
    /// The phase, which determines what may be done now.
    pub phase: Phase<BlockNumber>,
    /// The relay chain block in which the inputs of the next draw were fixed: the draw needs younger
    /// randomness. `None` where no draw is due.
    pub unknown_since: Option<u32>,
    /// In the order in which they joined.
    pub trainers: BoundedVec<Trainer<AccountId>, ConstU32<MAX_TRAINERS>>,
    /// In the order in which they joined.
    pub validators: BoundedVec<Validator<AccountId>, ConstU32<MAX_VALIDATORS>>,
    /// Whether all validators are heard, because those drawn did not agree or another objected.
    pub widened: bool,
    /// The shards that every contribution is evaluated on, in ascending order; none before they are
    /// drawn.
    pub evaluation: BoundedVec<u32, ConstU32<MAX_EVALUATION_SHARDS>>,
    /// The decided loss of the parent on the evaluation shards.
    pub parent_loss: Option<u64>,
    /// The decided next checkpoint.
    pub claim: Option<CheckpointClaim>,
}

/// The phase of a round, which determines what may be done; `until` is its last block.
#[apply(sent)]
#[derive(Copy)]
pub enum Phase<BlockNumber> {
    /// Trainers and validators join.
    Registering {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Trainers train on their shards and commit.
    Training {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Trainers reveal their contributions and serve their updates.
    Revealing {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Validators score the contributions and commit.
    Scoring {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Validators reveal their scores.
    ScoreRevealing {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Validators aggregate the accepted contributions and claim the next checkpoint.
    Claiming {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Validators that were not drawn may object.
    Objectable {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// Operators fetch the next checkpoint and announce that they hold it.
    Holding {
        /// The last block of the phase.
        until: BlockNumber,
    },
    /// The round is over.
    Closed(RoundOutcome),
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Phase<BlockNumber> {
    /// The last block of the phase; `None` once the round is over.
    pub fn until(&self) -> Option<BlockNumber> {
        match self {
            Self::Registering { until }
            | Self::Training { until }
            | Self::Revealing { until }
            | Self::Scoring { until }
            | Self::ScoreRevealing { until }
            | Self::Claiming { until }
            | Self::Objectable { until }
            | Self::Holding { until } => Some(*until),
            Self::Closed(_) => None,
        }
    }
}

/// How a round ended.
#[apply(sent)]
#[derive(Copy)]
pub enum RoundOutcome {
    /// Its checkpoint became canonical.
    Promoted(CheckpointId),
    /// The parent stays canonical.
    Rejected(Rejection),
}

/// Why the parent stays canonical.
#[apply(sent)]
#[derive(Copy)]
pub enum Rejection {
    /// Too few trainers joined.
    TooFewTrainers,
    /// Too few contributions were revealed.
    TooFewContributions,
    /// No validator joined.
    NoValidators,
    /// No scores were revealed, or the validators did not agree on the parent's loss.
    NoScores,
    /// No contribution was accepted.
    NothingAccepted,
    /// No checkpoint was claimed, the validators did not agree on one, or it was canonical before.
    NoClaim,
    /// The next checkpoint's loss is not below the parent's.
    LossNotLower,
    /// Too few operators hold the next checkpoint.
    TooFewHolders,
    /// The parent is no longer canonical.
    ParentReplaced,
    /// The programme was stopped.
    Stopped,
}

/// A trainer's part in a round.
#[apply(stored)]
pub struct Trainer<AccountId> {
    /// The controller's account.
    pub account: AccountId,
    /// The shards it trains on, in ascending order; none before they are drawn.
    pub shards: BoundedVec<u32, ConstU32<MAX_ASSIGNED_SHARDS>>,
    /// Its commitment, with its place among the commitments of the round.
    pub commitment: Option<(H256, u32)>,
    /// Its revealed contribution.
    pub contribution: Option<Contribution>,
    /// The ruling on its contribution.
    pub ruling: Option<Ruling>,
}

/// A compressed update, as the chain names it.
#[apply(sent)]
#[derive(Copy)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub struct Contribution {
    /// Its BLAKE3 hash.
    pub update: H256,
    /// Its size in bytes.
    pub bytes: u32,
}

/// A validator's part in a round.
#[apply(stored)]
pub struct Validator<AccountId> {
    /// The controller's account.
    pub account: AccountId,
    /// Its bond when it joined: the weight of its vote.
    pub bond: Balance,
    /// On which decisions it is heard.
    pub seat: Hearing,
    /// Its commitment to its scores.
    pub commitment: Option<H256>,
    /// Its scores.
    pub sheet: Option<ScoreSheet>,
    /// Its claim of the next checkpoint.
    pub claim: Option<CheckpointClaim>,
}

/// On which decisions a validator is heard.
#[apply(sent)]
#[derive(Copy)]
pub enum Hearing {
    /// On none, but it may object.
    Unheard,
    /// On the next checkpoint: it objected to a claim, or was called when one was contested.
    Claim,
    /// On contributions and next checkpoint: it was drawn, objected to scores, or was called when they were
    /// contested.
    Scores,
}

/// A validator's findings of all contributions. Losses are sums over all tokens of the named shards, in units
/// of 2^-16 bit.
#[apply(sent)]
pub struct ScoreSheet {
    /// The parent's loss on the evaluation shards.
    pub parent: u64,
    /// One finding for each revealed contribution, in the order of their commitments.
    pub findings: BoundedVec<Finding, ConstU32<MAX_TRAINERS>>,
}

/// A validator's finding of a contribution.
#[apply(sent)]
#[derive(Copy)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub enum Finding {
    /// The validator could not fetch the update in time.
    Unavailable,
    /// The bytes are not an update of the parent within the rules.
    Malformed,
    /// Its overlap with an earlier contribution exceeds the limit.
    Copy {
        /// The earliest such contribution, as a place in the sheet.
        of: u32,
    },
    /// It was applied to the parent, alone, and evaluated.
    Scored {
        /// On the shards of its trainer.
        assigned: Losses,
        /// Its loss on the evaluation shards.
        evaluation: u64,
    },
}

/// A loss without and with an update, in units of 2^-16 bit.
#[apply(sent)]
#[derive(Copy)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub struct Losses {
    /// The parent's.
    pub before: u64,
    /// The loss of the parent with the update.
    pub after: u64,
}

/// The next checkpoint.
#[apply(sent)]
#[derive(Copy)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub struct CheckpointClaim {
    /// The hash of its manifest.
    pub checkpoint: CheckpointId,
    /// The Merkle root over its tiles.
    pub weights_root: H256,
    /// The Merkle root over its master weights.
    pub masters_root: H256,
    /// Its loss on the evaluation shards, in units of 2^-16 bit.
    pub loss: u64,
}

impl<AccountId, BlockNumber: AtLeast32BitUnsigned + Copy> Round<AccountId, BlockNumber> {
    /// A round that opens in block `now`. The caller checks the rules with [`RoundRules::check`] before.
    pub fn open(
        id: RoundId,
        family: FamilyId,
        parent: CheckpointId,
        dataset: Dataset,
        rules: RoundRules<BlockNumber>,
        now: BlockNumber,
    ) -> Self {
        let until = now.saturating_add(rules.windows.registration);
        Self {
            id,
            family,
            parent,
            dataset,
            rules,
            phase: Phase::Registering { until },
            unknown_since: None,
            trainers: BoundedVec::new(),
            validators: BoundedVec::new(),
            widened: false,
            evaluation: BoundedVec::new(),
            parent_loss: None,
            claim: None,
        }
    }

    /// The participants: trainers, then validators.
    pub fn participants(&self) -> impl Iterator<Item = &AccountId> {
        let trainers = self.trainers.iter().map(|trainer| &trainer.account);
        let validators = self.validators.iter();
        trainers.chain(validators.map(|validator| &validator.account))
    }

    /// The trainers that revealed a contribution, by the order of their commitments: the order of
    /// the findings in a sheet.
    pub fn contributors(&self) -> alloc::vec::Vec<&Trainer<AccountId>> {
        let mut contributors: alloc::vec::Vec<_> = self
            .trainers
            .iter()
            .filter(|trainer| trainer.contribution.is_some())
            .collect();
        contributors.sort_by_key(|trainer| trainer.commitment.map(|(_, place)| place));
        contributors
    }

    /// The number of tokens over which the losses on the evaluation shards are summed.
    pub fn evaluation_tokens(&self) -> u64 {
        u64::try_from(self.evaluation.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(self.dataset.shard_tokens.into())
    }

    /// How the round ended; `None` while it is open.
    pub fn outcome(&self) -> Option<RoundOutcome> {
        match self.phase {
            Phase::Closed(outcome) => Some(outcome),
            _ => None,
        }
    }
}
