//! The messages of sessions: what is read is written the same, and a leaf is of a claim only with its own tokens.

use crate::input::Input;
use codec::{DecodeAll, Encode};
use noema_protocol::{
    hashing::{merkle_leaf, tokens_hash},
    CheckpointId, ClaimId, SamplingParameters, SessionId,
};
use noema_session_transport::{
    take_message, AskMessage, FromWorker, LeafRequest, SessionLeaf, SignedReceipt, SignedVoucher,
    ToWorker, WorkerRefusal, MAX_MESSAGE,
};
use noema_sessions::{AnswerEnd, Ask, SessionReceipt, Voucher, WorkerError};
use sp_core::H256;
use std::fmt::Debug;

const PROMPT: [u32; 3] = [5, 17, 99];
const ANSWER: [u32; 2] = [4, 8];

/// Takes all messages of a stream, and writes them again.
fn stream<M: DecodeAll + Encode + PartialEq + Debug>(bytes: &[u8]) -> String {
    let (mut arrived, mut written) = (bytes.to_vec(), Vec::new());
    let mut count = 0;
    loop {
        match take_message::<M>(&mut arrived, MAX_MESSAGE) {
            Ok(Some(message)) => {
                let encoded = message.encode();
                written.extend((encoded.len() as u32).to_le_bytes());
                written.extend(encoded);
                count += 1;
                assert!(bytes.starts_with(&written), "{message:?} has two forms");
            }
            Ok(None) => {
                assert_eq!(written.len() + arrived.len(), bytes.len());
                return format!("{} waits", count.min(4));
            }
            Err(fault) => {
                return format!(
                    "{} {}",
                    count.min(4),
                    super::manifest::variant(&format!("{fault:?}"))
                )
            }
        }
    }
}

pub(super) fn run(bytes: &[u8]) -> String {
    let mut input = Input(bytes);
    match input.u8() {
        0 => format!("worker: {}", stream::<ToWorker>(input.rest())),
        1 => format!("payer: {}", stream::<FromWorker>(input.rest())),
        _ => {
            let Ok(leaf) = SessionLeaf::decode_all(&mut input.rest()) else {
                return "no leaf".into();
            };
            let root = merkle_leaf(&receipt().hash());
            let is_of = leaf.is_of(root, 1, 0);
            if is_of {
                assert_eq!(leaf, self::leaf());
            }
            format!("leaf {is_of}")
        }
    }
}

/// A receipt for the prompt and the answer of these tests.
pub(super) fn receipt() -> SessionReceipt {
    SessionReceipt {
        session: SessionId(3),
        n: 0,
        first: 0,
        terms: H256::repeat_byte(1),
        checkpoint: CheckpointId(H256::repeat_byte(2)),
        prompt_hash: tokens_hash(&PROMPT),
        prompt_tokens: 3,
        cached_tokens: 1,
        parameters: SamplingParameters::greedy(2),
        seed: H256::repeat_byte(3),
        answer_hash: tokens_hash(&ANSWER),
        answer_tokens: 2,
        end: AnswerEnd::Length,
        price: 70,
        hidden_root: H256::repeat_byte(4),
    }
}

fn leaf() -> SessionLeaf {
    SessionLeaf {
        receipt: receipt(),
        path: Vec::new(),
        prompt: PROMPT.to_vec(),
        answer: ANSWER.to_vec(),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    fn streamed<M: Encode>(to: u8, messages: &[M]) -> Vec<u8> {
        let mut bytes = vec![to];
        for message in messages {
            let encoded = message.encode();
            bytes.extend((encoded.len() as u32).to_le_bytes());
            bytes.extend(encoded);
        }
        bytes
    }
    let voucher = SignedVoucher {
        voucher: Voucher {
            genesis: H256::repeat_byte(9),
            session: SessionId(3),
            terms: H256::repeat_byte(1),
            first: 0,
            count: 1,
            amount: 70,
            dearest: 70,
            root: merkle_leaf(&receipt().hash()),
        },
        signature: [6; 64],
    };
    let asked = ToWorker::Ask(Box::new(AskMessage {
        session: SessionId(3),
        ask: Ask {
            n: 0,
            prompt_hash: tokens_hash(&PROMPT),
            prompt_tokens: 3,
            parameters: SamplingParameters::greedy(2),
        },
        prompt: PROMPT.to_vec(),
        voucher: Some(voucher),
    }));
    let opened = ToWorker::Open {
        session: SessionId(3),
        signature: [5; 64],
    };
    let request = ToWorker::Leaf(LeafRequest {
        claim: ClaimId(1),
        leaf: 0,
        key: [8; 32],
        signature: [7; 64],
    });
    let greeting = ToWorker::Hello {
        lowest: 1,
        highest: 1,
    };
    let answered = FromWorker::Answered(Box::new(SignedReceipt {
        receipt: receipt(),
        signature: [4; 64],
    }));
    let refused = FromWorker::Refused(WorkerRefusal::Rules(WorkerError::Unpaid));
    vec![
        streamed(0, &[greeting, opened]),
        streamed(0, &[asked, ToWorker::End, ToWorker::Pay(Box::new(voucher))]),
        streamed(0, &[request]),
        streamed(
            1,
            &[
                FromWorker::Hello { version: 1 },
                FromWorker::Opened { count: 4 },
            ],
        ),
        streamed(
            1,
            &[
                FromWorker::Tokens(ANSWER.to_vec()),
                answered,
                FromWorker::Paid { count: 1 },
            ],
        ),
        streamed(1, &[refused, FromWorker::Leaf(Box::new(leaf()))]),
        [&[2][..], &leaf().encode()].concat(),
    ]
}
