//! The standings of the operators that took part in rounds while these were followed.

use super::books::Books;
use crate::chain::types::Balance;
use crate::chain::{At, ChainError};
use crate::cli::money::Token;
use crate::keys::address;
use crate::roles::rounds::Round;
use crate::store::AccountBytes;
use noema_rounds::{Hearing, Ruling};
use serde::Serialize;
use std::collections::BTreeMap;

/// The number of accepted and refused results of each account, over several rounds.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<AccountBytes, Count>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    role: Role,
    accepted: u32,
    refused: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Trainer,
    Validator,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Trainer => "trainer",
            Self::Validator => "validator",
        }
    }
}

impl Tally {
    /// Counts the decisions of a closed round.
    pub(super) fn count(&mut self, round: &Round) {
        for trainer in &round.trainers {
            let is_accepted = trainer
                .ruling
                .map(|ruling| matches!(ruling, Ruling::Accepted { .. }));
            self.note(&trainer.account, Role::Trainer, is_accepted);
        }
        let contradicted = round.contradicted();
        for validator in &round.validators {
            let is_heard = validator.seat == Hearing::Scores && validator.sheet.is_some();
            let is_accepted = is_heard.then(|| !contradicted.contains(&validator.account));
            self.note(&validator.account, Role::Validator, is_accepted);
        }
    }

    fn note(&mut self, account: &AccountBytes, role: Role, is_accepted: Option<bool>) {
        let count = self.0.entry(*account).or_insert(Count {
            role,
            accepted: 0,
            refused: 0,
        });
        match is_accepted {
            Some(true) => count.accepted = count.accepted.saturating_add(1),
            Some(false) => count.refused = count.refused.saturating_add(1),
            None => {}
        }
    }
}

/// The standings of all accounts; amounts are in the smallest unit.
#[derive(Serialize)]
pub(super) struct Standings {
    /// The block after which they begin.
    since_block: u64,
    /// The last block that they include.
    until_block: u64,
    /// The current epoch; `None` if the issuance has not started.
    running_epoch: Option<u32>,
    /// One for each account that took part: the trainers, then the validators.
    standings: Vec<Standing>,
}

#[derive(Serialize)]
struct Standing {
    account: String,
    role: Role,
    /// Contributions that were accepted, or scores that prevailed.
    accepted: u32,
    /// Contributions that were refused, or scores that were decided to be wrong.
    refused: u32,
    slashed: Balance,
    /// Rewards that were paid.
    claimed: Balance,
    /// Rewards that can be claimed, also for earlier work.
    pending: Balance,
    /// The reward for the current epoch if it ended now.
    estimate: Balance,
}

impl Standings {
    /// The standings from the books, the tally and the state at their last block.
    pub(super) async fn read(at: &At, books: &Books, tally: &Tally) -> Result<Self, ChainError> {
        let mut standings = Vec::new();
        for (account, count) in &tally.0 {
            let dues = at.dues(account).await?;
            standings.push(Standing {
                account: address(account),
                role: count.role,
                accepted: count.accepted,
                refused: count.refused,
                slashed: books.slashed(account),
                claimed: books.claimed(account),
                pending: dues.pending,
                estimate: dues.running.map_or(0, |running| running.estimate),
            });
        }
        standings.sort_by_key(|standing| standing.role);
        Ok(Self {
            since_block: books.since(),
            until_block: books.read_to(),
            running_epoch: at.running_epoch().await?.map(|running| running.number),
            standings,
        })
    }

    pub(super) fn print(&self, token: &Token) {
        println!(
            "after block {}, up to block {}, in {}; estimates are as if epoch {} ended now",
            self.since_block,
            self.until_block,
            token.symbol(),
            self.running_epoch.unwrap_or_default()
        );
        println!(
            "    {:<48}  {:<9}  {:>8}  {:>7}  {:>10}  {:>14}  {:>14}  {:>14}",
            "", "", "accepted", "refused", "slashed", "claimed", "to claim", "estimate"
        );
        for standing in &self.standings {
            println!(
                "    {:<48}  {:<9}  {:>8}  {:>7}  {:>10}  {:>14}  {:>14}  {:>14}",
                standing.account,
                standing.role.name(),
                standing.accepted,
                standing.refused,
                token.column(standing.slashed),
                token.column(standing.claimed),
                token.column(standing.pending),
                token.column(standing.estimate)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{round, ABSENT, HONEST, LIAR, POISONER, SCORER, UNHEARD};
    use super::*;

    fn count(tally: &Tally, account: AccountBytes) -> (Role, u32, u32) {
        let count = tally.0[&account];
        (count.role, count.accepted, count.refused)
    }

    #[test]
    fn participants_are_counted_by_what_was_decided() {
        let mut tally = Tally::default();
        tally.count(&round());
        tally.count(&round());
        assert_eq!(count(&tally, HONEST), (Role::Trainer, 2, 0));
        assert_eq!(count(&tally, POISONER), (Role::Trainer, 0, 2));
        assert_eq!(count(&tally, ABSENT), (Role::Trainer, 0, 0));
        assert_eq!(count(&tally, SCORER), (Role::Validator, 2, 0));
        assert_eq!(count(&tally, LIAR), (Role::Validator, 0, 2));
        assert_eq!(count(&tally, UNHEARD), (Role::Validator, 0, 0));
    }
}
