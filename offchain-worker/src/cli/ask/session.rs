//! A question through a session.
//!
//! What opens, chooses and pays sessions is the pool of a gateway, with a store and a voucher key of its own: a gateway of
//! the same account can run beside it.

mod listening;
mod told;

use super::history::{History, Kept};
use super::{AskArgs, INTERRUPTED, TIMED_OUT};
use crate::artefacts;
use crate::chain::{follow, At, Link, Node};
use crate::cli::money::Token;
use crate::cli::signals::stop_at_signal;
use crate::cli::{find_checkpoint, paying, Global};
use crate::gateway::{ChainMarket, ChainReceipts, LocalModel};
use crate::keys::Key;
use crate::metrics::Metrics;
use anyhow::{anyhow, bail, Context};
use indicatif::{ProgressBar, ProgressStyle};
use listening::{Heard, Listening};
use noema_artefacts::Fetcher;
use noema_executor::DeviceOptions;
use noema_gateway::{
    AnswerSource, Bill, GatewayMetrics, PaidQuestion, Pool, PoolOptions, SourceFault, TextLayer,
};
use noema_model::engine::ChatCodec;
use noema_protocol::{CheckpointId, SamplingParameters};
use noema_session_transport::{PayerStore, SessionStoreError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use told::Told;

/// How long the voucher over the last answer has to reach the worker; else the next question takes it along.
const LAST_PAYMENT: Duration = Duration::from_secs(3);
/// How long the connections to workers have to be closed in order.
const GOODBYE: Duration = Duration::from_secs(1);
/// The time between two attempts to open a store that another process uses.
const STORE_AGAIN: Duration = Duration::from_millis(200);
/// How many workers, or parts of an answer, are tried after failures.
const ATTEMPTS: u32 = 4;
/// The most sessions: one, and others in the place of those whose workers fail.
const SESSIONS: usize = 4;

/// A question that is to be asked.
struct Question {
    account: Key,
    token: Token,
    /// Where its sessions are kept.
    folder: PathBuf,
    store: Arc<PayerStore>,
    history: History,
    /// The conversation, with the question as its last message.
    kept: Kept,
    prompt: Vec<u32>,
    parameters: SamplingParameters,
    codec: Arc<ChatCodec>,
    /// The most that sessions hold and have spent.
    budget: u128,
    /// The amount with which a session is opened and topped up.
    hold: u128,
    /// The most tokens of prompt and answer together.
    context: u32,
    stop_tokens: Vec<u32>,
    /// Whether the prices at which sessions are opened are limited.
    has_max_price: bool,
}

pub(super) async fn ask(global: &Global, args: &AskArgs) -> anyhow::Result<ExitCode> {
    let asked = Instant::now();
    let deadline = asked + Duration::from_secs(args.timeout);
    let mut stop = stop_at_signal();
    let spinner = spinner(args.json);
    spinner.set_message("reading the chain");
    let node = global.node().await?;
    let account = Key::load(&args.account)?;
    let folder = paying::folder(global, "ask", &node, &account)?;
    let store = tokio::select! {
        store = open_store(&folder, deadline) => store?,
        () = crate::stopped(&mut stop) => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let question = Question::read(global, args, &node, (account, store, folder)).await?;
    let link = follow_chain(node, stop.clone()).await?;
    let fetcher = artefacts::fetcher().await?;
    let pool = question.pool(args, &link, &fetcher)?;
    let paying = Paying {
        link: &link,
        pool: &pool,
        spinner: &spinner,
    };
    let done = question
        .ask(global, args, &paying, (asked, deadline, &mut stop))
        .await;
    // The worker would otherwise wait until the connection times out.
    let _ = tokio::time::timeout(GOODBYE, fetcher.endpoint().close()).await;
    done
}

/// Asks, and listens to the end of the answer.
async fn listen(
    question: &Question,
    pool: &Pool,
    listening: Listening<'_>,
    is_whole: bool,
    (deadline, stop): (Instant, &mut watch::Receiver<bool>),
) -> anyhow::Result<Heard> {
    let asked = PaidQuestion {
        prompt: question.prompt.clone(),
        parameters: question.parameters,
        // Words on a terminal are not taken back.
        is_streamed: !is_whole,
        is_verified: false,
        bill: Bill::free(),
    };
    match pool.ask(asked).await {
        Ok(answer) => listening.hear_out(answer, deadline, stop).await,
        Err(fault) => Ok(Heard::nothing(fault)),
    }
}

/// What a question is asked with.
struct Paying<'a> {
    link: &'a Arc<Link>,
    pool: &'a Pool,
    spinner: &'a ProgressBar,
}

fn spinner(is_quiet: bool) -> ProgressBar {
    if is_quiet {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// Follows the chain over `node` until `stop`.
async fn follow_chain(node: Arc<Node>, stop: watch::Receiver<bool>) -> anyhow::Result<Arc<Link>> {
    let (head, _finalized) = watch::channel(node.finalized().await?.number());
    let link = Link::new(node);
    tokio::spawn(follow(link.clone(), head, Metrics::new(), stop));
    Ok(link)
}

/// Opens the store in `folder`, once no other question of the same account uses it.
async fn open_store(folder: &Path, deadline: Instant) -> anyhow::Result<Arc<PayerStore>> {
    loop {
        match PayerStore::open(&paying::store(folder)) {
            Ok(store) => return Ok(Arc::new(store)),
            Err(SessionStoreError::InUse(_)) if Instant::now() < deadline => {
                tokio::time::sleep(STORE_AGAIN).await;
            }
            Err(error @ SessionStoreError::InUse(_)) => {
                return Err(error).context("another question of this account is being answered; ask with another --account, or with --public")
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Question {
    async fn read(
        global: &Global,
        args: &AskArgs,
        node: &Arc<Node>,
        (account, store, folder): (Key, Arc<PayerStore>, PathBuf),
    ) -> anyhow::Result<Self> {
        let parameters = args.parameters()?;
        let token = Token::of(node).await?;
        let history = History::at(&folder);
        let at = node.finalized().await?;
        let mut kept = match args.is_continued {
            true => continued(&at, history.read()?, args.checkpoint.as_deref()).await?,
            false => Kept::new(find_checkpoint(&at, args.checkpoint.as_deref()).await?),
        };
        kept.say("user", &args.prompt);
        let id = kept.checkpoint;
        let checkpoint = global.library()?.open(id).with_context(|| {
            format!("asking through a session needs the tokenizer of checkpoint {id}; fetch it with: noema-worker checkpoint fetch, or ask with --public")
        })?;
        let codec = Arc::new(ChatCodec::open(&checkpoint, None)?);
        let (layer, conversation) = (codec.clone(), kept.conversation.clone());
        let prompt = tokio::task::spawn_blocking(move || layer.chat(&conversation)).await??;
        let context = args.context.min(checkpoint.architecture().context_length);
        let tokens = prompt.len().saturating_add(args.max_tokens.into());
        if tokens > context as usize {
            bail!(
                "the conversation has {} tokens, and with {} of the answer more than the {context} of a session; shorten the prompt, ask for fewer tokens with --max-tokens, raise --context, or begin a new conversation without --continue",
                prompt.len(),
                args.max_tokens
            );
        }
        Ok(Self {
            budget: token.units(&args.budget).context("--budget")?,
            hold: token.units(&args.hold).context("--hold")?,
            stop_tokens: checkpoint.manifest().stops.clone(),
            has_max_price: args.max_price.is_some(),
            account,
            token,
            folder,
            store,
            history,
            kept,
            prompt,
            parameters,
            codec,
            context,
        })
    }

    fn pool(&self, args: &AskArgs, link: &Arc<Link>, fetcher: &Fetcher) -> anyhow::Result<Pool> {
        let market = ChainMarket {
            link: link.clone(),
            fetcher: fetcher.clone(),
            store: self.store.clone(),
            account: self.account.clone(),
            voucher_key: paying::voucher_key(&self.folder)?,
            checkpoint: self.kept.checkpoint,
            leaf_tokens: self.context,
        };
        let options = PoolOptions {
            budget: self.budget,
            // A budget that counted them would be spent after some questions.
            counts_earlier: false,
            hold: self.hold,
            price_limit: paying::price_limit(&self.token, args.max_price.as_ref())?,
            most_sessions: SESSIONS,
            patience: Duration::from_secs(args.timeout),
            attempts: ATTEMPTS,
            idle: Duration::MAX,
            stop_tokens: self.stop_tokens.clone(),
        };
        Ok(Pool::new(Arc::new(market), options, GatewayMetrics::new()))
    }

    /// Asks, and tells the answer.
    async fn ask(
        &self,
        global: &Global,
        args: &AskArgs,
        paying: &Paying<'_>,
        (asked, deadline, stop): (Instant, Instant, &mut watch::Receiver<bool>),
    ) -> anyhow::Result<ExitCode> {
        let Paying {
            link,
            pool,
            spinner,
        } = paying;
        spinner.set_message("finding the session");
        pool.resume().await.map_err(|error| anyhow!(error))?;
        if pool.is_empty() {
            let at = link.node()?.finalized().await?;
            self.ensure_hold(&at).await?;
            spinner.set_message("opening a session with a worker");
        } else {
            spinner.set_message("waiting for the first word");
        }
        let listening = Listening::new(self.codec.clone(), spinner, args.json);
        let heard = listen(self, pool, listening, args.json, (deadline, stop)).await;
        spinner.finish_and_clear();
        // The voucher is on its way.
        pool.stop(LAST_PAYMENT).await;
        let heard = heard?;
        let answered = match &heard.end {
            Ok(answered) if heard.has_words() => answered,
            _ if heard.is_ended_by_user => {
                eprintln!(
                    "stopped before the first word; the session and what the worker signed stay in {}",
                    self.folder.display()
                );
                return Ok(ExitCode::from(INTERRUPTED));
            }
            _ if heard.is_late => {
                eprintln!("there is no answer after {} s; ask again, give it more time with --timeout, or ask with --public", args.timeout);
                return Ok(ExitCode::from(TIMED_OUT));
            }
            Ok(answered) => answered,
            Err(fault) => return Err(self.advise(link, fault, heard.has_words()).await),
        };
        let mut kept = self.kept.clone();
        kept.say("assistant", &heard.text);
        self.history.write(&kept)?;
        let mut told = Told::new(&self.token, &heard, answered, self, asked);
        if let Some(path) = &args.receipt {
            let receipts = self.receipts(global, link)?;
            let written = told.write_receipts(&receipts, path).await;
            written
                .context("the answer is complete and paid, and its receipt is not in the file")?;
        }
        told.tell(args)?;
        Ok(match (heard.is_ended_by_user, heard.is_late) {
            (true, _) => ExitCode::from(INTERRUPTED),
            (_, true) => ExitCode::from(TIMED_OUT),
            _ => ExitCode::SUCCESS,
        })
    }

    fn receipts(&self, global: &Global, link: &Arc<Link>) -> anyhow::Result<ChainReceipts> {
        let model = LocalModel {
            library: global.library()?,
            checkpoint: self.kept.checkpoint,
            device: DeviceOptions::default(),
        };
        Ok(ChainReceipts::new(link.clone(), self.store.clone(), model))
    }

    /// Refuses if the account cannot open a session.
    async fn ensure_hold(&self, at: &At) -> anyhow::Result<()> {
        let rules = at.session_rules().await?;
        let show = |amount| self.token.show(amount);
        if self.hold < rules.min_held {
            bail!(
                "a session holds {} at least; raise --hold",
                show(rules.min_held)
            );
        }
        if self.budget < self.hold {
            bail!(
                "the budget of {} does not cover a hold of {}; raise --budget, or lower --hold",
                show(self.budget),
                show(self.hold)
            );
        }
        let free = at.free_balance(&self.account.account()).await?;
        if free < self.hold.saturating_add(rules.storage_price) {
            bail!(
                "{} has {}; a session holds {}, and its storage costs {}; use another --account, lower --hold to {} at least, or ask with --public",
                self.account.address(),
                show(free),
                show(self.hold),
                show(rules.storage_price),
                show(rules.min_held)
            );
        }
        Ok(())
    }

    /// A fault, with what to do about it.
    async fn advise(&self, link: &Link, fault: &SourceFault, has_words: bool) -> anyhow::Error {
        let id = self.kept.checkpoint;
        let broken = match has_words {
            true => "the answer broke off: ",
            false => "",
        };
        let advice = match fault {
            SourceFault::NoWorker(reason) => format!(
                "no worker answers checkpoint {id} through a session: {reason}; ask with --public{}, or start a worker that others reach with: noema-worker run --listen <ADDRESS:PORT>",
                match self.has_max_price {
                    true => ", raise --max-price",
                    false => "",
                }
            ),
            SourceFault::OutOfMoney => format!(
                "the sessions of this account would hold and have spent more than {}; raise --budget, or close them with: noema-worker gateway close --account <KEY>",
                self.token.show(self.budget)
            ),
            SourceFault::Busy => {
                "no session was free in time; ask again, or with --public".to_owned()
            }
            SourceFault::Failed(_) => match self.short_of(link).await {
                Some(short) => format!("{fault}: {short}"),
                None => format!("{fault}, or with --public"),
            },
            other => other.to_string(),
        };
        anyhow!("{broken}{advice}")
    }

    /// What the account lacks for a top-up, if it does.
    async fn short_of(&self, link: &Link) -> Option<String> {
        let at = link.node().ok()?.finalized().await.ok()?;
        let free = at.free_balance(&self.account.account()).await.ok()?;
        (free < self.hold).then(|| {
            format!(
                "{} has {}, and a top-up of its session takes {}; use another --account, or lower --hold",
                self.account.address(),
                self.token.show(free),
                self.token.show(self.hold)
            )
        })
    }
}

/// A conversation that is continued, if its checkpoint can still be asked. `wanted` is a prefix of the checkpoint that the
/// user names.
async fn continued(at: &At, kept: Kept, wanted: Option<&str>) -> anyhow::Result<Kept> {
    let own: CheckpointId = kept.checkpoint;
    if let Some(wanted) = wanted
        && find_checkpoint(at, Some(wanted)).await? != own
    {
        bail!("the conversation is with checkpoint {own}; leave out --checkpoint, or begin a new conversation without --continue");
    }
    let found = find_checkpoint(at, Some(&own.to_string())).await;
    found.context("the conversation cannot be continued; begin a new one without --continue")?;
    Ok(kept)
}
