//! `noema-worker dataset`.

use super::Global;
use crate::artefacts::{self, datasets};
use crate::chain::At;
use crate::checkpoint::TOKENIZER;
use crate::dataset::{input_bytes, prepare, Dataset, Datasets, PrepareOptions};
use crate::rounds::Round;
use anyhow::{bail, Context};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use noema_protocol::FamilyId;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum DatasetCommand {
    /// Turn text into shards of tokens, and print their root.
    Prepare(PrepareArgs),
    /// Fetch a dataset that a programme trains on from other operators, with all of its shards.
    Fetch(FetchArgs),
    /// Show what a dataset is.
    Show {
        /// Its folder.
        dataset: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Hash every shard and compare it with the manifest, and the shards with the root.
    Verify {
        /// Its folder.
        dataset: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    /// Plain text, or JSON lines with --text-field; UTF-8. Every text file, and every line of JSON,
    /// is a document.
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Folder to make.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The checkpoint whose family the dataset is for, by its folder or the beginning of its id.
    #[arg(long, required_unless_present = "tokenizer")]
    checkpoint: Option<String>,
    /// The family's tokenizer.json, instead of a checkpoint.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    tokenizer: Option<PathBuf>,
    /// Read JSON lines, each an object with a document in this field.
    #[arg(long, value_name = "NAME")]
    text_field: Option<String>,
    /// Tokens of a sequence.
    #[arg(long, default_value_t = PrepareOptions::default().sequence_length, value_name = "TOKENS")]
    sequence_length: u32,
    /// Sequences of a shard.
    #[arg(long, default_value_t = PrepareOptions::default().shard_sequences, value_name = "COUNT")]
    shard_sequences: u32,
    /// Token to put between documents [default: <|endoftext|>, or none where the tokenizer has no
    /// such token].
    #[arg(long, value_name = "TOKEN")]
    separator: Option<String>,
    /// Where the text comes from, to be recorded [default: the names of the files].
    #[arg(long)]
    source: Option<String>,
    /// Licence of the text, to be recorded.
    #[arg(long)]
    licence: String,
}

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// The beginning of its root [default: the only dataset that is trained on].
    root: Option<String>,
    /// The dataset that this family is trained on, by number.
    #[arg(long, conflicts_with = "root")]
    family: Option<u32>,
}

pub(super) async fn dataset(global: &Global, command: DatasetCommand) -> anyhow::Result<()> {
    match command {
        DatasetCommand::Prepare(args) => make(global, args),
        DatasetCommand::Fetch(args) => fetch(global, args).await,
        DatasetCommand::Show { dataset, json } => {
            let dataset = Dataset::open(&dataset)?;
            if json {
                println!("{}", serde_json::to_string_pretty(dataset.manifest())?);
            } else {
                show(&dataset);
            }
            Ok(())
        }
        DatasetCommand::Verify { dataset } => {
            let dataset = Dataset::open(&dataset)?;
            let bar = bar("Verifying the shards", dataset.manifest().bytes());
            let result = dataset.verify(&|bytes| bar.inc(bytes));
            bar.finish_and_clear();
            result?;
            println!("{:?} is what its manifest says", dataset.root());
            Ok(())
        }
    }
}

fn make(global: &Global, args: PrepareArgs) -> anyhow::Result<()> {
    let tokenizer = match (&args.tokenizer, &args.checkpoint) {
        (Some(path), _) => path.clone(),
        (None, Some(name)) => global.open_checkpoint(name)?.directory().join(TOKENIZER),
        (None, None) => bail!("name the family's tokenizer with --checkpoint or --tokenizer"),
    };
    let names = || args.inputs.iter().map(|input| name(input));
    let options = PrepareOptions {
        source: args
            .source
            .unwrap_or_else(|| names().collect::<Vec<_>>().join(", ")),
        licence: args.licence,
        text_field: args.text_field,
        sequence_length: args.sequence_length,
        shard_sequences: args.shard_sequences,
        separator: args.separator,
    };
    let bar = bar("Splitting into tokens", input_bytes(&args.inputs)?);
    let prepared = prepare(&args.inputs, &tokenizer, &args.out, &options, &|bytes| {
        bar.inc(bytes);
    });
    bar.finish_and_clear();
    let prepared = prepared.context("no dataset was made")?;
    println!("{:?}", prepared.dataset.root());
    eprintln!(
        "{} tokens in {} shards in {}; {} at the end filled no sequence",
        prepared.tokens,
        prepared.dataset.len(),
        args.out.display(),
        prepared.left_over,
    );
    Ok(())
}

async fn fetch(global: &Global, args: FetchArgs) -> anyhow::Result<()> {
    let at = global.node().await?.finalized().await?;
    let round = find_round(&at, &args).await?;
    let recorded = &round.dataset;
    let local = Datasets::new(&global.home()?, Vec::new());
    let shards: Vec<u32> = (0..recorded.shards).collect();
    let found = datasets::find(&local, recorded, &shards).await?;
    let dataset = match found {
        Some(dataset) => dataset,
        None => {
            let participants = round.participants().copied().collect();
            let peers = datasets::peers(&at, recorded, &participants, None).await?;
            let fetcher = artefacts::fetcher(&peers).await?;
            let fetch_shards = async {
                // The list of the shards says how much there is to fetch.
                let listed = datasets::fetch(&fetcher, &local, recorded, &[], &peers, |_| ());
                let bar = bar("Fetching the dataset", listed.await?.manifest().bytes());
                let told = |bytes| bar.inc(bytes);
                let fetched =
                    datasets::fetch(&fetcher, &local, recorded, &shards, &peers, told).await;
                bar.finish_and_clear();
                fetched
            };
            let fetched = fetch_shards.await;
            fetcher.shutdown().await;
            fetched?
        }
    };
    println!(
        "{:?} is in {}",
        dataset.root(),
        dataset.directory().display()
    );
    Ok(())
}

/// The open round of the programme whose dataset is asked for.
async fn find_round(at: &At, args: &FetchArgs) -> anyhow::Result<Round> {
    if let Some(family) = args.family.map(FamilyId) {
        let round = at.open_round(family).await?;
        return round.with_context(|| format!("family {family} is not trained"));
    }
    let prefix = args.root.as_deref().unwrap_or_default();
    let wanted = prefix.trim_start_matches("0x").to_lowercase();
    let mut rounds = Vec::<Round>::new();
    for family in at.trained_families().await? {
        rounds.extend(at.open_round(family).await?);
    }
    rounds.retain(|round| hex::encode(round.dataset.root).starts_with(&wanted));
    rounds.sort_by_key(|round| round.dataset.root);
    rounds.dedup_by_key(|round| round.dataset.root);
    let roots: Vec<_> = rounds
        .iter()
        .map(|round| format!("{:?}", round.dataset.root))
        .collect();
    match (rounds.pop(), &roots[..]) {
        (Some(round), [_]) => Ok(round),
        (None, _) => bail!("no programme trains on a dataset whose root begins with `{prefix}`"),
        _ => bail!(
            "several programmes train, on different datasets; name one of {}",
            roots.join(", ")
        ),
    }
}

fn show(dataset: &Dataset) {
    let manifest = dataset.manifest();
    let sequences: u64 = manifest.shards.iter().map(|s| u64::from(s.sequences)).sum();
    let recorded = dataset.recorded();
    println!("root             {:?}", manifest.root);
    println!("manifest         {:?}", recorded.manifest);
    println!("source           {}", manifest.source);
    println!("licence          {}", manifest.licence);
    println!("tokenizer        {:?}", manifest.tokenizer_hash);
    println!("shards           {}", manifest.shards.len());
    println!(
        "sequences        {sequences} of {} tokens",
        manifest.sequence_length
    );
    println!("shard tokens     {}", recorded.shard_tokens);
    println!("bytes            {}", manifest.bytes());
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn bar(message: &'static str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg:28} {bar:30} {decimal_bytes:>9}/{decimal_total_bytes:9} {eta}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(bytes).with_style(style);
    bar.with_message(message)
}
