//! The rows that claimants showed, read from the blocks once.

use crate::chain::{ChainError, Node};
use crate::roles::ClaimedAnswer;
use noema_protocol::ClaimId;
use sp_core::H256;
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// Games whose rows are kept.
const MOST_GAMES: usize = 64;

/// The rows of games.
#[derive(Debug, Default)]
pub struct ShownRows(Mutex<BTreeMap<(ClaimId, u32), ReadGame>>);

/// What was read of a game.
#[derive(Debug, Default)]
struct ReadGame {
    /// The root of its claim.
    root: H256,
    /// The first block that was not read.
    next: u64,
    rows: Vec<Vec<H256>>,
}

impl ShownRows {
    /// The rows of the game over a leaf. Reads the blocks up to the last finalized one that were not read yet; what was
    /// read is kept if this is dropped on the way.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub async fn read(
        &self,
        node: &Node,
        claimed: &ClaimedAnswer,
    ) -> Result<Vec<Vec<H256>>, ChainError> {
        let place = (claimed.claim, claimed.leaf);
        let last = node.finalized().await?.number();
        let mut games = self.0.lock().await;
        if games.len() >= MOST_GAMES && !games.contains_key(&place) {
            games.clear();
        }
        let game = games.entry(place).or_default();
        // The chain may have been restarted.
        if game.root != claimed.root {
            *game = ReadGame {
                root: claimed.root,
                next: claimed.made_at,
                rows: Vec::new(),
            };
        }
        while game.next <= last {
            let at = node.at(game.next).await?;
            game.rows.extend(at.shown_rows(place).await?);
            game.next = game.next.saturating_add(1);
        }
        Ok(game.rows.clone())
    }
}
