//! Rosters: the operators that can be drawn in a term.

use crate::{TermIndex, Versions};
use alloc::vec::Vec;
use noema_economics::draw_below;
use noema_protocol::{apply, hashing::roster_draw, sent, stored};
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// Most pages of a roster.
pub const PAGES: u32 = 112;
/// Most operators on a page.
pub const PAGE_ENTRIES: u32 = 112;
/// The highest weight of one operator: a full roster of such operators adds up without overflow.
pub const MAX_WEIGHT: u64 = u64::MAX / (PAGES as u64 * PAGE_ENTRIES as u64);

/// The weight of a bond: how many whole times it contains `unit`, the bond of weight one, at most
/// [`MAX_WEIGHT`]. A unit of zero counts as one.
pub fn weight_of(bond: u128, unit: u128) -> u64 {
    let weight = bond.checked_div(unit).unwrap_or(bond);
    u64::try_from(weight).map_or(MAX_WEIGHT, |weight| weight.min(MAX_WEIGHT))
}

/// The least bond of `weight`: the part of a bond that a roster fixes for a term. A unit of zero counts as
/// one.
pub fn bond_of(weight: u64, unit: u128) -> u128 {
    u128::from(weight).saturating_mul(unit.max(1))
}

/// The place of an operator in a roster.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord)]
pub struct Slot {
    /// The page.
    pub page: u16,
    /// The entry on it.
    pub entry: u16,
}

/// An operator on a page.
#[apply(stored)]
#[derive(Copy)]
pub struct RosterEntry {
    /// The operator.
    pub operator: u32,
    /// Its weight.
    pub weight: Versions<u64>,
}

/// Operators of a roster, by entry.
#[apply(stored)]
#[derive(Default)]
pub struct Page {
    entries: BoundedVec<RosterEntry, ConstU32<PAGE_ENTRIES>>,
}

impl Page {
    /// The operators and the slots that await reuse.
    pub fn entries(&self) -> &[RosterEntry] {
        &self.entries
    }

    /// The first term from which an operator that joins finds a slot here; `None` where all slots
    /// are held.
    fn room_from(&self) -> Option<TermIndex> {
        if self.entries.len() < PAGE_ENTRIES as usize {
            return Some(TermIndex(0));
        }
        let left = |entry: &&RosterEntry| *entry.weight.latest() == 0;
        let left = self.entries.iter().filter(left);
        left.map(|entry| entry.weight.settled_from()).min()
    }

    /// Puts `entry` into a slot that no operator holds in `now`. Returns the slot; `None` where all are held.
    fn place(&mut self, now: TermIndex, entry: RosterEntry) -> Option<u16> {
        let free =
            |held: &RosterEntry| *held.weight.latest() == 0 && held.weight.settled_from() <= now;
        let index = match self.entries.iter().position(free) {
            Some(index) => {
                *self.entries.get_mut(index)? = entry;
                index
            }
            None => {
                self.entries.try_push(entry).ok()?;
                self.entries.len().checked_sub(1)?
            }
        };
        u16::try_from(index).ok()
    }

    /// The entry whose part of the running total of weights in `term` contains `point`, where those in `seen`
    /// have no weight.
    fn find(&self, term: TermIndex, point: u64, seen: &[u16]) -> Option<(u16, &RosterEntry)> {
        let weights =
            (0u16..)
                .zip(&self.entries)
                .map(|(index, entry)| match seen.contains(&index) {
                    true => 0,
                    false => *entry.weight.at(term),
                });
        let (index, _) = stretch(weights, point)?;
        Some((u16::try_from(index).ok()?, self.entries.get(index)?))
    }
}

/// The summary of a page in an index.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct PageSummary {
    /// The sum of the weights on the page.
    pub weight: Versions<u64>,
    /// The first term from which an operator that joins finds a slot there; the last term where all
    /// slots are held.
    pub room_from: TermIndex,
}

/// Storage of pages.
pub trait Pages {
    /// The page of this number; an empty one where none is stored.
    fn page(&self, number: u16) -> Page;

