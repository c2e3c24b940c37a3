//! `noema-worker train`: rounds on one machine, without a chain.

use super::{device::DeviceArgs, Global};
use crate::dataset::Dataset;
use crate::training::{
    rounds::{self, RoundReport, RoundsEvent, RoundsOptions, RoundsReport},
    Sabotage, TrainingOptions,
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// The checkpoint to start from, by its folder or the beginning of its id.
    #[arg(long)]
    checkpoint: String,
    /// Folder of the dataset; see `noema-worker dataset prepare`.
    #[arg(long, value_name = "FOLDER")]
    dataset: PathBuf,
    /// Rounds to run.
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Trainers that take part in each round.
    #[arg(long, default_value_t = 1)]
    trainers: u32,
    /// Shards that each trainer has in a round.
    #[arg(long, default_value_t = 1)]
    shards: u32,
    /// Shards that nobody trains on and the loss is taken on.
    #[arg(long, default_value_t = 2, value_name = "SHARDS")]
    evaluation_shards: u32,
    /// Average what the trainers changed without compressing it, to compare compression with.
    #[arg(long)]
    dense: bool,
    /// Judge contributions as validators do: refuse those that do not help, and weigh the others by how
    /// much they do.
    #[arg(long, conflicts_with = "dense")]
    judge: bool,
    /// The last trainer spoils its contributions in this way, to see that --judge stands it.
    #[arg(long, value_enum, value_name = "HOW", conflicts_with = "dense")]
    sabotage: Option<Sabotage>,
    #[command(flatten)]
    training: TrainingArgs,
    /// Folder for the trainers' states, from which a run that was stopped or killed goes on: give
    /// the same options again.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// How each trainer trains.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(super) struct TrainingArgs {
    /// Steps of a round.
    #[arg(long, default_value_t = TrainingOptions::default().steps)]
    steps: u32,
    /// Sequences of a step.
    #[arg(long, default_value_t = TrainingOptions::default().batch)]
    batch: u32,
    /// Sequences that go through the model together [default: all of a step].
    #[arg(long)]
    together: Option<u32>,
    /// Largest learning rate.
    #[arg(long, default_value_t = TrainingOptions::default().learning_rate)]
    learning_rate: f64,
    /// Steps in which the learning rate rises to its largest.
    #[arg(long, default_value_t = TrainingOptions::default().warmup)]
    warmup: u64,
    /// Step at which the learning rate has fallen along a cosine; 0 for never [default: the last].
    #[arg(long)]
    horizon: Option<u64>,
    /// Learning rate at the end, as a part of the largest.
    #[arg(long, default_value_t = TrainingOptions::default().floor)]
    floor: f64,
    /// Weight decay.
    #[arg(long, default_value_t = TrainingOptions::default().weight_decay)]
    weight_decay: f32,
    /// Largest norm of the gradients.
    #[arg(long, default_value_t = TrainingOptions::default().clip)]
    clip: f32,
    /// Decay of AdamW's first moment.
    #[arg(long, default_value_t = TrainingOptions::default().beta_1)]
    beta_1: f32,
    /// Decay of AdamW's second moment.
    #[arg(long, default_value_t = TrainingOptions::default().beta_2)]
    beta_2: f32,
    /// What the order of the data follows from.
    #[arg(long, default_value_t = TrainingOptions::default().seed)]
    seed: u64,
    /// Train these tensors alone, such as `layers.29.*` or `*norm` [default: all].
    #[arg(long, value_name = "NAME")]
    tensor: Vec<String>,
    /// Most entries of a chunk of 4,096 weights in an update.
    #[arg(long, default_value_t = TrainingOptions::default().entries)]
    entries: u16,
    /// Part of what was not sent that the next round tries to send.
    #[arg(long, default_value_t = TrainingOptions::default().carry)]
    carry: f32,
    /// Steps after which a trainer saves its state, from which it goes on when it was killed.
    #[arg(long, default_value_t = TrainingOptions::default().save_every, value_name = "STEPS")]
    save_every: u32,
}

