//! The overlap between the contributions of a round: small for honest ones, almost complete for copies.

use crate::TrainableCheckpoint;
use noema_update::{overlap, Limits, Update};

/// For each contribution, the thousandths that it shares with each one before it, by
/// [`Overlap::permill`](noema_update::Overlap::permill); none if one of the two is not an update.
pub(super) fn shared(
    parent: &TrainableCheckpoint,
    limits: Limits,
    sent: &[Option<&[u8]>],
) -> Vec<Vec<Option<u32>>> {
    let updates: Vec<Option<Update<'_>>> = sent
        .iter()
        .map(|bytes| Update::open((*bytes)?, parent.trainable(), parent.id(), limits).ok())
        .collect();
    let permill = |a: Option<Update<'_>>, b: Option<Update<'_>>| {
        let shared = overlap(&a?, &b?).ok()?;
        Some(shared.permill())
    };
    let with_earlier = |(place, update): (usize, &Option<Update<'_>>)| {
        let earlier = updates[..place].iter();
        earlier.map(|other| permill(*other, *update)).collect()
    };
    updates.iter().enumerate().map(with_earlier).collect()
}
