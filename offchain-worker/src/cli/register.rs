//! `noema-worker register`: calls of controllers and publishers. A step that is already on chain is skipped,
//! so that the command can be repeated.

use super::money::{Amount, Token};
use super::{find_checkpoint, Global};
use crate::chain::calls::{
    BondExtra, RegisterCheckpoint, RegisterFamily, RegisterOperator, Serve, SetPrices,
};
use crate::chain::types::{
    Balance, CheckpointRecord, FamilyRecord, OperatorInfo, Roles, Status, Weights,
    WireArchitecture, WireTokenBounds,
};
use crate::chain::{At, Node};
use crate::keys::{address, load_account, Key};
use anyhow::{bail, Context};
use clap::{Args, Subcommand, ValueEnum};
use noema_checkpoint::Manifest;
use noema_model::printable::one_line;
use noema_protocol::{CheckpointId, FamilyId, Prices};
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;

#[derive(Debug, Subcommand)]
pub(super) enum RegisterCommand {
    /// Register a checkpoint of this machine on chain.
    Checkpoint(CheckpointArgs),
    /// Register an operator with its bond, its hot key and its checkpoints.
    Operator(OperatorArgs),
}

#[derive(Debug, Args)]
pub(super) struct CheckpointArgs {
    /// Checkpoint on this machine, by its folder or a prefix of its id.
    checkpoint: String,
    /// Account that publishes the checkpoint and pays the deposit: a key file, or a development key such as
    /// //Alice.
    #[arg(long, value_name = "KEY")]
    account: String,
    /// Name of its family if that is new [default: the model's name].
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Parent, from which the checkpoint was made, by a prefix of its id on chain: a checkpoint that is or
    /// was canonical for its family; the chain refuses any other [default: none, as for an imported
    /// checkpoint].
    #[arg(long, value_name = "CHECKPOINT")]
    parent: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct OperatorArgs {
    /// Roles of the operator, separated by commas, such as worker,validator.
    #[arg(long, value_enum, value_delimiter = ',', required = true)]
    role: Vec<RoleName>,
    /// Controller, which holds the bond and is paid: a key file, or a development key such as //Alice.
    #[arg(long, value_name = "KEY")]
    account: String,
    /// Hot key, which submits for the operator: a key file or a development key such as //Alice//worker,
    /// with which this command proves that you have it. For an operator that is already registered, its
    /// address suffices.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Bond, which can be slashed, in tokens of the chain; a smaller bond is increased to it [default: 1000
    /// for a new operator].
    #[arg(long, value_name = "AMOUNT")]
    bond: Option<Amount>,
    /// Price of a worker for a byte of the prompt, in tokens of the chain [default: 0.0001 for a new
    /// operator].
    #[arg(long, value_name = "AMOUNT")]
    price_per_byte: Option<Amount>,
    /// Price of a worker for a token of the answer, in tokens of the chain [default: 0.001 for a new
    /// operator].
    #[arg(long, value_name = "AMOUNT")]
    price_per_token: Option<Amount>,
    /// Checkpoint to serve, by a prefix of its id on chain or on this machine. May be given several times
    /// [default: none; an operator can serve one later].
    #[arg(long, value_name = "CHECKPOINT")]
    serve: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Answers requests.
    Worker,
    /// Re-executes answers, and scores contributions.
    Validator,
    /// Contributes updates to rounds of training.
    Trainer,
}

/// The bond of a new operator, in tokens.
const DEFAULT_BOND: &str = "1000";
/// The prices of a new operator, in tokens.
const DEFAULT_PRICE_PER_BYTE: &str = "0.0001";
const DEFAULT_PRICE_PER_TOKEN: &str = "0.001";

pub(super) async fn register(global: &Global, command: RegisterCommand) -> anyhow::Result<()> {
    match command {
        RegisterCommand::Checkpoint(args) => checkpoint(global, args).await,
        RegisterCommand::Operator(args) => operator(global, args).await,
    }
}

async fn checkpoint(global: &Global, args: CheckpointArgs) -> anyhow::Result<()> {
    let publisher = Key::load(&args.account)?;
    let checkpoint = global.open_checkpoint(&args.checkpoint)?;
    let (id, manifest) = (checkpoint.id(), checkpoint.manifest());
    let node = global.node().await?;
    let at = node.finalized().await?;
    match at.checkpoint(&id).await? {
        Some(record) if record.status == Status::Withdrawn => {
            bail!("checkpoint {id} was withdrawn; it cannot be registered again while its record is on chain")
        }
        Some(record) => {
            same_tokens(&record, manifest)?;
            same_family(&at, &record, manifest).await?;
            println!("checkpoint {id} is registered already");
            return Ok(());
        }
        None => {}
    }
    let parent = match &args.parent {
        Some(prefix) => Some(find_checkpoint(&at, Some(prefix)).await?),
        None => None,
    };
    let family = family(&node, &at, &publisher, manifest, args.family).await?;
    let call = RegisterCheckpoint {
        checkpoint: id,
        family,
        parent,
        weights: Weights {
            root: manifest.weights_root,
            bytes: manifest.weights_bytes,
        },
        tokens: manifest.into(),
        licence: recorded_text(&at, "MaxLicence", &manifest.licence, "unstated")?,
        source_hash: manifest.source.hash,
    };
    let included = node.submit(call, &publisher).await?;
    println!(
        "registered checkpoint {id} of family {family}, in block {}",
        included.block
    );
    Ok(())
}

/// Fails if the token bounds on chain differ from the manifest: the chain would accept prompts that cannot be
/// answered, or refuse others.
fn same_tokens(record: &CheckpointRecord, manifest: &Manifest) -> anyhow::Result<()> {
    let stated = WireTokenBounds::from(manifest);
    let recorded = &record.limits;
    if *recorded != stated {
        bail!(
            "checkpoint {} is registered with at most {} tokens a byte and {} more for a prompt, but its manifest states {} and {}; serve another checkpoint",
            manifest.id(),
            recorded.tokens_per_byte,
            recorded.template_tokens,
            stated.tokens_per_byte,
            stated.template_tokens,
        );
    }
    Ok(())
}

/// Fails if the checkpoint is registered in a family from which it differs: it could become canonical there.
async fn same_family(
    at: &At,
    record: &CheckpointRecord,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    for (id, family) in at.families().await? {
        let differences = differences(&family, manifest);
        if id == record.family && !differences.is_empty() {
            bail!(
                "checkpoint {} is registered in family {id}, from which it differs in {}; serve another checkpoint",
                manifest.id(),
                differences.join(", ")
            );
        }
    }
    Ok(())
}

/// In what a family differs from a checkpoint, by the names of its manifest.
fn differences(family: &FamilyRecord, manifest: &Manifest) -> Vec<String> {
    let architecture = WireArchitecture::from(&manifest.architecture);
    let others = [
        (
            "tokenizer_hash",
            family.tokenizer_hash == manifest.tokenizer_hash,
        ),
        ("numerics", family.numerics_version == manifest.numerics),
        ("text_layer", family.text_layer == manifest.text_layer),
    ];
    let others = others.into_iter().filter(|(_, is_same)| !is_same);
    let mut differences = family.architecture.differences(&architecture);
    differences.extend(others.map(|(name, _)| name.to_owned()));
    differences
}

/// The family of this checkpoint, which is registered if it does not exist.
async fn family(
    node: &Node,
    at: &At,
    publisher: &Key,
    manifest: &Manifest,
    name: Option<String>,
) -> anyhow::Result<FamilyId> {
    let name = recorded_text(
        at,
        "MaxName",
        name.as_deref().unwrap_or(&manifest.name),
        "unnamed",
    )?;
    for (id, family) in at.families().await? {
        let differences = differences(&family, manifest);
        if differences.is_empty() {
            println!(
                "it belongs to family {id}, {}",
                one_line(&String::from_utf8_lossy(&family.name))
            );
            return Ok(id);
        }
        if family.name == name {
            bail!(
                "family {id} has the name `{}`, but differs from the checkpoint in {}; give the new family another name with --family",
                String::from_utf8_lossy(&name),
                differences.join(", ")
            );
        }
    }
    let call = RegisterFamily {
        name: name.clone(),
        architecture: WireArchitecture::from(&manifest.architecture),
        tokenizer_hash: manifest.tokenizer_hash,
        numerics_version: manifest.numerics,
        text_layer: manifest.text_layer,
    };
    let included = node.submit(call, publisher).await?;
    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    struct FamilyRegistered {
        family: FamilyId,
    }
    let registered: FamilyRegistered = included
        .event("Checkpoints", "FamilyRegistered")?
        .context("the call succeeded without the event Checkpoints.FamilyRegistered")?;
    println!(
        "registered family {}, {}, in block {}",
        registered.family,
        one_line(&String::from_utf8_lossy(&name)),
        included.block
    );
    Ok(registered.family)
}

/// `text` in one line, without what controls a terminal, or `otherwise` if it is empty, cut to the length
/// that the chain records.
fn recorded_text(at: &At, limit: &str, text: &str, otherwise: &str) -> anyhow::Result<Vec<u8>> {
    let most: u32 = at.constant("Checkpoints", limit)?;
    let text = one_line(text);
    let text = match text.as_str() {
        "" => otherwise,
        text => text,
    };
    let end = text.floor_char_boundary(most as usize);
    Ok(text.as_bytes()[..end].to_vec())
}

async fn operator(global: &Global, args: OperatorArgs) -> anyhow::Result<()> {
    let controller = Key::load(&args.account)?;
    let hot = load_account(&args.key)?;
    if hot == controller.account() {
        bail!("the hot key must not be the controller's: an attacker on the worker's machine would control the bond; make one with: noema-worker key generate <FILE>");
    }
    let node = global.node().await?;
    let token = Token::of(&node).await?;
    let at = node.finalized().await?;
    let served = serve_list(global, &at, &args.serve).await?;
    let roles = Roles {
        worker: args.role.contains(&RoleName::Worker),
        validator: args.role.contains(&RoleName::Validator),
        trainer: args.role.contains(&RoleName::Trainer),
    };
    let recorded = at.operator(&controller.account()).await?;
    match &recorded {
        Some(info) => adjust(&node, &token, &controller, &args, &roles, info, hot).await?,
        None => {
            let key = Key::load(&args.key).context("the hot key has to sign that it submits for the controller: --key must name a key file or a development key")?;
            let call = RegisterOperator {
                roles,
                key: AccountId32(hot),
                possession: key.possession(node.genesis(), &controller.account()),
                prices: prices(&token, &args, None)?,
                bond: amount(&token, &args.bond, DEFAULT_BOND).context("--bond")?,
            };
            let bond = token.show(call.bond);
            let included = node.submit(call, &controller).await?;
            println!(
                "registered {} with the hot key {} and a bond of {bond}, in block {}",
                controller.address(),
                address(&hot),
                included.block
            );
        }
    }
    let serves = recorded.map(|info| info.serves).unwrap_or_default();
    for id in served {
        if serves.contains(&id) {
            println!("{} serves {id} already", controller.address());
            continue;
        }
        let included = node.submit(Serve { checkpoint: id }, &controller).await?;
        println!(
            "{} serves {id} from the term after next on, in block {}",
            controller.address(),
            included.block
        );
    }
    Ok(())
}

/// The ids on chain of the checkpoints that `--serve` names.
async fn serve_list(
    global: &Global,
    at: &At,
    names: &[String],
) -> anyhow::Result<Vec<CheckpointId>> {
    let mut ids = Vec::new();
    for name in names {
        let checkpoint = global.open_checkpoint(name).ok();
        let id = match &checkpoint {
            Some(checkpoint) => checkpoint.id(),
            None => find_checkpoint(at, Some(name)).await?,
        };
        let Some(record) = at.checkpoint(&id).await? else {
            bail!("the chain does not know checkpoint {id}; register it with: noema-worker register checkpoint {id} --account <PUBLISHER>");
        };
        if let Some(checkpoint) = checkpoint {
            same_tokens(&record, checkpoint.manifest())?;
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Changes an operator that is already registered as requested, as far as that is possible.
async fn adjust(
    node: &Node,
    token: &Token,
    controller: &Key,
    args: &OperatorArgs,
    roles: &Roles,
    info: &OperatorInfo,
    hot: [u8; 32],
) -> anyhow::Result<()> {
    let record = &info.operator;
    println!("{} is registered already", controller.address());
    if record.key.0 != hot {
        bail!(
            "its hot key is {}, not {}; change it with the call operators.rotateKey",
            record.key,
            address(&hot)
        );
    }
    if record.roles != *roles {
        bail!("it has other roles; to change them, leave with operators.startUnbonding and register again");
    }
    if let Some(block) = record.withdrawable_at {
        bail!("it is leaving and may withdraw its bond from block {block}; stay with operators.cancelUnbonding");
    }
    let wanted = match &args.bond {
        Some(bond) => token.units(bond).context("--bond")?,
        None => record.bond,
    };
    // All arguments are read before the first call is signed.
    let prices = prices(token, args, Some(&record.prices.latest))?;
    let missing = wanted.saturating_sub(record.bond);
    if missing > 0 {
        node.submit(BondExtra { amount: missing }, controller)
            .await?;
        println!(
            "added {} to its bond, which counts in draws from the term after next on",
            token.show(missing)
        );
    }
    if record.roles.worker && prices != record.prices.latest {
        node.submit(SetPrices { prices }, controller).await?;
        println!("changed its prices, from the term after next on");
    }
    Ok(())
}

/// The given amount, or else `default`, in the smallest unit.
fn amount(token: &Token, given: &Option<Amount>, default: &str) -> anyhow::Result<u128> {
    match given {
        Some(given) => token.units(given),
        None => token.units(&default.parse().map_err(anyhow::Error::msg)?),
    }
}

/// The requested prices; those that are not given stay as they are.
fn prices(
    token: &Token,
    args: &OperatorArgs,
    recorded: Option<&Prices<Balance>>,
) -> anyhow::Result<Prices<Balance>> {
    let price =
        |given: &Option<Amount>, recorded: Option<u128>, default: &str| match (given, recorded) {
            (None, Some(recorded)) => Ok(recorded),
            _ => amount(token, given, default),
        };
    Ok(Prices {
        per_prompt_byte: price(
            &args.price_per_byte,
            recorded.map(|prices| prices.per_prompt_byte),
            DEFAULT_PRICE_PER_BYTE,
        )
        .context("--price-per-byte")?,
        per_answer_token: price(
            &args.price_per_token,
            recorded.map(|prices| prices.per_answer_token),
            DEFAULT_PRICE_PER_TOKEN,
        )
        .context("--price-per-token")?,
    })
}
