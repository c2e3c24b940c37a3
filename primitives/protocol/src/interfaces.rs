//! The interfaces between pallets, as traits, so that each pallet can be read and tested alone.
//!
//! Errors are an associated type: the runtime converts it into its own dispatch error.

use crate::{CheckpointId, FamilyId, Job, ModelLimits, Offence, Prices, Role, RoundId, Work};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// An operator that may be drawn for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<AccountId, Balance> {
    /// The account that holds the bond.
    pub controller: AccountId,
    /// The part of its bond that the roster of the present term counts, less later losses. A part added after
    /// a draw could be foreseen does not count.
    pub bond: Balance,
    /// The part of that which is not locked: the most that [`Operators::lock_drawn`] locks.
    pub free: Balance,
    /// Its prices in the present term; zero for a validator.
    pub prices: Prices<Balance>,
}

/// Read access to checkpoints.
pub trait Checkpoints {
    /// The bounds of an active checkpoint; `None` for one that is unknown or withdrawn.
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits>;

    /// Whether the checkpoint was ever registered.
    fn exists(checkpoint: &CheckpointId) -> bool;

    /// The canonical checkpoint of the family that `checkpoint` belongs to.
    fn canonical_of(checkpoint: &CheckpointId) -> Option<CheckpointId>;

    /// Makes the next registrations succeed: `checkpoint` is active with these `limits`.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, limits: ModelLimits);

    /// Makes `canonical` the canonical checkpoint of the family of `checkpoint`; both are active.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(checkpoint: CheckpointId, canonical: CheckpointId);
}

/// A checkpoint made by a round of training.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Trained {
    /// The round.
    pub round: RoundId,
    /// The Merkle root of the dataset.
    pub dataset: H256,
    /// The Merkle root of its master weights.
    pub masters_root: H256,
    /// The number of contributions in it.
    pub contributions: u32,
    /// The parent's loss on the evaluation shards, in units of 2^-16 bit.
    pub parent_loss: u64,
    /// Its own loss on them.
    pub loss: u64,
    /// The number of tokens over which these losses are summed.
    pub tokens: u64,
}

/// The operations of training on checkpoints.
pub trait Lineage<AccountId> {
    /// Why an operation is refused.
    type Error;

    /// The canonical checkpoint of a family.
    fn canonical(family: FamilyId) -> Option<CheckpointId>;

    /// The number of bonded operators that announced to hold the weights of `checkpoint`.
    fn holders(checkpoint: &CheckpointId) -> u32;

    /// Records `checkpoint` as an active child of `parent`, which is or was canonical. The id is the hash of
    /// the manifest, so a record that an account published under it either describes the same checkpoint or
    /// is false: it is replaced, and its deposit is released.
    ///
    /// # Errors
    /// Where the checkpoint is or was canonical, or another round recorded it.
    fn extend(
        parent: CheckpointId,
        checkpoint: CheckpointId,
        weights_root: H256,
        trained: Trained,
    ) -> Result<(), Self::Error>;

    /// Makes an active checkpoint the canonical one of its family.
    fn promote(family: FamilyId, checkpoint: CheckpointId) -> Result<(), Self::Error>;

    /// Removes a checkpoint that `round` recorded with [`Self::extend`] and that did not become
    /// canonical.
    fn discard(checkpoint: CheckpointId, round: RoundId);

    /// Registers a family with a canonical checkpoint.
    #[cfg(feature = "runtime-benchmarks")]
    fn with_canonical(checkpoint: CheckpointId) -> FamilyId;
}

/// Most operators that are drawn for one subject until enough of them are suitable.
pub const MAX_TRIES: u32 = 20;

/// The result of a draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<AccountId, Balance> {
    /// The operators that were drawn and are suitable, in the order of the draw.
    pub candidates: Vec<Candidate<AccountId, Balance>>,
    /// The number of drawn operators, suitable or not: the cost of the draw.
    pub tries: u32,
    /// How many of them are absent. Removing these from the roster is the most expensive part of a draw.
    pub absent: u32,
}

/// Read access to operators, and operations on their bonds.
pub trait Operators<AccountId, Balance> {
    /// Why an operation on a bond is refused.
    type Error;

    /// The controller behind a hot key.
    fn controller_of(key: &AccountId) -> Option<AccountId>;

