//! `noema-worker programme follow`.

use super::chart;
use crate::chain::{At, ChainError};
use crate::cli::Global;
use crate::keys::address;
use crate::rounds::Round;
use anyhow::bail;
use clap::Args;
use noema_protocol::{FamilyId, RoundId};
use noema_rounds::{Outcome, Phase, Refusal, Rejection, Ruling};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// How often the chain is looked at.
const PAUSE: Duration = Duration::from_millis(500);
/// Units of a loss in a bit.
const BIT: f64 = 65_536.0;

#[derive(Debug, Args)]
pub(in crate::cli) struct FollowArgs {
    /// Number of the family.
    #[arg(long, default_value_t = 0)]
    family: u32,
    /// Go on until so many more rounds have ended [default: show those that have ended].
    #[arg(long, value_name = "ROUNDS")]
    rounds: Option<u32>,
    /// Draw the loss of each canonical checkpoint into this SVG file.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Fail unless a round ended with a checkpoint whose loss is lower than its parent's.
    #[arg(long)]
    require_lower_loss: bool,
    /// Print one JSON object for each round.
    #[arg(long)]
    json: bool,
}

/// A round that ended.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    round: u64,
    parent: String,
    /// Bits a token on the evaluation shards, which differ from round to round.
    parent_loss: Option<f64>,
    /// The same of the next checkpoint.
    loss: Option<f64>,
    contributions: Vec<Judged>,
    outcome: String,
    checkpoint: Option<String>,
}

/// A contribution and what was decided of it.
#[derive(Debug, Serialize)]
struct Judged {
    trainer: String,
    bytes: Option<u32>,
    /// Bits a token on the evaluation shards, by the first validator's word.
    loss: Option<f64>,
    weight: Option<u32>,
    ruling: String,
}

