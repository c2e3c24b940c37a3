//! Fetching the updates of other operators.

use super::{Round, RoundWork, RoundsError};
use crate::store::AccountBytes;
use futures::future::try_join_all;
use noema_rounds::{Phase, Ruling};
use sp_core::H256;
use std::collections::BTreeMap;
use tracing::warn;

impl RoundWork {
    /// The updates whose ruling `of` selects, in the order of the contributions; `None` for each that does
    /// not arrive in time.
    pub(super) async fn received(
        &self,
        round: &Round,
        of: fn(Option<Ruling>) -> bool,
    ) -> Result<Vec<Option<Vec<u8>>>, RoundsError> {
        let contributors = round.contributors().into_iter();
        let contributions: Vec<_> = contributors
            .filter_map(|trainer| {
                let is_wanted = of(trainer.ruling);
                Some((trainer.account, trainer.contribution?, is_wanted))
            })
            .collect();
        // Trainers that contributed the same update serve the same bytes.
        let mut sent = BTreeMap::<H256, Vec<(AccountBytes, u32)>>::new();
        for (account, contribution, _) in contributions.iter().filter(|(_, _, wanted)| *wanted) {
            let all = sent.entry(contribution.update).or_default();
            all.push((*account, contribution.bytes));
        }
        // All updates are fetched at the same time, so that slow ones do not delay the others.
        let fetches = sent
            .into_iter()
            .map(|(update, from)| self.update(round, update, from));
        let fetched: BTreeMap<H256, Option<Vec<u8>>> =
            try_join_all(fetches).await?.into_iter().collect();
        let received = contributions.iter().map(|(_, contribution, wanted)| {
            let update = fetched.get(&contribution.update).filter(|_| *wanted);
            update.cloned().flatten()
        });
        Ok(received.collect())
    }

    /// Fetches an update from validators that received it or from its contributors.
    async fn update(
        &self,
        round: &Round,
        update: H256,
        sent: Vec<(AccountBytes, u32)>,
    ) -> Result<(H256, Option<Vec<u8>>), RoundsError> {
        let longest = sent.iter().map(|(_, bytes)| *bytes).max();
        let mut from = self.receivers(round);
        from.extend(sent.into_iter().map(|(account, _)| account));
        let into = self.setup.files.received(round.id, update);
        let longest = longest.unwrap_or_default();
        let fetch = self.exchange.fetch_update(&from, update, longest, into);
        let Some(fetched) = self.in_time(round, fetch).await else {
            warn!(operator = %self.name, round = %round.id, ?update, "a contribution does not arrive in time");
            return Ok((update, None));
        };
        Ok((update, fetched?))
    }

    /// The validators that may have received an update: none before they have scored it. The order changes
    /// with each block, so that a slow one is not always asked first.
    fn receivers(&self, round: &Round) -> Vec<AccountBytes> {
        if matches!(round.phase, Phase::Scoring { .. }) {
            return Vec::new();
        }
        let seats = round.seats().map(|seat| seat.account);
        let mut receivers: Vec<_> = seats.filter(|seat| *seat != self.account).collect();
        let now = self.now() as usize;
        let first = now.checked_rem(receivers.len()).unwrap_or_default();
        receivers.rotate_left(first);
        receivers
    }

    /// Shares the received updates: a trainer that serves only some of the validators must not keep the
    /// others from the next checkpoint.
    pub(super) async fn pass_on(
        &self,
        round: &Round,
        received: &[Option<Vec<u8>>],
    ) -> Result<(), RoundsError> {
        for (trainer, received) in round.contributors().into_iter().zip(received) {
            if let (Some(contribution), Some(_)) = (trainer.contribution, received) {
                let file = self.setup.files.received(round.id, contribution.update);
                self.exchange.share(&file).await?;
            }
        }
        Ok(())
    }
}
