//! Each side against a counterpart that does anything: no side loses more than stated, no unit is created or lost,
//! and every play ends.

mod support;

use noema_economics::Balance;
use noema_protocol::{hashing, SamplingParameters};
use noema_sessions::{
    AnswerEnd, Ask, SessionReceipt, Voucher, WorkerError, WorkerPhase, WorkerSide,
};
use proptest::prelude::*;
use sp_core::H256;
use support::*;

/// A choice of the counterpart.
type Choice = (u8, u8, u16);

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::vec((any::<u8>(), any::<u8>(), any::<u16>()), 0..120)
}

/// A voucher that differs from `right` by what `how` states, or not at all.
fn forged(right: Voucher, how: u8) -> Voucher {
    let mut voucher = right;
    match how % 10 {
        0 => voucher.amount = voucher.amount.saturating_sub(1),
        1 => voucher.amount = voucher.amount.saturating_add(1),
        2 => voucher.count = voucher.count.wrapping_add(1),
        3 => voucher.count = voucher.count.wrapping_sub(1),
        4 => voucher.first = voucher.first.wrapping_add(1),
        5 => voucher.root = H256::repeat_byte(how),
        6 => voucher.terms = H256::repeat_byte(how),
        _ => {}
    }
    voucher
}

/// A receipt that differs from `right` by what `how` states, or not at all.
fn forged_receipt(right: SessionReceipt, how: u8, by: u16) -> SessionReceipt {
    let mut receipt = right;
    match how % 16 {
        0 => receipt.price = receipt.price.saturating_add(by.into()),
        1 => receipt.answer_tokens = receipt.answer_tokens.wrapping_add(by.into()),
        2 => receipt.n = receipt.n.wrapping_add(by.into()),
        3 => receipt.first = receipt.first.wrapping_add(by.into()),
        4 => receipt.first = receipt.n,
        5 => receipt.cached_tokens = by.into(),
        6 => receipt.prompt_tokens = by.into(),
        7 => receipt.terms = H256::repeat_byte(how),
        8 => receipt.seed = H256::repeat_byte(how),
        9 => receipt.end = AnswerEnd::ByPayer,
        10 => receipt.parameters.max_tokens = by,
        _ => {}
    }
    receipt
}

/// What a worker has given so far: the price of every answer, paid or not.
#[derive(Default)]
struct Given {
    price: Balance,
    dearest: Balance,
}

