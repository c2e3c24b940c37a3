//! Whether two tokens may stand beside each other in a word.
//!
//! BPE begins with the units of a word and merges, again and again, the pair of neighbours that is first in the order
//! of merges, the leftmost of equal ones. As long as no merge joins units on both sides of a border, each side is
//! merged as if it were alone. So a list of tokens is what BPE makes of their text if and only if each of them is what
//! BPE makes of its own text, and no merge crosses a border. The first merge that crosses a border depends on the two
//! tokens beside it alone: what stands at the border while they are made are the parts they end and begin with.
//!
//! # When parts meet
//! A merge is made once all that is before it in the order, and possible, is done. So of the merges of two tokens, those
//! come first that have the lower *time*: the latest place in the order among those up to them. Of the same time, the
//! left token's come first. The parts at the border are met here from the last to the first, by their times.
//!
//! # When a pair is merged
//! Two parts are neighbours from when the second of them is made until a merge takes one of them away. Their own merge
//! is made if it is possible before one of the merges in between, the last one included: if it is before the latest of
//! them in the order. That is the time of the last one, unless this is also the time of the first of the two parts to
//! be looked for, on the same side. Then it is the [`end`](MergePart::end): in most vocabularies, a merge comes after
//! those that made its parts, and there is no such case.

use crate::{Lookup, MergePart, Missing};

/// A part that was made later than those that are looked at.
struct Made {
    part: MergePart,
    is_left: bool,
}

impl Made {
    /// The place in the order up to which, without it, a merge comes before one of those that end with the making of
    /// this part, and begin after the making of `first`.
    fn limit(&self, first: &MergePart, first_is_left: bool) -> u32 {
        let is_one_time = self.is_left == first_is_left && self.part.time == first.time;
        let latest = match is_one_time {
            true => self.part.end,
            false => self.part.time,
        };
        // The same merge at the border is further right than any of the left token's, and further left than the others.
        latest.saturating_add(u32::from(!self.is_left))
    }
}

/// Whether BPE merges across the border between a token that ends with the parts `left` and one that begins with the
/// parts `right`, each from the token itself down to a unit.
pub(crate) fn is_crossed(
    left: &[MergePart],
    right: &[MergePart],
    lookup: &mut impl Lookup,
) -> Result<bool, Missing> {
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    let (mut of_left, mut of_right) = (lefts.next(), rights.next());
    let mut made: Option<Made> = None;
    while let Some((left, right)) = of_left.zip(of_right) {
        let is_left = left.time > right.time;
        let part = match is_left {
            true => *left,
            false => *right,
        };
        let limit = made.map_or(u32::MAX, |made| made.limit(&part, is_left));
        let merge = lookup.merge((left.token, right.token))?;
        if merge.is_some_and(|order| order < limit) {
            return Ok(true);
        }
        made = Some(Made { part, is_left });
        match is_left {
            true => of_left = lefts.next(),
            false => of_right = rights.next(),
        }
    }
    Ok(false)
}
