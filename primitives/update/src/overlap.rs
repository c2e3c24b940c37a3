//! The overlap of two updates: a copy shares almost all of its changes.

use crate::{error::DecodeError, reader::Entry, update::Update};

/// The changes that two updates share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Coordinates that both change in the same direction.
    pub shared: u64,
    /// Coordinates that the one with fewer changes.
    pub smaller: u64,
    /// Coordinates that the other changes.
    pub larger: u64,
}

impl Overlap {
    /// Thousandths of the smaller update that the larger one shares, rounded down: 1000 for a copy
    /// and for a part of a copy, 0 where one of them is empty.
    ///
    /// Two updates whose entries are drawn at random share half of the fraction that the larger one
    /// changes: with 64 of 4,096, that is 7 or 8.
    pub fn permill(&self) -> u32 {
        // A checkpoint has fewer than 2^41 coordinates.
        (self.shared * 1_000)
            .checked_div(self.smaller)
            .map_or(0, |permill| permill as u32)
    }
}

/// Compares two updates; the same whichever comes first.
///
/// # Errors
/// If one of them is malformed.
pub fn overlap(a: &Update<'_>, b: &Update<'_>) -> Result<Overlap, DecodeError> {
    let (mut first, mut second) = (a.reader(), b.reader());
    let (mut first_entries, mut second_entries, mut shared) = (0, 0, 0);
    loop {
        // `None` is above every place here: the one that has ended waits for the other.
        let place = match (first.place(), second.place()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let at_first = first.place() == place;
        let at_second = second.place() == place;
        let mut own: &[Entry] = &[];
        let mut other: &[Entry] = &[];
        if at_first {
            own = first.next()?.map_or(own, |chunk| chunk.entries);
        }
        if at_second {
            other = second.next()?.map_or(other, |chunk| chunk.entries);
        }
        if place.is_none() {
            break;
        }
        first_entries += own.len() as u64;
        second_entries += other.len() as u64;
        shared += shared_of(own, other);
    }
    Ok(Overlap {
        shared,
        smaller: first_entries.min(second_entries),
        larger: first_entries.max(second_entries),
    })
}

/// Indices that both lists change in the same direction.
pub fn shared_of(a: &[Entry], b: &[Entry]) -> u64 {
    let mut rest = b.iter().peekable();
    let mut shared = 0;
    for entry in a {
        while rest.next_if(|other| other.index < entry.index).is_some() {}
        if let Some(other) = rest.next_if(|other| other.index == entry.index) {
            shared += u64::from((other.value < 0) == (entry.value < 0));
        }
    }
    shared
}
