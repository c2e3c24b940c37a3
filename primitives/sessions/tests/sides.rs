//! The two sides and the chain, step by step.

mod support;

use codec::{Encode, MaxEncodedLen};
use noema_protocol::SamplingParameters;
use noema_sessions::{
    merkle_proof, verify_leaf, Account, AnswerEnd, ClaimRefusal, Ended, PayerError, PayerSide,
    SessionReceipt, Stage, Voucher, WorkerError, WorkerPhase, WorkerSide, MAX_SMALL_CLAIMS,
    MOST_CHECKED,
};
use sp_core::H256;
use support::*;

#[test]
fn the_sizes_of_messages_and_states_are_as_stated() {
    assert_eq!(Voucher::max_encoded_len(), 144);
    assert_eq!(SessionReceipt::max_encoded_len(), 245);
    assert_eq!(noema_sessions::Ask::max_encoded_len(), 48);
    assert!(
        WorkerSide::max_encoded_len() <= 2_900,
        "{}",
        WorkerSide::max_encoded_len()
    );
    assert!(
        PayerSide::max_encoded_len() <= 1_600,
        "{}",
        PayerSide::max_encoded_len()
    );
}

#[test]
fn answers_flow_and_one_claim_covers_them() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    let mut leaves = Vec::new();
    for tokens in [5, 7, 9, 20, 30, 40, 50] {
        let asked = ask(&mut payer, tokens);
        worker.ask(&asked).expect("the worker serves");
        let receipt = finish(&mut worker, tokens.into());
        leaves.push(receipt.hash());
        let answer = answer(receipt.n, tokens.into());
        let voucher = payer.receive(&receipt, answer, 0, |payload| *payload == receipt.hash());
        let voucher = voucher.expect("the receipt is right");
        worker
            .pay(&voucher, |payload| *payload == voucher.payload())
            .expect("the voucher is right");
    }
    let voucher = worker.close_bundle().expect("there are answers");
    assert_eq!(Some(voucher), payer.last_voucher());
    let part = chain.claim(&voucher).expect("the voucher is the next");
    // Four cached tokens of ten, and 161 tokens of answers.
    assert_eq!(part.payment, 7 * (6 * 4 + 4) + 161 * 10);
    assert_eq!(part.leaves, 7);
    // As if each cost as much as the dearest one, of fifty tokens.
    assert_eq!(part.exposure, 7 * (6 * 4 + 4 + 50 * 10));
    assert_eq!(part.stake, part.exposure);
    // A fifth of the mean price of 258 is less than the minimum for 60 tokens.
    assert_eq!(part.check_fee, 7 * 60);
    for (index, leaf) in leaves.iter().enumerate() {
        let siblings = merkle_proof(&leaves, index as u32).expect("there is this leaf");
        assert!(verify_leaf(voucher.root, 7, index as u32, leaf, &siblings));
    }
    worker.set_claimed(chain.account.count);
    assert_eq!(worker.claimable().len(), 0);
    // The next answer begins a bundle, and the payer follows.
    let next = exchange(&mut payer, &mut worker, 50);
    assert_eq!((next.first, next.count), (7, 8));
    chain.end(Some(&mut worker));
    assert_eq!(chain.claimed(), payer.paid());
}

#[test]
fn a_worker_gives_no_answer_while_one_is_unpaid() {
    let (mut payer, mut worker) = (payer(), worker());
    let asked = ask(&mut payer, 5);
    worker.ask(&asked).expect("the worker serves");
    assert_eq!(worker.ask(&asked), Ok(()), "the same ask again");
    let mut other = asked;
    other.prompt_tokens += 1;
    assert_eq!(worker.ask(&other), Err(WorkerError::Busy));
    assert_eq!(worker.close_bundle(), Err(WorkerError::Busy));
    let receipt = finish(&mut worker, 5);
    other.n = 1;
    assert_eq!(worker.ask(&other), Err(WorkerError::Unpaid));
    assert_eq!(worker.close_bundle(), Err(WorkerError::Unpaid));
    let voucher = payer
        .receive(&receipt, answer(0, 5), 0, |_| true)
        .expect("the receipt is right");
    assert_eq!(
        worker.pay(&voucher, |_| false),
        Err(WorkerError::WrongSignature)
    );
    let short = Voucher {
        amount: voucher.amount - 1,
        ..voucher
    };
    assert_eq!(worker.pay(&short, |_| true), Err(WorkerError::WrongVoucher));
    assert_eq!(worker.pay(&voucher, |_| true), Ok(()));
    assert_eq!(
        worker.pay(&voucher, |_| false),
        Err(WorkerError::WrongSignature),
        "it has a better one already"
    );
    assert_eq!(worker.pay(&voucher, |_| true), Ok(()), "it has it already");
    assert_eq!(
        worker.pay(&short, |_| true),
        Err(WorkerError::NothingUnpaid)
    );
    other.n = 0;
    assert_eq!(worker.ask(&other), Err(WorkerError::WrongNumber));
    other.n = 1;
    assert_eq!(worker.ask(&other), Ok(()));
    finish(&mut worker, 5);
    assert_eq!(worker.pay(&voucher, |_| true), Err(WorkerError::OldVoucher));
}

