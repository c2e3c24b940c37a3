//! `noema-worker train`: rounds on one machine, without a chain.

use super::values::within;
use super::{device::DeviceArgs, progress::Lines, Global};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use noema_model::dataset::OpenDataset;
use noema_training::{
    rounds::{RoundReport, RoundsEvent, RoundsOptions, RoundsReport, Run},
    TrainingOptions,
};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// Checkpoint to start from, by its folder or a prefix of its id.
    #[arg(long)]
    checkpoint: String,
    /// Dataset to train on, by its folder; see `noema-worker dataset prepare`.
    #[arg(long, value_name = "FOLDER")]
    dataset: PathBuf,
    /// Rounds to run; with --state, including those that are already over.
    #[arg(long, default_value_t = 4, value_parser = within(RoundsOptions::ROUNDS))]
    rounds: u32,
    /// Trainers in each round.
    #[arg(long, default_value_t = 1, value_parser = within(RoundsOptions::TRAINERS))]
    trainers: u32,
    /// Shards for each trainer in a round.
    #[arg(long, default_value_t = 1, value_parser = within(RoundsOptions::SHARDS))]
    shards: u32,
    /// Evaluation shards, on which the loss is measured and no trainer trains.
    #[arg(
        long,
        default_value_t = 2,
        value_parser = within(RoundsOptions::EVALUATION_SHARDS),
        value_name = "SHARDS",
    )]
    evaluation_shards: u32,
    /// Dense averaging: average the trainers' changes without compression, as a baseline for compression.
    #[arg(long)]
    dense: bool,
    /// Judge contributions as validators do: refuse those that do not lower the loss, and weight the others
    /// by how much they lower it.
    #[arg(long, conflicts_with = "dense")]
    judge: bool,
    #[command(flatten)]
    training: TrainingArgs,
    /// State of the run, a folder: with the same options, a run that was stopped or killed resumes from
    /// there, and one that ended continues with more --rounds [default: none; nothing is kept].
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Training options of each trainer.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(super) struct TrainingArgs {
    /// Local steps of AdamW in a round.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().steps,
        value_parser = within(TrainingOptions::STEPS),
    )]
    steps: u32,
    /// Batch size: sequences in a step.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().batch,
        value_parser = within(TrainingOptions::BATCH),
        value_name = "SEQUENCES",
    )]
    batch: u32,
    /// Micro-batch size: sequences that go through the model together; fewer take less memory [default:
    /// all of a batch].
    #[arg(long, value_parser = within(TrainingOptions::TOGETHER), value_name = "SEQUENCES")]
    together: Option<u32>,
    /// Learning rate at its peak, such as 0.002 or 3e-4.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().learning_rate,
        value_parser = within(TrainingOptions::LEARNING_RATE),
        value_name = "RATE",
    )]
    learning_rate: f64,
    /// Warm-up, in steps from the first round on, in which the learning rate rises to its peak.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().warmup,
        value_parser = within(TrainingOptions::WARMUP),
        value_name = "STEPS",
    )]
    warmup: u64,
    /// Horizon, in steps from the first round on, at which the learning rate has fallen along a cosine to
    /// its --floor; 0 keeps it at its peak [default: `noema-worker train`: the last step of --rounds, and of
    /// the first run with the same --state; `noema-worker run`: the last step of 16 rounds].
    #[arg(long, value_parser = within(TrainingOptions::HORIZON), value_name = "STEPS")]
    horizon: Option<u64>,
    /// Final learning rate, from the horizon on, as a fraction of its peak.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().floor,
        value_parser = within(TrainingOptions::FLOOR),
        value_name = "FRACTION",
    )]
    floor: f64,
    /// Weight decay of AdamW, for all weights but gains.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().weight_decay,
        value_parser = within(TrainingOptions::WEIGHT_DECAY),
        value_name = "RATE",
    )]
    weight_decay: f32,
    /// Gradient clipping: the largest norm of all gradients together.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().clip,
        value_parser = within(TrainingOptions::CLIP),
        value_name = "NORM",
    )]
    clip: f32,
    /// Beta 1: decay of AdamW's first moment in a step.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().beta_1,
        value_parser = within(TrainingOptions::BETA),
        value_name = "DECAY",
    )]
    beta_1: f32,
    /// Beta 2: decay of AdamW's second moment in a step.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().beta_2,
        value_parser = within(TrainingOptions::BETA),
        value_name = "DECAY",
    )]
    beta_2: f32,
    /// Seed for the order of the data.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().seed,
        value_parser = within(0..=u64::MAX),
    )]
    seed: u64,
    /// Tensors to train, such as `layers.29.*` or `*norm`. May be given several times [default: all].
    #[arg(long, value_name = "NAME")]
    tensor: Vec<String>,
    /// Density of updates: the most entries of a chunk of 4,096 weights. In rounds on chain, the programme's
    /// rules determine it instead.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().entries,
        value_parser = within(TrainingOptions::ENTRIES),
    )]
    entries: u16,
    /// Error feedback: fraction of the residual, the changes that were not sent, that is carried over to the
    /// next round.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().carry,
        value_parser = within(TrainingOptions::CARRY),
        value_name = "FRACTION",
    )]
    carry: f32,
    /// Save interval, in steps, at which a trainer saves its state, from which it resumes after it was
    /// killed.
    #[arg(
        long,
        default_value_t = TrainingOptions::default().save_every,
        value_parser = within(TrainingOptions::SAVE_EVERY),
        value_name = "STEPS",
    )]
    save_every: u32,
}

