//! The chains this node knows by name. What they start with are presets of the runtime.

use noema_runtime::constants::{DECIMALS, SS58_PREFIX};
use sc_chain_spec::{ChainType, GenericChainSpec, Properties};
use sp_core::crypto::Ss58AddressFormat;

/// A chain spec without extensions: the parachain's id is read from the runtime.
pub(crate) type ChainSpec = GenericChainSpec;

/// The chain of that name, or in the file of that name.
pub(crate) fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        // Without `--chain` and without `--dev`, too.
        "" | "dev" | "development" => development(),
        "local" | "local_testnet" => local_testnet(),
        path if path.ends_with(".json") => ChainSpec::from_json_file(path.into()),
        other => Err(format!(
            "no chain is called '{other}'; there are 'dev' (for one node, sudo key //Alice) and \
             'local' (no sudo key), or name a chain spec file that ends in .json"
        )),
    }
}

fn builder(name: &str, id: &str, preset: &str) -> Result<sc_chain_spec::ChainSpecBuilder, String> {
    let code = noema_runtime::WASM_BINARY.ok_or(
        "this program was built without the runtime's Wasm (SKIP_WASM_BUILD was set), so it can \
         only run a chain from a chain spec file: build it again without that variable",
    )?;
    sp_core::crypto::set_default_ss58_version(Ss58AddressFormat::custom(SS58_PREFIX));
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "NOEMA".into());
    properties.insert("tokenDecimals".into(), DECIMALS.into());
    properties.insert("ss58Format".into(), SS58_PREFIX.into());
    Ok(ChainSpec::builder(code, None)
        .with_name(name)
        .with_id(id)
        .with_protocol_id(id)
        .with_properties(properties)
        .with_genesis_config_preset_name(preset))
}

fn development() -> Result<ChainSpec, String> {
    Ok(builder(
        "Noema Development",
        "noema_dev",
        sp_genesis_builder::DEV_RUNTIME_PRESET,
    )?
    // Otherwise polkadot.js Apps hides the well-known accounts.
    .with_chain_type(ChainType::Development)
    .build())
}

fn local_testnet() -> Result<ChainSpec, String> {
    Ok(builder(
        "Noema Local Testnet",
        "noema_local",
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
    )?
    .with_chain_type(ChainType::Local)
    .build())
}
