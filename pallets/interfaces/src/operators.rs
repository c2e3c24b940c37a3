//! Draws of operators, and operations on their bonds.

use crate::Load;
use alloc::vec::Vec;
use noema_protocol::{apply, sent, CheckpointId, Job, Offence, Prices, Role, Work};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Most operators that are drawn for one subject until enough of them are suitable.
pub const MAX_TRIES: u32 = 20;

/// An operator that may be drawn for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<AccountId, Balance> {
    /// The account that holds the bond.
    pub controller: AccountId,
    /// The part of its bond that the roster of the present term counts, less later losses and what it
    /// reserves and has not locked by its own choice. A part added after a draw could be foreseen does not count.
    pub bond: Balance,
    /// The part of that which is not locked: the most that [`Operators::lock_drawn`] locks.
    pub free: Balance,
    /// Its prices in the present term; zero for a validator.
    pub prices: Prices<Balance>,
    /// The requests that it has to answer.
    pub load: Load,
}

/// What a job adds to the work that an operator still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Burden {
    /// Nothing that is counted with the operator.
    None,
    /// A request, which adds to its load.
    Request {
        /// The most tokens that the answer may have.
        tokens: u32,
        /// Bytes of the prompt.
        prompt_bytes: u32,
    },
    /// The check of a leaf, which adds to its check backlog.
    Check {
        /// Tokens of the leaf.
        tokens: u64,
    },
}

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

/// Why an operator was paid.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Earning {
    /// Paid for an answer that was settled.
    Answer,
    /// Paid for a check that was revealed in time and was not overturned.
    Check,
    /// Paid from the bond of the party that lost a dispute.
    Dispute,
}

/// A payment for verified work, which was moved into [`Operators::purse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkCredit<Balance> {
    /// The job for which it is paid.
    pub job: Job,
    /// Why it is paid.
    pub kind: Earning,
    /// The amount.
    pub amount: Balance,
    /// The kind of work.
    pub work: Work,
    /// How much of it was done, in the unit of its kind.
    pub done: u64,
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

    /// `controller` as a candidate for a job, where it serves `checkpoint` in `role` and can be drawn in the
    /// present term.
    fn candidate_for(
        role: Role,
        checkpoint: &CheckpointId,
        controller: &AccountId,
    ) -> Option<Candidate<AccountId, Balance>>
    where
        AccountId: PartialEq,
    {
        let mut roster = Self::roster(role, checkpoint).into_iter();
        roster.find(|candidate| candidate.controller == *controller)
    }

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

    /// Locks `amount` of the bond behind a job that `candidate` was drawn for, and adds its `burden`. Refused where
    /// [`Self::lock`] would be, and where the total of locks would exceed [`Candidate::bond`]: an increase of a bond
    /// after the draw could be foreseen makes no operator suitable.
    fn lock_drawn(
        candidate: &Candidate<AccountId, Balance>,
        job: Job,
        amount: Balance,
        burden: Burden,
    ) -> Result<(), Self::Error>;

    /// The amount that is locked behind a job; `None` where there is none.
    fn locked(controller: &AccountId, job: Job) -> Option<Balance>;

    /// The jobs behind which a part of the bond is locked: for views.
    fn jobs(controller: &AccountId) -> Vec<Job>;

    /// Ends a lock. Does nothing where there is none.
    fn release(controller: &AccountId, job: Job);

    /// Changes the load of a worker. Does nothing where it is not registered.
    fn change_load(controller: &AccountId, change: impl FnOnce(Load) -> Load);

    /// The load of each operator: for audits.
    fn loads() -> Vec<(AccountId, Load)>;

    /// Tokens of all leaves that a validator was drawn to check and has not committed to; zero where it is not
    /// registered.
    fn check_backlog(controller: &AccountId) -> u64;

    /// Changes the number of these tokens. Does nothing where the validator is not registered.
    fn change_check_backlog(controller: &AccountId, change: impl FnOnce(u64) -> u64);

    /// The number of these tokens of each operator: for audits.
    fn check_backlogs() -> Vec<(AccountId, u64)>;

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

    /// Burns up to `amount` of the bond, and at most the amount locked behind the job: the price of what the operator
    /// asked for. It is no offence, and the operator stays in draws. Returns the burned amount.
    fn spend(controller: &AccountId, job: Job, amount: Balance) -> Balance;

    /// The account into which a payment is moved before it is credited.
    fn purse() -> AccountId;

    /// Credits an operator with a payment that was moved into [`Self::purse`]; the operator can withdraw it
    /// at any time.
    fn credit(controller: &AccountId, job: Job, kind: Earning, amount: Balance);

    /// Ends the lock behind a job as [`Self::release`], credits the operator as [`Self::credit`], and records its
    /// work. Returns whether work of an earlier epoch was entered, see
    /// [`RecordWork::record_recent`](crate::RecordWork::record_recent).
    fn release_paid(controller: &AccountId, lock: Job, credit: WorkCredit<Balance>) -> bool;

    /// The storage keys that all draws of a block share. The poll of claims is charged for them, once.
    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// The storage keys of the record of an operator, and of the entry that names the operator of a hot key.
    #[cfg(feature = "runtime-benchmarks")]
    fn keys_of(_controller: &AccountId, _key: &AccountId) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Registers a live operator that can be drawn in the present term.
    #[cfg(feature = "runtime-benchmarks")]
    fn register(controller: &AccountId, key: &AccountId, role: Role, checkpoint: &CheckpointId);
}
