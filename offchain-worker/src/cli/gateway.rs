//! `noema-worker gateway`.

use super::device::DeviceArgs;
use super::money::{Amount, Token};
use super::paying;
use super::signals::stop_at_signal;
use super::values::within;
use super::{find_checkpoint, Global};
use crate::artefacts;
use crate::chain::calls::CloseSession;
use crate::chain::{follow, Link};
use crate::gateway::{ChainMarket, ChainReceipts, LocalModel};
use crate::keys::Key;
use crate::metrics::Metrics;
use anyhow::{anyhow, bail, Context};
use clap::{Args, Subcommand};
use noema_gateway::{
    list_keys, make_key, revoke_key, BearerKeys, Gateway, GatewayChain, GatewayMetrics,
    GatewayOptions, Pool, PoolOptions, Rechecks,
};
use noema_model::engine::ChatCodec;
use noema_session_transport::PayerStore;
use noema_sessions::Stage;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

/// How long calls in progress have to end when the gateway stops.
const LAST_CALLS: Duration = Duration::from_secs(4);
/// How long the sessions then have to pay for them.
const LAST_PAYMENTS: Duration = Duration::from_secs(3);
/// How long a prompt waits for a session: the time to open one, and more.
const PATIENCE: Duration = Duration::from_secs(180);
/// The seconds of a day.
const DAY: u64 = 86_400;
/// Sessions that are not used for this long are closed.
const IDLE: Duration = Duration::from_secs(3_600);
/// How many workers, or parts of an answer, are tried after failures.
const ATTEMPTS: u32 = 4;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
The gateway prints the address of its page, a chat and an explorer of the chain, and that of its API: any
program that speaks OpenAI's can use it, with OPENAI_BASE_URL set to the latter. It opens sessions with
workers from --account, tops them up, and keeps them for its next start; `noema-worker gateway close`
closes them.

Examples:
  noema-worker gateway --account //Bob
  noema-worker gateway key make alice --budget 5 --rate 60
  noema-worker gateway --account payer.key --listen 0.0.0.0:8080 --keys ~/.noema/gateway/keys.json"
)]
pub(super) struct GatewayArgs {
    #[command(subcommand)]
    command: Option<GatewayCommand>,
    /// Address and TCP port of the page and the API.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    #[command(flatten)]
    account: AccountArgs,
    /// Checkpoint that answers, by a prefix of its id on chain [default: the canonical one, or the only
    /// one].
    #[arg(long)]
    checkpoint: Option<String>,
    /// Budget: the most that sessions hold and have spent together, in tokens of the chain, since the first
    /// start with this account on this chain.
    #[arg(long, default_value = "10", value_name = "AMOUNT")]
    budget: Amount,
    /// Hold: the amount with which a session is opened and topped up.
    #[arg(long, default_value = "1", value_name = "AMOUNT")]
    hold: Amount,
    /// The highest price of 1,000 tokens, of a prompt or of an answer [default: none; the cheapest workers
    /// are chosen].
    #[arg(long, value_name = "AMOUNT")]
    max_price: Option<Amount>,
    /// The most sessions at a time; each has one answer at a time.
    #[arg(long, default_value_t = 8, value_parser = within(1..=1_024usize), value_name = "SESSIONS")]
    sessions: usize,
    /// The most tokens of prompt and answer together, if the checkpoint has no smaller context. Stakes and
    /// check fees follow it.
    #[arg(long, default_value_t = 4_096, value_parser = within(2..=1_048_576u32), value_name = "TOKENS")]
    context: u32,
    /// The most tokens of an answer where a call states none.
    #[arg(long, default_value_t = 1_024, value_parser = within(1..=u16::MAX), value_name = "TOKENS")]
    max_tokens: u16,
    /// File of bearer keys, of which every call needs one [default: none; calls need no key, and only an
    /// address of this machine is listened on].
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// How many days answers are kept with their prompts and receipts, so that they can be executed again.
    #[arg(long, default_value_t = 30, value_parser = within(1..=3_650u64), value_name = "DAYS")]
    keep: u64,
    /// The part of the answers that this machine executes again, from 0 to 1. A false one closes the sessions
    /// with its worker, and is challenged on chain, for which the account puts a bond on hold. A call can ask
    /// for it with `"noema": {"verify": true}`.
    #[arg(long, default_value_t = 0.0, value_parser = within(0.0..=1.0), value_name = "PART")]
    verify: f64,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Debug, Args)]