#[test]
fn a_worker_serves_only_what_the_chain_would_pay() {
    let mut worker = worker();
    let mut payer = payer();
    let asked = ask(&mut payer, 50);
    // The dearest answer costs 540, and its check 108.
    worker.set_held(647);
    assert_eq!(worker.ask(&asked), Err(WorkerError::HoldTooLow));
    worker.set_held(648);
    worker.set_free_bond(539);
    assert_eq!(worker.ask(&asked), Err(WorkerError::ClaimFirst));
    worker.set_free_bond(540);
    assert_eq!(worker.ask(&asked), Ok(()));
    let mut long = asked;
    long.prompt_tokens = 11;
    let mut idle = support::worker();
    assert_eq!(idle.ask(&long), Err(WorkerError::TooLong));
    long.prompt_tokens = u32::MAX;
    assert_eq!(idle.ask(&long), Err(WorkerError::TooLong));
    long.prompt_tokens = 0;
    assert_eq!(idle.ask(&long), Err(WorkerError::NoPrompt));
    long.parameters.max_tokens = 0;
    long.prompt_tokens = 1;
    assert_eq!(idle.ask(&long), Err(WorkerError::Parameters));
}

#[test]
fn an_answer_costs_no_more_than_what_was_paid_and_the_credit() {
    let (mut payer, mut worker) = (payer(), worker());
    worker.set_credit(100);
    let asked = ask(&mut payer, 7);
    assert_eq!(worker.ask(&asked), Err(WorkerError::CreditTooLow));
    payer.withdraw_ask();
    // 40 for the prompt and 60 for the answer, of which four tokens of the prompt turn out to be cached.
    exchange(&mut payer, &mut worker, 6);
    assert_eq!(payer.paid(), 88);
    let asked = ask(&mut payer, 15);
    assert_eq!(worker.ask(&asked), Err(WorkerError::CreditTooLow));
    payer.withdraw_ask();
    exchange(&mut payer, &mut worker, 14);
    exchange(&mut payer, &mut worker, 30);
}

#[test]
fn a_worker_claims_before_its_stake_is_too_small() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    worker.set_free_bond(1_100);
    exchange(&mut payer, &mut worker, 50);
    assert_eq!(worker.unclaimed(), 528);
    exchange(&mut payer, &mut worker, 50);
    let asked = ask(&mut payer, 50);
    assert_eq!(worker.ask(&asked), Err(WorkerError::ClaimFirst));
    let voucher = worker.close_bundle().expect("there are answers");
    assert_eq!(worker.ask(&asked), Err(WorkerError::ClaimFirst));
    assert_eq!(worker.close_bundle(), Err(WorkerError::NotClaimed));
    let part = chain.claim(&voucher).expect("the voucher is the next");
    assert!(part.stake <= 1_100);
    worker.set_claimed(chain.account.count);
    assert_eq!(worker.ask(&asked), Ok(()));
    assert_eq!(worker.close_bundle(), Err(WorkerError::Busy));
    worker.drop_answer();
    assert_eq!(worker.close_bundle(), Err(WorkerError::NothingToClaim));
}

