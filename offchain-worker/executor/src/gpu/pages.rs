//! The pages of a slab, and which of them are free. No device is involved.

use std::ops::Range;

/// The place of a sequence's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slab: u32,
    pub(crate) page: u32,
    pub(crate) pages: u32,
}

/// All pages of a slab, by index.
#[derive(Debug)]
pub(crate) struct Pages {
    count: u32,
    /// In order, none empty, no two adjacent.
    free: Vec<Range<u32>>,
}

impl Pages {
    /// `count` free pages.
    pub(crate) fn new(count: u32) -> Self {
        Self {
            count,
            free: std::iter::once(0..count).collect(),
        }
    }

    /// All pages, free or not.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Takes the first run of `count` free pages.
    pub(crate) fn take(&mut self, count: u32) -> Option<u32> {
        let at = self
            .free
            .iter()
            .position(|free| free.end - free.start >= count)?;
        let free = &mut self.free[at];
        let first = free.start;
        free.start += count;
        if free.start == free.end {
            self.free.remove(at);
        }
        Some(first)
    }

    /// Frees pages.
    pub(crate) fn give(&mut self, pages: Range<u32>) {
        let at = self.free.partition_point(|free| free.start < pages.start);
        self.free.insert(at, pages);
        self.free.dedup_by(|next, free| {
            let adjacent = free.end == next.start;
            if adjacent {
                free.end = next.end;
            }
            adjacent
        });
    }

    /// Whether all pages are free.
    pub(crate) fn is_free(&self) -> bool {
        self.free
            .first()
            .is_some_and(|free| *free == (0..self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_taken_first_fit_and_joined_when_given_back() {
        let mut pages = Pages::new(10);
        assert_eq!(pages.take(4), Some(0));
        assert_eq!(pages.take(4), Some(4));
        assert_eq!(pages.take(4), None);
        pages.give(0..4);
        assert_eq!(pages.take(2), Some(0));
        pages.give(4..8);
        assert_eq!(pages.free.first(), Some(&(2..10)));
        assert!(!pages.is_free());
        pages.give(0..2);
        assert!(pages.is_free());
    }
}
