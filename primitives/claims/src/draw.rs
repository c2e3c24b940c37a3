//! Who checks which leaves.

use crate::{leaves_to_draw, Claim, Effect, RelayBlock, Sample, Seat, SeatState, MAX_DRAWN_LEAVES};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::{draw_below, happens};
use noema_protocol::hashing::claim_draw;
use sp_arithmetic::traits::AtLeast32BitUnsigned;
use sp_core::H256;

/// How often another validator is drawn in place of one that cannot take a seat.
const TRIES: u32 = 16;

/// The validators that can be drawn: the roster of the term, which was fixed before the randomness
/// could be known.
pub trait Validators<AccountId> {
    /// The validator that `randomness` draws, by weight; `None` where the roster is empty or the one
    /// drawn is absent.
    fn draw(&mut self, randomness: H256) -> Option<AccountId>;

    /// Locks the stake for one leaf. Returns whether the validator's bond has that much left.
    fn lock(&mut self, validator: &AccountId) -> bool;
}

impl<AccountId, BlockNumber> Claim<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Draws the leaves of the claim where that was not done, then validators for each drawn leaf
    /// that none has confirmed. Opens the next stage.
    pub(crate) fn draw(
        &mut self,
        now: BlockNumber,
        relay: RelayBlock,
        randomness: H256,
        validators: &mut impl Validators<AccountId>,
        effects: &mut Vec<Effect<AccountId>>,
    ) {
        if self.draws == 0 {
            self.draw_leaves(randomness);
            if self.drawn.is_empty() {
                effects.push(Effect::Waived);
                return self.open_challenges(now, effects);
            }
        }
        self.draws = self.draws.saturating_add(1);
        let open: Vec<u32> = self.unconfirmed().collect();
        let before = self.seats.len();
        for leaf in open {
            self.seat(leaf, randomness, validators);
        }
        let seated = self.seats.iter().skip(before);
        let seated: Vec<_> = seated
            .map(|seat| (seat.validator.clone(), seat.leaf))
            .collect();
        if seated.is_empty() {
            return self.close_check(now, relay, effects);
        }
        effects.push(Effect::Drawn(seated));
        self.open_commits(now);
    }

    fn draw_leaves(&mut self, randomness: H256) {
        let terms = &self.terms;
        let Some(sample) = leaves_to_draw(&terms.rules, terms.payment, terms.stake, terms.leaves)
        else {
            return;
        };
        let seed = |subject: &[u8], n: u32| claim_draw(randomness, subject, self.id, n).0;
        let wanted = match sample {
            Sample::Chance(chance) => u32::from(happens(chance, seed(b"check", 0))),
            Sample::Leaves(leaves) => leaves,
        }
        .min(MAX_DRAWN_LEAVES);
        // Different leaves, each set of them as likely as any other (Floyd's algorithm).
        let mut drawn: Vec<u32> = Vec::new();
        for last in terms.leaves.saturating_sub(wanted)..terms.leaves {
            let point = draw_below(u128::from(last).saturating_add(1), seed(b"leaf", last));
            let leaf = u32::try_from(point).unwrap_or(last);
            let leaf = if drawn.contains(&leaf) { last } else { leaf };
            drawn.push(leaf);
        }
        self.drawn = drawn.try_into().unwrap_or_default();
    }

    fn seat(&mut self, leaf: u32, randomness: H256, validators: &mut impl Validators<AccountId>) {
        let mut wanted = self.terms.rules.validators_per_leaf;
        let subject = (b"validator", leaf, self.draws).encode();
        for turn in 0..wanted.saturating_mul(TRIES) {
            if wanted == 0 || self.seats.is_full() {
                return;
            }
            let draw = claim_draw(randomness, &subject, self.id, turn);
            let Some(validator) = validators.draw(draw) else {
                continue;
            };
            if self.is_party(&validator, leaf) || !validators.lock(&validator) {
                continue;
            }
            let point = claim_draw(
                randomness,
                &(b"position", &validator).encode(),
                self.id,
                leaf,
            );
            let mut low = [0u8; 8];
            low.iter_mut()
                .zip(point.0)
                .for_each(|(to, from)| *to = from);
            let seat = Seat {
                validator,
                leaf,
                point: u64::from_le_bytes(low),
                state: SeatState::Seated,
            };
            if self.seats.try_push(seat).is_ok() {
                wanted = wanted.saturating_sub(1);
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
