//! The relay chain randomness that a draw may use.

use noema_protocol::{apply, hashing, stored};
use sp_core::H256;

/// The number of a relay chain block.
pub type RelayBlock = u32;

/// The two latest fresh values of the relay chain's randomness, each with the relay chain block that
/// carries it.
///
/// A check is drawn from both together. The older one is from a relay chain block that is younger than
/// the claim by [`crate::ClaimRules::freshness`] blocks, so no claimant, collator or relay chain author knew
/// it when the claim was made. The author of the newer one can discard the outcome by withholding its
/// block, which costs it that block's reward; it cannot choose another outcome.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct Beacon {
    older: Option<(RelayBlock, H256)>,
    newer: Option<(RelayBlock, H256)>,
}

impl Beacon {
    /// Takes the value of relay chain block `at`. A value that is not younger than the latest is
    /// ignored: one relay chain block gives one value.
    pub fn push(&mut self, at: RelayBlock, value: H256) {
        if self.newer.is_none_or(|(latest, _)| at > latest) {
            self.older = self.newer.replace((at, value));
        }
    }

    /// The relay chain block of the latest value.
    pub fn latest(&self) -> Option<RelayBlock> {
        self.newer.map(|(at, _)| at)
    }

    /// The randomness for the check of a claim that was made on relay chain block `made`, where both values
    /// are at least `freshness` relay chain blocks younger; `None` while they are not.
    pub fn for_check(&self, made: RelayBlock, freshness: RelayBlock) -> Option<H256> {
        let (older, newer) = self.older.zip(self.newer)?;
        (older.0 >= made.checked_add(freshness)?)
            .then(|| hashing::check_randomness(older.1, newer.1))
    }

    /// The randomness for assigning work that was requested on relay chain block `made`: the latest value,
    /// where it is younger.
    pub fn for_assignment(&self, made: RelayBlock) -> Option<H256> {
        self.newer
            .filter(|(at, _)| *at > made)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn value(byte: u8) -> H256 {
        H256([byte; 32])
    }

    #[test]
    fn a_check_waits_for_two_values_that_are_young_enough() {
        let mut beacon = Beacon::default();
        assert_eq!(beacon.for_check(10, 4), None);
        beacon.push(13, value(1));
        beacon.push(14, value(2));
        assert_eq!(beacon.for_check(10, 4), None, "the older value is too old");
        beacon.push(16, value(3));
        assert_eq!(
            beacon.for_check(10, 4),
            Some(hashing::check_randomness(value(2), value(3)))
        );
        assert_eq!(beacon.for_check(11, 4), None);
        assert_eq!(beacon.for_check(u32::MAX, 4), None);
    }

    #[test]
    fn one_relay_block_gives_one_value() {
        let mut beacon = Beacon::default();
        beacon.push(5, value(1));
        beacon.push(5, value(2));
        beacon.push(4, value(3));
        assert_eq!(beacon.latest(), Some(5));
        assert_eq!(beacon.for_check(0, 0), None);
        assert_eq!(beacon.for_assignment(4), Some(value(1)));
        assert_eq!(beacon.for_assignment(5), None);
    }
}
