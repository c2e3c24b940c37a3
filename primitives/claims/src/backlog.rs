//! The tokens that each validator still has to execute, updated with the records that assign them.

use alloc::vec::Vec;

/// The change of an account's backlog with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BacklogChange<AccountId> {
    /// The account.
    pub account: AccountId,
    /// Tokens that it no longer has to execute.
    ended: u64,
    /// Tokens that it has to execute from now on.
    begun: u64,
}

impl<AccountId: PartialEq> BacklogChange<AccountId> {
    /// The changes of backlogs where a record changes the accounts that have to execute from `before` to
    /// `after`. Each entry is an account with the tokens of a leaf; an account may occur several times.
    /// Accounts with an unchanged backlog are left out.
    pub fn between(
        before: impl IntoIterator<Item = (AccountId, u64)>,
        after: impl IntoIterator<Item = (AccountId, u64)>,
    ) -> Vec<Self> {
        let ended = before.into_iter().map(|(account, tokens)| Self {
            account,
            ended: tokens,
            begun: 0,
        });
        let begun = after.into_iter().map(|(account, tokens)| Self {
            account,
            ended: 0,
            begun: tokens,
        });
        let mut changes: Vec<Self> = Vec::new();
        for change in ended.chain(begun) {
            let same = changes.iter_mut().find(|at| at.account == change.account);
            match same {
                Some(sum) => {
                    sum.ended = sum.ended.saturating_add(change.ended);
                    sum.begun = sum.begun.saturating_add(change.begun);
                }
                None => changes.push(change),
            }
        }
        changes.retain(|change| change.ended != change.begun);
        changes
    }

    /// The backlog after the change of one of `tokens` tokens.
    pub fn applied_to(&self, tokens: u64) -> u64 {
        tokens.saturating_sub(self.ended).saturating_add(self.begun)
    }

    /// Updates a stored backlog, which is stored only where it is not zero.
    pub fn apply(&self, backlog: &mut Option<u64>) {
        let tokens = self.applied_to(backlog.unwrap_or(0));
        *backlog = (tokens > 0).then_some(tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(
        backlog: Option<u64>,
        before: &[(u8, u64)],
        after: &[(u8, u64)],
    ) -> Vec<(u8, Option<u64>)> {
        let changes = BacklogChange::between(before.to_vec(), after.to_vec());
        let apply = |change: BacklogChange<u8>| {
            let mut backlog = backlog;
            change.apply(&mut backlog);
            (change.account, backlog)
        };
        changes.into_iter().map(apply).collect()
    }

    #[test]
    fn what_begins_is_added_and_what_ends_is_taken_away() {
        assert_eq!(changed(None, &[], &[(1, 20)]), [(1, Some(20))]);
        assert_eq!(changed(Some(30), &[(1, 20)], &[]), [(1, Some(10))]);
        assert_eq!(changed(Some(20), &[(1, 20)], &[]), [(1, None)]);
        let passed_on = changed(Some(20), &[(1, 20)], &[(2, 20)]);
        assert_eq!(passed_on, [(1, None), (2, Some(40))]);
    }

    #[test]
    fn an_account_with_several_leaves_changes_once_and_by_what_differs() {
        let changes = changed(Some(40), &[(1, 20), (1, 20)], &[(1, 20)]);
        assert_eq!(changes, [(1, Some(20))]);
        assert_eq!(changed(None, &[], &[(1, 20), (1, 20)]), [(1, Some(40))]);
        assert_eq!(
            changed(Some(20), &[(1, 20), (2, 5)], &[(2, 5), (1, 20)]),
            []
        );
    }

    #[test]
    fn the_ends_of_the_range_are_kept() {
        assert_eq!(changed(Some(5), &[(1, 9)], &[]), [(1, None)]);
        let most = changed(Some(u64::MAX), &[], &[(1, 9)]);
        assert_eq!(most, [(1, Some(u64::MAX))]);
    }
}
