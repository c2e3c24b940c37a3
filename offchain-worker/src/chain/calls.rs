//! The calls that this program submits, with their arguments under the names of the runtime.

use super::types::{
    Balance, Roles, Weights, WireArchitecture, WireCall, WireDevice, WireEndpoint, WirePlace,
    WireProof, WireSignature, WireStatement, WireTokenBounds,
};
use crate::games::Move;
use noema_claims::HiddenProof;
use noema_protocol::{
    CheckpointId, ClaimId, FamilyId, Prices, Receipt, RequestId, Role, RoundId, SamplingParameters,
    SessionId, Verdict,
};
use noema_rounds::{CheckpointClaim, Contribution, ScoreSheet};
use noema_sessions::{SessionPrices, SessionReceipt, Voucher};
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_encode::EncodeAsType;

/// A call: its pallet, its name and its arguments.
pub trait Call: subxt::ext::scale_encode::EncodeAsFields + Send + Sync {
    /// The pallet's name in the runtime.
    const PALLET: &'static str;
    /// The call's name.
    const NAME: &'static str;
}

macro_rules! calls {
    ($($(#[$meta:meta])* $pallet:literal . $call:literal $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, EncodeAsType)]
            #[encode_as_type(crate_path = "subxt::ext::scale_encode")]
            pub struct $name { $($(#[$doc])* pub $field: $type,)* }
            impl Call for $name {
                const PALLET: &'static str = $pallet;
                const NAME: &'static str = $call;
            }
        )*
    };
}

/// The call of a move.
#[derive(Clone, Debug)]
pub enum MoveCall {
    /// Shows the root of a trace.
    Open(OpenTrace),
    /// Shows a row.
    Show(ShowRow),
    /// Points to a node.
    Point(PointTo),
    /// Proves that a step is wrong.
    Prove(ProveStep),
}

impl MoveCall {
    /// The call of a move in the game over a leaf.
    pub fn new(claim: ClaimId, leaf: u32, made: Move) -> Self {
        match made {
            Move::Open {
                statement,
                path,
                root,
                siblings,
            } => Self::Open(OpenTrace {
                claim,
                leaf,
                statement: statement.into(),
                path,
                root,
                siblings,
            }),
            Move::Show {
                challengers, row, ..
            } => Self::Show(ShowRow {
                claim,
                leaf,
                challengers: challengers.into_iter().map(AccountId32).collect(),
                row,
            }),
            Move::Point {
                node,
                hash,
                siblings,
            } => Self::Point(PointTo {
                claim,
                leaf,
                node: node.into(),
                hash,
                siblings,
            }),
            Move::Prove { statement, proof } => Self::Prove(ProveStep {
                claim,
                leaf,
                statement: statement.into(),
                proof: proof.into(),
            }),
        }
    }
}

calls! {
    /// Submits a request.
    "Inference"."request_inference" RequestInference {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The prompt, UTF-8.
        prompt: Vec<u8>,
        /// The sampling parameters.
        parameters: SamplingParameters,
        /// The most that the requester pays.
        price_limit: Balance,
    }
    /// Cancels a request that no worker was drawn for.
    "Inference"."cancel_request" CancelRequest {
        /// The request.
        request: RequestId,
    }
    /// Submits an answer.
    "Inference"."submit_answer" SubmitAnswer {
        /// The request.
        request: RequestId,
        /// The answer's tokens.
        tokens: Vec<u32>,
        /// The answer's text, UTF-8.
        text: Vec<u8>,
        /// The receipt.
        receipt: Receipt,
    }
    /// Commits to the result of a check.
    "Claims"."commit_check" CommitCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash of the result and the salt.
        commitment: H256,
    }
    /// Reveals the result of a check.
    "Claims"."reveal_check" RevealCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The receipt of the leaf.
        receipt: Receipt,
        /// The siblings of the receipt's hash, up to the claim's root.
        path: Vec<H256>,
        /// The proof of the hidden state at the validator's position.
        proof: HiddenProof,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Reveals the result of a check of an answer of a session.
    "Claims"."reveal_session_check" RevealSessionCheck {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The receipt of the leaf.
        receipt: SessionReceipt,
        /// The siblings of the receipt's hash, up to the claim's root.
        path: Vec<H256>,
        /// The proof of the hidden state at the validator's position.
        proof: HiddenProof,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Demands that the claimant posts a leaf.
    "Claims"."demand_leaf" DemandLeaf {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    }
    /// Posts a leaf that was demanded or challenged.
    "Claims"."post_leaf" PostLeaf {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The receipt of the leaf.
        receipt: SessionReceipt,
        /// The siblings of the receipt's hash, up to the claim's root.
        path: Vec<H256>,
        /// The tokens of the prompt.
        prompt: Vec<u32>,
        /// The tokens of the answer.
        answer: Vec<u32>,
    }
    /// Opens a session.
    "Sessions"."open_session" OpenSession {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The controller of the worker; without one, a worker is drawn.
        worker: Option<AccountId32>,
        /// The account whose key signs vouchers.
        voucher_key: AccountId32,
        /// The most tokens of prompt and answer together.
        leaf_tokens: u32,
        /// The highest prices that the payer accepts.
        price_limit: SessionPrices,
        /// The amount to put on hold.
        amount: Balance,
    }
    /// Adds to the hold of a session.
    "Sessions"."top_up" TopUp {
        /// The session.
        session: SessionId,
        /// The amount.
        amount: Balance,
    }
    /// Claims the answers of a bundle.
    "Sessions"."claim" ClaimSession {
        /// The last voucher of the bundle.
        voucher: Voucher,
        /// The signature of the voucher key.
        signature: WireSignature,
    }
    /// Closes a session.
    "Sessions"."close_session" CloseSession {
        /// The session.
        session: SessionId,
    }
    /// Waives the rest of the worker's window for its last vouchers.
    "Sessions"."end_session" EndSession {
        /// The session.
        session: SessionId,
        /// How many of its answers are claimed.
        claimed: u32,
    }
    /// Challenges a leaf.
    "Claims"."challenge" Challenge {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    }
    /// Shows the root of the trace of a disputed leaf.
    "Disputes"."open_trace" OpenTrace {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// What the leaf states.
        statement: WireStatement,
        /// The siblings of the leaf, up to the claim's root.
        path: Vec<H256>,
        /// The root of the trace.
        root: H256,
        /// The siblings of the last leaf of the trace.
        siblings: Vec<H256>,
    }
    /// Joins a game as a challenger, with a bond.
    "Disputes"."join" JoinGame {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    }
    /// Points to a node of the trace of a claimant.
    "Disputes"."point" PointTo {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The node.
        node: WirePlace,
        /// Its hash.
        hash: H256,
        /// Its siblings up to the root.
        siblings: Vec<H256>,
    }
    /// Shows the row below a node.
    "Disputes"."show" ShowRow {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The challengers that pointed to the node.
        challengers: Vec<AccountId32>,
        /// The row.
        row: Vec<H256>,
    }
    /// Proves that a step of a trace is wrong.
    "Disputes"."prove" ProveStep {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// What the leaf states.
        statement: WireStatement,
        /// The proof.
        proof: WireProof,
    }
    /// Commits to a verdict.
    "Jury"."commit_verdict" CommitVerdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The hash of the verdict and the salt.
        commitment: H256,
    }
    /// Reveals a verdict.
    "Jury"."reveal_verdict" RevealVerdict {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The verdict.
        verdict: Verdict,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Registers a family.
    "Checkpoints"."register_family" RegisterFamily {
        /// Its name.
        name: Vec<u8>,
        /// The architecture of the model.
        architecture: WireArchitecture,
        /// The hash of the tokenizer.
        tokenizer_hash: H256,
        /// The version of the integer arithmetic.
        numerics_version: u32,
        /// The version of the text layer.
        text_layer: u32,
    }
    /// Registers a checkpoint.
    "Checkpoints"."register_checkpoint" RegisterCheckpoint {
        /// The hash of its manifest.
        checkpoint: CheckpointId,
        /// Its family.
        family: FamilyId,
        /// The checkpoint that it was made from.
        parent: Option<CheckpointId>,
        /// The root and the size of its weights.
        weights: Weights,
        /// Its token bounds.
        tokens: WireTokenBounds,
        /// Its licence.
        licence: Vec<u8>,
        /// The hash of the file that it was imported from.
        source_hash: H256,
    }
    /// Announces that an operator holds the weights of a checkpoint.
    "Checkpoints"."announce_holding" AnnounceHolding {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The hash under which the operator shares the files.
        blob: H256,
    }
    /// Dispatches a call as root, on a chain with a sudo key.
    "Sudo"."sudo" Sudo {
        /// The call.
        call: Box<WireCall>,
    }
    /// Joins a round.
    "Training"."join_round" JoinRound {
        /// The round.
        round: RoundId,
        /// The role.
        role: Role,
    }
    /// Commits to a contribution.
    "Training"."commit_contribution" CommitContribution {
        /// The round.
        round: RoundId,
        /// The hash of the contribution and the salt.
        commitment: H256,
    }
    /// Reveals a contribution.
    "Training"."reveal_contribution" RevealContribution {
        /// The round.
        round: RoundId,
        /// The hash and the size of the update.
        contribution: Contribution,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Commits to scores.
    "Training"."commit_scores" CommitScores {
        /// The round.
        round: RoundId,
        /// The hash of the scores and the salt.
        commitment: H256,
    }
    /// Reveals scores.
    "Training"."reveal_scores" RevealScores {
        /// The round.
        round: RoundId,
        /// The scores.
        sheet: ScoreSheet,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Claims the next checkpoint.
    "Training"."claim_checkpoint" ClaimCheckpoint {
        /// The round.
        round: RoundId,
        /// The claim.
        claim: CheckpointClaim,
    }
    /// Objects to the decided scores of the contributions.
    "Training"."object_to_scores" ObjectToScores {
        /// The round.
        round: RoundId,
        /// The validator's own scores.
        sheet: ScoreSheet,
    }
    /// Objects to the decided next checkpoint.
    "Training"."object_to_claim" ObjectToClaim {
        /// The round.
        round: RoundId,
        /// The validator's own claim.
        claim: CheckpointClaim,
    }
    /// Mints the reward of an account for an epoch that ended.
    "Issuance"."claim" ClaimReward {
        /// The account that is paid: for an operator, its controller.
        account: AccountId32,
        /// The epoch.
        epoch: u32,
    }
    /// Ends the operator's absence.
    "Operators"."resume" Resume {}
    /// Withdraws the payments that were credited to an operator.
    "Operators"."withdraw" WithdrawPayments {}
    /// Reports the device that an operator runs on.
    "Operators"."report_device" ReportDevice {
        /// The device.
        device: WireDevice,
    }
    /// Publishes the endpoint of an operator.
    "Operators"."set_endpoint" SetEndpoint {
        /// The endpoint; `None` if the operator no longer shares artefacts.
        endpoint: Option<WireEndpoint>,
    }
    /// Registers an operator.
    "Operators"."register" RegisterOperator {
        /// Its roles.
        roles: Roles,
        /// The hot key.
        key: AccountId32,
        /// The hot key's signature, see [`crate::keys::Key::possession`].
        possession: WireSignature,
        /// Its prices as a worker.
        prices: Prices<Balance>,
        /// Its bond.
        bond: Balance,
    }
    /// Changes the prices of a worker.
    "Operators"."set_prices" SetPrices {
        /// The new prices.
        prices: Prices<Balance>,
    }
    /// Starts to serve a checkpoint.
    "Operators"."serve" Serve {
        /// The checkpoint.
        checkpoint: CheckpointId,
    }
    /// Serves the canonical checkpoint of a family in place of another.
    "Operators"."follow_canonical" FollowCanonical {
        /// The checkpoint that is no longer served.
        checkpoint: CheckpointId,
    }
    /// Adds to the bond.
    "Operators"."bond_extra" BondExtra {
        /// The amount.
        amount: Balance,
    }
    /// Starts to leave: the bond can be withdrawn after the unbonding period.
    "Operators"."start_unbonding" StartUnbonding {}
    /// Withdraws the bond after the unbonding period.
    "Operators"."withdraw_bond" WithdrawBond {}
}

impl Sudo {
    /// The call that dispatches `call` as root.
    pub fn of(call: WireCall) -> Self {
        Self {
            call: Box::new(call),
        }
    }
}