/// While a session closes, a worker claims the present bundle as it is, and may not store that it did.
#[test]
fn a_bundle_that_is_claimed_is_left_even_where_it_was_not_closed() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    let voucher = exchange(&mut payer, &mut worker, 50);
    let asked = ask(&mut payer, 5);
    worker.ask(&asked).expect("the worker serves");
    finish(&mut worker, 5);
    chain.claim(&voucher).expect("the voucher is the next");
    worker.set_claimed(0);
    assert_eq!(
        worker.claimable(),
        [voucher],
        "it is not claimed on the finalized chain"
    );
    worker.set_claimed(chain.account.count);
    assert_eq!(worker.claimable(), []);
    assert_eq!(
        *worker.phase(),
        WorkerPhase::Idle,
        "the unpaid answer is lost"
    );
    assert_eq!((worker.bundle().first(), worker.bundle().total()), (1, 528));
    assert_eq!(worker.unclaimed(), 0);
    // The bundle after it is the next one of the chain.
    payer.withdraw_ask();
    let next = exchange(&mut payer, &mut worker, 50);
    assert_eq!((next.first, next.count), (1, 2));
    chain.claim(&next).expect("the voucher is the next");
    assert_eq!(chain.claimed(), payer.paid());
}

#[test]
fn the_stake_of_a_claim_follows_its_dearest_answer() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    for _ in 0..9 {
        exchange(&mut payer, &mut worker, 5);
    }
    let voucher = exchange(&mut payer, &mut worker, 50);
    // Nine answers of 78, and one of 528.
    assert_eq!((voucher.amount, voucher.dearest), (1_230, 528));
    assert_eq!(worker.bundle().exposure(), 5_280);
    let part = chain.claim(&voucher).expect("the voucher is the next");
    assert_eq!((part.payment, part.exposure), (1_230, 5_280));
    assert_eq!(part.stake, 5_280);
    // The next bundle begins without the dear answer.
    worker.close_bundle().expect("there are answers");
    let voucher = exchange(&mut payer, &mut worker, 5);
    assert_eq!((voucher.amount, voucher.dearest), (1_308, 78));
    // A lower dearest price does not lower the stake below that of the payment.
    let low = Voucher {
        dearest: 0,
        amount: 3_230,
        ..voucher
    };
    let part = chain.claim(&low).expect("the voucher is the next");
    assert_eq!((part.exposure, part.stake), (2_000, 2_000));
}

#[test]
fn a_dear_answer_after_many_cheap_ones_needs_a_bundle_of_its_own() {
    let (mut payer, mut worker) = (payer(), worker());
    for _ in 0..9 {
        exchange(&mut payer, &mut worker, 5);
    }
    // Ten answers at 540 are more than the bond covers, nine at 78 and one at 540 are not.
    worker.set_free_bond(9 * 78 + 540);
    let asked = ask(&mut payer, 50);
    assert_eq!(worker.ask(&asked), Err(WorkerError::ClaimFirst));
    worker.close_bundle().expect("there are answers");
    let last = payer.last_voucher().expect("there are answers");
    assert_eq!(worker.pay(&last, |_| true), Ok(()), "it is sent again");
    assert_eq!(worker.ask(&asked), Ok(()));
}

#[test]
fn the_bond_covers_the_least_stakes_of_two_claims() {
    let (mut payer, mut worker) = (payer(), worker());
    exchange(&mut payer, &mut worker, 50);
    worker.close_bundle().expect("there are answers");
    // An answer of at most 50 has 180 at stake, in addition to 528.
    let asked = ask(&mut payer, 1);
    worker.set_free_bond(707);
    assert_eq!(worker.ask(&asked), Err(WorkerError::ClaimFirst));
    worker.set_free_bond(708);
    assert_eq!(worker.ask(&asked), Ok(()));
}

#[test]
fn a_small_bundle_waits_until_the_session_closes() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    let voucher = exchange(&mut payer, &mut worker, 5);
    assert_eq!(worker.close_bundle(), Err(WorkerError::TooSmall));
    assert_eq!(chain.claim(&voucher), Err(ClaimRefusal::TooSmall));
    chain.end(Some(&mut worker));
    assert_eq!(chain.claimed(), 78);
}

