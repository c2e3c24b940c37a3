//! The genesis states of chains.
//!
//! | preset | for | sudo | epochs | terms | [windows](crate::parameters) |
//! |---|---|---|---|---|---|
//! | `development` | one node on one machine; the well-known keys own all tokens | //Alice | 60 blocks | 4 blocks | for blocks that are final at once |
//! | `local_testnet` | several nodes of one developer, without a master key | none | a day | 150 blocks | as live |

use crate::{
    constants::{PARA_ID, UNIT},
    parameters, AccountId, Balance, BalancesConfig, BlockNumber, CollatorSelectionConfig,
    IssuanceConfig, OperatorsConfig, ParachainInfoConfig, ParameterPresetsConfig,
    RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig,
};
use alloc::{string::ToString, vec, vec::Vec};
use cumulus_primitives_core::ParaId;
use frame_support::build_struct_json_patch;
use noema_claims::ClaimRules;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::Sr25519Keyring;

/// The balance of each well-known account.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;
/// The bond of a collator candidate.
const CANDIDACY_BOND: Balance = 1_000 * UNIT;

/// The endowed accounts: the well-known six, and //Alice//stash, //Bob//stash, which author blocks.
pub fn endowed() -> Vec<AccountId> {
    use Sr25519Keyring::*;
    [Alice, Bob, Charlie, Dave, Eve, Ferdie, AliceStash, BobStash]
        .map(|key| key.to_account_id())
        .to_vec()
}

/// Blocks in an epoch of a development chain, short enough to observe its end.
const DEVELOPMENT_EPOCH: BlockNumber = 60;
/// Blocks in a term of a development chain: an operator can be drawn some blocks after its registration.
const DEVELOPMENT_TERM: BlockNumber = 4;

/// Collators receive fees on a stash account, so that the balances of the accounts used in experiments do not
/// change by themselves. Epochs have `epoch_length` blocks, a day's without a value, and terms `term_length`.
fn genesis(
    collators: Vec<(Sr25519Keyring, Sr25519Keyring)>,
    sudo: Option<AccountId>,
    epoch_length: Option<BlockNumber>,
    claim_rules: Option<ClaimRules<BlockNumber>>,
    term_length: BlockNumber,
) -> Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances: endowed()
                .into_iter()
                .map(|account| (account, ENDOWMENT))
                .collect::<Vec<_>>(),
        },
        parachain_info: ParachainInfoConfig {
            parachain_id: ParaId::new(PARA_ID)
        },
        collator_selection: CollatorSelectionConfig {
            invulnerables: collators
                .iter()
                .map(|(stash, _)| stash.to_account_id())
                .collect::<Vec<_>>(),
            candidacy_bond: CANDIDACY_BOND,
        },
        session: SessionConfig {
            keys: collators
                .iter()
                .map(|(stash, signer)| {
                    let keys = SessionKeys {
                        aura: signer.public().into(),
                    };
                    (stash.to_account_id(), stash.to_account_id(), keys)
                })
                .collect::<Vec<_>>(),
        },
        sudo: SudoConfig { key: sudo },
        issuance: IssuanceConfig { epoch_length },
        parameter_presets: ParameterPresetsConfig { claim_rules },
        operators: OperatorsConfig { term_length },
    })
}

/// The preset `development`, for a node that finalizes blocks after `finality_lag` more.
pub fn development(finality_lag: BlockNumber) -> Value {
    use Sr25519Keyring::*;
    genesis(
        vec![(AliceStash, Alice)],
        Some(Alice.to_account_id()),
        Some(DEVELOPMENT_EPOCH),
        Some(parameters::claim_rules(finality_lag, 1)),
        DEVELOPMENT_TERM,
    )
}

/// The preset of that name, as a patch of the default genesis.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    use Sr25519Keyring::*;
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => development(0),
        LOCAL_TESTNET_RUNTIME_PRESET => {
            let collators = vec![(AliceStash, Alice), (BobStash, Bob)];
            genesis(collators, None, None, None, pallet_operators::TERM_LENGTH)
        }
        _ => return None,
    };
    Some(patch.to_string().into_bytes())
}

/// The names of the presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        DEV_RUNTIME_PRESET.into(),
        LOCAL_TESTNET_RUNTIME_PRESET.into(),
    ]
}
