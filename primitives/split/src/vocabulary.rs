//! The whole tables of a tokenizer, and proofs from them.

use crate::{
    derive::{by_pair, entries, units_of},
    evidence::{entry_node, form_node, merge_node},
    words::Cut,
    Lookup, Merge, Missing, Pair, Spaces, SplitEvidence, SplitRules, Table, TableRun, TokenEntry,
    TokenForm, Units, Unsupported, MAX_CUTS, MAX_LOOKUP_BYTES,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    vec::Vec,
};
use codec::Encode;
use noema_protocol::merkle;
use sp_core::H256;

/// The whole tables of a tokenizer.
#[derive(Clone, Debug)]
pub struct SplitTables {
    rules: SplitRules,
    entries: Vec<TokenEntry>,
    merges: Vec<TableRun<Pair>>,
    forms: Vec<TableRun<Vec<u8>>>,
    merge_orders: BTreeMap<Pair, u32>,
    form_tokens: BTreeMap<Vec<u8>, u32>,
    trees: [Tree; 3],
}

/// All rows of a Merkle tree.
#[derive(Clone, Debug)]
struct Tree {
    rows: Vec<Vec<H256>>,
    leaves: u64,
}

impl SplitTables {
    /// The tables of a tokenizer with these tokens and merges, the first merge first. No text may become one of the
    /// tokens in `special`.
    ///
    /// # Errors
    /// If the split of a text by this tokenizer cannot be judged step by step.
    pub fn new(
        forms: &[TokenForm],
        special: &BTreeSet<u32>,
        merges: &[Merge],
        composes: bool,
        spaces: Spaces,
        cuts: Vec<Cut>,
        units: Units,
    ) -> Result<Self, Unsupported> {
        if cuts.len() > MAX_CUTS {
            return Err(Unsupported::Part("too many cuts of a text".to_string()));
        }
        let merges = by_pair(forms, merges)?;
        let is_unknown = |token: u32| units.unknown() == Some(token);
        if merges
            .keys()
            .any(|(left, right)| is_unknown(*left) || is_unknown(*right))
        {
            return Err(Unsupported::Part("merges of an unknown byte".to_string()));
        }
        let mut entries = entries(forms, &merges, &units)?;
        for (entry, token) in entries.iter_mut().zip(0..) {
            let can_be = match entry {
                TokenEntry::Piece { .. } | TokenEntry::Byte(_) => true,
                TokenEntry::Word { bytes } => may_be_word(bytes, &cuts),
                TokenEntry::Never => false,
            };
            if can_be && is_unknown(token) {
                let what = "a token for unknown bytes that a text can become";
                return Err(Unsupported::Part(what.to_string()));
            }
            match (special.contains(&token), can_be || is_unknown(token)) {
                (true, true) => return Err(Unsupported::Special(token)),
                (true, false) => *entry = TokenEntry::Never,
                (false, _) => {}
            }
        }
        let form_tokens = match &units {
            Units::Characters => {
                bytes_stand(&entries)?;
                units_of(forms, &units)
            }
            Units::Bytes { .. } => words(&entries, &units)?,
        };
        let merge_orders = merges
            .into_iter()
            .map(|(pair, (order, _))| (pair, order))
            .collect::<BTreeMap<_, _>>();
        let list: Vec<_> = merge_orders
            .iter()
            .map(|(pair, order)| (*pair, *order))
            .collect();
        let merges = TableRun::all(&list);
        let list: Vec<_> = form_tokens
            .iter()
            .map(|(form, token)| (form.clone(), *token))
            .collect();
        let forms = TableRun::all(&list);
        let trees = [
            Tree::of(entries.iter().map(entry_node)),
            Tree::of(merges.iter().map(merge_node)),
            Tree::of(forms.iter().map(form_node)),
        ];
        let [vocabulary, of_merges, of_forms] = &trees;
        let tables = Self {
            rules: SplitRules {
                composes,
                spaces,
                cuts,
                units,
                vocabulary: vocabulary.table(),
                merges: of_merges.table(),
                forms: of_forms.table(),
            },
            entries,
            merges,
            forms,
            merge_orders,
            form_tokens,
            trees,
        };
        match tables.most_lookup_bytes() {
            most if most > MAX_LOOKUP_BYTES => Err(Unsupported::Lookups(most)),
            _ => Ok(tables),
        }
    }

