//! The choice of rounds.

use super::Round;
use noema_protocol::FamilyId;
use sp_core::H256;

/// The rounds in which an operator takes part: those of these families and those on these datasets.
/// If neither is named, those of the family that has been trained for longest, since no operator can meet the
/// deadlines of all.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The families.
    pub families: Vec<FamilyId>,
    /// The roots of the datasets.
    pub datasets: Vec<H256>,
}

impl Choice {
    /// Whether to take part in `round`; `first` if its programme was started before all others.
    pub fn has(&self, round: &Round, first: bool) -> bool {
        if self.families.is_empty() && self.datasets.is_empty() {
            return first;
        }
        self.families.contains(&round.family) || self.datasets.contains(&round.dataset.root)
    }
}
