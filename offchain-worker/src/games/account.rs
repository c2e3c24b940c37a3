//! The games of an account that is no operator: a payer, or anyone.

use super::{KeptTraces, Move, MoveError, PlayedGame, ShownRows};
use crate::chain::calls::{JoinGame, MoveCall};
use crate::chain::{ChainError, Included, Link};
use crate::keys::Key;
use noema_disputes::Side;
use noema_executor::Cancel;
use noema_model::engine::Engine;
use noema_protocol::ClaimId;
use noema_session_transport::SessionLeaf;
use std::sync::Arc;

/// Plays as a challenger with the key of an account.
pub struct AccountPlayer {
    link: Arc<Link>,
    account: Key,
    traces: Arc<KeptTraces>,
    rows: ShownRows,
}

/// Where the game of a challenger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GameStanding {
    /// There is no game over the leaf: it has not begun, or is over.
    NoGame,
    /// The account has no line in it.
    NoLine(Box<PlayedGame>),
    /// The claimant has to show the root of its trace.
    Opening(Box<PlayedGame>),
    /// The claimant has to show a row.
    Showing(Box<PlayedGame>),
    /// The account has to move.
    Due(Box<PlayedGame>),
}

/// Why no move is made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayFault {
    /// The chain cannot be read, or refuses the move.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There is no move.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// The execution panicked.
    #[error("the execution of the trace panicked")]
    Panicked,
}

impl AccountPlayer {
    /// Plays with the key of `account`.
    pub fn new(link: Arc<Link>, account: Key) -> Self {
        Self {
            link,
            account,
            traces: Arc::default(),
            rows: ShownRows::default(),
        }
    }

    /// The account.
    pub const fn account(&self) -> &Key {
        &self.account
    }

    /// Where the game over a leaf stands.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn standing(&self, place: (ClaimId, u32)) -> Result<GameStanding, ChainError> {
        let node = self.link.node()?;
        let at = node.finalized().await?;
        let account = self.account.account();
        let open = at.open_game(node.genesis(), place, &account).await?;
        let Some(open) = open.map(Box::new) else {
            return Ok(GameStanding::NoGame);
        };
        Ok(match open.line().map(|line| line.turn.side) {
            None => GameStanding::NoLine(open),
            Some(_) if open.tree().is_none() => GameStanding::Opening(open),
            Some(Side::Claimant) => GameStanding::Showing(open),
            Some(Side::Challenger) => GameStanding::Due(open),
        })
    }

    /// Joins a game with a bond, and waits until that is final.
    ///
    /// # Errors
    /// When the chain cannot be reached, or refuses it.
    pub async fn join(&self, (claim, leaf): (ClaimId, u32)) -> Result<Included, ChainError> {
        let node = self.link.node()?;
        node.submit(JoinGame { claim, leaf }, &self.account).await
    }

    /// Makes the move that is due in a game, and waits until it is final; returns its block, too. `answer` is the leaf, of
    /// which the path is not needed; `engine` has its checkpoint.
    ///
    /// # Errors
    /// See [`PlayFault`].
    pub async fn play(
        &self,
        open: PlayedGame,
        answer: &SessionLeaf,
        engine: &Arc<Engine>,
    ) -> Result<(Move, u64), PlayFault> {
        let node = self.link.node()?;
        let place = (open.claimed.claim, open.claimed.leaf);
        let rows = match open.needs_rows() {
            true => self.rows.read(&node, &open.claimed).await?,
            false => Vec::new(),
        };
        let (slot, engine) = (self.traces.slot(answer.receipt.hash()), engine.clone());
        let answer = answer.clone();
        let computing = tokio::task::spawn_blocking(move || {
            open.next_of(&slot, &engine, &answer, &rows, &Cancel::default())
        });
        let made = computing.await.map_err(|_| PlayFault::Panicked)??;
        let included = self.submit(place, made.clone()).await?;
        Ok((made, included.block))
    }

    async fn submit(
        &self,
        (claim, leaf): (ClaimId, u32),
        made: Move,
    ) -> Result<Included, ChainError> {
        let (node, key) = (self.link.node()?, &self.account);
        match MoveCall::new(claim, leaf, made) {
            MoveCall::Open(call) => node.submit(call, key).await,
            MoveCall::Show(call) => node.submit(call, key).await,
            MoveCall::Point(call) => node.submit(call, key).await,
            MoveCall::Prove(call) => node.submit(call, key).await,
        }
    }
}
