//! A session of the tests, its two honest sides, and the chain between them.

// Each program of tests uses a part of it.
#![allow(dead_code)]

use noema_economics::{Balance, Permill};
use noema_protocol::{hashing, CheckpointId, SamplingParameters, SessionId};
use noema_sessions::{
    Account, Agreement, AnswerEnd, Ask, ClaimPart, ClaimRefusal, PayerSide, SessionPrices,
    SessionReceipt, SessionRules, SessionTerms, Stage, Voucher, WorkerSide,
};
use sp_core::H256;

pub(crate) const GENESIS: H256 = H256::repeat_byte(9);
pub(crate) const HELD: Balance = 50_000;
pub(crate) const LEAF_TOKENS: u32 = 60;

pub(crate) const RULES: SessionRules = SessionRules {
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

pub(crate) fn terms() -> SessionTerms<u64> {
    SessionTerms {
        session: SessionId(3),
        payer: 1,
        worker: 2,
        voucher_key: 5,
        checkpoint: CheckpointId(H256::repeat_byte(7)),
        leaf_tokens: LEAF_TOKENS,
        prices: SessionPrices {
            per_prompt_token: 4,
            per_cached_token: 1,
            per_answer_token: 10,
        },
        rules: RULES,
        claim_rules: H256::zero(),
        seed: H256::repeat_byte(8),
    }
}

pub(crate) fn agreement() -> Agreement {
    terms().agreement(GENESIS)
}

/// The highest price of one answer.
pub(crate) const DEAREST: Balance = 10 * LEAF_TOKENS as Balance;

pub(crate) fn worker() -> WorkerSide {
    WorkerSide::new(agreement(), HELD, Balance::MAX, Balance::MAX)
}

pub(crate) fn payer() -> PayerSide {
    PayerSide::new(agreement(), HELD)
}

pub(crate) fn prompt(seed: u32) -> H256 {
    hashing::tokens_hash(&[seed])
}

pub(crate) fn answer(n: u32, tokens: u32) -> (H256, u32) {
    (hashing::tokens_hash(&[n, tokens]), tokens)
}

/// Asks for an answer of up to `tokens` tokens to a prompt of ten.
pub(crate) fn ask(payer: &mut PayerSide, tokens: u16) -> Ask {
    payer
        .ask(prompt(0), 10, SamplingParameters::greedy(tokens))
        .expect("the payer may ask")
}

/// The worker's receipt of an answer of that many tokens.
pub(crate) fn finish(worker: &mut WorkerSide, tokens: u32) -> SessionReceipt {
    let n = worker.bundle().count();
    worker
        .finish(4, answer(n, tokens), AnswerEnd::Stop, H256::repeat_byte(6))
        .expect("an answer is in progress")
}

/// One whole answer, paid.
pub(crate) fn exchange(payer: &mut PayerSide, worker: &mut WorkerSide, tokens: u16) -> Voucher {
    let asked = ask(payer, tokens);
    worker.ask(&asked).expect("the worker serves");
    let receipt = finish(worker, tokens.into());
    let voucher = payer
        .receive(&receipt, answer(receipt.n, tokens.into()), 0, |_| true)
        .expect("the receipt is right");
    worker
        .pay(&voucher, |_| true)
        .expect("the voucher is right");
    voucher
}

/// The chain: the account of the session, and what it paid out.
pub(crate) struct Chain {
    pub(crate) account: Account<u32>,
    pub(crate) now: u32,
    pub(crate) parts: Vec<ClaimPart>,
    pub(crate) released: Balance,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let mut account = Account::new(HELD);
        account.seed(&RULES, 0).expect("it has no seed yet");
        Self {
            account,
            now: 1,
            parts: Vec::new(),
            released: 0,
        }
    }

    pub(crate) fn claim(&mut self, voucher: &Voucher) -> Result<ClaimPart, ClaimRefusal> {
        let part = self.account.claim(&agreement(), voucher, self.now)?;
        self.parts.push(part);
        Ok(part)
    }

    /// The price of all claimed answers.
    pub(crate) fn claimed(&self) -> Balance {
        self.parts.iter().map(|part| part.payment).sum()
    }

    pub(crate) fn blocks(&mut self, count: u32) {
        for _ in 0..count {
            self.now += 1;
            if self.account.advance(&RULES, self.now, 2) && self.account.ended().is_some() {
                self.released += self.account.left();
            }
        }
    }

    /// Lets the payer close, and the worker claim what it has, until the session ends.
    pub(crate) fn end(&mut self, worker: Option<&mut WorkerSide>) {
        if matches!(self.account.stage, Stage::Open { .. }) {
            self.account
                .close_by_payer(&RULES, self.now, 2)
                .expect("it is open");
        }
        if let Some(worker) = worker {
            while let Some(voucher) = worker.claimable().first().copied() {
                if worker.closed().is_none() && worker.close_last().is_err() {
                    break;
                }
                self.claim(&voucher).expect("the chain pays what is owed");
                worker.set_claimed(self.account.count);
            }
        }
        self.blocks(2 + RULES.close + 1);
        assert!(self.account.ended().is_some(), "every session ends");
        let spent: Balance = self
            .parts
            .iter()
            .map(|part| part.payment + part.check_fee)
            .sum();
        assert_eq!(spent + self.released, self.account.held, "no unit is lost");
    }
}
