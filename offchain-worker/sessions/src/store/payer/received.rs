//! The received answers of a session, in their order.

use super::{PayerStore, ReceivedAnswer, ANSWERS};
use crate::store::decode;
use crate::SessionStoreError;
use redb::ReadableDatabase;
use sp_core::H256;

impl PayerStore {
    /// The hashes of the receipts of `count` answers from number `first` on, of the session with these terms; `None`
    /// where one of them is not stored.
    ///
    /// # Errors
    /// When the database fails, or another version wrote a record.
    pub fn receipts(
        &self,
        terms: H256,
        first: u32,
        count: u32,
    ) -> Result<Option<Vec<H256>>, SessionStoreError> {
        let Some(end) = first.checked_add(count) else {
            return Ok(None);
        };
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(ANSWERS)?;
            let mut hashes = Vec::new();
            for entry in table.range((terms.0, first)..(terms.0, end))? {
                let answer: ReceivedAnswer = decode("an answer", &entry?.1.value())?;
                hashes.push(answer.receipt.receipt.hash());
            }
            // As many as there are numbers, so none is missing.
            let is_whole = u32::try_from(hashes.len()) == Ok(count);
            Ok(is_whole.then_some(hashes))
        })
    }

    /// The last answers of the session with these terms, `most` at most, the oldest first.
    ///
    /// # Errors
    /// When the database fails, or another version wrote a record.
    pub fn last_answers(
        &self,
        terms: H256,
        most: usize,
    ) -> Result<Vec<ReceivedAnswer>, SessionStoreError> {
        self.0.read(|database| {
            let table = database.begin_read()?.open_table(ANSWERS)?;
            let all = table.range((terms.0, 0)..=(terms.0, u32::MAX))?;
            let mut answers = Vec::new();
            for entry in all.rev().take(most) {
                answers.push(decode("an answer", &entry?.1.value())?);
            }
            answers.reverse();
            Ok(answers)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PayerRecord, SignedReceipt};
    use noema_economics::Permill;
    use noema_protocol::{CheckpointId, SamplingParameters, SessionId};
    use noema_sessions::{
        Agreement, AnswerEnd, PayerSide, SessionPrices, SessionReceipt, SessionRules,
    };

    const TERMS: H256 = H256::repeat_byte(3);

    fn record() -> PayerRecord {
        let agreement = Agreement {
            genesis: H256::zero(),
            terms: TERMS,
            session: SessionId(1),
            checkpoint: CheckpointId(H256::zero()),
            leaf_tokens: 100,
            prices: SessionPrices::default(),
            rules: SessionRules {
                lifetime: 1,
                close: 1,
                bytes_per_token: 1,
                cached_share: Permill::from_percent(10),
                check_share: Permill::from_percent(10),
                check_fee_per_token: 1,
                stake_percent: 1,
                min_stake: 1,
                stake_per_token: 1,
                min_held: 1,
                min_claim: 1,
                storage_price: 1,
                retention: 1,
            },
            seed: H256::zero(),
        };
        PayerRecord {
            side: PayerSide::new(agreement, 1),
            prompt: Vec::new(),
            voucher: None,
        }
    }

    fn answer(n: u32) -> ReceivedAnswer {
        ReceivedAnswer {
            worker: [1; 32],
            received_at: u64::from(n),
            prompt: vec![n],
            answer: vec![n],
            receipt: SignedReceipt {
                receipt: SessionReceipt {
                    session: SessionId(1),
                    n,
                    first: 0,
                    terms: TERMS,
                    checkpoint: CheckpointId(H256::zero()),
                    prompt_hash: H256::zero(),
                    prompt_tokens: 1,
                    cached_tokens: 0,
                    parameters: SamplingParameters::greedy(1),
                    seed: H256::zero(),
                    answer_hash: H256::zero(),
                    answer_tokens: 1,
                    end: AnswerEnd::Length,
                    price: 0,
                    hidden_root: H256::zero(),
                },
                signature: [0; 64],
            },
        }
    }

    #[test]
    fn answers_are_read_in_their_order_and_gaps_are_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = PayerStore::open(&folder.path().join("store.redb")).expect("a store");
        for n in [0, 1, 2, 4] {
            store.put(&record(), Some(&answer(n))).expect("room");
        }
        let hash = |n| answer(n).receipt.receipt.hash();
        let read = |first, count| store.receipts(TERMS, first, count).expect("a store");
        assert_eq!(read(0, 3), Some(vec![hash(0), hash(1), hash(2)]));
        assert_eq!(read(1, 2), Some(vec![hash(1), hash(2)]));
        assert_eq!(read(2, 0), Some(Vec::new()));
        for (first, count) in [(2, 3), (3, 1), (4, 2), (u32::MAX, 1)] {
            assert_eq!(read(first, count), None, "{first} {count}");
        }
        assert_eq!(store.receipts(H256::zero(), 0, 1).expect("a store"), None);
        let last = |most| store.last_answers(TERMS, most).expect("a store");
        assert_eq!(last(2), [answer(2), answer(4)]);
        assert_eq!(last(9).len(), 4);
        assert!(last(0).is_empty());
    }
}
