//! A jury: its jurors, their states, and the winning verdict. Rules without storage.

use crate::DisputeError;
use alloc::vec::Vec;
use codec::Encode;
use noema_protocol::{apply, hashing::verdict_commitment, stored, ClaimId, Verdict};
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// Most seats, and so most jurors, of one jury.
pub const MAX_JURORS: u32 = 32;

/// A validator that was drawn for a jury.
#[apply(stored)]
pub struct Juror<AccountId> {
    /// The validator's controller.
    pub account: AccountId,
    /// How often it was drawn, which is the number of votes of its verdict.
    pub seats: u32,
    /// Its state.
    pub state: JurorState,
}

/// The state of a juror.
#[apply(stored)]
#[derive(Copy)]
pub enum JurorState {
    /// It has not committed.
    Seated,
    /// It committed to a verdict.
    Committed(H256),
    /// It revealed the verdict that it had committed to.
    Revealed(Verdict),
}

/// The jurors that were drawn together, in the order of the draw. Each seat is drawn separately, so a
/// validator may have several.
#[apply(stored)]
pub struct Jury<AccountId> {
    seats: u32,
    jurors: BoundedVec<Juror<AccountId>, ConstU32<MAX_JURORS>>,
}

impl<AccountId> Default for Jury<AccountId> {
    fn default() -> Self {
        Self {
            seats: 0,
            jurors: BoundedVec::default(),
        }
    }
}

impl<AccountId> Juror<AccountId> {
    /// A juror that has not committed.
    pub const fn seated(account: AccountId, seats: u32) -> Self {
        Self {
            account,
            seats,
            state: JurorState::Seated,
        }
    }
}

impl<AccountId> Jury<AccountId> {
    /// A jury of `seats` seats, filled by the first [`MAX_JURORS`] of `jurors`.
    pub fn of(seats: u32, jurors: Vec<Juror<AccountId>>) -> Self {
        Self {
            seats,
            jurors: BoundedVec::truncate_from(jurors),
        }
    }

    /// The jurors.
    pub fn jurors(&self) -> &[Juror<AccountId>] {
        &self.jurors
    }

    /// The seats that were to be filled.
    pub const fn seats(&self) -> u32 {
        self.seats
    }

    /// The seats that were filled.
    pub fn filled(&self) -> u32 {
        votes(self.jurors.iter())
    }

    /// Whether at least half of the seats were filled, rounded up.
    pub fn is_half_filled(&self) -> bool {
        self.filled() >= self.seats.div_ceil(2)
    }

    /// Whether no juror was drawn.
    pub fn is_empty(&self) -> bool {
        self.jurors.is_empty()
    }

    /// Whether each juror has committed.
    pub fn have_all_committed(&self) -> bool {
        self.jurors
            .iter()
            .all(|juror| juror.state != JurorState::Seated)
    }

    /// Whether each juror that committed has revealed.
    pub fn have_all_revealed(&self) -> bool {
        !self
            .jurors
            .iter()
            .any(|juror| matches!(juror.state, JurorState::Committed(_)))
    }

    /// The verdict that jurors with two thirds of the filled seats revealed; seats of silent jurors count as
    /// filled. `None` where there is none. [`Verdict::False`], which convicts, also needs half of all seats
    /// to be filled.
    pub fn verdict(&self) -> Option<Verdict> {
        [Verdict::True, Verdict::False]
            .into_iter()
            .find(|verdict| self.wins(*verdict))
    }

    fn wins(&self, verdict: Verdict) -> bool {
        let agreeing = self
            .jurors
            .iter()
            .filter(|juror| juror.state == JurorState::Revealed(verdict));
        let (agreeing, filled) = (u64::from(votes(agreeing)), u64::from(self.filled()));
        let may_convict = verdict == Verdict::True || self.is_half_filled();
        let is_quorum = agreeing.saturating_mul(3) >= filled.saturating_mul(2);
        agreeing > 0 && is_quorum && may_convict
    }
}

/// The sum of the seats of jurors.
fn votes<'a, AccountId: 'a>(jurors: impl Iterator<Item = &'a Juror<AccountId>>) -> u32 {
    jurors.fold(0, |sum, juror| sum.saturating_add(juror.seats))
}

impl<AccountId: PartialEq + Encode> Jury<AccountId> {
    /// The juror with this account.
    pub fn juror(&self, account: &AccountId) -> Option<&Juror<AccountId>> {
        self.jurors.iter().find(|juror| juror.account == *account)
    }

    /// Whether the account has a seat.
    pub fn contains(&self, account: &AccountId) -> bool {
        self.juror(account).is_some()
    }

    /// Records a juror's commitment. The first one counts.
    pub(crate) fn commit(
        &mut self,
        account: &AccountId,
        commitment: H256,
    ) -> Result<(), DisputeError> {
        let state = self.state_mut(account)?;
        match state {
            JurorState::Seated => *state = JurorState::Committed(commitment),
            JurorState::Committed(_) => return Err(DisputeError::AlreadyCommitted),
            JurorState::Revealed(_) => return Err(DisputeError::AlreadyRevealed),
        }
        Ok(())
    }

    /// Records the verdict that a juror committed to. The commitment names the juror, so a copy of another
    /// juror's cannot be revealed.
    pub(crate) fn reveal(
        &mut self,
        (claim, leaf): (ClaimId, u32),
        account: &AccountId,
        verdict: Verdict,
        salt: H256,
    ) -> Result<(), DisputeError> {
        let state = self.state_mut(account)?;
        let commitment = match state {
            JurorState::Seated => return Err(DisputeError::NotCommitted),
            JurorState::Committed(commitment) => *commitment,
            JurorState::Revealed(_) => return Err(DisputeError::AlreadyRevealed),
        };
        if verdict_commitment(claim, leaf, account, verdict, salt) != commitment {
            return Err(DisputeError::CommitmentDiffers);
        }
        *state = JurorState::Revealed(verdict);
        Ok(())
    }

    fn state_mut(&mut self, account: &AccountId) -> Result<&mut JurorState, DisputeError> {
        self.jurors
            .iter_mut()
            .find(|juror| juror.account == *account)
            .map(|juror| &mut juror.state)
            .ok_or(DisputeError::NotAJuror)
    }
}