#[test]
fn a_payer_accepts_only_the_receipt_of_its_ask() {
    let (mut payer, mut worker) = (payer(), worker());
    let asked = ask(&mut payer, 5);
    worker.ask(&asked).expect("the worker serves");
    let right = finish(&mut worker, 5);
    type Change = fn(&mut SessionReceipt);
    let refusals: [(Change, PayerError); 16] = [
        (|r| r.session.0 += 1, PayerError::OtherSession),
        (|r| r.terms = H256::zero(), PayerError::OtherSession),
        (
            |r| r.checkpoint = Default::default(),
            PayerError::OtherSession,
        ),
        (|r| r.n += 1, PayerError::OtherAsk),
        (|r| r.prompt_hash = H256::zero(), PayerError::OtherAsk),
        (|r| r.prompt_tokens += 1, PayerError::OtherAsk),
        (|r| r.parameters.top_k += 1, PayerError::OtherAsk),
        (|r| r.seed = H256::zero(), PayerError::OtherAsk),
        (|r| r.answer_hash = H256::zero(), PayerError::OtherAnswer),
        (|r| r.answer_tokens -= 1, PayerError::OtherAnswer),
        (|r| r.answer_tokens += 1, PayerError::OtherAnswer),
        (|r| r.end = AnswerEnd::ByPayer, PayerError::WrongEnd),
        (|r| r.price += 1, PayerError::WrongPrice),
        (|r| r.cached_tokens = 0, PayerError::WrongPrice),
        (|r| r.cached_tokens = 11, PayerError::WrongPrice),
        (|r| r.first = 1, PayerError::WrongBundle),
    ];
    for (change, reason) in refusals {
        let mut receipt = right;
        change(&mut receipt);
        let before = payer.clone();
        assert_eq!(
            payer.receive(&receipt, answer(0, 5), 0, |_| true),
            Err(reason)
        );
        assert_eq!(payer, before, "a refusal changes nothing");
    }
    assert_eq!(
        payer.receive(&right, answer(0, 5), 0, |_| false),
        Err(PayerError::WrongSignature)
    );
    assert!(payer.receive(&right, answer(0, 5), 0, |_| true).is_ok());
    assert_eq!(
        payer.receive(&right, answer(0, 5), 0, |_| true),
        Err(PayerError::NotAsked)
    );
}

#[test]
fn a_payer_pays_the_price_of_cached_tokens_for_those_that_it_expects_to_be_cached() {
    let (mut payer, mut worker) = (payer(), worker());
    let asked = ask(&mut payer, 5);
    worker.ask(&asked).expect("the worker serves");
    // Six tokens of the prompt at 4, four cached ones at 1, five of the answer at 10.
    let receipt = finish(&mut worker, 5);
    assert_eq!(receipt.price, 78);
    let before = payer.clone();
    assert_eq!(
        payer.receive(&receipt, answer(0, 5), 5, |_| true),
        Err(PayerError::TooFewCached)
    );
    assert_eq!(payer, before, "a refusal changes nothing");
    let voucher = payer.receive(&receipt, answer(0, 5), 4, |_| true);
    assert_eq!(voucher.map(|voucher| voucher.amount), Ok(78));
}

#[test]
fn a_payer_ends_an_answer_early_and_pays_for_its_tokens() {
    let (mut payer, mut worker) = (payer(), worker());
    let asked = ask(&mut payer, 40);
    worker.ask(&asked).expect("the worker serves");
    payer.end_answer();
    let none = worker.finish(0, answer(0, 0), AnswerEnd::ByPayer, H256::zero());
    assert_eq!(none, Err(WorkerError::WrongAnswer), "one token at least");
    let short = worker.finish(0, answer(0, 3), AnswerEnd::Length, H256::zero());
    assert_eq!(short, Err(WorkerError::WrongAnswer));
    let receipt = worker
        .finish(0, answer(0, 3), AnswerEnd::ByPayer, H256::zero())
        .expect("it has tokens");
    assert_eq!(receipt.price, 10 * 4 + 3 * 10);
    assert!(payer.receive(&receipt, answer(0, 3), 0, |_| true).is_ok());
}

#[test]
fn both_sides_continue_from_their_stores() {
    let (mut payer, mut worker) = (payer(), worker());
    exchange(&mut payer, &mut worker, 5);
    let asked = ask(&mut payer, 5);
    worker.ask(&asked).expect("the worker serves");
    let stored = |worker: &WorkerSide| -> WorkerSide {
        codec::Decode::decode(&mut &worker.encode()[..]).expect("it was encoded")
    };
    // The worker crashes in the middle: the answer is asked for again.
    worker = stored(&worker);
    worker.drop_answer();
    worker.ask(&asked).expect("the worker serves");
    let receipt = finish(&mut worker, 5);
    worker = stored(&worker);
    assert!(matches!(worker.phase(), WorkerPhase::Unpaid(unpaid) if *unpaid == receipt));
    // The voucher was stored before it was sent, and it is sent again.
    let voucher = payer
        .receive(&receipt, answer(1, 5), 0, |_| true)
        .expect("the receipt is right");
    let payer: PayerSide = codec::Decode::decode(&mut &payer.encode()[..]).expect("it was encoded");
    assert_eq!(payer.last_voucher(), Some(voucher));
    assert_eq!(worker.pay(&voucher, |_| true), Ok(()));
    assert_eq!(payer.paid(), worker.bundle().total());
}

