//! `noema-worker programme follow`.

use super::books::Books;
use super::chart;
use super::standings::{Standings, Tally};
use crate::chain::types::Balance;
use crate::chain::{At, ChainError, Epoch};
use crate::cli::money::Token;
use crate::cli::values::within;
use crate::cli::Global;
use crate::keys::address;
use crate::roles::rounds::Round;
use anyhow::bail;
use clap::Args;
use noema_protocol::{FamilyId, PerWork, RoundId};
use noema_rounds::{Phase, Refusal, Rejection, RoundOutcome, Ruling};
use noema_training::rounds::RoundsOptions;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// The interval of reading the chain.
const PAUSE: Duration = Duration::from_millis(500);
/// Units of a loss in a bit.
const BIT: f64 = 65_536.0;

#[derive(Debug, Args)]
pub(in crate::cli) struct FollowArgs {
    /// Family, by its number.
    #[arg(long, default_value_t = 0, value_parser = within(0..=u32::MAX))]
    family: u32,
    /// Rounds to wait for: follow until that many more have ended, then show the standings of each operator
    /// that took part [default: none; show the rounds that have ended].
    #[arg(long, value_parser = within(RoundsOptions::ROUNDS), value_name = "ROUNDS")]
    rounds: Option<u32>,
    /// Chart to draw, an SVG file: the loss of each canonical checkpoint [default: none].
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Fail unless a round ended with a checkpoint whose loss is lower than its parent's.
    #[arg(long)]
    require_lower_loss: bool,
    /// Print one line with a JSON object for each round, and with --rounds one with the `standings` of all
    /// operators; amounts are in the smallest unit.
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
    /// The same for the next checkpoint.
    loss: Option<f64>,
    contributions: Vec<Judged>,
    outcome: String,
    checkpoint: Option<String>,
    /// The epoch whose subsidy pays for the round; `None` if it is unknown.
    epoch: Option<u32>,
    /// Whether that epoch is over. If not, rewards are as if it ended now.
    epoch_closed: bool,
}

/// A contribution and its ruling.
#[derive(Debug, Serialize)]
struct Judged {
    trainer: String,
    bytes: Option<u32>,
    /// Bits a token on the evaluation shards, according to the first validator with scores.
    loss: Option<f64>,
    weight: Option<u32>,
    ruling: String,
    /// Its reward, in the smallest unit; `None` if it is unknown.
    reward: Option<Balance>,
}

pub(super) async fn follow(global: &Global, args: FollowArgs) -> anyhow::Result<()> {
    let node = global.node().await?;
    let token = Token::of(&node).await?;
    let family = FamilyId(args.family);
    let mut shown: Vec<RoundId> = Vec::new();
    let mut ended = Vec::new();
    let mut phase = None;
    let mut left = args.rounds;
    let start = node.finalized().await?;
    if left.is_some() {
        shown = start.closed_rounds(family).await?;
    }
    let mut books = Books::open(start.number());
    let mut tally = Tally::default();
    let last = loop {
        let at = node.finalized().await?;
        books.read(&node, at.number()).await?;
        for id in at.closed_rounds(family).await? {
            if shown.contains(&id) {
                continue;
            }
            shown.push(id);
            let Some(round) = at.round(id).await? else {
                continue;
            };
            tally.count(&round);
            let epoch = match books.epoch_of(&node, &at, &round).await? {
                Some(epoch) => at.epoch(epoch).await?,
                None => None,
            };
            let summary = Ended::of(&round, epoch.as_ref());
            if args.json {
                println!("{}", serde_json::to_string(&summary)?);
            } else {
                summary.print(&token);
            }
            ended.push(summary);
            left = left.map(|left| left.saturating_sub(1));
        }
        if let Some(path) = args.chart.as_ref().filter(|_| !ended.is_empty()) {
            chart::draw(path, &losses(&ended))?;
        }
        if left.is_none_or(|left| left == 0) {
            break at;
        }
        if !args.json {
            tell_phase(&at, family, &mut phase).await?;
        }
        tokio::time::sleep(PAUSE).await;
    };
    if args.rounds.is_some() {
        let standings = Standings::read(&last, &books, &tally).await?;
        if args.json {
            println!("{}", serde_json::to_string(&standings)?);
        } else {
            standings.print(&token);
        }
    }
    let is_lower = ended.iter().any(|round: &Ended| round.checkpoint.is_some());
    if args.require_lower_loss && !is_lower {
        bail!("no round ended with a new checkpoint");
    }
    Ok(())
}

/// Prints a change of the open round's phase to standard error.
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

