//! From a duty to what is computed for it, and from that to what is handed over.

use super::execute::{ExecutionError, Executor};
use super::{serve, validate, Action, Step, Work};
use crate::store::{AccountBytes, Product};
use noema_executor::Cancel;
use noema_protocol::{hashing, Job};

/// What was computed for a duty.
pub(super) struct Computed {
    /// What is stored and handed over.
    pub(super) product: Product,
    /// What is wrong with the leaf that was executed again, in words.
    pub(super) fault: Option<String>,
}

/// Does the work of a duty; `None` if it was cancelled before the end. Blocks for as long as the model
/// takes.
pub(super) fn compute(
    executor: &dyn Executor,
    work: &Work,
    cancel: &Cancel,
) -> Result<Option<Computed>, ExecutionError> {
    let leaf = match work {
        Work::Answer(question) => {
            let answer = executor.answer(question, cancel)?;
            return Ok(answer.map(|answer| Computed {
                product: Product::Answer(serve::stated(question, answer)),
                fault: None,
            }));
        }
        Work::Check { leaf, .. } | Work::Verdict(leaf) => leaf,
    };
    let Some(found) = executor.check(leaf, cancel)? else {
        return Ok(None);
    };
    let fault = validate::fault(leaf, &found);
    let product = match work {
        Work::Check { point, .. } => validate::check(leaf, *point, &found, fault.is_some())?,
        _ => validate::verdict(fault.is_some())?,
    };
    Ok(Some(Computed { product, fault }))
}

/// What is handed over of a product at a step; `None` where it has nothing for it.
pub(super) fn action(
    operator: &AccountBytes,
    job: Job,
    step: Step,
    product: &Product,
) -> Option<Action> {
    Some(match (job, step, product) {
        (Job::Request(request), Step::Execute, Product::Answer(answer)) => Action::SubmitAnswer {
            request,
            tokens: answer.tokens.clone(),
            text: answer.text.clone(),
            receipt: answer.receipt.clone(),
        },
        (Job::Check(claim, leaf), Step::Execute, Product::Check(check)) => {
            let hidden = check.proof.hidden;
            Action::CommitCheck {
                claim,
                leaf,
                commitment: hashing::check_commitment(claim, leaf, operator, hidden, check.salt),
            }
        }
        (Job::Check(claim, leaf), Step::Reveal, Product::Check(check)) => Action::RevealCheck {
            claim,
            leaf,
            receipt: check.receipt.clone(),
            proof: check.proof.clone(),
            salt: check.salt,
        },
        (Job::Check(claim, leaf), Step::Execute, Product::Challenge) => {
            Action::Challenge { claim, leaf }
        }
        (Job::Dispute(claim, leaf), Step::Execute, &Product::Verdict { verdict, salt }) => {
            Action::CommitVerdict {
                claim,
                leaf,
                commitment: hashing::verdict_commitment(claim, leaf, operator, verdict, salt),
            }
        }
        (Job::Dispute(claim, leaf), Step::Reveal, &Product::Verdict { verdict, salt }) => {
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
