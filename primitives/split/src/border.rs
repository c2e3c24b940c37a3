//! Whether two tokens may stand beside each other in a word.
//!
//! BPE begins with the units of a word and merges, again and again, the pair of neighbours that is first in the order
//! of merges, the leftmost of equal ones. As long as no merge joins units on both sides of a border, each side is
//! merged as if it were alone. So a list of tokens is what BPE makes of their text if and only if each of them is what
//! BPE makes of its own text, and no merge crosses a border. The first merge that crosses a border depends on the two
//! tokens beside it alone: what stands at the border while they are made are the parts they end and begin with.
//!
//! Those parts are met here from the last to the first. In each vocabulary that is accepted, a merge is later in the
//! order than those that made its parts: so of the two parts at a border, the one with the later merge was made last,
//! and a pair of parts is merged if its merge comes before the one that ends their being neighbours.

use crate::{Lookup, MergePart, Missing};

/// Whether BPE merges across the border between a token that ends with the parts `left` and one that begins with the
/// parts `right`, each from the token itself down to a unit.
pub(crate) fn is_crossed(
    left: &[MergePart],
    right: &[MergePart],
    lookup: &mut impl Lookup,
) -> Result<bool, Missing> {
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    let (mut of_left, mut of_right) = (lefts.next(), rights.next());
    // The merges before this one would have come first.
    let mut limit = u32::MAX;
    while let Some((left, right)) = of_left.zip(of_right) {
        let merge = lookup.merge((left.token, right.token))?;
        if merge.is_some_and(|order| order < limit) {
            return Ok(true);
        }
        if left.order > right.order {
            limit = left.order;
            of_left = lefts.next();
        } else {
            // The same merge at the border is further left, so it comes first.
            limit = right.order.saturating_add(1);
            of_right = rights.next();
        }
    }
    Ok(false)
}
