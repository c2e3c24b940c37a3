//! `noema-worker dispute challenge`.

use super::ChallengeArgs;
use crate::chain::calls::Challenge;
use crate::chain::{ChainError, Link, Node};
use crate::cli::progress::Progress;
use crate::cli::{receipt, Global};
use crate::games::{own_trace, AccountPlayer, GameStanding, Move, MoveError, PlayFault};
use crate::gateway::LocalModel;
use crate::keys::{address, Key};
use anyhow::{anyhow, bail, Context};
use noema_claims::{ClaimOutcome, ClaimStage};
use noema_disputes::NoTrace;
use noema_executor::Cancel;
use noema_games::PlayError;
use noema_model::engine::Engine;
use noema_model::printable::one_line;
use noema_protocol::ClaimId;
use noema_receipts::ReceiptFile;
use noema_session_transport::SessionLeaf;
use noema_sessions::SessionReceipt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The exit status where the answer is true.
const TRUE: u8 = 3;
/// The time between two looks at the chain.
const LOOK: Duration = Duration::from_secs(3);

pub(super) async fn challenge(global: &Global, args: &ChallengeArgs) -> anyhow::Result<ExitCode> {
    let file = receipt::read(&args.file)?;
    let account = Key::load(&args.account)?;
    let node = global.node().await?;
    let place = place_of(&node, &file.signed.receipt).await?;
    let (claim, leaf) = place;
    println!(
        "claimed      as leaf {leaf} of claim {claim}, by {}",
        address(&file.worker)
    );
    let answer = SessionLeaf {
        receipt: file.signed.receipt,
        path: Vec::new(),
        prompt: file.prompt.clone(),
        answer: file.answer.clone(),
    };
    let misstated = misstated(&node, place, &answer.receipt).await?;
    let engine = load(global, args, &file).await?;
    match (&misstated, is_true(&engine, &answer).await?) {
        (None, true) => {
            println!("executed     the answer is true: nothing is challenged");
            return Ok(ExitCode::from(TRUE));
        }
        (Some(what), _) => {
            println!("false        the receipt states another {what} than the chain");
        }
        (None, false) => println!("executed     the answer is false"),
    }
    let player = AccountPlayer::new(Link::new(node.clone()), account);
    if !is_challenged(&node, place, &player).await? {
        submit(&node, place, &player).await?;
    }
    play(&node, place, &player, &answer, &engine).await
}

/// The claim over a receipt, and the number of its leaf.
async fn place_of(node: &Node, receipt: &SessionReceipt) -> anyhow::Result<(ClaimId, u32)> {
    let at = node.finalized().await?;
    let session = at.session(receipt.session).await?;
    let session = session.with_context(|| {
        format!(
            "the chain has no session {}, or not any longer: the time to challenge its answers is over",
            receipt.session
        )
    })?;
    let mut open = session.open_claims.iter();
    let found = open.find_map(|(_, open)| {
        let leaf = receipt.n.checked_sub(open.first)?;
        (leaf < open.leaves).then_some((open.claim, leaf))
    });
    found.with_context(|| match receipt.n < session.session.account.count {
        true => "the claim of this answer is over: it can no longer be challenged".to_owned(),
        false => "no claim has this answer yet: its worker asked for no payment, and there is nothing to challenge; try again when the worker claims it".to_owned(),
    })
}

/// What the chain knows to be another than the receipt states.
async fn misstated(
    node: &Node,
    (claim, leaf): (ClaimId, u32),
    receipt: &SessionReceipt,
) -> anyhow::Result<Option<String>> {
    let at = node.finalized().await?;
    let claimed = at.claimed(node.genesis(), (claim, leaf)).await?;
    let claimed = claimed.context("the claim has ended")?;
    let what = receipt.misstatement(&claimed.agreement, claimed.first, leaf);
    Ok(what.map(str::to_owned))
}

/// The checkpoint of the receipt, on this machine.
async fn load(
    global: &Global,
    args: &ChallengeArgs,
    file: &ReceiptFile,
) -> anyhow::Result<Arc<Engine>> {
    let checkpoint = file.signed.receipt.checkpoint;
    let model = LocalModel {
        library: global.library()?,
        checkpoint,
        device: args.device.options(),
    };
    let loaded = tokio::task::spawn_blocking(move || {
        let engine = model.engine().map_err(|error| anyhow!("{error}"))?;
        anyhow::Ok(Arc::new(engine))
    });
    loaded.await?.with_context(|| {
        format!("checkpoint {checkpoint} cannot be executed here; fetch its files with: noema-worker checkpoint fetch")
    })
}

