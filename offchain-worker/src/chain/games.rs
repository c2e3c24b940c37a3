//! Games of the referee: what the chain knows of them, and the rows that claimants showed, which are in calls and
//! nowhere in the state.

use super::types::{GameInfo, MoveDue};
use super::view::claimed_answer;
use super::{At, ChainError};
use crate::games::PlayedGame;
use crate::roles::ClaimedAnswer;
use crate::store::AccountBytes;
use codec::DecodeAll;
use noema_disputes::StepProof;
use noema_protocol::ClaimId;
use noema_referee::{DeclaredEvidence, SessionStatement};
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::dynamic::Value;

/// The arguments of `disputes.show`, by position.
type ShowArguments = (ClaimId, u32, Vec<AccountBytes>, Vec<H256>);
/// The arguments of `disputes.prove`, by position.
type ProveArguments = (ClaimId, u32, SessionStatement, StepProof<DeclaredEvidence>);

impl At {
    /// The moves that an account owes in games, the most urgent first.
    pub async fn moves_due(&self, account: &AccountBytes) -> Result<Vec<MoveDue>, ChainError> {
        self.view_by_position("Disputes", "moves_due", (AccountId32(*account),))
            .await
    }

    /// A game that is open.
    pub async fn game(&self, claim: ClaimId, leaf: u32) -> Result<Option<GameInfo>, ChainError> {
        self.view_by_position("Disputes", "game", (claim, leaf))
            .await
    }

    /// The claims and leaves over which games are open.
    pub async fn games(&self) -> Result<Vec<(ClaimId, u32)>, ChainError> {
        let address = subxt::dynamic::storage::<(ClaimId, u32), Value>("Disputes", "Games");
        let storage = self.block.storage();
        let collect = async {
            let mut found = Vec::new();
            let mut entries = storage.iter(address, ()).await?;
            while let Some(entry) = entries.next().await {
                found.push(entry?.key()?.decode()?);
            }
            Ok::<_, subxt::Error>(found)
        };
        self.in_time("storage Disputes.Games", collect).await
    }

    /// A game that is open, with the leaf that it is about, for `player`; `None` where there is none, or it is not about
    /// an answer of a session.
    pub async fn open_game(
        &self,
        genesis: H256,
        (claim, leaf): (ClaimId, u32),
        player: &AccountBytes,
    ) -> Result<Option<PlayedGame>, ChainError> {
        let Some(info) = self.game(claim, leaf).await? else {
            return Ok(None);
        };
        let most_answered = self.constant("Disputes", "MaxAnswered")?;
        let claimed = self.claimed(genesis, (claim, leaf)).await?;
        let lines = info.lines.into_iter();
        Ok(claimed.map(|claimed| PlayedGame {
            claimed,
            game: info.game,
            lines: lines.map(|(who, line, _)| (who, line)).collect(),
            most_answered,
            player: *player,
        }))
    }

    /// A leaf of a claim of a session; `None` if the claim is none of these, or has ended.
    pub async fn claimed(
        &self,
        genesis: H256,
        (claim, leaf): (ClaimId, u32),
    ) -> Result<Option<ClaimedAnswer>, ChainError> {
        match self.claim(claim).await? {
            Some(made) => claimed_answer(self, genesis, (claim, leaf), made.job).await,
            None => Ok(None),
        }
    }

    /// The rows that calls in this block show in a game, whether or not they were accepted: each proves by its hashes
    /// where it is.
    pub async fn shown_rows(
        &self,
        (claim, leaf): (ClaimId, u32),
    ) -> Result<Vec<Vec<H256>>, ChainError> {
        let calls = self.calls_of("Disputes", "show").await?;
        // One that cannot be decoded is none that this program knows how to make.
        let calls = calls
            .iter()
            .filter_map(|call| ShowArguments::decode_all(&mut call.as_slice()).ok());
        let ours = calls.filter(|(of, at, ..)| (*of, *at) == (claim, leaf));
        Ok(ours.map(|(_, _, _, row)| row).collect())
    }

    /// The proofs that calls in this block give in a game, whether or not they hold.
    pub async fn proofs_of(
        &self,
        (claim, leaf): (ClaimId, u32),
    ) -> Result<Vec<(SessionStatement, StepProof<DeclaredEvidence>)>, ChainError> {
        let calls = self.calls_of("Disputes", "prove").await?;
        let calls = calls
            .iter()
            .filter_map(|call| ProveArguments::decode_all(&mut call.as_slice()).ok());
        let ours = calls.filter(|(of, at, ..)| (*of, *at) == (claim, leaf));
        Ok(ours
            .map(|(_, _, statement, proof)| (statement, proof))
            .collect())
    }

    /// The encoded arguments of the calls `pallet.name` in this block: of transactions, and of duties.
    async fn calls_of(&self, pallet: &str, name: &str) -> Result<Vec<Vec<u8>>, ChainError> {
        let metadata = self.block.metadata_ref();
        let known = metadata.pallet_by_name(pallet).and_then(|pallet| {
            let call = pallet.call_variant_by_name(name)?;
            Some([pallet.call_index(), call.index])
        });
        let Some(prefix) = known else {
            return Ok(Vec::new());
        };
        let extrinsics = self.block.extrinsics();
        let extrinsics = self
            .in_time("extrinsics of a block", extrinsics.fetch())
            .await?;
        let mut found = Vec::new();
        for extrinsic in extrinsics.iter().filter_map(Result::ok) {
            let duty = match (extrinsic.pallet_name(), extrinsic.call_name()) {
                ("Duties", "perform") => extrinsic
                    .iter_call_data_fields()
                    .find(|field| field.name() == "duty")
                    .map(|field| field.bytes().to_vec()),
                _ => None,
            };
            let call = duty.unwrap_or_else(|| extrinsic.call_data_bytes().to_vec());
            found.extend(call.strip_prefix(&prefix).map(<[u8]>::to_vec));
        }
        Ok(found)
    }
}
