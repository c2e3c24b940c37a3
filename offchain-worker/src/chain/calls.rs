//! The calls this program makes, argument by argument as the runtime names them.

use super::types::{
    Parameters, WireArchitecture, WireCall, WireClaim, WireContribution, WireDevice, WireEndpoint,
    WireHiddenProof, WirePrices, WireReceipt, WireRole, WireRoles, WireSheet, WireSignature,
    WireTokenBounds, WireVerdict, WireWeights,
};
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_encode::EncodeAsType;

/// A call: the pallet, the name, and the arguments.
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

calls! {
    /// Asks a question.
    "Inference"."request_inference" RequestInference {
        /// The checkpoint that is to answer.
        checkpoint: H256,
        /// The prompt, UTF-8.
        prompt: Vec<u8>,
        /// How tokens are chosen.
        parameters: Parameters,
        /// The most the requester pays.
        price_limit: u128,
    }
    /// Takes a question back that no worker has.
    "Inference"."cancel_request" CancelRequest {
        /// The request.
        request: u64,
    }
    /// Submits an answer.
    "Inference"."submit_answer" SubmitAnswer {
        /// The request.
        request: u64,
        /// The answer's tokens.
        tokens: Vec<u32>,
        /// The answer's text, UTF-8.
        text: Vec<u8>,
        /// What is stated.
        receipt: WireReceipt,
    }
    /// Commits to what a check found.
    "Claims"."commit_check" CommitCheck {
        /// The claim.
        claim: u64,
        /// The leaf.
        leaf: u32,
        /// The hash of what was found.
        commitment: H256,
    }
    /// Shows what a check found.
    "Claims"."reveal_check" RevealCheck {
        /// The claim.
        claim: u64,
        /// The leaf.
        leaf: u32,
        /// The receipt of the leaf.
        receipt: WireReceipt,
        /// The siblings of the receipt's hash, up to the claim's root.
        path: Vec<H256>,
        /// The hidden state at the validator's position.
        proof: WireHiddenProof,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Says that a leaf is false.
    "Claims"."challenge" Challenge {
        /// The claim.
        claim: u64,
        /// The leaf.
        leaf: u32,
    }
    /// Commits to a verdict.
    "Jury"."commit_verdict" CommitVerdict {
        /// The claim.
        claim: u64,
        /// The leaf.
        leaf: u32,
        /// The hash of the verdict.
        commitment: H256,
    }
    /// Reveals a verdict.
    "Jury"."reveal_verdict" RevealVerdict {
        /// The claim.
        claim: u64,
        /// The leaf.
        leaf: u32,
        /// The verdict.
        verdict: WireVerdict,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Registers a family.
    "Checkpoints"."register_family" RegisterFamily {
        /// Its name.
        name: Vec<u8>,
        /// The dimensions of the model.
        architecture: WireArchitecture,
        /// The hash of the tokenizer.
        tokenizer_hash: H256,
        /// The version of the integer arithmetic.
        numerics_version: u32,
    }
    /// Registers a checkpoint.
    "Checkpoints"."register_checkpoint" RegisterCheckpoint {
        /// The hash of its manifest.
        checkpoint: H256,
        /// Its family.
        family: u32,
        /// The checkpoint it was made from.
        parent: Option<H256>,
        /// What identifies its weights.
        weights: WireWeights,
        /// How many tokens a prompt can become.
        tokens: WireTokenBounds,
        /// Its licence.
        licence: Vec<u8>,
        /// The hash of the file it was imported from.
        source_hash: H256,
    }
    /// Announces that an operator holds the weights of a checkpoint.
    "Checkpoints"."announce_holding" AnnounceHolding {
        /// The checkpoint.
        checkpoint: H256,
        /// The hash under which it shares the files.
        blob: H256,
    }
    /// Has root make a call, on a chain that has a key for that.
    "Sudo"."sudo" Sudo {
        /// The call.
        call: Box<WireCall>,
    }
    /// Takes part in a round.
    "Training"."join_round" JoinRound {
        /// The round.
        round: u64,
        /// As what.
        role: WireRole,
    }
    /// Commits to a contribution.
    "Training"."commit_contribution" CommitContribution {
        /// The round.
        round: u64,
        /// The hash of the contribution.
        commitment: H256,
    }
    /// Reveals a contribution.
    "Training"."reveal_contribution" RevealContribution {
        /// The round.
        round: u64,
        /// Hash and size of the update.
        contribution: WireContribution,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Commits to scores.
    "Training"."commit_scores" CommitScores {
        /// The round.
        round: u64,
        /// The hash of the scores.
        commitment: H256,
    }
    /// Reveals scores.
    "Training"."reveal_scores" RevealScores {
        /// The round.
        round: u64,
        /// The scores.
        sheet: WireSheet,
        /// The salt of the commitment.
        salt: H256,
    }
    /// Claims what the next checkpoint is.
    "Training"."claim_checkpoint" ClaimCheckpoint {
        /// The round.
        round: u64,
        /// What it is.
        claim: WireClaim,
    }
    /// Contradicts what was decided of the contributions.
    "Training"."object_to_scores" ObjectToScores {
        /// The round.
        round: u64,
        /// One's own scores.
        sheet: WireSheet,
    }
    /// Contradicts what was decided of the next checkpoint.
    "Training"."object_to_claim" ObjectToClaim {
        /// The round.
        round: u64,
        /// One's own claim.
        claim: WireClaim,
    }
    /// Mints what an account is due for an epoch that ended.
    "Issuance"."claim" ClaimReward {
        /// Who is paid; of an operator, its controller.
        account: AccountId32,
        /// The epoch.
        epoch: u32,
    }
    /// Comes back after an absence.
    "Operators"."resume" Resume {}
    /// Withdraws what was credited to an operator.
    "Operators"."withdraw" WithdrawPayments {}
    /// Records the device that an operator runs on.
    "Operators"."report_device" ReportDevice {
        /// The device.
        device: WireDevice,
    }
    /// Publishes where an operator shares artefacts.
    "Operators"."set_endpoint" SetEndpoint {
        /// The endpoint; `None` if it shares none any more.
        endpoint: Option<WireEndpoint>,
    }
    /// Registers an operator.
    "Operators"."register" RegisterOperator {
        /// What it does.
        roles: WireRoles,
        /// The hot key.
        key: AccountId32,
        /// The hot key's signature, see [`crate::keys::Key::possession`].
        possession: WireSignature,
        /// What a worker charges.
        prices: WirePrices,
        /// What is put at stake.
        bond: u128,
    }
    /// Changes what a worker charges.
    "Operators"."set_prices" SetPrices {
        /// The new prices.
        prices: WirePrices,
    }
    /// Starts to serve a checkpoint.
    "Operators"."serve" Serve {
        /// The checkpoint.
        checkpoint: H256,
    }
    /// Serves the canonical checkpoint of a family in place of another.
    "Operators"."follow_canonical" FollowCanonical {
        /// The one that is served no more.
        checkpoint: H256,
    }
    /// Adds to the bond.
    "Operators"."bond_extra" BondExtra {
        /// How much.
        amount: u128,
    }
    /// Leaves: the bond is free after the unbonding period.
    "Operators"."start_unbonding" StartUnbonding {}
    /// Takes the bond back after the unbonding period.
    "Operators"."withdraw_bond" WithdrawBond {}
}

impl Sudo {
    /// The call that has root make `call`.
    pub fn of(call: WireCall) -> Self {
        Self {
            call: Box::new(call),
        }
    }
}
