//! Receipts in words.

use crate::cli::describe::{stage_of, Describe};
use crate::cli::Global;
use crate::keys::address;
use noema_gateway::TextLayer;
use noema_model::engine::ChatCodec;
use noema_model::printable::quoted;
use noema_receipts::{ProvenClaim, ReceiptFile, Standing, Verified};
use noema_sessions::{AnswerEnd, SessionReceipt, Stage};

/// Tells what a file states.
pub(super) fn show(global: &Global, file: &ReceiptFile) {
    let receipt = &file.signed.receipt;
    println!("stated, and not verified; verify it with: noema-worker receipt verify");
    match texts(global, file) {
        Ok((prompt, answer)) => {
            println!("prompt\n{}", quoted(prompt.as_bytes(), "| "));
            println!("answer\n{}", quoted(answer.as_bytes(), "| "));
        }
        Err(reason) => println!("prompt and answer are tokens here: {reason:#}"),
    }
    for line in stated(receipt) {
        println!("{line}");
    }
    println!("worker       {}", address(&file.worker));
    match &file.key {
        Some(key) => println!("signed by    {}", address(key)),
        None => println!("signed by    a key that the file does not name"),
    }
    println!(
        "received     {} s after 1 January 1970, 00:00 UTC",
        file.received_at
    );
    match &file.voucher {
        Some(part) => println!(
            "voucher      over the first {} answers of the session",
            part.signed.voucher.count
        ),
        None => println!("voucher      none in the file"),
    }
    match &file.claim {
        Some(part) => println!("claim        {}", part.claim),
        None => println!("claim        none in the file"),
    }
    match &file.proof {
        Some(proof) => println!(
            "proof        of block {}, {:?}",
            proof.header.number,
            proof.block()
        ),
        None => {
            println!("proof        none in the file; make one with: noema-worker receipt prove");
        }
    }
}

/// The texts of prompt and answer, by the tokenizer of the checkpoint on this machine.
fn texts(global: &Global, file: &ReceiptFile) -> anyhow::Result<(String, String)> {
    let checkpoint = global.library()?.open(file.signed.receipt.checkpoint)?;
    let codec = ChatCodec::open(&checkpoint, None)?;
    Ok((codec.decode(&file.prompt)?, codec.decode(&file.answer)?))
}

/// What a receipt states, in lines.
fn stated(receipt: &SessionReceipt) -> Vec<String> {
    let parameters = &receipt.parameters;
    let end = match receipt.end {
        AnswerEnd::Stop => "a stop token ends it",
        AnswerEnd::Length => "it is as long as was asked for",
        AnswerEnd::ByPayer => "the payer ended it",
    };
    vec![
        format!("receipt      {:?}", receipt.hash()),
        format!("session      {}, answer {}", receipt.session, receipt.n),
        format!("checkpoint   {}", receipt.checkpoint),
        format!(
            "tokens       {} of the prompt, of which {} were cached, and {} of the answer; {end}",
            receipt.prompt_tokens, receipt.cached_tokens, receipt.answer_tokens
        ),
        format!(
            "sampling     temperature {}, nucleus {}, {}, at most {} tokens",
            thousandths(parameters.temperature_milli),
            thousandths(parameters.top_p_milli),
            match parameters.top_k {
                0 => "all tokens".to_owned(),
                tokens => format!("the {tokens} most likely tokens"),
            },
            parameters.max_tokens
        ),
        format!("price        {} of the smallest unit", receipt.price),
        format!("hidden root  {:?}", receipt.hidden_root),
    ]
}

fn thousandths(value: u16) -> f64 {
    f64::from(value) / 1_000.0
}

/// Tells what was verified.
pub(super) fn verified(file: &ReceiptFile, verified: &Verified) {
    for line in lines(file, verified) {
        println!("{line}");
    }
}

fn lines(file: &ReceiptFile, verified: &Verified) -> Vec<String> {
    let terms = &verified.terms;
    let mut lines = vec![
        format!("verified by block {}, {:?}", verified.block, verified.hash),
        format!("chain        genesis {:?}", verified.genesis),
    ];
    lines.extend(stated(&file.signed.receipt));
    lines.push(format!("payer        {}", address(&terms.payer)));
    lines.push(format!("worker       {}", address(&terms.worker)));
    lines.push(match (verified.is_of_hot_key, &file.key) {
        (true, _) => "signature    of the worker's hot key".to_owned(),
        (false, Some(key)) => format!(
            "signature    of {}, which is not the worker's hot key in this block",
            address(key)
        ),
        (false, None) => "signature    not compared: the file names no key".to_owned(),
    });
    lines.extend(standing(&verified.standing, &verified.stage));
    lines
}

fn standing(standing: &Standing, stage: &Stage<u32>) -> Vec<String> {
    let can_be_claimed = match stage {
        Stage::Unseeded | Stage::Open { .. } => "it can be claimed".to_owned(),
        Stage::Closing { until } => {
            format!("the session closes: it can be claimed until block {until}")
        }
        Stage::Ended(_) => "the session is over: it can no longer be claimed".to_owned(),
    };
    match standing {
        Standing::Signed => vec![
            "state        signed by the worker; no voucher is in the file, and no claim covers it"
                .to_owned(),
        ],
        Standing::Paid(voucher) => vec![format!(
            "state        paid by a voucher over the first {} answers of the session, and not claimed; {can_be_claimed}",
            voucher.count
        )],
        Standing::Claimed(claim) => claimed(claim),
    }
}

fn claimed(claim: &ProvenClaim) -> Vec<String> {
    let mut lines = vec![
        format!(
            "state        leaf {} of {} of claim {}, made in block {}: {}",
            claim.leaf,
            claim.leaves,
            claim.claim,
            claim.made_at,
            stage_of(&claim.stage)
        ),
        format!("drawn        {} of these leaves for a check", claim.drawn),
    ];
    for (validator, state) in &claim.seats {
        lines.push(format!(
            "validator    {} {}",
            address(validator),
            state.describe()
        ));
    }
    if claim.disputes > 0 {
        lines.push(format!(
            "disputes     {} leaves of the claim are in dispute; juries decide",
            claim.disputes
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage, SeatState};
    use noema_protocol::ClaimId;
    use noema_receipts::ProvenVoucher;
    use noema_sessions::Ended;

    #[test]
    fn a_claim_is_told_with_its_stage_and_its_validators() {
        let claim = ProvenClaim {
            claim: ClaimId(3),
            leaf: 12,
            leaves: 100,
            made_at: 812,
            stake: 5,
            stage: ClaimStage::Ended(ClaimOutcome::Fallen(ClaimFault::FalseLeaf(12))),
            drawn: 5,
            seats: vec![([4; 32], SeatState::Challenged)],
            disputes: 1,
        };
        let told = standing(&Standing::Claimed(claim), &Stage::Open { until: 9 }).join("\n");
        for expected in [
            "leaf 12 of 100 of claim 3, made in block 812",
            "the answer is not what the checkpoint yields",
            "challenged the answer",
            "1 leaves of the claim are in dispute",
        ] {
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn what_is_only_paid_says_whether_it_can_still_be_claimed() {
        let paid = Standing::Paid(ProvenVoucher {
            count: 3,
            amount: 7,
        });
        let told = |stage| standing(&paid, &stage).join("\n");
        assert!(told(Stage::Open { until: 9 }).contains("not claimed; it can be"));
        assert!(told(Stage::Closing { until: 9 }).contains("until block 9"));
        assert!(told(Stage::Ended(Ended::Closed)).contains("no longer"));
    }
}
