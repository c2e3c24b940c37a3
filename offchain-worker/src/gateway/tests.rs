use super::*;
use noema_economics::Permill;
use noema_session_transport::WorkerRefusal;
use noema_sessions::{AnswerEnd, PayerSide, SessionReceipt, SessionRules};

const GENESIS: H256 = H256::repeat_byte(9);
const KEY: [u8; 32] = [3; 32];
const RULES: SessionRules = SessionRules {
    lifetime: 100,
    close: 10,
    bytes_per_token: 4,
    cached_share: Permill::from_percent(10),
    check_share: Permill::from_percent(20),
    check_fee_per_token: 1,
    stake_percent: 100,
    min_stake: 100,
    stake_per_token: 1,
    min_held: 1,
    min_claim: 50,
    storage_price: 1,
    retention: 20,
};

fn terms(session: u64, voucher_key: [u8; 32], leaf_tokens: u32) -> SessionTerms<WorkerId> {
    SessionTerms {
        session: SessionId(session),
        payer: [1; 32],
        worker: [2; 32],
        voucher_key,
        checkpoint: CheckpointId(H256::repeat_byte(7)),
        leaf_tokens,
        prices: SessionPrices {
            per_prompt_token: 0,
            per_cached_token: 0,
            per_answer_token: 10,
        },
        rules: RULES,
        claim_rules: H256::zero(),
        seed: H256::zero(),
    }
}

/// A session in which one answer of `tokens` tokens was paid.
fn record(terms: &SessionTerms<WorkerId>, tokens: u16) -> PayerRecord {
    let agreement = terms.agreement(GENESIS);
    let mut side = PayerSide::new(agreement, 1_000_000);
    let parameters = SamplingParameters::greedy(tokens);
    let ask = side
        .ask(H256::zero(), 1, parameters)
        .expect("is affordable");
    let receipt = SessionReceipt {
        session: agreement.session,
        n: ask.n,
        first: 0,
        terms: agreement.terms,
        checkpoint: agreement.checkpoint,
        prompt_hash: ask.prompt_hash,
        prompt_tokens: 1,
        cached_tokens: 0,
        parameters,
        seed: agreement.seed_of(0),
        answer_hash: H256::zero(),
        answer_tokens: tokens.into(),
        end: AnswerEnd::Length,
        price: Balance::from(tokens) * 10,
        hidden_root: H256::zero(),
    };
    let answer = (H256::zero(), tokens.into());
    side.receive(&receipt, answer, 0, |_| true)
        .expect("is right");
    PayerRecord {
        side,
        prompt: Vec::new(),
        voucher: None,
    }
}

fn on_chain(terms: &SessionTerms<WorkerId>, held: Balance, stage: Stage<u32>) -> OnChain {
    OnChain {
        held,
        stage,
        terms: Some(terms.clone()),
    }
}

#[test]
fn every_unit_that_was_spent_or_is_on_hold_counts_once() {
    let own = Own {
        genesis: GENESIS,
        voucher_key: KEY,
        checkpoint: CheckpointId(H256::repeat_byte(7)),
        leaf_tokens: 400,
    };
    let open = Stage::Open { until: 9 };
    let going_on = terms(1, KEY, 400);
    let other_context = terms(2, KEY, 800);
    let closing = terms(3, KEY, 400);
    let removed = terms(4, KEY, 400);
    let of_another = terms(5, [8; 32], 400);
    let records = [
        record(&going_on, 1),
        record(&other_context, 2),
        record(&closing, 4),
        record(&removed, 8),
    ];
    let sessions = vec![
        on_chain(&going_on, 1_000, open),
        on_chain(&other_context, 2_000, open),
        on_chain(&closing, 4_000, Stage::Closing { until: 9 }),
        on_chain(&of_another, 8_000, open),
        OnChain {
            held: 16_000,
            stage: Stage::Unseeded,
            terms: None,
        },
    ];
    let (earlier, committed) = own.earlier(sessions, &records);
    let [session] = &earlier[..] else {
        panic!("one goes on");
    };
    assert_eq!((session.held, session.paid), (1_000, 10));
    assert_eq!(session.terms, going_on);
    assert_eq!(committed, 2_000 + 40 + 80 + 16_000);
}

#[test]
fn a_worker_that_is_not_reached_is_not_waited_for_as_long_as_a_seed() {
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let unseeded = || PayerFault::NotOpen(SessionId(7));
    let unreached = || PayerFault::from(ConnectionFault::Unreachable("it is away".to_owned()));
    let unknown = || PayerFault::from(ConnectionFault::Refused(WorkerRefusal::NotServed));
    let mut patience = Patience::until(start + SEEDED);
    assert!(!patience.is_over(&unseeded(), start, after(60)));
    // The first attempt counts, however long it took.
    assert!(!patience.is_over(&unreached(), after(60), after(69)));
    assert!(patience.is_over(&unreached(), after(69), after(70)));
    // One that is reached may learn of the session later.
    let mut patience = Patience::until(start + SEEDED);
    assert!(!patience.is_over(&unreached(), start, after(9)));
    assert!(!patience.is_over(&unknown(), after(9), after(100)));
    assert!(!patience.is_over(&unreached(), after(101), after(102)));
    assert!(patience.is_over(&unknown(), after(110), after(120)));
    assert!(patience.is_over(&unreached(), after(119), after(120)));
}