#[test]
fn no_receipt_is_claimed_twice() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    let first = exchange(&mut payer, &mut worker, 50);
    let second = exchange(&mut payer, &mut worker, 50);
    chain.claim(&first).expect("the voucher is the next");
    assert_eq!(chain.claim(&first), Err(ClaimRefusal::NotNext));
    assert_eq!(chain.claim(&second), Err(ClaimRefusal::NotNext));
    let same = Voucher {
        first: 1,
        count: 1,
        ..first
    };
    assert_eq!(chain.claim(&same), Err(ClaimRefusal::NothingToClaim));
    chain.end(None);
    assert_eq!(chain.claimed(), 528);
}

#[test]
fn the_chain_accepts_only_vouchers_of_this_session_and_within_its_hold() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    let right = exchange(&mut payer, &mut worker, 50);
    type Change = fn(&mut Voucher);
    let refusals: [(Change, ClaimRefusal); 7] = [
        (|v| v.genesis = H256::zero(), ClaimRefusal::OtherTerms),
        (|v| v.session.0 += 1, ClaimRefusal::OtherTerms),
        (|v| v.terms = H256::zero(), ClaimRefusal::OtherTerms),
        (|v| v.first = 1, ClaimRefusal::NotNext),
        (|v| v.count = 0, ClaimRefusal::NothingToClaim),
        (|v| v.amount = 0, ClaimRefusal::NothingToClaim),
        (|v| v.amount = HELD, ClaimRefusal::HoldTooLow),
    ];
    for (change, reason) in refusals {
        let mut voucher = right;
        change(&mut voucher);
        let before = chain.account;
        assert_eq!(chain.claim(&voucher), Err(reason));
        assert_eq!(chain.account, before, "a refusal changes nothing");
    }
    let most = Voucher {
        amount: u128::MAX,
        ..right
    };
    assert_eq!(chain.claim(&most), Err(ClaimRefusal::Overflow));
    assert!(chain.claim(&right).is_ok());
}

#[test]
fn few_small_claims_are_accepted_while_a_session_closes() {
    let mut chain = Chain::new();
    chain
        .account
        .close_by_payer(&RULES, chain.now, 2)
        .expect("it is open");
    let voucher = |n: u32| Voucher {
        genesis: GENESIS,
        session: agreement().session,
        terms: agreement().terms,
        first: n,
        count: n + 1,
        amount: u128::from(n + 1),
        dearest: 0,
        root: H256::zero(),
    };
    for n in 0..MAX_SMALL_CLAIMS {
        assert!(chain.claim(&voucher(n)).is_ok());
    }
    assert_eq!(
        chain.claim(&voucher(MAX_SMALL_CLAIMS)),
        Err(ClaimRefusal::TooSmall)
    );
}