/// Executes the answer step by step.
async fn is_true(engine: &Arc<Engine>, answer: &SessionLeaf) -> anyhow::Result<bool> {
    let progress = Progress::of("executing it step by step", "steps", 0);
    let (engine, answer) = (engine.clone(), answer.clone());
    let executing = tokio::task::spawn_blocking(move || {
        let mut own = match own_trace(&engine, &answer, &Cancel::default()) {
            // No execution has these counts of tokens.
            Err(MoveError::NoTrace(NoTrace::False)) => return Ok(false),
            executed => executed?,
        };
        match noema_games::open(&mut own) {
            Ok(_) => Ok(true),
            Err(PlayError::OwnClaimFalse) => Ok(false),
            Err(error) => Err(PlayFault::Move(error.into())),
        }
    });
    let found = executing.await?;
    progress.finish();
    Ok(found?)
}

/// Whether the account is a challenger of the leaf already.
async fn is_challenged(
    node: &Node,
    (claim, leaf): (ClaimId, u32),
    player: &AccountPlayer,
) -> anyhow::Result<bool> {
    let info = node.finalized().await?.claim(claim).await?;
    let info = info.context("the claim has ended")?;
    let account = player.account().account();
    let mut disputes = info.disputes.iter();
    Ok(disputes.any(|(of, challengers)| {
        *of == leaf && challengers.iter().any(|challenger| challenger.0 == account)
    }))
}

async fn submit(
    node: &Node,
    (claim, leaf): (ClaimId, u32),
    player: &AccountPlayer,
) -> anyhow::Result<()> {
    match node
        .submit(Challenge { claim, leaf }, player.account())
        .await
    {
        Ok(included) => println!("challenged   in block {}", included.block),
        Err(ChainError::Refused { error, .. }) if error.ends_with("::AlreadyChallenged") => {}
        Err(ChainError::Refused { error, .. }) if error.ends_with("::ChallengersFull") => {
            println!("challenged   by as many others as can be; this account joins the game");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Plays until the claim is over, or the account has no line any longer.
async fn play(
    node: &Arc<Node>,
    place: (ClaimId, u32),
    player: &AccountPlayer,
    answer: &SessionLeaf,
    engine: &Arc<Engine>,
) -> anyhow::Result<ExitCode> {
    let mut told = String::new();
    let mut tell = |line: String| {
        if told != line {
            println!("{line}");
            told = line;
        }
    };
    let mut had_line = false;
    loop {
        match player.standing(place).await? {
            GameStanding::NoGame => match outcome(node, place.0).await? {
                Some(ClaimOutcome::Fallen(_)) => {
                    println!("over         the claim has fallen: the answer is not paid");
                    return Ok(ExitCode::SUCCESS);
                }
                Some(_) => bail!("the claim is final: the challenge showed nothing wrong"),
                None if had_line => bail!("the game is over, and the claim stands"),
                None => tell("waiting      for the claimant to post the answer".into()),
            },
            GameStanding::NoLine(_) if had_line => {
                bail!("the line of this account is over: it showed nothing wrong")
            }
            GameStanding::NoLine(_) => {
                let joined = player.join(place).await?;
                tell(format!("joined       the game in block {}", joined.block));
            }
            GameStanding::Opening(_) => {
                had_line = true;
                tell("waiting      for the claimant to show the root of its trace".into());
            }
            GameStanding::Showing(_) => {
                had_line = true;
                tell("waiting      for the claimant to show a row of its trace".into());
            }
            GameStanding::Due(open) => {
                had_line = true;
                match player.play(*open, answer, engine).await {
                    Ok((made, block)) => tell(moved(&made, block)),
                    // The clock runs for as long as it can: another attempt may succeed.
                    Err(PlayFault::Move(error)) if error.is_passing() => {
                        tell(format!("waiting      {}", one_line(&error.to_string())));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A move in words.
fn moved(made: &Move, block: u64) -> String {
    match made {
        Move::Prove { proof, .. } => {
            format!(
                "proven       in block {block}: step {} is wrong",
                proof.step
            )
        }
        made => format!("moved        in block {block}: {made}"),
    }
}

/// How a claim ended, if it has.
async fn outcome(node: &Node, claim: ClaimId) -> anyhow::Result<Option<ClaimOutcome>> {
    let info = node.finalized().await?.claim(claim).await?;
    let info = info.context("the chain has removed the record of the claim")?;
    Ok(match info.claim.stage {
        ClaimStage::Ended(outcome) => Some(outcome),
        _ => None,
    })
}
