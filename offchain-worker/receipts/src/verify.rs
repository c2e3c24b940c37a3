//! What a file and a proof show together.

use crate::keys::{self, LAYOUTS};
use crate::proof::Values;
use crate::{
    proof_keys, AccountBytes, ClaimEntry, ClaimPath, ProofError, ReceiptError, ReceiptFile,
    SessionEntry, StateProof, VoucherPath,
};
use noema_claims::{ClaimStage, SeatState};
use noema_economics::Balance;
use noema_protocol::{ClaimId, Job};
use noema_session_transport::is_signed;
use noema_sessions::{
    verify_leaf, Agreement, AnswerEnd, SessionReceipt, SessionTerms, Stage, Voucher,
};
use sp_core::H256;

/// What is shown of a receipt, as of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The number of the block.
    pub block: u32,
    /// Its hash.
    pub hash: H256,
    /// The hash of the genesis block of its chain.
    pub genesis: H256,
    /// The terms of the session.
    pub terms: SessionTerms<AccountBytes>,
    /// The stage of the session.
    pub stage: Stage<u32>,
    /// Whether the hot key that signed is, in this block, that of the session's worker.
    pub is_of_hot_key: bool,
    /// Where the receipt stands.
    pub standing: Standing,
}

/// Where a receipt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The worker signed it. No voucher over it is in the file, and no claim covers the answer.
    Signed,
    /// The payer signed a voucher over it, and no claim covers the answer.
    Paid(ProvenVoucher),
    /// It is a leaf of a claim.
    Claimed(ProvenClaim),
}

/// A voucher over a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenVoucher {
    /// How many answers of the session it pays, those of claims included.
    pub count: u32,
    /// The price of all of them.
    pub amount: Balance,
}

/// A claim of which a receipt is a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenClaim {
    /// The claim.
    pub claim: ClaimId,
    /// The number of its leaf that is the receipt.
    pub leaf: u32,
    /// The number of its leaves.
    pub leaves: u32,
    /// The block that carries it.
    pub made_at: u32,
    /// The part of the worker's bond that it locks.
    pub stake: Balance,
    /// Its stage.
    pub stage: ClaimStage<u32>,
    /// How many of its leaves were drawn for a check.
    pub drawn: u32,
    /// The validators that were drawn for this leaf, and the states of their parts.
    pub seats: Vec<(AccountBytes, SeatState)>,
    /// How many of its leaves are in dispute.
    pub disputes: u32,
}

/// Verifies a receipt by the records in `proof`, of the block with the hash `trusted`.
///
/// Nothing in `file` or `proof` is trusted: see the [crate] for what is verified.
///
/// # Errors
/// See [`ReceiptError`].
pub fn verify(
    file: &ReceiptFile,
    proof: &StateProof,
    trusted: H256,
) -> Result<Verified, ReceiptError> {
    let found = proof.block();
    if found != trusted {
        return Err(ProofError::OtherBlock { found, trusted }.into());
    }
    file.check_tokens().map_err(ReceiptError::OtherTokens)?;
    let values = proof.read(proof_keys(file))?;
    check_layouts(&values)?;
    let genesis: Option<H256> = values.get(&keys::genesis(), "the genesis block")?;
    let genesis = genesis.ok_or(ProofError::NotProven)?;
    let receipt = &file.signed.receipt;
    let id = receipt.session;
    let session: Option<SessionEntry> = values.get(&keys::session(id), "the session")?;
    let session = session.ok_or(ReceiptError::NoSession(id))?;
    let terms = session.terms(id).ok_or(ReceiptError::NoSession(id))?;
    let agreement = terms.agreement(genesis);
    if receipt.terms != agreement.terms {
        return Err(ReceiptError::OtherTerms(id));
    }
    check_fields(receipt, &agreement).map_err(ReceiptError::FalseField)?;
    let is_of_hot_key = is_of_hot_key(file, &terms, &values)?;
    let standing = match (&file.claim, &file.voucher) {
        (Some(part), _) => Standing::Claimed(claimed(file, part, &terms, &values)?),
        _ if receipt.n < session.account.count => {
            return Err(ReceiptError::ClaimNotShown {
                session: id,
                n: receipt.n,
            })
        }
        (None, Some(part)) => Standing::Paid(paid(file, part, &agreement, &terms)?),
        (None, None) if is_of_hot_key => Standing::Signed,
        (None, None) => return Err(ReceiptError::UnknownKey),
    };
    Ok(Verified {
        block: proof.header.number,
        hash: found,
        genesis,
        stage: session.account.stage,
        terms,
        is_of_hot_key,
        standing,
    })
}

