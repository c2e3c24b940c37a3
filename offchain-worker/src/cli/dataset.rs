//! `noema-worker dataset`.

use super::fetch::WAIT;
use super::progress::Progress;
use super::signals::stop_at_signal;
use super::values::within;
use super::Global;
use crate::artefacts::datasets;
use crate::chain::At;
use crate::roles::rounds::Round;
use anyhow::{bail, Context};
use clap::{Args, Subcommand};
use noema_model::checkpoint::TOKENIZER;
use noema_model::dataset::shard::{LENGTHS, MOST_SEQUENCES};
use noema_model::dataset::{input_bytes, prepare, Datasets, OpenDataset, PrepareOptions};
use noema_model::printable::one_line;
use noema_protocol::FamilyId;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum DatasetCommand {
    /// Turn text into shards of tokens, and print the root of the dataset.
    Prepare(PrepareArgs),
    /// Fetch the dataset of a programme from other operators, with all of its shards.
    Fetch(FetchArgs),
    /// Show a dataset's manifest.
    Show {
        /// Dataset, by its folder.
        dataset: PathBuf,
        /// Print the manifest as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Hash every shard and compare it with the manifest, and the shards with the root.
    Verify {
        /// Dataset, by its folder.
        dataset: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    /// Texts: files of plain text, or of JSON lines with --text-field, in UTF-8. Each text file or line of
    /// JSON is a document.
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Folder to create for the dataset.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Checkpoint whose family the dataset is for, by its folder or a prefix of its id; needed unless
    /// --tokenizer is given.
    #[arg(long, required_unless_present = "tokenizer")]
    checkpoint: Option<String>,
    /// Tokenizer of the family, its tokenizer.json, instead of --checkpoint.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    tokenizer: Option<PathBuf>,
    /// Field of a JSON object that holds a document: the texts are JSON lines [default: they are plain
    /// text].
    #[arg(long, value_name = "NAME")]
    text_field: Option<String>,
    /// Sequence length, in tokens; at most the context length of the checkpoint.
    #[arg(
        long,
        default_value_t = PrepareOptions::default().sequence_length,
        value_parser = within(LENGTHS),
        value_name = "TOKENS",
    )]
    sequence_length: u32,
    /// Shard size, in sequences; a shard has at most 256 MiB, at four bytes a token.
    #[arg(
        long,
        default_value_t = PrepareOptions::default().shard_sequences,
        value_parser = within(1..=MOST_SEQUENCES),
        value_name = "SEQUENCES",
    )]
    shard_sequences: u32,
    /// Separator: the token to put between documents [default: <|endoftext|>, or none if the tokenizer
    /// has no such token].
    #[arg(long, value_name = "TOKEN")]
    separator: Option<String>,
    /// Source of the text to record, such as a URL [default: the names of the files].
    #[arg(long)]
    source: Option<String>,
    /// Licence of the text to record, such as CC0-1.0.
    #[arg(long)]
    licence: String,
}

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// Root of the dataset, or a prefix of it [default: that of the only dataset of all programmes].
    root: Option<String>,
    /// Family that is trained on the dataset, by number, instead of the root.
    #[arg(long, conflicts_with = "root", value_parser = within(0..=u32::MAX))]
    family: Option<u32>,
}

pub(super) async fn dataset(global: &Global, command: DatasetCommand) -> anyhow::Result<()> {
    match command {
        DatasetCommand::Prepare(args) => make(global, args),
        DatasetCommand::Fetch(args) => fetch(global, args).await,
        DatasetCommand::Show { dataset, json } => {
            let dataset = OpenDataset::open(&dataset)?;
            if json {
                super::print_json(dataset.manifest())?;
            } else {
                show(&dataset);
            }
            Ok(())
        }
        DatasetCommand::Verify { dataset } => {
            let dataset = OpenDataset::open(&dataset)?;
            let bar = Progress::of_bytes("Verifying the shards", dataset.manifest().bytes());
            let result = dataset.verify(&|bytes| bar.add(bytes));
            bar.finish();
            result?;
            println!("{:?} matches its manifest", dataset.root());
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
    let bar = Progress::of_bytes("Splitting into tokens", input_bytes(&args.inputs)?);
    let prepared = prepare(&args.inputs, &tokenizer, &args.out, &options, &|bytes| {
        bar.add(bytes);
    });
    bar.finish();
    let prepared = prepared.context("no dataset was made")?;
    println!("{:?}", prepared.dataset.root());
    eprintln!(
        "{} tokens in {} shards in {}; {} tokens at the end did not fill a sequence and are left out",
        prepared.tokens,
        prepared.dataset.len(),
        args.out.display(),
        prepared.left_over,
    );
    warn_of_repeated_shards(&prepared.dataset);
    Ok(())
}

/// Warns if shards of `dataset` are equal: a round may train on one of them and be judged on another.
pub(super) fn warn_of_repeated_shards(dataset: &OpenDataset) {
    let repeated = dataset.manifest().repeated();
    if repeated > 0 {
        eprintln!(
            "warning: {repeated} of the {} shards are equal to an earlier one, so trainers can train on what they \
             are judged on; remove repetitions from the text and prepare it again",
            dataset.len(),
        );
    }
}

async fn fetch(global: &Global, args: FetchArgs) -> anyhow::Result<()> {
    let node = global.node().await?;
    let at = node.finalized().await?;
    let round = find_round(&at, &args).await?;
    let recorded = &round.dataset;
    let local = Datasets::new(&global.home()?, Vec::new());
    let shards: Vec<u32> = (0..recorded.shards).collect();
    let found = datasets::find(&local, recorded, &shards).await?;
    let dataset = match found {
        Some(dataset) => dataset,
        None => {
            let participants = round.participants().copied().collect();
            let bar = Progress::of_bytes("Fetching the dataset", 0);
            let told = |here, all| bar.set(here, all);
            let mut stop = stop_at_signal();
            let stopped = crate::stopped(&mut stop);
            let fetched =
                datasets::fetch_alone(&node, &local, recorded, &participants, told, WAIT, stopped);
            let fetched = fetched.await;
            bar.finish();
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

/// The open round of the programme with the requested dataset.
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
            "several programmes train on different datasets; name one of {}",
            roots.join(", ")
        ),
    }
}

fn show(dataset: &OpenDataset) {
    let manifest = dataset.manifest();
    let sequences: u64 = manifest.shards.iter().map(|s| u64::from(s.sequences)).sum();
    let recorded = dataset.recorded();
    println!("root             {:?}", manifest.root);
    println!("manifest         {:?}", recorded.manifest);
    println!("source           {}", one_line(&manifest.source));
    println!("licence          {}", one_line(&manifest.licence));
    println!("tokenizer        {:?}", manifest.tokenizer_hash);
    println!(
        "shards           {}, {} of them equal to an earlier one",
        manifest.shards.len(),
        manifest.repeated()
    );
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
