//! A value over terms.

use noema_protocol::{apply, sent};
use serde::{Deserialize, Serialize};

/// Terms between a change and the first term that reads it.
pub const NOTICE: u32 = 2;

/// The number of a term, counted from zero.
#[apply(sent)]
#[derive(Copy, Default, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TermIndex(pub u32);

impl TermIndex {
    /// The term `terms` later; the last one where there is none.
    pub const fn after(self, terms: u32) -> Self {
        Self(self.0.saturating_add(terms))
    }

    /// The first term that reads a change made in this one.
    pub const fn notice(self) -> Self {
        self.after(NOTICE)
    }

    /// This term and those up to its notice. Later terms read the same value as the last of these.
    pub const fn to_notice(self) -> [Self; 1 + NOTICE as usize] {
        [self, self.after(1), self.notice()]
    }
}

/// A value over terms: a value set in one term is read from the term after next on.
///
/// Three values and the term of the last change are all that the present term and later ones can read: a
/// change in term `t` takes effect in `t + 2`, so in `t` only the values for `t`, for `t + 1` and from
/// `t + 2` on matter. Terms before the last change are not kept.
#[apply(sent)]
#[derive(Copy, Default, Serialize, Deserialize)]
pub struct Versions<V> {
    /// The term of the last change.
    changed: TermIndex,
    /// The value in that term.
    then: V,
    /// The value in the term after it.
    next: V,
    /// The value from the term after that on.
    latest: V,
}

impl<V: Clone + PartialEq> Versions<V> {
    /// `value` in every term.
    pub fn constant(value: V) -> Self {
        Self {
            changed: TermIndex(0),
            then: value.clone(),
            next: value.clone(),
            latest: value,
        }
    }

    /// `before` until the notice of `now` has passed, then `value`.
    pub fn starting(now: TermIndex, before: V, value: V) -> Self {
        let mut versions = Self::constant(before);
        versions.set(now, value);
        versions
    }

    /// The value in `term`, which is not before the last change.
    pub fn at(&self, term: TermIndex) -> &V {
        match term.0.saturating_sub(self.changed.0) {
            0 => &self.then,
            1 => &self.next,
            _ => &self.latest,
        }
    }

    /// Sets the value from the term after next on. `now` must not be before the last change.
    pub fn set(&mut self, now: TermIndex, value: V) {
        let now = now.max(self.changed);
        *self = Self {
            changed: now,
            then: self.at(now).clone(),
            next: self.at(now.after(1)).clone(),
            latest: value,
        };
    }

    /// The value that was set last.
    pub fn latest(&self) -> &V {
        &self.latest
    }

    /// The first term from which every term reads [`Self::latest`].
    pub fn settled_from(&self) -> TermIndex {
        if self.next != self.latest {
            self.changed.notice()
        } else if self.then != self.latest {
            self.changed.after(1)
        } else {
            TermIndex(0)
        }
    }
}
