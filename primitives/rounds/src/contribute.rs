//! The calls of trainers, and the registration of validators.

use crate::{
    Contribution, Hearing, Phase, Round, RoundError, Trainer, Validator, MAX_TRAINERS,
    MAX_VALIDATORS,
};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::Balance;
use noema_protocol::{hashing, Role};
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::{bounded::BoundedVec, H256};

impl<AccountId, BlockNumber> Round<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Registers `account` as a trainer.
    ///
    /// # Errors
    /// After the registration, when it joined before, or when the round is full.
    pub fn join_as_trainer(
        &mut self,
        account: AccountId,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        self.check_may_join(&account, now)?;
        let trainer = Trainer {
            account,
            shards: BoundedVec::new(),
            commitment: None,
            contribution: None,
            ruling: None,
        };
        self.trainers
            .try_push(trainer)
            .map_err(|_| RoundError::Full)
    }

    /// Registers `account` as a validator whose vote weighs `bond`.
    ///
    /// # Errors
    /// After the registration, when it joined before, or when the round is full.
    pub fn join_as_validator(
        &mut self,
        account: AccountId,
        bond: Balance,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        self.check_may_join(&account, now)?;
        let validator = Validator {
            account,
            bond,
            seat: Hearing::Unheard,
            commitment: None,
            sheet: None,
            claim: None,
        };
        self.validators
            .try_push(validator)
            .map_err(|_| RoundError::Full)
    }

    /// Removes the trainer or validator with the smallest bond, where the role is full and the new bond,
    /// `bond`, is larger. Otherwise early operators could keep all others out. `bond_of` returns the bond of
    /// an operator that joined; of equal bonds, the earlier one keeps its place. Returns the operator that
    /// lost its place.
    pub fn make_room(
        &mut self,
        role: Role,
        bond: Balance,
        bond_of: impl Fn(&AccountId) -> Balance,
        now: BlockNumber,
    ) -> Option<AccountId> {
        let is_open = matches!(self.phase, Phase::Registering { until } if now <= until);
        let (joined, most): (Vec<&AccountId>, _) = match role {
            Role::Trainer => {
                let joined = self.trainers.iter().map(|trainer| &trainer.account);
                (joined.collect(), MAX_TRAINERS)
            }
            Role::Validator | Role::Worker => {
                let joined = self.validators.iter().map(|validator| &validator.account);
                (joined.collect(), MAX_VALIDATORS)
            }
        };
        if !is_open || joined.len() < most as usize {
            return None;
        }
        let bonds = joined
            .into_iter()
            .map(|account| (bond_of(account), account));
        // Of equal bonds, the last.
        let (least, account) = bonds.rev().min_by_key(|(bond, _)| *bond)?;
        if bond <= least {
            return None;
        }
        let account = account.clone();
        match role {
            Role::Trainer => self.trainers.retain(|trainer| trainer.account != account),
            Role::Validator | Role::Worker => {
                self.validators
                    .retain(|validator| validator.account != account);
            }
        }
        Some(account)
    }

    /// No operator judges a round that it trains in, so an account joins once.
    fn check_may_join(&self, account: &AccountId, now: BlockNumber) -> Result<(), RoundError> {
        match self.phase {
            Phase::Registering { until } if now <= until => {}
            _ => return Err(RoundError::TooLate),
        }
        let joined = self.trainers.iter().any(|other| other.account == *account)
            || self
                .validators
                .iter()
                .any(|other| other.account == *account);
        if joined {
            return Err(RoundError::AlreadyJoined);
        }
        Ok(())
    }

    /// Records a trainer's commitment; see [`hashing::contribution_commitment`].
    ///
    /// # Errors
    /// Outside the training, for accounts other than trainers, and for a second commitment.
    pub fn commit(
        &mut self,
        account: &AccountId,
        commitment: H256,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Registering { .. } => return Err(RoundError::TooEarly),
            Phase::Training { until } if now <= until => {}
            _ => return Err(RoundError::TooLate),
        }
        let place = self
            .trainers
            .iter()
            .filter(|trainer| trainer.commitment.is_some())
            .count();
        let trainer = self.trainer(account)?;
        if trainer.commitment.is_some() {
            return Err(RoundError::AlreadyCommitted);
        }
        trainer.commitment = Some((commitment, u32::try_from(place).unwrap_or(u32::MAX)));
        Ok(())
    }

    /// Records the contribution that a trainer committed to.
    ///
    /// # Errors
    /// Outside the revealing, for a contribution that was not committed, is too large, or was revealed by
    /// another trainer.
    pub fn reveal(
        &mut self,
        account: &AccountId,
        contribution: Contribution,
        salt: H256,
        now: BlockNumber,
    ) -> Result<(), RoundError> {
        match self.phase {
            Phase::Registering { .. } | Phase::Training { .. } => {
                return Err(RoundError::TooEarly);
            }
            Phase::Revealing { until } if now <= until => {}
            _ => return Err(RoundError::TooLate),
        }
        let Contribution { update, bytes } = contribution;
        if bytes == 0 || bytes > self.rules.max_update_bytes {
            return Err(RoundError::UpdateSize);
        }
        let id = self.id;
        let is_taken = self.trainers.iter().any(|other| {
            other.account != *account
                && other
                    .contribution
                    .is_some_and(|contribution| contribution.update == update)
        });
        let trainer = self.trainer(account)?;
        if trainer.contribution.is_some() {
            return Err(RoundError::AlreadyRevealed);
        }
        let (commitment, _) = trainer.commitment.ok_or(RoundError::NotCommitted)?;
        if hashing::contribution_commitment(id, account, update, bytes, salt) != commitment {
            return Err(RoundError::CommitmentDiffers);
        }
        if is_taken {
            return Err(RoundError::UpdateTaken);
        }
        trainer.contribution = Some(contribution);
        Ok(())
    }

    fn trainer(&mut self, account: &AccountId) -> Result<&mut Trainer<AccountId>, RoundError> {
        self.trainers
            .iter_mut()
            .find(|trainer| trainer.account == *account)
            .ok_or(RoundError::NotATrainer)
    }
}
