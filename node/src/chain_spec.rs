//! The chains that this node knows by name. Their genesis states are presets of the runtime.

use noema_runtime::{
    constants::{DECIMALS, SS58_PREFIX},
    RuntimeGenesisConfig,
};
use sc_chain_spec::{json_merge, ChainSpec as _, ChainType, GenericChainSpec, Properties};
use sp_core::{
    crypto::Ss58AddressFormat,
    storage::{well_known_keys::CODE, Storage},
};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_runtime::BuildStorage;

/// A chain spec without extensions: the parachain's id is read from the runtime.
pub(crate) type ChainSpec = GenericChainSpec;

/// The chain of that name, or in the file of that name, for export: it names the preset, which the runtime's
/// Wasm turns into a state.
pub(crate) fn load(id: &str) -> Result<ChainSpec, String> {
    match known(id)? {
        Some(chain) => chain.spec(),
        None => ChainSpec::from_json_file(id.into()),
    }
}

/// The same, for running: this program's native runtime builds the state, which gives the same state without
/// compiling the Wasm at every start. The windows of a development chain fit blocks that are final after
/// `finality_lag` more.
pub(crate) fn load_to_run(id: &str, finality_lag: u32) -> Result<ChainSpec, String> {
    let mut spec = load(id)?;
    if let Some(chain) = known(id)? {
        spec.set_storage(chain.state(finality_lag)?);
    }
    Ok(spec)
}

/// A chain with a name.
struct Chain {
    name: &'static str,
    id: &'static str,
    preset: &'static str,
    chain_type: ChainType,
}

/// The chain called `id`; `None` if `id` is a file.
fn known(id: &str) -> Result<Option<Chain>, String> {
    match id {
        // Also without `--chain` and without `--dev`.
        "" | "dev" | "development" => Ok(Some(Chain {
            name: "Noema Development",
            id: "noema_dev",
            preset: DEV_RUNTIME_PRESET,
            // With another type, polkadot.js Apps hides the well-known accounts.
            chain_type: ChainType::Development,
        })),
        "local" | "local_testnet" => Ok(Some(Chain {
            name: "Noema Local Testnet",
            id: "noema_local",
            preset: LOCAL_TESTNET_RUNTIME_PRESET,
            chain_type: ChainType::Local,
        })),
        path if path.ends_with(".json") => Ok(None),
        other => Err(format!(
            "no chain is called '{other}'; there are 'dev' (for one node, sudo key //Alice) and \
             'local' (no sudo key), or name a chain spec file that ends in .json"
        )),
    }
}

impl Chain {
    fn spec(&self) -> Result<ChainSpec, String> {
        sp_core::crypto::set_default_ss58_version(Ss58AddressFormat::custom(SS58_PREFIX));
        let mut properties = Properties::new();
        properties.insert("tokenSymbol".into(), "NOEMA".into());
        properties.insert("tokenDecimals".into(), DECIMALS.into());
        properties.insert("ss58Format".into(), SS58_PREFIX.into());
        Ok(ChainSpec::builder(code()?, None)
            .with_name(self.name)
            .with_id(self.id)
            .with_protocol_id(self.id)
            .with_chain_type(self.chain_type.clone())
            .with_properties(properties)
            .with_genesis_config_preset_name(self.preset)
            .build())
    }

    fn state(&self, finality_lag: u32) -> Result<Storage, String> {
        let broken = |error| format!("the preset '{}' is broken: {error}", self.preset);
        let patch = match self.preset {
            DEV_RUNTIME_PRESET => noema_runtime::presets::development(finality_lag),
            other => {
                let patch = noema_runtime::presets::get_preset(&other.into())
                    .ok_or_else(|| format!("the runtime has no preset '{other}'"))?;
                serde_json::from_slice(&patch).map_err(broken)?
            }
        };
        let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).map_err(broken)?;
        json_merge(&mut config, patch);
        let config: RuntimeGenesisConfig = serde_json::from_value(config).map_err(broken)?;
        let mut storage = config.build_storage()?;
        storage.top.insert(CODE.to_vec(), code()?.to_vec());
        Ok(storage)
    }
}

fn code() -> Result<&'static [u8], String> {
    noema_runtime::WASM_BINARY.ok_or_else(|| {
        "this program was built without the runtime's Wasm (SKIP_WASM_BUILD was set), so it can \
         only run a chain from a chain spec file: build it again without that variable"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_built_here_is_the_one_that_the_wasm_builds() {
        if noema_runtime::WASM_BINARY.is_none() {
            return;
        }
        for id in ["dev", "local"] {
            let by_wasm = load(id).and_then(|spec| spec.build_storage());
            let by_this = load_to_run(id, 0).and_then(|spec| spec.build_storage());
            assert_eq!(by_wasm.map(|s| s.top), by_this.map(|s| s.top), "{id}");
        }
    }

    #[test]
    fn an_unknown_chain_is_refused_by_name() {
        let error = load("polkadot").err().unwrap_or_default();
        assert!(error.contains("no chain is called 'polkadot'"), "{error}");
    }
}
