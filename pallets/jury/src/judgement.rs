//! The judgement at the end of a dispute: payments, losses and the bond of an appeal. Rules without storage.

use crate::{dispute::decision, Appeal, Dispute, Juror, JurorState};
use alloc::vec::Vec;
use codec::Encode;
use noema_claims::Decision;
use noema_protocol::{apply, sent, Offence};

/// The effects of the end of a dispute. The rest of a juror's lock is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement<AccountId> {
    /// The jurors that revealed the final decision, once for each seat: the claims pallet pays them.
    pub right: Vec<AccountId>,
    /// The losses of jurors, each validator once.
    pub losses: Vec<JurorLoss<AccountId>>,
    /// The appeal, and the outcome for its bond.
    pub appeal: Option<(Appeal<AccountId>, AppealEnd)>,
}

/// The loss of a validator by its seats in both juries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JurorLoss<AccountId> {
    /// The validator's controller.
    pub account: AccountId,
    /// The seats whose stake it loses.
    pub seats: u32,
    /// The offence: the worse one where there are two.
    pub offence: Offence,
}

/// The outcome for the bond of an appeal.
#[apply(sent)]
#[derive(Copy)]
pub enum AppealEnd {
    /// The second jury decided otherwise than the first: the bond is released.
    Won,
    /// It did not: the bond is burned.
    Lost,
    /// No second jury could be seated, and the first verdict stands: the bond is released.
    Unheard,
}

impl<AccountId: Clone + PartialEq> Judgement<AccountId> {
    fn lose(&mut self, juror: &Juror<AccountId>, offence: Offence) {
        let before = self
            .losses
            .iter_mut()
            .find(|loss| loss.account == juror.account);
        match before {
            Some(loss) => {
                loss.seats = loss.seats.saturating_add(juror.seats);
                if offence == Offence::FalseVerdict {
                    loss.offence = offence;
                }
            }
            None => self.losses.push(JurorLoss {
                account: juror.account.clone(),
                seats: juror.seats,
                offence,
            }),
        }
    }
}

impl<AccountId, BlockNumber> Dispute<AccountId, BlockNumber>
where
    AccountId: Clone + PartialEq + Encode,
{
    /// The judgement where the dispute ends with `decided`.
    pub fn judge(&self, decided: Decision) -> Judgement<AccountId> {
        let mut judgement = Judgement {
            right: Vec::new(),
            losses: Vec::new(),
            appeal: self
                .appeal
                .clone()
                .map(|appeal| (appeal, self.end_of_appeal(decided))),
        };
        for juror in self.first.jurors().iter().chain(self.second.jurors()) {
            match juror.state {
                JurorState::Seated | JurorState::Committed(_) => {
                    judgement.lose(juror, Offence::MissedVerdict);
                }
                JurorState::Revealed(verdict) if decision(verdict) == decided => {
                    let seats = (0..juror.seats).map(|_| juror.account.clone());
                    judgement.right.extend(seats);
                }
                // Where the dispute is undecided, no verdict was wrong.
                JurorState::Revealed(_) if decided == Decision::Undecided => {}
                JurorState::Revealed(_) => judgement.lose(juror, Offence::FalseVerdict),
            }
        }
        judgement
    }

    fn end_of_appeal(&self, decided: Decision) -> AppealEnd {
        if self.second.is_empty() {
            return AppealEnd::Unheard;
        }
        let is_overturned = self
            .first
            .verdict()
            .is_some_and(|verdict| decision(verdict) != decided);
        if is_overturned && decided != Decision::Undecided {
            AppealEnd::Won
        } else {
            AppealEnd::Lost
        }
    }
}
