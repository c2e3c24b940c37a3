//! Commit and reveal, and what follows from what was said: rules without storage.
//!
//! A [`Seat`] is filled once, committed once, revealed once and judged once. First write wins.

use crate::types::{Opinion, Part, Seat, Stage, Standing};
use alloc::vec::Vec;
use codec::Encode;
use noema_economics::majority;
use noema_protocol::{hashing, RequestId, Verdict, VerdictReveal};
use sp_core::H256;

/// Why a commitment or a reveal is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelError {
    /// The validator has no seat.
    NotSeated,
    /// Nobody may reveal yet.
    TooEarly,
    /// The deadline has passed.
    TooLate,
    /// The validator has committed.
    AlreadyCommitted,
    /// The validator has revealed.
    AlreadyRevealed,
    /// The validator has nothing to reveal.
    NotCommitted,
    /// What is revealed is not what was committed.
    CommitmentDiffers,
}

/// Whether a step completed what its stage waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Others still have to do theirs.
    Partial,
    /// There is nobody left to wait for.
    Complete,
}

fn sitting<'a, AccountId: PartialEq>(
    seats: &'a mut [Seat<AccountId>],
    validator: &AccountId,
) -> Result<&'a mut Seat<AccountId>, PanelError> {
    let is_mine = |seat: &&mut Seat<AccountId>| seat.validator == *validator;
    let seat = seats
        .iter_mut()
        .find(is_mine)
        .ok_or(PanelError::NotSeated)?;
    match (seat.standing, seat.opinion) {
        (Standing::Sitting, _) => Ok(seat),
        (_, Some(_)) => Err(PanelError::AlreadyRevealed),
        (_, None) => Err(PanelError::TooLate),
    }
}

/// Records what `validator` commits to.
pub fn commit<AccountId: PartialEq, BlockNumber: PartialOrd>(
    stage: &Stage<BlockNumber>,
    seats: &mut [Seat<AccountId>],
    validator: &AccountId,
    commitment: H256,
    now: BlockNumber,
) -> Result<Progress, PanelError> {
    let seat = sitting(seats, validator)?;
    if seat.commitment.is_some() {
        return Err(PanelError::AlreadyCommitted);
    }
    match stage {
        Stage::Committing { deadline } if now <= *deadline => {}
        _ => return Err(PanelError::TooLate),
    }
    seat.commitment = Some(commitment);
    Ok(progress(seats, |seat| seat.commitment.is_none()))
}

/// Records what `validator` reveals.
pub fn reveal<AccountId: PartialEq + Encode, BlockNumber: PartialOrd>(
    stage: &Stage<BlockNumber>,
    seats: &mut [Seat<AccountId>],
    request: RequestId,
    validator: &AccountId,
    reveal: &VerdictReveal,
    now: BlockNumber,
) -> Result<Progress, PanelError> {
    let seat = sitting(seats, validator)?;
    if seat.opinion.is_some() {
        return Err(PanelError::AlreadyRevealed);
    }
    match stage {
        Stage::Revealing { deadline } if now <= *deadline => {}
        Stage::Committing { .. } => return Err(PanelError::TooEarly),
        _ => return Err(PanelError::TooLate),
    }
    let commitment = seat.commitment.ok_or(PanelError::NotCommitted)?;
    if hashing::verdict_commitment(request, validator, reveal) != commitment {
        return Err(PanelError::CommitmentDiffers);
    }
    seat.opinion = Some(Opinion {
        verdict: reveal.verdict,
        digest: reveal.digest,
    });
    Ok(progress(seats, |seat| {
        seat.commitment.is_some() && seat.opinion.is_none()
    }))
}

fn progress<AccountId>(
    seats: &[Seat<AccountId>],
    is_awaited: impl Fn(&Seat<AccountId>) -> bool,
) -> Progress {
    let mut sitting = seats
        .iter()
        .filter(|seat| seat.standing == Standing::Sitting);
    if sitting.any(is_awaited) {
        Progress::Partial
    } else {
        Progress::Complete
    }
}

/// Whether anybody who sits has committed.
pub fn any_committed<AccountId>(seats: &[Seat<AccountId>]) -> bool {
    seats
        .iter()
        .any(|seat| seat.standing == Standing::Sitting && seat.commitment.is_some())
}

/// Ends the sitting: everybody who sat gets a standing by what they revealed.
///
/// Returns the indices of the seats that just got it.
pub fn close<AccountId>(
    seats: &mut [Seat<AccountId>],
    request: RequestId,
    trace_commitment: H256,
) -> Vec<usize> {
    let mut closed = Vec::new();
    for (index, seat) in seats.iter_mut().enumerate() {
        if seat.standing != Standing::Sitting {
            continue;
        }
        seat.standing = match seat.opinion {
            None => Standing::Silent,
            Some(Opinion {
                verdict: Verdict::Invalid,
                ..
            }) => Standing::Accuses,
            Some(Opinion { digest, .. })
                if hashing::trace_commitment(request, digest) == trace_commitment =>
            {
                Standing::Upholds
            }
            Some(_) => Standing::Unexecuted,
        };
        closed.push(index);
    }
    closed
}

/// What more than half of the committee's revealed bond says.
pub fn decide<AccountId>(seats: &[Seat<AccountId>]) -> Option<Opinion> {
    let votes: Vec<_> = seats
        .iter()
        .filter(|seat| seat.part == Part::Committee)
        .filter(|seat| matches!(seat.standing, Standing::Upholds | Standing::Accuses))
        .filter_map(|seat| Some((seat.opinion?, seat.bond)))
        .collect();
    majority(&votes).copied()
}

/// Settles every standing by what was decided.
///
/// Whoever said exactly this won, with one exception: a drawn checker that upheld a valid answer
/// keeps its standing, for it is paid out of the escrow.
pub fn judge<AccountId>(seats: &mut [Seat<AccountId>], decided: Opinion) {
    for seat in seats {
        let is_party = matches!(seat.standing, Standing::Upholds | Standing::Accuses);
        let Some(opinion) = seat.opinion.filter(|_| is_party) else {
            continue;
        };
        seat.standing = match (opinion == decided, seat.part, decided.verdict) {
            (true, Part::Check, Verdict::Valid) => Standing::Upholds,
            (true, ..) => Standing::Won,
            (false, ..) => Standing::Lost,
        };
    }
}