pub(super) async fn follow(global: &Global, args: FollowArgs) -> anyhow::Result<()> {
    let node = global.node().await?;
    let family = FamilyId(args.family);
    let mut shown: Vec<RoundId> = Vec::new();
    let mut ended = Vec::new();
    let mut phase = None;
    let mut left = args.rounds;
    if left.is_some() {
        shown = node.finalized().await?.closed_rounds(family).await?;
    }
    loop {
        let at = node.finalized().await?;
        for id in at.closed_rounds(family).await? {
            if shown.contains(&id) {
                continue;
            }
            shown.push(id);
            let Some(round) = at.round(id).await? else {
                continue;
            };
            let summary = Ended::of(&round);
            if args.json {
                println!("{}", serde_json::to_string(&summary)?);
            } else {
                summary.print();
            }
            ended.push(summary);
            left = left.map(|left| left.saturating_sub(1));
        }
        if let Some(path) = args.chart.as_ref().filter(|_| !ended.is_empty()) {
            chart::draw(path, &losses(&ended))?;
        }
        if left.is_none_or(|left| left == 0) {
            break;
        }
        if !args.json {
            tell_phase(&at, family, &mut phase).await?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let is_lower = ended.iter().any(|round: &Ended| round.checkpoint.is_some());
    if args.require_lower_loss && !is_lower {
        bail!("no round ended with a new checkpoint");
    }
    Ok(())
}

/// Says on standard error which phase the open round is in, when that is news.
async fn tell_phase(
    at: &At,
    family: FamilyId,
    told: &mut Option<(RoundId, Phase<u32>)>,
) -> Result<(), ChainError> {
    let Some(round) = at.open_round(family).await? else {
        return Ok(());
    };
    let now = Some((round.id, round.phase));
    if *told == now {
        return Ok(());
    }
    *told = now;
    let what = match round.phase {
        Phase::Registering { .. } => "is open to join".to_owned(),
        Phase::Training { .. } => format!("{} trainers train", round.trainers.len()),
        Phase::Revealing { .. } => "contributions are revealed".to_owned(),
        Phase::Scoring { .. } => format!("{} validators score", round.seats().count()),
        Phase::ScoreRevealing { .. } => "scores are revealed".to_owned(),
        Phase::Claiming { .. } => "validators compute the next checkpoint".to_owned(),
        Phase::Objectable { .. } => "validators may object".to_owned(),
        Phase::Holding { .. } => "operators fetch the next checkpoint".to_owned(),
        Phase::Closed(_) => return Ok(()),
    };
    eprintln!("round {}: {what}", round.id);
    Ok(())
}

/// Where the canonical checkpoint's loss was before and after each round, by the round's number.
fn losses(ended: &[Ended]) -> Vec<(u64, f64, f64)> {
    ended
        .iter()
        .filter_map(|round| {
            let before = round.parent_loss?;
            let after = match round.checkpoint {
                Some(_) => round.loss?,
                None => before,
            };
            Some((round.round, before, after))
        })
        .collect()
}

impl Ended {
    fn of(round: &Round) -> Self {
        let tokens = round.evaluation_tokens().max(1) as f64;
        let bits = |loss: u64| loss as f64 / BIT / tokens;
        let sheet = round.seats().find_map(|seat| seat.sheet.as_ref());
        let mut contributions = Vec::new();
        for (place, trainer) in round.contributors().into_iter().enumerate() {
            let found = sheet.and_then(|sheet| sheet.findings.get(place).copied());
            contributions.push(Judged {
                trainer: address(&trainer.account),
                bytes: trainer.contribution.map(|contribution| contribution.bytes),
                loss: match found {
                    Some(noema_rounds::Finding::Scored { evaluation, .. }) => {
                        Some(bits(evaluation))
                    }
                    _ => None,
                },
                weight: match trainer.ruling {
                    Some(Ruling::Accepted { weight }) => Some(weight),
                    _ => None,
                },
                ruling: ruling(trainer.ruling).to_owned(),
            });
        }
        for trainer in &round.trainers {
            if trainer.contribution.is_none() {
                contributions.push(Judged {
                    trainer: address(&trainer.account),
                    bytes: None,
                    loss: None,
                    weight: None,
                    ruling: match trainer.commitment {
                        Some(_) => "never revealed",
                        None => "never committed",
                    }
                    .to_owned(),
                });
            }
        }
        let checkpoint = match round.outcome() {
            Some(Outcome::Promoted(checkpoint)) => Some(checkpoint.to_string()),
            _ => None,
        };
        Self {
            round: round.id.0,
            parent: round.parent.to_string(),
            parent_loss: round.parent_loss.map(bits),
            loss: round.claim.map(|claim| bits(claim.loss)),
            contributions,
            outcome: outcome(round.outcome()).to_owned(),
            checkpoint,
        }
    }

    fn print(&self) {
        let show = |loss: Option<f64>| loss.map_or("-".to_owned(), |loss| format!("{loss:.4}"));
        println!(
            "round {:>3}  loss {} -> {} bits a token  {}",
            self.round,
            show(self.parent_loss),
            show(self.loss),
            self.outcome
        );
        for judged in &self.contributions {
            println!(
                "    {}  loss {:>7}  {:>8} bytes  weight {:>6}  {}",
                judged.trainer,
                show(judged.loss),
                judged
                    .bytes
                    .map_or("-".to_owned(), |bytes| bytes.to_string()),
                judged
                    .weight
                    .map_or("-".to_owned(), |weight| weight.to_string()),
                judged.ruling
            );
        }
        if let Some(checkpoint) = &self.checkpoint {
            println!("    checkpoint {checkpoint} is canonical");
        }
    }
}

fn ruling(ruling: Option<Ruling>) -> &'static str {
    match ruling {
        None => "not decided",
        Some(Ruling::Accepted { .. }) => "accepted",
        Some(Ruling::Refused(refusal)) => match refusal {
            Refusal::Undecided => "refused: the validators did not agree",
            Refusal::Unavailable => "refused: nobody served it",
            Refusal::Malformed => "refused: it is no update of the parent",
            Refusal::Copy => "refused: a copy of an earlier one",
            Refusal::DoesNotHelp => "refused: the loss is not lower with it",
            Refusal::NotOnAssigned => "refused: not trained on its shards",
        },
    }
}

fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "open",
        Some(Outcome::Promoted(_)) => "promoted",
        Some(Outcome::Rejected(rejection)) => match rejection {
            Rejection::TooFewTrainers => "rejected: too few trainers joined",
            Rejection::TooFewContributions => "rejected: too few contributions",
            Rejection::NoValidators => "rejected: no validator joined",
            Rejection::NoScores => "rejected: no scores prevailed",
            Rejection::NothingAccepted => "rejected: nothing was accepted",
            Rejection::NoClaim => "rejected: no claim prevailed",
            Rejection::LossNotLower => "rejected: the loss is not lower",
            Rejection::TooFewHolders => "rejected: too few hold the checkpoint",
            Rejection::ParentReplaced => "rejected: the parent is not canonical any more",
            Rejection::Stopped => "rejected: the programme was stopped",
        },
    }
}
