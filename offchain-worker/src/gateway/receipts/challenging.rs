//! Challenges of false answers, and the games that follow.

use super::{unreadable, ChainReceipts};
use crate::chain::calls::Challenge;
use crate::chain::ChainError;
use crate::games::{AccountPlayer, GameStanding};
use crate::keys::Key;
use noema_gateway::ReceiptFault;
use noema_model::engine::Engine;
use noema_protocol::ClaimId;
use noema_session_transport::{FalseAnswer, PayerStore, SessionLeaf};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info, warn};

/// The time between two looks at the false answers: a claim has to be challenged in time, and a move has a clock.
const CHALLENGE: Duration = Duration::from_secs(6);

impl ChainReceipts {
    /// Challenges what is false, and plays. Never ends.
    pub(super) async fn keep_challenging(&self) {
        let Some(player) = &self.challenger else {
            return std::future::pending().await;
        };
        loop {
            let found = self.stored(PayerStore::false_answers).await;
            for answer in found.unwrap_or_default() {
                if answer.is_settled {
                    if let Err(fault) = self.play_on(player, answer).await {
                        warn!(receipt = ?answer.receipt, %fault, "no move is made in the game over a false answer; trying again");
                    }
                } else if let Err(fault) = self.challenge_on_chain(player.account(), answer).await {
                    warn!(receipt = ?answer.receipt, %fault, "a false answer is not challenged yet");
                }
            }
            tokio::time::sleep(CHALLENGE).await;
        }
    }

    /// Makes the move that is due in the game over a false answer, if there is one. Which games are open, the chain knows,
    /// so that they go on after a restart.
    async fn play_on(
        &self,
        player: &AccountPlayer,
        answer: FalseAnswer,
    ) -> Result<(), ReceiptFault> {
        let FalseAnswer { terms, n, .. } = answer;
        let claim = self.claim_of(terms, n).await?;
        let Some(claim) = claim.filter(|claim| !claim.is_over()) else {
            return Ok(());
        };
        let place = (claim.claim, n.saturating_sub(claim.first));
        let standing = player.standing(place).await.map_err(unreadable)?;
        let GameStanding::Due(open) = standing else {
            return Ok(());
        };
        let answer = self.answer(answer.receipt).await?;
        let engine = self.engine.get_or_try_init(|| self.load()).await?;
        let leaf = SessionLeaf {
            receipt: answer.receipt.receipt,
            path: Vec::new(),
            prompt: answer.prompt,
            answer: answer.answer,
        };
        let (made, block) = player
            .play(*open, &leaf, engine)
            .await
            .map_err(unreadable)?;
        let (claim, leaf) = place;
        info!(%claim, leaf, next = %made, block, "moved in the game over a false answer");
        Ok(())
    }

    async fn load(&self) -> Result<Arc<Engine>, ReceiptFault> {
        let model = self.model.clone();
        let loading = tokio::task::spawn_blocking(move || {
            let engine = model.engine().map_err(|error| error.to_string())?;
            Ok(Arc::new(engine))
        });
        let loaded = loading.await;
        let loaded = loaded.map_err(|error| ReceiptFault::Failed(error.to_string()))?;
        loaded.map_err(ReceiptFault::NoWeights)
    }

    /// Challenges a false answer, if it is claimed.
    async fn challenge_on_chain(
        &self,
        account: &Key,
        answer: FalseAnswer,
    ) -> Result<(), ReceiptFault> {
        let FalseAnswer { terms, n, .. } = answer;
        let look = self.look(terms, answer.session).await?;
        let is_settled = match self.claim_of(terms, n).await? {
            Some(claim) if !claim.is_over() => {
                let leaf = n.saturating_sub(claim.first);
                self.submit_challenge(account, claim.claim, leaf).await?
            }
            Some(_) => true,
            None => look.is_over,
        };
        if !is_settled {
            return Ok(());
        }
        let settled = FalseAnswer {
            is_settled,
            ..answer
        };
        self.stored(move |store| store.put_false(&settled)).await
    }

    /// Challenges a leaf. Returns whether this account has challenged it.
    async fn submit_challenge(
        &self,
        account: &Key,
        claim: ClaimId,
        leaf: u32,
    ) -> Result<bool, ReceiptFault> {
        let node = self.link.node().map_err(unreadable)?;
        match node.submit(Challenge { claim, leaf }, account).await {
            Ok(_) => {
                info!(%claim, leaf, "challenged a false answer");
                Ok(true)
            }
            Err(ChainError::Refused { error, .. }) if error.ends_with("::AlreadyChallenged") => {
                Ok(true)
            }
            Err(error) => {
                error!(%claim, leaf, %error, account = %account.address(), "a false answer is not challenged; trying again");
                Ok(false)
            }
        }
    }
}