/// The number of each round, with the loss of the canonical checkpoint before and after it.
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
    /// The summary of a round, with rewards if its `epoch` is known.
    fn of(round: &Round, epoch: Option<&Epoch>) -> Self {
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
                reward: reward(round, trainer.ruling, epoch),
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
                    reward: Some(0),
                });
            }
        }
        let checkpoint = match round.outcome() {
            Some(RoundOutcome::Promoted(checkpoint)) => Some(checkpoint.to_string()),
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
            epoch: epoch.map(|epoch| epoch.number),
            epoch_closed: epoch.is_some_and(|epoch| epoch.is_closed),
        }
    }

    fn print(&self, token: &Token) {
        let mark = if self.epoch_closed { "" } else { "~" };
        let reward = |reward: Option<Balance>| match reward {
            None => "-".to_owned(),
            Some(0) => token.column(0),
            Some(amount) => format!("{mark}{}", token.column(amount)),
        };
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
                "    {}  loss {:>7}  {:>8} bytes  weight {:>6}  reward {:>12}  {}",
                judged.trainer,
                show(judged.loss),
                judged
                    .bytes
                    .map_or("-".to_owned(), |bytes| bytes.to_string()),
                judged
                    .weight
                    .map_or("-".to_owned(), |weight| weight.to_string()),
                reward(judged.reward),
                judged.ruling
            );
        }
        let brings = |judged: &Judged| judged.reward.is_some_and(|reward| reward > 0);
        let is_estimate = !self.epoch_closed && self.contributions.iter().any(brings);
        if let Some(epoch) = self.epoch.filter(|_| is_estimate) {
            println!(
                "    ~ {} if epoch {epoch} ended now; more work in it lowers each reward",
                token.symbol()
            );
        }
        if let Some(checkpoint) = &self.checkpoint {
            println!("    checkpoint {checkpoint} is canonical");
        }
    }
}

/// The reward of a contribution: zero unless it was accepted in a round that ended with a new checkpoint,
/// else its part of the epoch's subsidy for training.
fn reward(round: &Round, ruling: Option<Ruling>, epoch: Option<&Epoch>) -> Option<Balance> {
    match (round.outcome(), ruling) {
        (Some(RoundOutcome::Promoted(_)), Some(Ruling::Accepted { weight })) => {
            let work = PerWork {
                training: weight.into(),
                ..PerWork::default()
            };
            epoch.map(|epoch| epoch.reward(&work))
        }
        _ => Some(0),
    }
}

fn ruling(ruling: Option<Ruling>) -> &'static str {
    match ruling {
        None => "not decided",
        Some(Ruling::Accepted { .. }) => "accepted",
        Some(Ruling::Refused(refusal)) => match refusal {
            Refusal::Undecided => "refused: the validators did not agree",
            Refusal::Unavailable => "refused: no operator served it",
            Refusal::Malformed => "refused: it is not a valid update of the parent",
            Refusal::Copy => "refused: a copy of an earlier one",
            Refusal::DoesNotHelp => "refused: it does not lower the loss",
            Refusal::NotOnAssigned => "refused: not trained on its shards",
        },
    }
}

fn outcome(outcome: Option<RoundOutcome>) -> &'static str {
    match outcome {
        None => "open",
        Some(RoundOutcome::Promoted(_)) => "promoted",
        Some(RoundOutcome::Rejected(rejection)) => match rejection {
            Rejection::TooFewTrainers => "rejected: too few trainers joined",
            Rejection::TooFewContributions => "rejected: too few contributions",
            Rejection::NoValidators => "rejected: no validator joined",
            Rejection::NoScores => "rejected: no scores prevailed",
            Rejection::NothingAccepted => "rejected: nothing was accepted",
            Rejection::NoClaim => "rejected: no claim prevailed",
            Rejection::LossNotLower => "rejected: the loss is not lower",
            Rejection::TooFewHolders => "rejected: too few operators hold the checkpoint",
            Rejection::ParentReplaced => "rejected: the parent is no longer canonical",
            Rejection::Stopped => "rejected: the programme was stopped",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{round, HONEST, POISONER};
    use super::*;
    use crate::store::AccountBytes;
    use noema_protocol::CheckpointId;
    use sp_core::H256;

    fn epoch(is_closed: bool) -> Epoch {
        let all = |training| PerWork {
            training,
            ..PerWork::default()
        };
        Epoch {
            number: 7,
            is_closed,
            work: all(65_536),
            pools: all(1_000),
        }
    }

    /// The reward of an account's contribution.
    fn reward_of(ended: &Ended, account: &AccountBytes) -> Option<Balance> {
        let mut contributions = ended.contributions.iter();
        contributions
            .find(|judged| judged.trainer == address(account))
            .expect("it contributed")
            .reward
    }

    #[test]
    fn what_was_accepted_brings_its_part_and_what_was_refused_nothing() {
        let mut round = round();
        round.phase = Phase::Closed(RoundOutcome::Promoted(CheckpointId(H256::zero())));
        let ended = Ended::of(&round, Some(&epoch(false)));
        assert_eq!(reward_of(&ended, &HONEST), Some(500));
        assert_eq!(reward_of(&ended, &POISONER), Some(0));
        assert_eq!((ended.epoch, ended.epoch_closed), (Some(7), false));
        assert!(Ended::of(&round, Some(&epoch(true))).epoch_closed);
    }

    #[test]
    fn a_round_without_a_checkpoint_brings_nothing() {
        let mut round = round();
        round.phase = Phase::Closed(RoundOutcome::Rejected(Rejection::LossNotLower));
        let ended = Ended::of(&round, Some(&epoch(true)));
        for account in [HONEST, POISONER] {
            assert_eq!(reward_of(&ended, &account), Some(0));
        }
    }

    #[test]
    fn what_an_unknown_epoch_brings_is_not_told() {
        let mut round = round();
        round.phase = Phase::Closed(RoundOutcome::Promoted(CheckpointId(H256::zero())));
        let ended = Ended::of(&round, None);
        assert_eq!(reward_of(&ended, &HONEST), None);
        assert_eq!(reward_of(&ended, &POISONER), Some(0));
    }
}