    /// The rules with the roots of these tables.
    pub const fn rules(&self) -> &SplitRules {
        &self.rules
    }

    /// What the vocabulary says about each token.
    pub fn entries(&self) -> &[TokenEntry] {
        &self.entries
    }

    /// What `work` returns, with evidence about all that it looks up.
    pub fn prove<T>(&self, work: impl FnOnce(&mut LookupRecorder<'_>) -> T) -> (T, SplitEvidence) {
        let mut recorder = LookupRecorder {
            tables: self,
            entries: BTreeSet::new(),
            merges: BTreeSet::new(),
            forms: BTreeSet::new(),
        };
        let result = work(&mut recorder);
        let [entries, merges, forms] = &self.trees;
        let evidence = SplitEvidence {
            entry_nodes: entries.nodes(&recorder.entries),
            entries: shown(&self.entries, &recorder.entries),
            merge_nodes: merges.nodes(&recorder.merges),
            merges: shown(&self.merges, &recorder.merges),
            form_nodes: forms.nodes(&recorder.forms),
            forms: shown(&self.forms, &recorder.forms),
        };
        (result, evidence)
    }

    /// Most bytes of evidence that a step can need.
    pub fn most_lookup_bytes(&self) -> usize {
        fn largest<T: Encode>(leaves: &[T]) -> usize {
            leaves.iter().map(Encode::encoded_size).max().unwrap_or(0)
        }
        let sides = self.entries.iter().map(|entry| match entry {
            TokenEntry::Piece { left, right, .. } => (left.len(), right.len()),
            _ => (1, 1),
        });
        let (left, right) = sides.fold((1, 1), |(left, right), (of_left, of_right)| {
            (of_left.max(left), of_right.max(right))
        });
        let pairs = left.saturating_add(right).saturating_sub(1);
        let [entries, merges, forms] = &self.trees;
        let entries = entries.most_bytes(2, largest(&self.entries));
        let merges = merges.most_bytes(pairs, largest(&self.merges));
        let forms = forms.most_bytes(1, largest(&self.forms));
        // The lengths of six lists.
        entries
            .saturating_add(merges)
            .saturating_add(forms)
            .saturating_add(24)
    }
}

fn shown<T: Clone>(leaves: &[T], indices: &BTreeSet<u32>) -> Vec<(u32, T)> {
    let leaf = |index: &u32| Some((*index, leaves.get(*index as usize)?.clone()));
    indices.iter().filter_map(leaf).collect()
}

/// Checks that there is a token for each byte.
fn bytes_stand(entries: &[TokenEntry]) -> Result<(), Unsupported> {
    let missing = |byte: &u8| !entries.contains(&TokenEntry::Byte(*byte));
    match (0..=u8::MAX).find(missing) {
        Some(byte) => Err(Unsupported::Byte(byte)),
        None => Ok(()),
    }
}

/// The words that only become a token as a whole.
fn words(entries: &[TokenEntry], units: &Units) -> Result<BTreeMap<Vec<u8>, u32>, Unsupported> {
    let mut words = BTreeMap::new();
    for (entry, token) in entries.iter().zip(0..) {
        if let TokenEntry::Word { bytes } = entry {
            if bytes.iter().all(|byte| units.vanishes(*byte)) {
                return Err(Unsupported::Part("a token whose bytes vanish".to_string()));
            }
            words.insert(bytes.clone(), token);
        }
    }
    Ok(words)
}

/// Whether a text with this in it may be cut so that it is a word.
fn may_be_word(bytes: &[u8], cuts: &[Cut]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return false;
    };
    let first = cuts.iter().fold(text, |part, cut| {
        part.get(..cut.first(part)).unwrap_or_default()
    });
    // Where a part ends in white space depends on what follows.
    let rest = text.get(first.len()..).unwrap_or_default();
    rest.chars().all(crate::is_space)
}

