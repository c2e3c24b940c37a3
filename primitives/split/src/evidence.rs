//! Evidence about a step: the parts of the tables that it depends on, with proofs.

use crate::{
    lookup::find, Lookup, Missing, Pair, SplitRules, SplitState, SplitText, Table, TableRun,
    TokenEntry,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::fmt;
use noema_protocol::{hashing, merkle};
use scale_info::TypeInfo;
use sp_core::H256;

/// The node of an entry in the tree of a vocabulary.
pub(crate) fn entry_node(entry: &TokenEntry) -> H256 {
    hashing::split_entry_node(entry)
}

/// The node of a run of merges.
pub(crate) fn merge_node(run: &TableRun<Pair>) -> H256 {
    hashing::split_merges_node(run)
}

/// The node of a run of forms.
pub(crate) fn form_node(run: &TableRun<Vec<u8>>) -> H256 {
    hashing::split_forms_node(run)
}

/// The parts of the tables that a step depends on, with proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SplitEvidence {
    /// Entries of tokens, the tokens ascending.
    pub entries: Vec<(u32, TokenEntry)>,
    /// The nodes beside them.
    pub entry_nodes: Vec<H256>,
    /// Runs of merges with their numbers, ascending.
    pub merges: Vec<(u32, TableRun<Pair>)>,
    /// The nodes beside them.
    pub merge_nodes: Vec<H256>,
    /// Runs of forms with their numbers, ascending.
    pub forms: Vec<(u32, TableRun<Vec<u8>>)>,
    /// The nodes beside them.
    pub form_nodes: Vec<H256>,
}

/// Why a step cannot be executed with some evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SplitRefusal {
    /// A part is not of the checkpoint's tables, or nodes are missing or too many.
    Tables,
    /// The step depends on a part that is not there.
    Missing,
}

impl fmt::Display for SplitRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tables => "the entries, merges or forms are not those of the checkpoint; show them with all nodes",
            Self::Missing => "the step depends on an entry, a merge or a form that is not shown; show it, too",
        })
    }
}

impl core::error::Error for SplitRefusal {}

/// Evidence that is of the tables.
struct Verified<'a> {
    evidence: &'a SplitEvidence,
    rules: &'a SplitRules,
}

impl Lookup for Verified<'_> {
    fn entry(&mut self, token: u32) -> Result<TokenEntry, Missing> {
        let found = self
            .evidence
            .entries
            .iter()
            .find(|(index, _)| *index == token);
        found.map(|(_, entry)| entry.clone()).ok_or(Missing)
    }

    fn merge(&mut self, pair: Pair) -> Result<Option<u32>, Missing> {
        find(&self.rules.merges, &self.evidence.merges, &pair)
    }

    fn form(&mut self, form: &[u8]) -> Result<Option<u32>, Missing> {
        find(&self.rules.forms, &self.evidence.forms, &form.to_vec())
    }
}

impl SplitEvidence {
    fn verify(&self, rules: &SplitRules) -> Result<(), SplitRefusal> {
        let entries = &self.entries;
        let are_right = holds(&rules.vocabulary, entries, &self.entry_nodes, entry_node)
            && holds(&rules.merges, &self.merges, &self.merge_nodes, merge_node)
            && holds(&rules.forms, &self.forms, &self.form_nodes, form_node);
        are_right.then_some(()).ok_or(SplitRefusal::Tables)
    }
}

fn holds<T>(table: &Table, shown: &[(u32, T)], missing: &[H256], node: fn(&T) -> H256) -> bool {
    if shown.is_empty() {
        return missing.is_empty();
    }
    let nodes: Vec<(u64, H256)> = shown
        .iter()
        .map(|(index, leaf)| (u64::from(*index), node(leaf)))
        .collect();
    merkle::root_of(table.leaves.into(), &nodes, missing) == Some(table.root)
}

impl SplitText<'_> {
    /// As [`step`](Self::step), from evidence that must be of the tables of the rules.
    ///
    /// Total: no evidence makes it panic.
    ///
    /// # Errors
    /// Where the evidence is not of the tables, or the step depends on more.
    pub fn execute(
        &self,
        index: u32,
        token: u32,
        state: Option<&SplitState>,
        evidence: &SplitEvidence,
    ) -> Result<Option<SplitState>, SplitRefusal> {
        let rules = self.rules();
        evidence.verify(rules)?;
        self.step(index, token, state, &mut Verified { evidence, rules })
            .map_err(|Missing| SplitRefusal::Missing)
    }
}
