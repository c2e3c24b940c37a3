//! The draws of leaves and of the validators that check them.

use crate::{
    Beacon, Claim, ClaimEffect, ClaimStage, RelayBlock, Sample, Seat, SeatState, ValueHistory,
    MAX_DRAWN_LEAVES, MAX_FRUITLESS, MAX_SEATS,
};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::{draw_below, happens};
use noema_protocol::hashing::claim_draw;
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::H256;

/// The validators that can be drawn: the roster of the term, which was fixed before the randomness
/// could be known.
pub trait Validators<AccountId> {
    /// Draws up to `wanted` different validators by weight, among those that `suits` accepts, and locks the
    /// stake for `leaf` of each. A validator without that much free bond is skipped. The number of tries is
    /// bounded, so the result may be shorter than possible.
    fn draw(
        &mut self,
        randomness: H256,
        leaf: u32,
        wanted: u32,
        suits: &dyn Fn(&AccountId) -> bool,
    ) -> Vec<AccountId>;

    /// Tokens of all leaves that a validator still has to execute, those that it was just drawn for
    /// included.
    fn backlog(&self, validator: &AccountId) -> u64;
}

/// The randomness of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawRandomness {
    /// Draws the leaves, where that was not done.
    pub leaves: H256,
    /// Draws the validators.
    pub validators: H256,
}

impl<AccountId, BlockNumber> Claim<AccountId, BlockNumber> {
    /// Whether it has more than one leaf. Its leaves are then drawn in two steps: see [`ValueHistory`].
    pub const fn has_many_leaves(&self) -> bool {
        self.terms.leaves > 1
    }

    /// The randomness for its next draw; `None` where it does not wait for one, or where that is not known yet.
    pub fn draw_randomness(
        &self,
        beacon: &Beacon,
        history: &ValueHistory,
    ) -> Option<DrawRandomness> {
        if !matches!(self.stage, ClaimStage::Undrawn) {
            return None;
        }
        let (since, freshness) = (self.unknown_since, self.terms.rules.freshness);
        let validators = beacon.for_check(since, freshness)?;
        let leaves = if self.has_many_leaves() && self.drawn.is_empty() {
            history.for_leaves(self.id, since, freshness)?
        } else {
            validators
        };
        Some(DrawRandomness { leaves, validators })
    }
}

impl<AccountId, BlockNumber> Claim<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Draws the leaves of the claim if that was not done, then validators for each drawn leaf that none has
    /// confirmed. Opens the next stage.
    pub(crate) fn draw(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
        randomness: DrawRandomness,
        validators: &mut impl Validators<AccountId>,
        effects: &mut Vec<ClaimEffect<AccountId>>,
    ) {
        if self.drawn.is_empty() {
            self.draw_leaves(randomness.leaves);
            if self.drawn.is_empty() {
                effects.push(ClaimEffect::Waived);
                return self.open_challenges(now, effects);
            }
        }
        let open: Vec<u32> = self.unconfirmed().collect();
        let mut seated = Vec::new();
        for leaf in open {
            self.seat(leaf, randomness.validators, validators, &mut seated);
        }
        if seated.is_empty() {
            // Without any validator there is no check, and waiting does not confirm the leaf.
            self.fruitless = self.fruitless.saturating_add(1);
            if self.fruitless < MAX_FRUITLESS {
                self.unknown_since = relay;
            } else {
                self.open_challenges(now, effects);
            }
            return;
        }
        self.draws = self.draws.saturating_add(1);
        let backlog = seated
            .iter()
            .map(|(validator, _)| validators.backlog(validator));
        let tokens = backlog.max().unwrap_or(self.terms.leaf_tokens);
        effects.push(ClaimEffect::Drawn(seated));
        self.open_commits(now, tokens);
    }

    fn draw_leaves(&mut self, randomness: H256) {
        let Some(sample) = self.sample() else {
            return;
        };
        let terms = &self.terms;
        let seed = |subject: &[u8], n: u32| claim_draw(randomness, subject, self.id, n).0;
        let wanted = match sample {
            Sample::Chance(chance) => u32::from(happens(chance, seed(b"check", 0))),
            Sample::Leaves(leaves) => leaves,
        }
        .min(MAX_DRAWN_LEAVES);
        // Different leaves, each set of them equally likely (Floyd's algorithm).
        let mut drawn: Vec<u32> = Vec::new();
        for last in terms.leaves.saturating_sub(wanted)..terms.leaves {
            let point = draw_below(u128::from(last).saturating_add(1), seed(b"leaf", last));
            let leaf = u32::try_from(point).unwrap_or(last);
            let leaf = if drawn.contains(&leaf) { last } else { leaf };
            drawn.push(leaf);
        }
        self.drawn = drawn.try_into().unwrap_or_default();
    }

    fn seat(
        &mut self,
        leaf: u32,
        randomness: H256,
        validators: &mut impl Validators<AccountId>,
        seated: &mut Vec<(AccountId, u32)>,
    ) {
        let room = MAX_SEATS.saturating_sub(u32::try_from(self.seats.len()).unwrap_or(MAX_SEATS));
        let wanted = self.terms.rules.validators_per_leaf.min(room);
        let attempt = self.draws.saturating_add(self.fruitless);
        let subject = (b"validator", leaf).encode();
        let draw = claim_draw(randomness, &subject, self.id, attempt);
        let suits = |validator: &AccountId| !self.is_party(validator, leaf);
        for validator in validators.draw(draw, leaf, wanted, &suits) {
            let subject = (b"position", &validator).encode();
            let point = claim_draw(randomness, &subject, self.id, leaf);
            let mut low = [0u8; 8];
            low.iter_mut()
                .zip(point.0)
                .for_each(|(to, from)| *to = from);
            let seat = Seat {
                validator: validator.clone(),
                leaf,
                point: u64::from_le_bytes(low),
                state: SeatState::Seated,
            };
            if self.seats.try_push(seat).is_ok() {
                seated.push((validator, leaf));
            }
        }
    }

    /// Whether an account has an interest in the claim, or a seat at the leaf already.
    fn is_party(&self, account: &AccountId, leaf: u32) -> bool {
        *account == self.terms.claimant
            || *account == self.terms.payer
            || self
                .seats
                .iter()
                .any(|seat| seat.leaf == leaf && seat.validator == *account)
    }

    /// The drawn leaves that no validator has confirmed or challenged.
    pub(crate) fn unconfirmed(&self) -> impl Iterator<Item = u32> + '_ {
        self.drawn.iter().copied().filter(|leaf| {
            !self.seats.iter().any(|seat| {
                seat.leaf == *leaf
                    && matches!(seat.state, SeatState::Confirmed | SeatState::Challenged)
            })
        })
    }
}
