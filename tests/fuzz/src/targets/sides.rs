//! Vouchers and receipts, as the two sides of a session take them: a worker takes the voucher over its receipts and no
//! other, and a payer signs for no more than the prices of the terms.

use crate::input::Input;
use codec::{Decode, DecodeAll, Encode};
use noema_economics::Permill;
use noema_protocol::{hashing::tokens_hash, CheckpointId, SamplingParameters, SessionId};
use noema_sessions::{
    Agreement, AnswerEnd, Ask, PayerSide, SessionPrices, SessionReceipt, SessionRules,
    SessionTerms, Voucher, WorkerSide,
};
use sp_core::H256;

const HELD: u128 = 50_000;

fn agreement() -> Agreement {
    let rules = SessionRules {
        lifetime: 100,
        close: 10,
        bytes_per_token: 4,
        cached_share: Permill::from_percent(10),
        check_share: Permill::from_percent(20),
        check_fee_per_token: 1,
        stake_percent: 100,
        min_stake: 100,
        stake_per_token: 3,
        min_held: 1_000,
        min_claim: 500,
        storage_price: 5,
        retention: 20,
    };
    let terms = SessionTerms {
        session: SessionId(3),
        payer: 1_u64,
        worker: 2,
        voucher_key: 5,
        checkpoint: CheckpointId(H256::repeat_byte(7)),
        leaf_tokens: 60,
        prices: SessionPrices {
            per_prompt_token: 4,
            per_cached_token: 1,
            per_answer_token: 10,
        },
        rules,
        claim_rules: H256::zero(),
        seed: H256::repeat_byte(8),
    };
    terms.agreement(H256::repeat_byte(9))
}

/// What a stranger sends next.
#[derive(Encode, Decode)]
enum Sent {
    Ask(Ask),
    Voucher(Voucher),
    Receipt(SessionReceipt),
}

fn answer() -> (H256, u32) {
    (tokens_hash(&[4, 8]), 2)
}

pub(super) fn run(bytes: &[u8]) -> String {
    let Ok(sent) = Vec::<Sent>::decode_all(&mut Input(bytes).rest()) else {
        return "undecodable".into();
    };
    let mut worker = WorkerSide::new(agreement(), HELD, u128::MAX, u128::MAX);
    let mut payer = PayerSide::new(agreement(), HELD);
    let mut outcome = String::new();
    for sent in sent.iter().take(6) {
        outcome += match sent {
            Sent::Ask(ask) => {
                let taken = worker.ask(ask);
                let cached = ask.prompt_tokens / 2;
                let finished = worker.finish(cached, answer(), AnswerEnd::Stop, H256::zero());
                match (taken, finished) {
                    (Ok(()), Ok(_)) => "ask, ",
                    (Ok(()), Err(_)) => "no answer, ",
                    (Err(_), _) => "no ask, ",
                }
            }
            Sent::Voucher(voucher) => {
                let before = worker.claimable();
                let taken = worker.pay(voucher, |_| true);
                let after = worker.claimable();
                match taken {
                    // A voucher that counts is one of those to claim with.
                    Ok(()) => assert!(after.contains(voucher)),
                    Err(_) => assert_eq!(before, after),
                }
                if taken.is_ok() {
                    "paid, "
                } else {
                    "no voucher, "
                }
            }
            Sent::Receipt(receipt) => {
                let parameters = SamplingParameters::greedy(2);
                let _ = payer.ask(receipt.prompt_hash, 10, parameters);
                let paid = payer.paid();
                match payer.receive(receipt, answer(), 0, |_| true) {
                    Ok(voucher) => {
                        // Ten tokens of a prompt, and two of an answer, at the most.
                        assert!(payer.paid() - paid <= 10 * 4 + 2 * 10);
                        assert_eq!(voucher.amount, payer.paid());
                        assert!(voucher.amount <= HELD);
                        "signed, "
                    }
                    Err(_) => {
                        assert_eq!(payer.paid(), paid);
                        payer.withdraw_ask();
                        "no receipt, "
                    }
                }
            }
        };
    }
    outcome
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut worker = WorkerSide::new(agreement(), HELD, u128::MAX, u128::MAX);
    let mut payer = PayerSide::new(agreement(), HELD);
    let (mut to_worker, mut to_payer) = (Vec::new(), Vec::new());
    for n in 0..2 {
        let parameters = SamplingParameters::greedy(2);
        let ask = payer
            .ask(tokens_hash(&[n]), 10, parameters)
            .expect("an ask");
        worker.ask(&ask).expect("it is taken");
        let end = AnswerEnd::Stop;
        let receipt = worker
            .finish(5, answer(), end, H256::zero())
            .expect("a receipt");
        let voucher = payer
            .receive(&receipt, answer(), 0, |_| true)
            .expect("a voucher");
        worker.pay(&voucher, |_| true).expect("it is taken");
        to_worker.extend([Sent::Ask(ask), Sent::Voucher(voucher)]);
        to_payer.push(Sent::Receipt(receipt));
    }
    vec![to_worker.encode(), to_payer.encode()]
}