impl TrainingArgs {
    /// As trainers take them, for so many rounds.
    pub(super) fn options(&self, rounds: u32) -> TrainingOptions {
        let last = u64::from(rounds) * u64::from(self.steps);
        TrainingOptions {
            steps: self.steps,
            batch: self.batch,
            together: self.together.unwrap_or(self.batch),
            learning_rate: self.learning_rate,
            warmup: self.warmup,
            horizon: self.horizon.unwrap_or(last),
            floor: self.floor,
            weight_decay: self.weight_decay,
            clip: self.clip,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            seed: self.seed,
            tensors: self.tensor.clone(),
            entries: self.entries,
            carry: self.carry,
            save_every: self.save_every,
            ..Default::default()
        }
    }
}

pub(super) async fn train(global: &Global, args: TrainArgs) -> anyhow::Result<()> {
    let checkpoint = global.open_checkpoint(&args.checkpoint)?;
    let dataset = Dataset::open(&args.dataset)?;
    let device = args.device.options().select()?;
    let options = RoundsOptions {
        rounds: args.rounds,
        trainers: args.trainers,
        shards: args.shards,
        evaluation_shards: args.evaluation_shards,
        training: args.training.options(args.rounds),
        dense: args.dense,
        judged: args.judge,
        sabotage: args.sabotage,
        state: args.state,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let home = global.home()?;
    let bar = bar(u64::from(options.training.steps));
    let ran = tokio::task::block_in_place(|| {
        rounds::run(
            checkpoint,
            &dataset,
            &device,
            &home,
            &options,
            &mut |event| {
                tell(&bar, &event, args.json);
                if stop.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
    });
    bar.finish_and_clear();
    let report = ran?;
    if args.json {
        let value = serde_json::json!({
            "trainers": options.trainers,
            "dense": options.dense,
            "judged": options.judged,
            "sabotage": options.sabotage,
            "device": device.to_string(),
            "training": options.training,
            "peak_memory_bytes": crate::memory::peak_bytes(),
            "report": report,
        });
        println!("{}", serde_json::to_string_pretty(&value)?);
    } else {
        summarise(&report);
    }
    Ok(())
}

fn tell(bar: &ProgressBar, event: &RoundsEvent<'_>, json: bool) {
    match event {
        RoundsEvent::Start(loss) if !json => bar.suspend(|| {
            println!("round    loss  trainers: before -> after                    s  checkpoint");
            println!("{:>5}  {loss:>6.3}", 0);
        }),
        RoundsEvent::Step {
            round,
            trainer,
            step,
        } => {
            bar.set_message(format!("round {round}, trainer {}", trainer + 1));
            bar.set_position(u64::from(step.done));
            bar.set_prefix(format!("{:.3}", step.loss));
        }
        RoundsEvent::Round(report) if !json => bar.suspend(|| row(report)),
        _ => {}
    }
}

fn row(report: &RoundReport) {
    let own: Vec<String> = report
        .contributions
        .iter()
        .map(|c| {
            let refused = c.refused.as_ref();
            let refused = refused.map_or(String::new(), |why| format!(" (refused: {why})"));
            format!("{:.3} -> {:.3}{refused}", c.loss_before, c.loss_after)
        })
        .collect();
    println!(
        "{:>5}  {:>6.3}  {:<32} {:>8.1}  {}",
        report.round,
        report.loss,
        own.join(", "),
        report.training_seconds,
        report.checkpoint
    );
}

fn summarise(report: &RoundsReport) {
    let last = report.rounds.last();
    println!(
        "loss in bits a token over {} tokens: {:.3} -> {:.3}",
        report.evaluation_tokens,
        report.loss_at_start,
        last.map_or(report.loss_at_start, |round| round.loss)
    );
    println!(
        "{} weights trained, contributions {:.0} times smaller than a float for each",
        report.trained_weights, report.compression
    );
}

fn bar(steps: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:28} {bar:30} {pos}/{len} steps, loss {prefix} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}
