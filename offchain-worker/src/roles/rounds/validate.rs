//! Validators: scores and the next checkpoint; and the holding of the next checkpoint by all participants.

use super::work::salt;
use super::{aggregate, score, Aggregate, Found, Round, RoundWork, RoundsError};
use crate::roles::tasks::blocking;
use crate::store::Product;
use noema_rounds::{Ruling, ScoreSheet};
use noema_training::TrainableCheckpoint;
use std::sync::Arc;
use tracing::{debug, info};

impl RoundWork {
    /// Scores all contributions.
    pub(super) async fn score(&self, round: &Round) -> Result<Found, RoundsError> {
        let sheet = self.sheet(round).await?;
        let salt = salt()?;
        Ok(Found::Product(Product::Scores { sheet, salt }))
    }

    async fn sheet(&self, round: &Round) -> Result<ScoreSheet, RoundsError> {
        let shards = score::needed(round);
        let dataset = self.dataset(round, &shards).await?;
        let checkpoint = self.checkpoint(round, round.parent).await?;
        let received = self.received(round, |_| true).await?;
        self.pass_on(round, &received).await?;
        let (round, device) = (round.clone(), self.setup.device.clone());
        blocking(move || {
            let parent = Arc::new(TrainableCheckpoint::read(&checkpoint)?);
            score(&round, &parent, &dataset, &device, &received)
        })
        .await
    }

    /// Applies the accepted contributions to the parent.
    async fn aggregate(&self, round: &Round) -> Result<Aggregate, RoundsError> {
        let checkpoint = self.checkpoint(round, round.parent).await?;
        // Refused updates may no longer be served, and waiting for them would take time.
        let is_accepted = |ruling: Option<Ruling>| matches!(ruling, Some(Ruling::Accepted { .. }));
        let received = self.received(round, is_accepted).await?;
        let (round, name) = (round.clone(), self.name.clone());
        blocking(move || {
            let next = aggregate(&round, checkpoint, &received)?;
            info!(operator = %name, round = %round.id, checkpoint = %next.id(), "computed the next checkpoint");
            Ok(next)
        })
        .await
    }

    /// Computes and evaluates the next checkpoint.
    pub(super) async fn claim(&self, round: &Round) -> Result<Found, RoundsError> {
        let dataset = self.dataset(round, &round.evaluation).await?;
        let next = self.aggregate(round).await?;
        let (round, device) = (round.clone(), self.setup.device.clone());
        let claim = blocking(move || next.claim(&round, &dataset, &device)).await?;
        Ok(Found::Claim(claim))
    }

    /// Computes the next checkpoint, or fetches it from other operators if that is not possible, and shares
    /// it.
    pub(super) async fn hold(&self, round: &Round) -> Result<Found, RoundsError> {
        let Some(claim) = round.claim else {
            return Ok(Found::Nothing);
        };
        let held = match self.setup.library.open(claim.checkpoint) {
            Ok(held) => held,
            Err(_) => match self.aggregate(round).await {
                Ok(next) if next.id() == claim.checkpoint => {
                    let library = self.setup.library.clone();
                    blocking(move || next.write(&library)).await?
                }
                Ok(next) => {
                    return Err(RoundsError::OtherCheckpoint {
                        computed: next.id().to_string(),
                        decided: claim.checkpoint.to_string(),
                    })
                }
                Err(error) => {
                    debug!(operator = %self.name, %error, "fetches the next checkpoint instead of computing it");
                    self.checkpoint(round, claim.checkpoint).await?
                }
            },
        };
        let blob = self.exchange.share_checkpoint(&held).await?;
        Ok(Found::Held(claim.checkpoint, blob))
    }
}
