//! `noema-worker receipt verify`.

use super::proving::proof_of;
use super::{read, read_text, told, VerifyArgs};
use crate::chain::Node;
use crate::cli::progress::Progress;
use crate::cli::Global;
use crate::gateway::LocalModel;
use anyhow::{bail, Context};
use noema_claims::ClaimStage;
use noema_gateway::{Recomputation, RecomputeVerdict, Recomputer};
use noema_receipts::{read_header, ReceiptFile, Standing, StateProof, Verified};
use sp_core::H256;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The exit status where executing the answer again gives another one.
const DIFFERS: u8 = 3;
/// The time between two looks at an execution.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn verify(global: &Global, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let file = read(&args.file)?;
    let mut connection = Connection { global, node: None };
    let trusted = match (&args.header, args.finalized_hash) {
        (Some(path), _) => {
            let header = read_header(&read_text(path)?);
            let header = header.with_context(|| format!("{} cannot be used", path.display()))?;
            header.hash()
        }
        (None, Some(hash)) => hash,
        (None, None) => by_node(&file, &mut connection).await?,
    };
    let proof = proof(&file, trusted, &mut connection).await?;
    let verified = noema_receipts::verify(&file, &proof, trusted)?;
    told::verified(&file, &verified);
    match args.recompute {
        true => recompute(global, args, file, &verified).await,
        false => Ok(ExitCode::SUCCESS),
    }
}

/// A node, which is connected to when it is needed.
struct Connection<'a> {
    global: &'a Global,
    node: Option<Arc<Node>>,
}

impl Connection<'_> {
    async fn node(&mut self) -> anyhow::Result<Arc<Node>> {
        if let Some(node) = &self.node {
            return Ok(node.clone());
        }
        let node = self.global.node().await?;
        self.node = Some(node.clone());
        Ok(node)
    }
}

/// The block that a node says is finalized: that of the proof in the file, or else the last one.
async fn by_node(file: &ReceiptFile, connection: &mut Connection<'_>) -> anyhow::Result<H256> {
    let node = connection.node().await;
    let node =
        node.context("without a node, name a finalized block with --finalized-hash or --header")?;
    let block = match &file.proof {
        Some(proof) => {
            let (block, number) = (proof.block(), proof.header.number);
            if !node.is_finalized(block, number).await? {
                bail!(
                    "the node at {} has no finalized block {number} with the hash {block:?} of the proof in the file; it is of another chain, or false",
                    node.url()
                );
            }
            block
        }
        None => node.finalized_hash().await?,
    };
    eprintln!(
        "warning: that block {block:?} is finalized is the word of the node at {}; name a block that you trust with --finalized-hash or --header",
        node.url()
    );
    Ok(block)
}

/// The proof in the file, if it is of the trusted block; else one from the node, which is not trusted.
async fn proof(
    file: &ReceiptFile,
    trusted: H256,
    connection: &mut Connection<'_>,
) -> anyhow::Result<StateProof> {
    if let Some(proof) = file.proof.as_ref().filter(|proof| proof.block() == trusted) {
        return Ok(proof.clone());
    }
    let node = connection.node().await;
    let node = node.with_context(|| match &file.proof {
        Some(proof) => format!(
            "the proof in the file is of block {:?}, and not of {trusted:?}",
            proof.block()
        ),
        None => "the file has no proof".to_owned(),
    })?;
    proof_of(&node, file, trusted).await
}

/// Executes the answer again on this machine.
async fn recompute(
    global: &Global,
    args: &VerifyArgs,
    file: ReceiptFile,
    verified: &Verified,
) -> anyhow::Result<ExitCode> {
    let checkpoint = file.signed.receipt.checkpoint;
    let (hash, answer) = (file.hash(), file.received());
    let recomputer = Recomputer::new(Arc::new(LocalModel {
        library: global.library()?,
        checkpoint,
        device: args.device.options(),
    }));
    let progress = Progress::of("executing it again", "tokens", 0);
    let begun = recomputer.begin(answer).await;
    let mut now = begun.with_context(|| {
        format!("the answer is not executed again; if this machine has no files of checkpoint {checkpoint}, fetch them with: noema-worker checkpoint fetch")
    })?;
    let verdict = loop {
        progress.set(now.done.into(), now.tokens.into());
        if let Some(verdict) = now.verdict {
            break verdict;
        }
        tokio::time::sleep(LOOK).await;
        now = recomputer.progress(hash)?;
    };
    progress.finish();
    println!("{}", result(now, verdict));
    Ok(match verdict {
        RecomputeVerdict::Same => ExitCode::SUCCESS,
        RecomputeVerdict::Differs(_) => {
            if let Some(advice) = advice(verified) {
                println!("{advice}");
            }
            ExitCode::from(DIFFERS)
        }
    })
}

/// The result of an execution in words.
fn result(now: Recomputation, verdict: RecomputeVerdict) -> String {
    match verdict {
        RecomputeVerdict::Same => format!("executed again: the same {} tokens, bit for bit", now.tokens),
        RecomputeVerdict::Differs(0) => {
            "executed again: it differs from the first token on, or in the hidden states".to_owned()
        }
        RecomputeVerdict::Differs(token) => format!(
            "executed again: the first {token} tokens are the same, and it differs from token {token} on, counted from 0"
        ),
    }
}

/// What can be done about a false answer.
fn advice(verified: &Verified) -> Option<String> {
    let Standing::Claimed(claim) = &verified.standing else {
        return None;
    };
    let until = match claim.stage {
        ClaimStage::Challengeable { until, .. } => format!("until block {until}"),
        ClaimStage::Ended(_) => return None,
        _ => "now".to_owned(),
    };
    Some(format!(
        "any account can challenge it {until}, as leaf {} of claim {}, with: noema-worker dispute challenge FILE",
        claim.leaf, claim.claim
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_an_execution_names_the_tokens() {
        let now = Recomputation {
            tokens: 137,
            done: 137,
            verdict: None,
        };
        let told = |verdict| result(now, verdict);
        assert!(told(RecomputeVerdict::Same).contains("the same 137 tokens, bit for bit"));
        assert!(told(RecomputeVerdict::Differs(12)).contains("from token 12 on"));
        assert!(told(RecomputeVerdict::Differs(0)).contains("first token"));
    }
}
