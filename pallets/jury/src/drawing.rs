//! Drawing a jury from the roster of validators, and locking the stakes of jurors.

use crate::{Config, DisputeOf, Instance, Juror, Jury, Pallet};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::Claim;
use noema_economics::Balance;
use noema_interfaces::{Burden, Candidate, Operators, MAX_TRIES};
use noema_protocol::{hashing::claim_draw, Job, Role};
use sp_core::H256;

/// Most operators drawn for a seat, on average over a jury.
const TRIES_PER_SEAT: u32 = 6;

type CandidateOf<T> = Candidate<<T as frame_system::Config>::AccountId, Balance>;
type ClaimOf<T> = Claim<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// Draws the jury of that many seats that the dispute waits for. The stakes of jurors are locked behind
    /// the dispute.
    ///
    /// Each seat is a separate draw, by the weights of the roster, so a validator may be drawn for several.
    /// Every validator can be drawn except the claimant and the payer. First all seats are drawn, then bonds
    /// are locked: a bond that does not suffice for all seats of its validator leaves the others empty. Where
    /// most of the roster is absent, the last seats are not drawn for: see [`Self::most_tries`]. Returns the
    /// jury, and how many operators were drawn, suitable or not.
    pub(crate) fn draw_jury(
        dispute: &DisputeOf<T>,
        claim: &ClaimOf<T>,
        randomness: H256,
        seats: u32,
    ) -> (Jury<T::AccountId>, u32) {
        let parties = [&claim.terms.claimant, &claim.terms.payer];
        let subject = (b"jury", dispute.leaf, dispute.instance).encode();
        let mut drawn: Vec<(CandidateOf<T>, u32)> = Vec::new();
        let mut tries = 0u32;
        for seat in 0..seats {
            if tries > seats.saturating_mul(TRIES_PER_SEAT) {
                break;
            }
            let selection = T::Operators::draw(
                Role::Validator,
                &dispute.terms.checkpoint,
                claim_draw(randomness, &subject, dispute.claim, seat),
                1,
                |candidate| !parties.contains(&&candidate.controller),
            );
            tries = tries.saturating_add(selection.tries);
            for candidate in selection.candidates {
                match drawn.iter_mut().find(|(other, _)| *other == candidate) {
                    Some((_, seats)) => *seats = seats.saturating_add(1),
                    None => drawn.push((candidate, 1)),
                }
            }
        }
        let jurors = drawn.into_iter().filter_map(|(candidate, wanted)| {
            let seats = Self::lock_seats(dispute, &candidate, wanted);
            (seats > 0).then(|| Juror::seated(candidate.controller, seats))
        });
        (Jury::of(seats, jurors.collect()), tries)
    }

    /// Most operators drawn for all seats of a jury.
    pub(crate) fn most_tries(seats: u32) -> u32 {
        seats
            .saturating_mul(TRIES_PER_SEAT)
            .saturating_add(MAX_TRIES)
    }

    /// Locks a stake for each of the additional seats of a validator, or for as many as the bond with which
    /// it was drawn suffices for, in addition to the locks for its other seats in the dispute. Returns the
    /// number of seats.
    pub(crate) fn lock_seats(
        dispute: &DisputeOf<T>,
        candidate: &CandidateOf<T>,
        wanted: u32,
    ) -> u32 {
        let validator = &candidate.controller;
        let job = Self::job(dispute);
        let held = dispute.seats_of(validator);
        // A job has only one lock: it is replaced by one for the seats of both juries.
        T::Operators::release(validator, job);
        let reached = (1..=wanted).rev().find(|more| {
            let stake = Self::stake(dispute, held.saturating_add(*more));
            T::Operators::lock_drawn(candidate, job, stake, Burden::None).is_ok()
        });
        if reached.is_none() {
            Self::restore_lock(dispute, validator);
        }
        reached.unwrap_or(0)
    }

    /// Locks the stakes of a validator's seats in the dispute, and no more.
    pub(crate) fn restore_lock(dispute: &DisputeOf<T>, validator: &T::AccountId) {
        let job = Self::job(dispute);
        T::Operators::release(validator, job);
        let held = dispute.seats_of(validator);
        if held > 0 {
            let locked = T::Operators::lock(validator, job, Self::stake(dispute, held));
            frame_support::defensive_assert!(locked.is_ok(), "as much was locked before");
        }
    }

    /// The stake for that many seats.
    pub(crate) fn stake(dispute: &DisputeOf<T>, seats: u32) -> Balance {
        dispute.terms.juror_stake.saturating_mul(seats.into())
    }

    /// The number of seats of a jury.
    pub(crate) fn jury_size(instance: Instance) -> u32 {
        match instance {
            Instance::First => T::FirstJury::get(),
            Instance::Second => T::SecondJury::get(),
        }
    }

    /// The job behind which a juror's stake is locked.
    pub(crate) fn job(dispute: &DisputeOf<T>) -> Job {
        Job::Dispute(dispute.claim, dispute.leaf)
    }
}
