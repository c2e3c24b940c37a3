//! From a duty to its result, and from the result to the call that submits it.

use super::engines::{Engines, ExecutionError};
use super::session_checks::Inputs;
use super::{serve, session_checks, validate, Action, ClaimedAnswer, DutyStep, Workload};
use crate::store::{AccountBytes, Product};
use noema_executor::Cancel;
use noema_protocol::{hashing, Job};
use noema_session_transport::SessionLeaf;

/// The result of a duty.
pub(super) struct Computed {
    /// The part that is stored and submitted.
    pub(super) product: Product,
    /// The fault of the leaf that was re-executed, as text.
    pub(super) fault: Option<String>,
}

/// Does the work of a duty; `None` if it was cancelled. `inputs` are what was read for it. Blocks until the model is done.
pub(super) fn compute(
    engines: &dyn Engines,
    work: &Workload,
    inputs: &Inputs,
    cancel: &Cancel,
) -> Result<Option<Computed>, ExecutionError> {
    let leaf = match (work, inputs.leaf.as_ref()) {
        (Workload::Answer(question), _) => {
            let answer = engines.answer(question, cancel)?;
            return Ok(answer.map(|answer| Computed {
                product: Product::Answer(serve::stated(question, answer)),
                fault: None,
            }));
        }
        (Workload::Check { leaf, .. } | Workload::Verdict(leaf), _) => leaf,
        (
            Workload::SessionCheck { claimed, .. } | Workload::SessionVerdict(claimed),
            Some(leaf),
        ) => {
            return compute_session(engines, work, (claimed.as_ref(), leaf), cancel);
        }
        (Workload::Move(open), Some(leaf)) => {
            let made = engines.next_move(open, leaf, &inputs.rows, cancel)?;
            return Ok(made.map(|made| Computed {
                product: Product::Move(Box::new(made)),
                fault: None,
            }));
        }
        (Workload::SessionCheck { .. } | Workload::SessionVerdict(_) | Workload::Move(_), None) => {
            return Err(ExecutionError::Failed("its leaf was not read".into()));
        }
    };
    let Some(found) = engines.check(leaf, cancel)? else {
        return Ok(None);
    };
    let fault = validate::fault(leaf, &found);
    let product = match work {
        Workload::Check { point, .. } => validate::check(leaf, *point, &found, fault.is_some())?,
        _ => validate::verdict(fault.is_some())?,
    };
    Ok(Some(Computed { product, fault }))
}

/// Re-executes an answer of a session.
fn compute_session(
    engines: &dyn Engines,
    work: &Workload,
    (claimed, leaf): (&ClaimedAnswer, &SessionLeaf),
    cancel: &Cancel,
) -> Result<Option<Computed>, ExecutionError> {
    let checkpoint = &claimed.agreement.checkpoint;
    let Some(found) = engines.check_session(checkpoint, leaf, cancel)? else {
        return Ok(None);
    };
    let fault = session_checks::fault(claimed, leaf, &found);
    let product = match work {
        Workload::SessionCheck { point, .. } => {
            session_checks::check(leaf, *point, &found, fault.is_some())?
        }
        _ => validate::verdict(fault.is_some())?,
    };
    Ok(Some(Computed { product, fault }))
}

/// The call that submits a product at a step; `None` if the product has none for this step.
pub(super) fn action(
    operator: &AccountBytes,
    job: Job,
    step: DutyStep,
    product: &Product,
) -> Option<Action> {
    Some(match (job, step, product) {
        (Job::Request(request), DutyStep::Execute, Product::Answer(answer)) => {
            Action::SubmitAnswer {
                request,
                tokens: answer.tokens.clone(),
                text: answer.text.clone(),
                receipt: answer.receipt.clone(),
            }
        }
        (Job::Check(claim, leaf), DutyStep::Execute, Product::Check(check)) => {
            let hidden = check.proof.hidden;
            Action::CommitCheck {
                claim,
                leaf,
                commitment: hashing::check_commitment(claim, leaf, operator, hidden, check.salt),
            }
        }
        (Job::Check(claim, leaf), DutyStep::Reveal, Product::Check(check)) => Action::RevealCheck {
            claim,
            leaf,
            receipt: check.receipt.clone(),
            proof: check.proof.clone(),
            salt: check.salt,
        },
        (Job::Check(claim, leaf), DutyStep::Execute, Product::SessionCheck(check)) => {
            let hidden = check.proof.hidden;
            Action::CommitCheck {
                claim,
                leaf,
                commitment: hashing::check_commitment(claim, leaf, operator, hidden, check.salt),
            }
        }
        (Job::Check(claim, leaf), DutyStep::Reveal, Product::SessionCheck(check)) => {
            Action::RevealSessionCheck {
                claim,
                leaf,
                check: check.clone(),
            }
        }
        (Job::Check(claim, leaf), DutyStep::Execute, Product::Challenge) => {
            Action::Challenge { claim, leaf }
        }
        (Job::Dispute(claim, leaf), DutyStep::Execute, Product::Move(made)) => Action::Move {
            claim,
            leaf,
            made: made.clone(),
        },
        (Job::Dispute(claim, leaf), DutyStep::Execute, &Product::Verdict { verdict, salt }) => {
            Action::CommitVerdict {
                claim,
                leaf,
                commitment: hashing::verdict_commitment(claim, leaf, operator, verdict, salt),
            }
        }
        (Job::Dispute(claim, leaf), DutyStep::Reveal, &Product::Verdict { verdict, salt }) => {
            Action::RevealVerdict {
                claim,
                leaf,
                verdict,
                salt,
            }
        }
        _ => return None,
    })
}
