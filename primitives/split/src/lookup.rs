//! Tables under a Merkle root: sorted lists in runs, of which one shows that a key is there or not.

use crate::TokenEntry;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// Most items in a run.
pub const RUN_ITEMS: usize = 16;

/// Two tokens beside each other.
pub type Pair = (u32, u32);

/// What is not among the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing;

/// Tables of a tokenizer, whole or in part.
pub trait Lookup {
    /// What the vocabulary says about a token in it.
    fn entry(&mut self, token: u32) -> Result<TokenEntry, Missing>;

    /// The place, from 1, of the merge of a pair in the order of merges, if there is one.
    fn merge(&mut self, pair: Pair) -> Result<Option<u32>, Missing>;

    /// The token of a form, if it is listed: of a whole word, or of a character that is a unit.
    fn form(&mut self, form: &[u8]) -> Result<Option<u32>, Missing>;
}

/// A table by its root.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Table {
    /// Number of its leaves.
    pub leaves: u32,
    /// Merkle root over them, zero if there are none.
    pub root: H256,
}

/// A part of a sorted list of keys and values: a leaf of its table.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct TableRun<K> {
    /// Keys and values, the keys ascending.
    pub items: Vec<(K, u32)>,
    /// The first key of the next run, if there is one.
    pub next: Option<K>,
}

impl<K: Ord + Clone> TableRun<K> {
    /// The runs of a list whose keys are ascending.
    pub(crate) fn all(list: &[(K, u32)]) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for items in list.chunks(RUN_ITEMS) {
            if let (Some(run), Some((first, _))) = (runs.last_mut(), items.first()) {
                run.next = Some(first.clone());
            }
            runs.push(Self {
                items: items.to_vec(),
                next: None,
            });
        }
        runs
    }

    /// Whether a key would have to be in this run, which is number `index` of its table.
    fn covers(&self, index: u32, key: &K) -> bool {
        let begins = index == 0 || self.items.first().is_some_and(|(first, _)| first <= key);
        begins && self.next.as_ref().is_none_or(|next| key < next)
    }

    pub(crate) fn value(&self, key: &K) -> Option<u32> {
        let item = self.items.iter().find(|(item, _)| item == key);
        item.map(|(_, value)| *value)
    }
}

/// The value of a key in a table, by the run among these, with their numbers, that covers it.
pub(crate) fn find<K: Ord + Clone>(
    table: &Table,
    runs: &[(u32, TableRun<K>)],
    key: &K,
) -> Result<Option<u32>, Missing> {
    if table.leaves == 0 {
        return Ok(None);
    }
    let run = runs.iter().find(|(index, run)| run.covers(*index, key));
    run.map(|(_, run)| run.value(key)).ok_or(Missing)
}