    /// Stores a page.
    fn put(&mut self, number: u16, page: Page);
}

/// An operator that was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its slot.
    pub slot: Slot,
    /// The operator.
    pub operator: u32,
    /// Its weight in the term of the draw.
    pub weight: u64,
}

/// Every slot of a roster is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterFull;

/// The index of a roster: a summary of each of its pages.
#[apply(stored)]
#[derive(Default)]
pub struct Roster {
    pages: BoundedVec<PageSummary, ConstU32<PAGES>>,
}

impl Roster {
    /// The summary of each page.
    pub fn pages(&self) -> &[PageSummary] {
        &self.pages
    }

    /// The sum of all weights in `term`.
    pub fn total(&self, term: TermIndex) -> u64 {
        let weights = self.pages.iter().map(|page| *page.weight.at(term));
        weights.fold(0, u64::saturating_add)
    }

    /// Gives `operator` a weight from the term after next on, in the slot it holds or in a new one. Returns
    /// the slot. `slot` is its last known slot, which it may have lost since. Weights above [`MAX_WEIGHT`]
    /// count as that.
    pub fn set(
        &mut self,
        pages: &mut impl Pages,
        now: TermIndex,
        operator: u32,
        slot: Option<Slot>,
        weight: u64,
    ) -> Result<Slot, RosterFull> {
        if let Some(slot) = slot
            && self.set_held(pages, now, operator, slot, weight)
        {
            return Ok(slot);
        }
        let number = match self.pages.iter().position(|page| page.room_from <= now) {
            Some(index) => index,
            None => {
                self.pages
                    .try_push(PageSummary::default())
                    .map_err(|_| RosterFull)?;
                self.pages.len().saturating_sub(1)
            }
        };
        let number = u16::try_from(number).map_err(|_| RosterFull)?;
        let weight = weight.min(MAX_WEIGHT);
        let entry = RosterEntry {
            operator,
            weight: Versions::starting(now, 0, weight),
        };
        let mut page = pages.page(number);
        let index = page.place(now, entry).ok_or(RosterFull)?;
        self.note(number, now, &page, 0, weight);
        pages.put(number, page);
        Ok(Slot {
            page: number,
            entry: index,
        })
    }

    /// Removes `operator` from its slot from the term after next on. Returns whether that is a change: it is
    /// not where the operator is not in the slot, or has left already.
    pub fn leave(
        &mut self,
        pages: &mut impl Pages,
        now: TermIndex,
        operator: u32,
        slot: Slot,
    ) -> bool {
        let before = self.total(now.notice());
        self.set_held(pages, now, operator, slot, 0);
        self.total(now.notice()) < before
    }

    /// Removes the last page, on which no operator may have a weight in the present term or a later one.
    /// Returns its number; `None` where there is no page.
    pub fn pop(&mut self) -> Option<u16> {
        self.pages.pop()?;
        u16::try_from(self.pages.len()).ok()
    }

    /// Draws an operator in proportion to the weights in `term`; `None` where there are none.
    pub fn draw(&self, pages: &impl Pages, term: TermIndex, randomness: [u8; 32]) -> Option<Drawn> {
        self.draw_other(pages, term, randomness, &[])
    }

    /// Draws an operator that is not among `seen`, in proportion to the weights of the others.
    fn draw_other(
        &self,
        pages: &impl Pages,
        term: TermIndex,
        randomness: [u8; 32],
        seen: &[Drawn],
    ) -> Option<Drawn> {
        let sums = (0u16..).zip(&self.pages).map(|(number, page)| {
            let seen = seen.iter().filter(|drawn| drawn.slot.page == number);
            let seen = seen.fold(0, |sum: u64, drawn| sum.saturating_add(drawn.weight));
            page.weight.at(term).saturating_sub(seen)
        });
        let total = sums.clone().fold(0, u64::saturating_add);
        if total == 0 {
            return None;
        }
        let point = u64::try_from(draw_below(total.into(), randomness)).ok()?;
        let (number, point) = stretch(sums, point)?;
        let number = u16::try_from(number).ok()?;
        let page = pages.page(number);
        let seen = seen.iter().filter(|drawn| drawn.slot.page == number);
        let seen: Vec<_> = seen.map(|drawn| drawn.slot.entry).collect();
        let (index, entry) = page.find(term, point, &seen)?;
        Some(Drawn {
            slot: Slot {
                page: number,
                entry: index,
            },
            operator: entry.operator,
            weight: *entry.weight.at(term),
        })
    }