struct AccountArgs {
    /// Payer, which signs and pays: a key file or a development key.
    #[arg(long, default_value = "//Alice", value_name = "KEY")]
    account: String,
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    /// Make, revoke and list bearer keys.
    #[command(subcommand)]
    Key(BearerCommand),
    /// Close all sessions of the payer; what they hold and did not spend returns.
    Close(AccountArgs),
}

#[derive(Debug, Subcommand)]
enum BearerCommand {
    /// Make a key and print it; it is stored nowhere.
    Make {
        /// Its name.
        name: String,
        /// Budget: the most that its answers cost together, in tokens of the chain [default: no limit].
        #[arg(long, value_name = "AMOUNT")]
        budget: Option<Amount>,
        /// Rate: the most calls in a minute [default: no limit].
        #[arg(long, value_parser = within(1..=1_000_000u32), value_name = "CALLS")]
        rate: Option<u32>,
        #[command(flatten)]
        file: KeysArgs,
    },
    /// Revoke a key. A running gateway refuses it within a second.
    Revoke {
        /// Its name.
        name: String,
        #[command(flatten)]
        file: KeysArgs,
    },
    /// List the keys with their budgets, and what they have spent.
    List {
        #[command(flatten)]
        file: KeysArgs,
    },
}

#[derive(Debug, Args)]
struct KeysArgs {
    /// File of bearer keys [default: gateway/keys.json in the home folder].
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

impl KeysArgs {
    fn path(self, global: &Global) -> anyhow::Result<PathBuf> {
        match self.keys {
            Some(path) => Ok(path),
            None => Ok(global.home()?.join("gateway").join("keys.json")),
        }
    }
}

pub(super) async fn gateway(global: &Global, args: GatewayArgs) -> anyhow::Result<()> {
    match args.command {
        Some(GatewayCommand::Key(command)) => bearer(global, command).await,
        Some(GatewayCommand::Close(account)) => close(global, &account.account).await,
        None => run(global, args).await,
    }
}

async fn bearer(global: &Global, command: BearerCommand) -> anyhow::Result<()> {
    match command {
        BearerCommand::Make {
            name,
            budget,
            rate,
            file,
        } => {
            let budget = match budget {
                None => None,
                Some(budget) => Some(Token::of(&*global.node().await?).await?.units(&budget)?),
            };
            println!("{}", make_key(&file.path(global)?, &name, budget, rate)?);
        }
        BearerCommand::Revoke { name, file } => {
            revoke_key(&file.path(global)?, &name)?;
            println!("revoked {name}");
        }
        BearerCommand::List { file } => {
            let keys = list_keys(&file.path(global)?)?;
            let token = Token::of(&*global.node().await?).await?;
            for (key, spent) in keys {
                let budget = key.budget.map(|budget| token.show(budget));
                let rate = key.rate.map(|rate| format!("{rate} calls a minute"));
                println!(
                    "{}: spent {} of {}, {}",
                    key.name,
                    token.show(spent),
                    budget.as_deref().unwrap_or("any amount"),
                    rate.as_deref().unwrap_or("any number of calls"),
                );
            }
        }
    }
    Ok(())
}

/// Closes the open sessions of an account.
async fn close(global: &Global, account: &str) -> anyhow::Result<()> {
    let key = Key::load(account)?;
    let node = global.node().await?;
    let at = node.finalized().await?;
    for session in at.payer_sessions(&key.account()).await? {
        let info = at.session(session).await?;
        let stage = info.map(|info| info.session.account.stage);
        if matches!(stage, Some(Stage::Unseeded | Stage::Open { .. })) {
            node.submit(CloseSession { session }, &key).await?;
            println!("closed session {session}");
        }
    }
    Ok(())
}

async fn run(global: &Global, args: GatewayArgs) -> anyhow::Result<()> {
    if args.keys.is_none() && !args.listen.ip().is_loopback() {
        bail!(
            "every machine that reaches {} could spend the budget; make keys with `noema-worker gateway key make`, and name their file with --keys",
            args.listen
        );
    }
    let keys = args.keys.as_deref().map(BearerKeys::open).transpose()?;
    let account = Key::load(&args.account.account)?;
    let node = global.node().await?;
    let token = Token::of(&node).await?;
    let at = node.finalized().await?;
    let id = find_checkpoint(&at, args.checkpoint.as_deref()).await?;
    let library = global.library()?;
    let checkpoint = library.open(id).with_context(|| {
        format!("the gateway needs the tokenizer of checkpoint {id}; fetch it with: noema-worker checkpoint fetch")
    })?;
    let codec = Arc::new(ChatCodec::open(&checkpoint, None)?);
    let context = args.context.min(checkpoint.architecture().context_length);
    let folder = paying::folder(global, "gateway", &node, &account)?;
    let store = Arc::new(PayerStore::open(&paying::store(&folder))?);
    let options = PoolOptions {
        budget: token.units(&args.budget).context("--budget")?,
        counts_earlier: true,
        hold: token.units(&args.hold).context("--hold")?,
        price_limit: paying::price_limit(&token, args.max_price.as_ref())?,
        most_sessions: args.sessions,
        patience: PATIENCE,
        attempts: ATTEMPTS,
        idle: IDLE,
        stop_tokens: checkpoint.manifest().stops.clone(),
    };
    let stop = stop_at_signal();
    let (head, _finalized) = watch::channel(at.number());
    let link = Link::new(node);
    tokio::spawn(follow(link.clone(), head, Metrics::new(), stop.clone()));
    let model = LocalModel {
        library,
        checkpoint: id,
        device: args.device.options(),
    };
    let receipts = ChainReceipts::new(link.clone(), store.clone(), model);
    let receipts = Arc::new(receipts.challenging_as(account.clone()));
    let market = ChainMarket {
        link,
        fetcher: artefacts::fetcher().await?,
        store,
        account,
        voucher_key: paying::voucher_key(&folder)?,
        checkpoint: id,
        leaf_tokens: context,
    };
    let metrics = GatewayMetrics::new();
    let pool = Arc::new(Pool::new(Arc::new(market), options, metrics.clone()));
    let rechecks = Rechecks::new(args.verify, metrics.clone());
    pool.recheck_with(rechecks.clone());
    pool.resume().await.map_err(|error| anyhow!(error))?;
    pool.warm();
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| {
        format!(
            "cannot listen on {}; choose another address with --listen",
            args.listen
        )
    })?;
    let address = listener.local_addr()?;
    info!("the page at http://{address}/, OpenAI's API at http://{address}/v1");
    let served = GatewayOptions {
        chain: Some(GatewayChain {
            rpc: global.url.clone(),
            symbol: token.symbol().to_owned(),
            decimals: token.decimals(),
        }),
        default_tokens: args.max_tokens,
        verifies: true,
        ..GatewayOptions::new(id, context)
    };
    let gateway = Gateway::new(
        served,
        pool.clone(),
        codec,
        keys,
        Some(receipts.clone()),
        metrics,
    );
    let serve = gateway.serve(listener, stop.clone(), LAST_CALLS);
    let keep = Duration::from_secs(args.keep.saturating_mul(DAY));
    let watch = receipts.watch(keep, stop.clone());
    let verify = rechecks.run(&*receipts, &pool, stop.clone());
    tokio::join!(pool.maintain(stop), watch, verify, serve);
    pool.stop(LAST_PAYMENTS).await;
    info!("stopped; the sessions stay open for the next start");
    Ok(())
}