impl Tree {
    fn of(nodes: impl Iterator<Item = H256>) -> Self {
        let mut row: Vec<H256> = nodes.collect();
        let leaves = row.len() as u64;
        let mut rows = Vec::new();
        while row.len() > 1 {
            let above = merkle::row_above(&row);
            rows.push(core::mem::replace(&mut row, above));
        }
        rows.push(row);
        Self { rows, leaves }
    }

    fn table(&self) -> Table {
        let root = self.rows.last().and_then(|row| row.first());
        Table {
            leaves: u32::try_from(self.leaves).unwrap_or(u32::MAX),
            root: root.copied().unwrap_or_default(),
        }
    }

    /// The nodes that are missing beside these leaves.
    fn nodes(&self, leaves: &BTreeSet<u32>) -> Vec<H256> {
        let indices: Vec<u64> = leaves.iter().map(|index| u64::from(*index)).collect();
        let places = merkle::missing(self.leaves, &indices).unwrap_or_default();
        let node = |place: merkle::Place| {
            let row = self.rows.get(place.row as usize)?;
            row.get(usize::try_from(place.index).ok()?).copied()
        };
        places.into_iter().filter_map(node).collect()
    }

    /// Most bytes of so many leaves with their numbers, of at most `leaf` bytes each, and their proof.
    fn most_bytes(&self, leaves: usize, leaf: usize) -> usize {
        let path = (merkle::height(self.leaves) as usize).saturating_mul(32);
        let each = leaf.saturating_add(path).saturating_add(4);
        match self.leaves {
            0 => 0,
            _ => leaves.saturating_mul(each),
        }
    }
}

/// Looks into whole tables.
impl Lookup for &SplitTables {
    fn entry(&mut self, token: u32) -> Result<TokenEntry, Missing> {
        self.entries.get(token as usize).cloned().ok_or(Missing)
    }

    fn merge(&mut self, pair: Pair) -> Result<Option<u32>, Missing> {
        Ok(self.merge_orders.get(&pair).copied())
    }

    fn form(&mut self, form: &[u8]) -> Result<Option<u32>, Missing> {
        Ok(self.form_tokens.get(form).copied())
    }
}

/// Looks into whole tables, and notes where.
#[derive(Debug)]
pub struct LookupRecorder<'a> {
    tables: &'a SplitTables,
    entries: BTreeSet<u32>,
    merges: BTreeSet<u32>,
    forms: BTreeSet<u32>,
}

/// The number of the run that covers a key.
fn covering<K: Ord + Clone>(runs: &[TableRun<K>], key: &K) -> Option<u32> {
    let begins = |run: &TableRun<K>| run.items.first().is_some_and(|(first, _)| first <= key);
    let index = runs.partition_point(begins).saturating_sub(1);
    runs.get(index).and_then(|_| u32::try_from(index).ok())
}

/// The value of a key, and the note of its run.
fn noted<K: Ord + Clone>(
    runs: &[TableRun<K>],
    notes: &mut BTreeSet<u32>,
    key: &K,
) -> Result<Option<u32>, Missing> {
    let Some(index) = covering(runs, key) else {
        return Ok(None);
    };
    notes.insert(index);
    let run = runs.get(index as usize).ok_or(Missing)?;
    Ok(run.value(key))
}

impl Lookup for LookupRecorder<'_> {
    fn entry(&mut self, token: u32) -> Result<TokenEntry, Missing> {
        let mut tables = self.tables;
        let entry = tables.entry(token)?;
        self.entries.insert(token);
        Ok(entry)
    }

    fn merge(&mut self, pair: Pair) -> Result<Option<u32>, Missing> {
        noted(&self.tables.merges, &mut self.merges, &pair)
    }

    fn form(&mut self, form: &[u8]) -> Result<Option<u32>, Missing> {
        noted(&self.tables.forms, &mut self.forms, &form.to_vec())
    }
}