fn check_layouts(values: &Values) -> Result<(), ProofError> {
    for layout in LAYOUTS {
        let version: Option<u16> = values.get(&keys::version(layout), layout.pallet)?;
        let found = version.unwrap_or_default();
        if found != layout.version {
            return Err(ProofError::OtherLayout {
                pallet: layout.pallet,
                found,
                known: layout.version,
            });
        }
    }
    Ok(())
}

/// Whether each field that does not need the model is right; else the name of one that is not.
fn check_fields(receipt: &SessionReceipt, agreement: &Agreement) -> Result<(), &'static str> {
    let require = |is_right, field| if is_right { Ok(()) } else { Err(field) };
    require(receipt.checkpoint == agreement.checkpoint, "checkpoint")?;
    require(receipt.first <= receipt.n, "first answer")?;
    require(receipt.seed == agreement.seed_of(receipt.n), "seed")?;
    let parameters = &receipt.parameters;
    require(parameters.validate().is_ok(), "sampling parameters")?;
    let most = u32::from(parameters.max_tokens);
    let tokens = receipt.prompt_tokens.checked_add(receipt.answer_tokens);
    let is_in_bounds = receipt.prompt_tokens > 0
        && (1..=most).contains(&receipt.answer_tokens)
        && tokens.is_some_and(|tokens| tokens <= agreement.leaf_tokens);
    require(is_in_bounds, "number of tokens")?;
    let is_whole = receipt.answer_tokens == most;
    require(receipt.end != AnswerEnd::Length || is_whole, "end")?;
    let price = agreement.prices.price(
        receipt.prompt_tokens,
        receipt.cached_tokens,
        receipt.answer_tokens,
    );
    require(price == Some(receipt.price), "price")
}

/// Whether the key in the file is the hot key of the session's worker.
fn is_of_hot_key(
    file: &ReceiptFile,
    terms: &SessionTerms<AccountBytes>,
    values: &Values,
) -> Result<bool, ReceiptError> {
    let Some(key) = &file.key else {
        return Ok(false);
    };
    if !is_signed(key, &file.hash(), &file.signed.signature) {
        return Err(ReceiptError::WrongSignature);
    }
    let controller: Option<AccountBytes> = values.get(&keys::controller(key), "the hot key")?;
    Ok(controller == Some(terms.worker))
}

fn paid(
    file: &ReceiptFile,
    part: &VoucherPath,
    agreement: &Agreement,
    terms: &SessionTerms<AccountBytes>,
) -> Result<ProvenVoucher, ReceiptError> {
    let voucher: &Voucher = &part.signed.voucher;
    let is_of_session = voucher.genesis == agreement.genesis
        && voucher.session == agreement.session
        && voucher.terms == agreement.terms;
    let leaves = voucher.count.checked_sub(voucher.first);
    let leaf = file.signed.receipt.n.checked_sub(voucher.first);
    let is_leaf =
        |(leaves, leaf)| verify_leaf(voucher.root, leaves, leaf, &file.hash(), &part.path);
    if !is_of_session || !leaves.zip(leaf).is_some_and(is_leaf) {
        return Err(ReceiptError::OtherVoucher);
    }
    let (payload, signature) = (voucher.payload(), &part.signed.signature);
    match is_signed(&terms.voucher_key, &payload, signature) {
        true => Ok(ProvenVoucher {
            count: voucher.count,
            amount: voucher.amount,
        }),
        false => Err(ReceiptError::UnsignedVoucher),
    }
}

fn claimed(
    file: &ReceiptFile,
    part: &ClaimPath,
    terms: &SessionTerms<AccountBytes>,
    values: &Values,
) -> Result<ProvenClaim, ReceiptError> {
    let id = part.claim;
    let entry: Option<ClaimEntry> = values.get(&keys::claim(id), "the claim")?;
    let entry = entry.ok_or(ReceiptError::NoClaim(id))?;
    let (claim, receipt) = (entry.claim, &file.signed.receipt);
    let is_of_session = matches!(entry.job, Job::Session(session, _) if session == terms.session)
        && claim.terms.claimant == terms.worker
        && claim.terms.payer == terms.payer
        && claim.terms.checkpoint == terms.checkpoint;
    let other = || ReceiptError::OtherClaim(id);
    let (root, leaves) = (claim.terms.root, claim.terms.leaves);
    let leaf = receipt.n.checked_sub(receipt.first).ok_or_else(other)?;
    if !is_of_session || !verify_leaf(root, leaves, leaf, &file.hash(), &part.path) {
        return Err(other());
    }
    let seats = claim.seats.iter().filter(|seat| seat.leaf == leaf);
    Ok(ProvenClaim {
        claim: id,
        leaf,
        leaves,
        made_at: claim.made_at,
        stake: claim.terms.stake,
        stage: claim.stage,
        drawn: u32::try_from(claim.drawn.len()).unwrap_or(u32::MAX),
        seats: seats.map(|seat| (seat.validator, seat.state)).collect(),
        disputes: claim.disputes,
    })
}