impl TrainingArgs {
    /// The options for trainers, for this many rounds.
    pub(super) fn options(&self, rounds: u32) -> TrainingOptions {
        let horizon = TrainingOptions::default_horizon(rounds, self.steps, self.warmup);
        TrainingOptions {
            steps: self.steps,
            batch: self.batch,
            together: self.together.unwrap_or(self.batch),
            learning_rate: self.learning_rate,
            warmup: self.warmup,
            horizon: self.horizon.unwrap_or(horizon),
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

impl TrainArgs {
    /// The options of the run.
    fn options(&self) -> RoundsOptions {
        RoundsOptions {
            rounds: self.rounds,
            trainers: self.trainers,
            shards: self.shards,
            evaluation_shards: self.evaluation_shards,
            training: self.training.options(self.rounds),
            default_horizon: self.training.horizon.is_none(),
            dense: self.dense,
            judged: self.judge,
            state: self.state.clone(),
        }
    }
}

pub(super) async fn train(global: &Global, args: TrainArgs) -> anyhow::Result<()> {
    let checkpoint = global.open_checkpoint(&args.checkpoint)?;
    let dataset = OpenDataset::open(&args.dataset)?;
    let asked = args.options();
    let horizon = asked.training.horizon;
    let run = Run::prepare(checkpoint, &dataset, asked)?;
    let options = run.options().clone();
    if options.training.horizon != horizon {
        eprintln!("{}", kept_horizon(&options, horizon));
    }
    let device = args.device.options().select()?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let home = global.home()?;
    let bar = bar(u64::from(options.training.steps));
    let lines = Lines::beside(&bar);
    let ran = tokio::task::block_in_place(|| {
        run.run(&device, &home, &mut |event| {
            tell(&bar, &lines, &event, args.json);
            if stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    });
    bar.finish_and_clear();
    let report = ran?;
    if args.json {
        let value = serde_json::json!({
            "trainers": options.trainers,
            "dense": options.dense,
            "judged": options.judged,
            "device": device.to_string(),
            "training": options.training,
            "peak_memory_bytes": noema_model::memory::peak_bytes(),
            "report": report,
        });
        super::print_json(&value)?;
    } else {
        summarise(&report);
    }
    Ok(())
}

/// A note on the learning rate when rounds continue with the horizon in the state instead of `default`, their
/// last step.
fn kept_horizon(options: &RoundsOptions, default: u64) -> String {
    let training = &options.training;
    let rate = training.rate(u64::MAX);
    let (kept, last) = (
        training.horizon,
        u64::from(options.rounds) * u64::from(training.steps),
    );
    let course = match kept {
        0 => format!("the learning rate stays at its peak, {rate}"),
        _ => format!("the learning rate is {rate} from step {kept} on, up to the last, {last}"),
    };
    format!(
        "these rounds keep the horizon of the state, so {course}; for another schedule, start again with \
         --horizon {default} and another --state"
    )
}

fn tell(bar: &ProgressBar, lines: &Lines, event: &RoundsEvent<'_>, json: bool) {
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
            let (who, loss) = (format!("round {round}, trainer {}", trainer + 1), step.loss);
            let all = bar.length().unwrap_or_default();
            lines.say(|| format!("{who}: {} of {all} steps, loss {loss:.3}", step.done));
            bar.set_message(who);
            bar.set_position(u64::from(step.done));
            bar.set_prefix(format!("{loss:.3}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_the_learning_rate_is_said() {
        let mut options = RoundsOptions {
            rounds: 8,
            trainers: 1,
            shards: 1,
            evaluation_shards: 2,
            training: TrainingOptions {
                steps: 25,
                horizon: 100,
                learning_rate: 0.002,
                floor: 0.5,
                ..Default::default()
            },
            default_horizon: true,
            dense: false,
            judged: false,
            state: None,
        };
        let falls = kept_horizon(&options, 200);
        assert!(
            falls.contains("is 0.001 from step 100 on, up to the last, 200"),
            "{falls}"
        );
        assert!(falls.contains("--horizon 200"), "{falls}");
        options.training.horizon = 0;
        let stays = kept_horizon(&options, 200);
        assert!(stays.contains("stays at its peak, 0.002"), "{stays}");
    }
}
