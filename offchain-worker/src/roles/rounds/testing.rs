//! A round for tests.

use super::Round;
use noema_protocol::{CheckpointId, FamilyId, RoundId};
use noema_rounds::{Dataset, Permill, RoundRules, RoundWindows};
use sp_core::H256;

/// A round that was opened in block 1, with five blocks for each phase.
pub(crate) fn open(id: RoundId) -> Round {
    let rules = RoundRules {
        windows: RoundWindows {
            registration: 5,
            training: 5,
            reveal: 5,
            scoring: 5,
            score_reveal: 5,
            claim: 5,
            objection: 5,
            holding: 5,
        },
        min_contributions: 2,
        validators: 2,
        shards_per_trainer: 1,
        evaluation_shards: 1,
        max_update_bytes: 1_000,
        entries_per_chunk: 64,
        max_overlap: Permill::from_percent(50),
        min_holders: 1,
    };
    let dataset = Dataset {
        root: H256::zero(),
        manifest: H256::zero(),
        shards: 8,
        shard_tokens: 1,
    };
    let parent = CheckpointId(H256::zero());
    Round::open(id, FamilyId(0), parent, dataset, rules, 1)
}