#[test]
fn a_session_begins_with_its_seed_and_closes_by_itself() {
    let mut account = Account::<u32>::new(HELD);
    let voucher = Voucher {
        genesis: GENESIS,
        session: agreement().session,
        terms: agreement().terms,
        first: 0,
        count: 1,
        amount: 1_000,
        dearest: 1_000,
        root: H256::zero(),
    };
    assert_eq!(
        account.claim(&agreement(), &voucher, 1),
        Err(ClaimRefusal::NotSeeded)
    );
    assert_eq!(account.top_up(&RULES, 5, 1), Err(ClaimRefusal::NotSeeded));
    assert_eq!(
        account.close_by_worker(&RULES, 1, 2),
        Err(ClaimRefusal::NotSeeded)
    );
    assert_eq!(account.due(), None);
    account.seed(&RULES, 1).expect("it has no seed yet");
    assert!(account.seed(&RULES, 1).is_err());
    assert!(account.abort(Ended::NoWorker).is_err());
    assert_eq!(account.stage, Stage::Open { until: 101 });
    assert_eq!(account.end_by_worker(0), Err(ClaimRefusal::NotClosing));
    account.top_up(&RULES, 5, 50).expect("it is open");
    assert_eq!(account.stage, Stage::Open { until: 150 });
    assert_eq!(account.held, HELD + 5);
    assert_eq!(account.due(), Some(151));
    assert!(!account.advance(&RULES, 150, 2));
    assert!(account.advance(&RULES, 151, 2));
    assert_eq!(account.stage, Stage::Closing { until: 163 });
    assert_eq!(account.top_up(&RULES, 5, 152), Err(ClaimRefusal::Closing));
    assert_eq!(
        account.close_by_payer(&RULES, 152, 2),
        Err(ClaimRefusal::Closing)
    );
    assert!(account.claim(&agreement(), &voucher, 163).is_ok());
    let mut late = account;
    assert_eq!(
        late.claim(&agreement(), &voucher, 164),
        Err(ClaimRefusal::Ended)
    );
    assert_eq!(
        account.close_by_worker(&RULES, 160, 2),
        Err(ClaimRefusal::Closing)
    );
    assert_eq!(account.end_by_worker(0), Err(ClaimRefusal::OtherCount));
    assert_eq!(account.end_by_worker(1), Ok(()));
    assert_eq!(account.end_by_worker(1), Err(ClaimRefusal::Ended));
    assert_eq!(account.ended(), Some(Ended::Closed));
    assert_eq!(account.due(), None);
    assert_eq!(
        account.close_by_payer(&RULES, 161, 2),
        Err(ClaimRefusal::Ended)
    );
}

#[test]
fn a_session_without_a_seed_is_cancelled_at_once() {
    let mut account = Account::<u32>::new(HELD);
    account
        .close_by_payer(&RULES, 1, 2)
        .expect("it is not over");
    assert_eq!(account.ended(), Some(Ended::Cancelled));
    assert_eq!(account.left(), HELD);
}

#[test]
fn a_session_whose_claim_fell_closes() {
    let (mut payer, mut worker, mut chain) = (payer(), worker(), Chain::new());
    let voucher = exchange(&mut payer, &mut worker, 50);
    chain.claim(&voucher).expect("the voucher is the next");
    chain.account.end_claim(true, &RULES, chain.now, 2);
    assert!(matches!(chain.account.stage, Stage::Closing { .. }));
    assert_eq!(chain.account.open_claims, 0);
}

#[test]
fn the_check_fee_is_that_of_the_leaves_that_can_be_drawn() {
    let agreement = agreement();
    assert_eq!(agreement.check_fee(0, 0), Some(0));
    assert_eq!(agreement.check_fee(1, 0), Some(60));
    assert_eq!(agreement.check_fee(1, 1_000), Some(200));
    assert_eq!(agreement.check_fee(8, 8_000), Some(8 * 200));
    let fee = agreement.check_fee(100_000, 100_000_000);
    assert_eq!(fee, Some(u128::from(MOST_CHECKED) * 200));
    assert_eq!(agreement.check_fee(1, u128::MAX), Some(u128::MAX / 5));
    assert_eq!(agreement.claim_total(1, u128::MAX), None);
}

#[test]
fn a_prompt_may_not_be_too_long_for_the_payer_either() {
    let mut payer = payer();
    let greedy = SamplingParameters::greedy;
    assert_eq!(
        payer.ask(prompt(0), 0, greedy(1)),
        Err(PayerError::NoPrompt)
    );
    assert_eq!(
        payer.ask(prompt(0), 1, greedy(0)),
        Err(PayerError::Parameters)
    );
    assert_eq!(
        payer.ask(prompt(0), 11, greedy(50)),
        Err(PayerError::TooLong)
    );
    payer.set_held(647);
    assert_eq!(
        payer.ask(prompt(0), 10, greedy(50)),
        Err(PayerError::HoldTooLow)
    );
    payer.set_held(648);
    assert!(payer.ask(prompt(0), 10, greedy(50)).is_ok());
    assert_eq!(payer.ask(prompt(0), 10, greedy(50)), Err(PayerError::Busy));
    payer.withdraw_ask();
    assert!(payer.ask(prompt(0), 10, greedy(50)).is_ok());
}