    /// Draws up to `wanted` different operators from the roster of the present term, each in proportion to
    /// its weight. `randomness` separates the draw from every other one. An absent operator is skipped, as is
    /// one that `suits`, called once for each, refuses. There are at most [`MAX_TRIES`] tries, so the result
    /// may be shorter than possible.
    fn draw(
        role: Role,
        checkpoint: &CheckpointId,
        randomness: H256,
        wanted: u32,
        suits: impl FnMut(&Candidate<AccountId, Balance>) -> bool,
    ) -> Selection<AccountId, Balance>;

    /// All operators that can be drawn in `role` for `checkpoint` in the present term: for views, as
    /// their number has no small bound.
    fn roster(role: Role, checkpoint: &CheckpointId) -> Vec<Candidate<AccountId, Balance>>;

    /// Whether `controller` serves `checkpoint` in `role`.
    fn serves(role: Role, checkpoint: &CheckpointId, controller: &AccountId) -> bool;

    /// The bond of `controller` where it takes part in `role` now: bonded with at least the minimum bond, not
    /// leaving, not absent.
    fn live_bond(role: Role, controller: &AccountId) -> Option<Balance>;

    /// The bond of `controller`; zero if it is not registered.
    fn bond(controller: &AccountId) -> Balance;

    /// Locks `amount` of the bond behind a job: it cannot be withdrawn, nor locked behind another job, until
    /// [`Self::release`]. Refused where the unlocked part of the bond is smaller, or where a part is locked
    /// behind this job already.
    fn lock(controller: &AccountId, job: Job, amount: Balance) -> Result<(), Self::Error>;

    /// Locks `amount` of the bond behind a job that `candidate` was drawn for. Refused where [`Self::lock`]
    /// would be, and where the total of locks would exceed [`Candidate::bond`]: an increase of a bond after
    /// the draw could be foreseen makes no operator suitable.
    fn lock_drawn(
        candidate: &Candidate<AccountId, Balance>,
        job: Job,
        amount: Balance,
    ) -> Result<(), Self::Error>;

    /// The amount that is locked behind a job; `None` where there is none.
    fn locked(controller: &AccountId, job: Job) -> Option<Balance>;

    /// The jobs behind which a part of the bond is locked: for views.
    fn jobs(controller: &AccountId) -> Vec<Job>;

    /// Ends a lock. Does nothing where there is none.
    fn release(controller: &AccountId, job: Job);

    /// Takes up to `amount` from the bond, and at most the amount locked behind the job. Each of `shares` is
    /// paid out of the amount taken, in order and as far as it reaches: credited to an operator, transferred
    /// to any other account. The rest is burned. Returns the amount taken.
    ///
    /// The operator is absent from now on, until it resumes.
    fn slash(
        controller: &AccountId,
        job: Job,
        offence: Offence,
        amount: Balance,
        shares: &[(AccountId, Balance)],
    ) -> Balance;

    /// The account into which a payment is moved before it is credited.
    fn purse() -> AccountId;

    /// Credits an operator with a payment that was moved into [`Self::purse`]; the operator can withdraw it
    /// at any time.
    fn credit(controller: &AccountId, job: Job, kind: Earning, amount: Balance);

    /// Registers a live operator that can be drawn in the present term.
    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, role: Role, checkpoint: &CheckpointId);
}

/// Why an operator was paid.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub enum Earning {
    /// Paid for an answer that was settled.
    Answer,
    /// Paid for a check that was revealed in time and was not overturned.
    Check,
    /// Paid from the bond of the party that lost a dispute.
    Dispute,
}

/// Records verified work, so that a share of the subsidy can follow it.
pub trait RecordWork<AccountId> {
    /// Records that `who` did `amount` of `work`, in the unit of its kind. Never fails: a sum that exceeds
    /// the counter saturates it.
    fn record(work: Work, who: &AccountId, amount: u64);
}

/// Records nothing.
impl<AccountId> RecordWork<AccountId> for () {
    fn record(_: Work, _: &AccountId, _: u64) {}
}

/// Randomness of the current block that was unpredictable when the previous block was built.
pub trait BlockRandomness {
    /// The number of the relay chain block on which this block is built.
    fn relay_block() -> u32;

    /// 32 bytes bound to `subject`; `None` where this block carries no randomness, in which case no draw may
    /// be made.
    fn random(subject: &[u8]) -> Option<H256>;
}