/// Lets the payer do what `choice` states to an honest worker. `last` is the voucher that was accepted last, and
/// the one before it.
fn attack_worker(
    worker: &mut WorkerSide,
    (kind, how, by): Choice,
    given: &mut Given,
    seen: &mut Vec<Voucher>,
) {
    match kind % 5 {
        0 | 1 => {
            let n = worker.bundle().count();
            let ask = Ask {
                n: if how % 4 == 0 { by.into() } else { n },
                prompt_hash: hashing::tokens_hash(&[by.into()]),
                prompt_tokens: u32::from(how) % 64,
                parameters: SamplingParameters {
                    temperature_milli: by,
                    ..SamplingParameters::greedy(by % 64)
                },
            };
            let _ = worker.ask(&ask);
        }
        2 => {
            let WorkerPhase::Answering(ask) = *worker.phase() else {
                return;
            };
            let most = u32::from(ask.parameters.max_tokens);
            let tokens = 1 + u32::from(how) % most;
            let end = if tokens == most {
                AnswerEnd::Length
            } else {
                AnswerEnd::Stop
            };
            let cached = u32::from(by) % (ask.prompt_tokens + 1);
            let receipt = worker
                .finish(cached, answer(ask.n, tokens), end, H256::zero())
                .expect("the answer is as asked");
            given.price += receipt.price;
            given.dearest = given.dearest.max(receipt.price);
        }
        3 => {
            let WorkerPhase::Unpaid(receipt) = worker.phase() else {
                return;
            };
            let right = worker.bundle().with(receipt).expect("it is the next");
            let right = right.voucher(worker.agreement());
            let voucher = match how % 4 {
                0 => seen.last().copied().unwrap_or(right),
                _ => forged(right, by as u8),
            };
            let is_signed = how % 5 > 0;
            let result = worker.pay(&voucher, |_| is_signed);
            assert_eq!(
                result.is_ok(),
                voucher == right && is_signed,
                "only the right voucher is taken"
            );
            if result.is_ok() {
                seen.push(voucher);
            }
        }
        _ => worker.drop_answer(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The payer does anything, never pays, pays falsely, signs old vouchers, closes early.
    #[test]
    fn a_worker_loses_at_most_one_answer(choices in choices(), closes_at in 0usize..120) {
        let (mut worker, mut chain) = (worker(), Chain::new());
        worker.set_free_bond(3 * DEAREST);
        worker.set_credit(DEAREST / 2);
        let (mut given, mut seen) = (Given::default(), Vec::new());
        for (step, choice) in choices.into_iter().enumerate() {
            if step == closes_at {
                let _ = chain.account.close_by_payer(&RULES, chain.now, 2);
            }
            let is_answering = matches!(worker.phase(), WorkerPhase::Answering(_));
            attack_worker(&mut worker, choice, &mut given, &mut seen);
            prop_assert!(worker.unclaimed() <= 3 * DEAREST, "its stake covers all");
            let unpaid = given.price - worker.bundle().total();
            prop_assert!(unpaid <= DEAREST / 2 + worker.bundle().total(), "within its credit");
            // Every answer but the last is covered by vouchers.
            let unpaid = match worker.phase() {
                WorkerPhase::Unpaid(receipt) => receipt.price,
                _ => 0,
            };
            prop_assert_eq!(worker.bundle().total() + unpaid, given.price);
            if step % 17 == 16 && !is_answering {
                let closed = worker.close_bundle();
                if let Ok(voucher) = closed {
                    chain.claim(&voucher).expect("the chain pays what is owed");
                    worker.set_claimed(chain.account.count);
                }
            }
        }
        let unpaid = match worker.phase() {
            WorkerPhase::Unpaid(receipt) => receipt.price,
            _ => 0,
        };
        chain.end(Some(&mut worker));
        prop_assert_eq!(chain.claimed() + unpaid, given.price);
        prop_assert!(unpaid <= given.dearest);
        prop_assert!(chain.account.spent <= HELD);
    }

    /// The worker does anything: forges receipts, claims any voucher in any order, as often as it likes.
    #[test]
    fn a_payer_pays_only_for_receipts_that_it_verified(
        choices in choices(),
        claims in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let (mut payer, mut chain) = (payer(), Chain::new());
        let (mut owed, mut signed) = (0, Vec::new());
        for (kind, how, by) in choices {
            let Ok(ask) = payer.ask(prompt(by.into()), 10, SamplingParameters::greedy(1 + by % 50)) else {
                break;
            };
            if kind % 7 == 0 {
                payer.end_answer();
            }
            let tokens = 1 + u32::from(by) % 50;
            let right = SessionReceipt {
                session: agreement().session,
                n: ask.n,
                first: payer.bundle().first(),
                terms: agreement().terms,
                checkpoint: agreement().checkpoint,
                prompt_hash: ask.prompt_hash,
                prompt_tokens: ask.prompt_tokens,
                cached_tokens: 3,
                parameters: ask.parameters,
                seed: agreement().seed_of(ask.n),
                answer_hash: answer(ask.n, tokens).0,
                answer_tokens: tokens,
                end: AnswerEnd::Stop,
                price: 7 * 4 + 3 + 10 * Balance::from(tokens),
                hidden_root: H256::zero(),
            };
            let receipt = forged_receipt(right, how, by);
            let is_signed = kind % 5 > 0;
            match payer.receive(&receipt, answer(ask.n, tokens), 0, |_| is_signed) {
                Ok(voucher) => {
                    prop_assert!(is_signed);
                    let price = agreement().prices.price(10, receipt.cached_tokens, tokens);
                    prop_assert_eq!(Some(receipt.price), price);
                    owed += receipt.price;
                    prop_assert_eq!(voucher.amount, owed);
                    prop_assert_eq!(payer.paid(), owed);
                    signed.push(voucher);
                }
                Err(_) => payer.withdraw_ask(),
            }
        }
        for (which, how) in claims {
            if how % 11 == 0 {
                let _ = chain.account.close_by_payer(&RULES, chain.now, 2);
            }
            if !signed.is_empty() {
                let _ = chain.claim(which.get(&signed));
            }
            prop_assert!(chain.claimed() <= owed);
            prop_assert!(chain.account.spent <= chain.account.held);
        }
        chain.end(None);
        prop_assert!(chain.claimed() <= owed);
    }

    /// A payer that signs two different vouchers for the same answers pays one of them.
    #[test]
    fn of_two_vouchers_for_the_same_answers_one_is_paid(amounts in prop::collection::vec(500u128..9_000, 2..6)) {
        let mut chain = Chain::new();
        for amount in &amounts {
            let voucher = Voucher {
                genesis: GENESIS,
                session: agreement().session,
                terms: agreement().terms,
                first: 0,
                count: 1,
                amount: *amount,
                dearest: 0,
                root: H256::zero(),
            };
            let _ = chain.claim(&voucher);
        }
        prop_assert_eq!(chain.claimed(), amounts[0]);
        chain.end(None);
    }

    /// Two honest sides and a chain on which the worker claims now and then.
    #[test]
    fn honest_sides_agree_on_every_unit(lengths in prop::collection::vec(1u16..50, 1..40), claim_at in 1usize..9) {
        let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
        for (index, length) in lengths.into_iter().enumerate() {
            exchange(&mut payer, &mut worker, length);
            if index % claim_at == 0 {
                match worker.close_bundle() {
                    Ok(voucher) => {
                        chain.claim(&voucher).expect("the chain pays what is owed");
                        worker.set_claimed(chain.account.count);
                    }
                    Err(error) => prop_assert_eq!(error, WorkerError::TooSmall),
                }
            }
        }
        chain.end(Some(&mut worker));
        prop_assert_eq!(chain.claimed(), payer.paid());
    }

    /// No bytes make a state or a message that panics.
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..1_500)) {
        use codec::Decode;
        let mut input = &bytes[..];
        if let Ok(mut worker) = WorkerSide::decode(&mut input) {
            let _ = worker.claimable().len();
            let _ = worker.close_last();
            let _ = worker.unclaimed();
        }
        let mut input = &bytes[..];
        if let Ok(tree) = noema_sessions::ReceiptTree::decode(&mut input) {
            let mut tree = tree;
            let _ = tree.push(&H256::zero());
            let _ = tree.root();
        }
        let mut input = &bytes[..];
        if let Ok(mut account) = noema_sessions::Account::<u32>::decode(&mut input) {
            let mut input = &bytes[..];
            if let Ok(voucher) = Voucher::decode(&mut input) {
                let _ = account.claim(&agreement(), &voucher, 5);
            }
            let _ = account.advance(&RULES, 7, 1);
        }
    }
}