    /// Draws up to `wanted` different operators for one subject, which `randomness` separates from every
    /// other: draw `n` takes `H(randomness, n)`, in proportion to the weights of those that were not drawn
    /// before. An operator that `accept` refuses is skipped. There are at most `tries` draws. Returns their
    /// number.
    pub fn draw_several(
        &self,
        pages: &impl Pages,
        term: TermIndex,
        randomness: H256,
        wanted: u32,
        tries: u32,
        mut accept: impl FnMut(Drawn) -> bool,
    ) -> u32 {
        let mut seen = Vec::new();
        let mut accepted = 0u32;
        for n in 0..tries {
            if accepted >= wanted {
                break;
            }
            let randomness = roster_draw(randomness, n).0;
            let Some(drawn) = self.draw_other(pages, term, randomness, &seen) else {
                break;
            };
            seen.push(drawn);
            if accept(drawn) {
                accepted = accepted.saturating_add(1);
            }
        }
        u32::try_from(seen.len()).unwrap_or(u32::MAX)
    }

    /// Fills the roster with vacant slots, except one for the next operator, on a page without any: the most
    /// expensive roster to draw from.
    #[cfg(feature = "runtime-benchmarks")]
    pub fn pad(&mut self, pages: &mut impl Pages) {
        let vacant = RosterEntry {
            operator: u32::MAX,
            weight: Versions::constant(0),
        };
        let is_new = self.pages.is_empty();
        while self.pages.try_push(PageSummary::default()).is_ok() {}
        let mut has_room = false;
        for (number, summary) in (0u16..).zip(&mut self.pages) {
            let mut page = pages.page(number);
            while page.entries.try_push(vacant).is_ok() {}
            let is_next = !has_room && *summary.weight.latest() == 0;
            has_room |= is_next;
            summary.room_from = TermIndex(if is_next { 0 } else { u32::MAX });
            if is_next {
                page.entries.pop();
            }
            if is_new || is_next {
                pages.put(number, page);
            }
        }
    }

    /// Gives the operator in `slot` a weight if that is `operator`. Returns whether it is.
    ///
    /// A slot that awaits reuse stays the operator's until another takes it.
    fn set_held(
        &mut self,
        pages: &mut impl Pages,
        now: TermIndex,
        operator: u32,
        slot: Slot,
        weight: u64,
    ) -> bool {
        let mut page = pages.page(slot.page);
        let Some(entry) = page.entries.get_mut(usize::from(slot.entry)) else {
            return false;
        };
        if entry.operator != operator {
            return false;
        }
        let weight = weight.min(MAX_WEIGHT);
        let before = *entry.weight.latest();
        if before == weight {
            return true;
        }
        entry.weight.set(now, weight);
        self.note(slot.page, now, &page, before, weight);
        pages.put(slot.page, page);
        true
    }

    /// Records that on a page one weight changed from `before` to `after`.
    fn note(&mut self, number: u16, now: TermIndex, page: &Page, before: u64, after: u64) {
        let Some(summary) = self.pages.get_mut(usize::from(number)) else {
            return;
        };
        let others = summary.weight.latest().saturating_sub(before);
        summary.weight.set(now, others.saturating_add(after));
        summary.room_from = page.room_from().unwrap_or(TermIndex(u32::MAX));
    }
}

/// Which of `weights` has `point` in its part of their running total, and where in that part.
fn stretch(weights: impl IntoIterator<Item = u64>, point: u64) -> Option<(usize, u64)> {
    let mut left = point;
    for (index, weight) in weights.into_iter().enumerate() {
        match left.checked_sub(weight) {
            Some(rest) => left = rest,
            None => return Some((index, left)),
        }
    }
    None
}
