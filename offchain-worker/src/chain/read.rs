//! Reading finalized state.

use super::types::{
    CheckDue, CheckpointRecord, ClaimInfo, DemandDue, EarningsLedger, FamilyRecord, Holding,
    OpenAnswer, OperatorInfo, PriceList, RequestState, SessionInfo, SessionOffer, Status,
    VerdictDue, WireEndpoint,
};
use super::{classify, shape, Block, ChainError, PATIENCE};
use crate::roles::rounds::Round;
use crate::store::AccountBytes;
use codec::{Decode, DecodeAll, Encode};
use noema_protocol::{
    CheckpointId, ClaimId, FamilyId, RequestId, RoundId, SamplingParameters, SessionId,
};
use noema_sessions::{SessionRules, SessionTerms};
use scale_info::TypeInfo;
use std::collections::BTreeSet;
use subxt::config::substrate::AccountId32;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;

/// The length of a view function's id in bytes: hashes of the pallet's name and of the signature.
const VIEW_FUNCTION_ID: usize = 32;

/// Why the runtime does not run a view function.
#[derive(Decode)]
enum ViewFunctionRefusal {
    NotImplemented,
    NotFound(#[allow(dead_code)] [u8; VIEW_FUNCTION_ID]),
    Codec,
}

impl ViewFunctionRefusal {
    /// The reason as text.
    const fn describe(&self) -> &'static str {
        match self {
            Self::NotImplemented => "the runtime has no view functions",
            Self::NotFound(_) => "the runtime does not have it, or has it with other arguments",
            Self::Codec => "the runtime cannot read its arguments",
        }
    }
}

/// The balances of an account.
#[derive(Default, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Balances {
    free: u128,
    reserved: u128,
}

/// The state at one finalized block.
pub struct At {
    url: String,
    pub(super) block: Block,
}

impl At {
    pub(super) fn new(url: String, block: Block) -> Self {
        Self { url, block }
    }

    /// The block's number.
    pub fn number(&self) -> u64 {
        self.block.block_number()
    }

    /// Calls the view function `pallet.name`.
    pub async fn view<A, R>(&self, pallet: &str, name: &str, args: A) -> Result<R, ChainError>
    where
        A: subxt::ext::frame_decode::view_functions::IntoEncodableValues,
        R: DecodeAsType,
    {
        let output = self.call_view::<A, R>(pallet, name, args).await?;
        let output_type = self.output_type(pallet, name)?;
        let types = self.block.metadata_ref().types();
        R::decode_as_type(&mut &output[..], output_type, types)
            .map_err(|error| incompatible_view(pallet, name, error))
    }

    /// Calls the view function `pallet.name`, and decodes its result by position.
    pub(super) async fn view_by_position<A, R>(
        &self,
        pallet: &str,
        name: &str,
        args: A,
    ) -> Result<R, ChainError>
    where
        A: subxt::ext::frame_decode::view_functions::IntoEncodableValues,
        R: DecodeAll + TypeInfo + 'static,
    {
        let output = self.call_view::<A, ()>(pallet, name, args).await?;
        let output_type = self.output_type(pallet, name)?;
        let types = self.block.metadata_ref().types();
        if let Some(difference) = shape::difference::<R>(types, output_type) {
            return Err(incompatible_view(pallet, name, difference));
        }
        R::decode_all(&mut &output[..]).map_err(|error| incompatible_view(pallet, name, error))
    }

    /// The type of the result of the view function `pallet.name` in the metadata.
    fn output_type(&self, pallet: &str, name: &str) -> Result<u32, ChainError> {
        let metadata = self.block.metadata_ref();
        let function = metadata
            .pallet_by_name(pallet)
            .and_then(|pallet| pallet.view_function_by_name(name))
            .ok_or_else(|| incompatible_view(pallet, name, "it does not exist"))?;
        Ok(function.output_ty())
    }

    /// The SCALE-encoded result of the view function `pallet.name`.
    async fn call_view<A, R>(
        &self,
        pallet: &str,
        name: &str,
        args: A,
    ) -> Result<Vec<u8>, ChainError>
    where
        A: subxt::ext::frame_decode::view_functions::IntoEncodableValues,
        R: DecodeAsType,
    {
        let what = format!("view function {pallet}.{name}");
        let incompatible = |reason: String| ChainError::Incompatible {
            what: what.clone(),
            reason,
        };
        let views = self.block.view_functions();
        let call = subxt::dynamic::view_function_call::<A, R>(pallet, name, args);
        let encoded = views
            .encode_args(&call)
            .map_err(|error| classify(&self.url, &what, error))?;
        // subxt appends the arguments to the function's id; the runtime expects them as one byte vector
        // and returns a `Result` with a byte vector.
        let (id, args) = encoded
            .split_at_checked(VIEW_FUNCTION_ID)
            .ok_or_else(|| incompatible("its id is too short".into()))?;
        let mut input = id.to_vec();
        args.encode_to(&mut input);
        let output = self.in_time(&what, views.call_raw(Some(&input))).await?;
        <Result<Vec<u8>, ViewFunctionRefusal>>::decode(&mut &output[..])
            .map_err(|error| incompatible(error.to_string()))?
            .map_err(|refusal| incompatible(refusal.describe().into()))
    }

    /// The value of `pallet.entry` at `keys`.
    pub async fn storage<K, V>(
        &self,
        pallet: &str,
        entry: &str,
        keys: K,
    ) -> Result<Option<V>, ChainError>
    where
        K: subxt::ext::frame_decode::storage::IntoEncodableValues
            + subxt::ext::frame_decode::storage::IntoDecodableValues,
        V: DecodeAsType,
    {
        let what = format!("storage {pallet}.{entry}");
        let address = subxt::dynamic::storage::<K, V>(pallet, entry);
        let storage = self.block.storage();
        let value = self
            .in_time(&what, storage.try_fetch(address, keys))
            .await?;
        value
            .map(|value| {
                value
                    .decode()
                    .map_err(|error| classify(&self.url, &what, error))
            })
            .transpose()
    }

    /// The value of a constant.
    pub fn constant<V: DecodeAsType>(&self, pallet: &str, name: &str) -> Result<V, ChainError> {
        let what = format!("constant {pallet}.{name}");
        self.block
            .constants()
            .entry(subxt::dynamic::constant::<V>(pallet, name))
            .map_err(|error| classify(&self.url, &what, error))
    }

    pub(super) async fn in_time<T, E: Into<subxt::Error>>(
        &self,
        what: &str,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ChainError> {
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(result) => result.map_err(|error| classify(&self.url, what, error)),
            Err(_) => Err(ChainError::Unreachable {
                url: self.url.clone(),
                reason: "it does not answer in time".into(),
            }),
        }
    }

    /// The free balance of an account.
    pub async fn free_balance(&self, account: &AccountBytes) -> Result<u128, ChainError> {
        Ok(self.balances(account).await?.free)
    }

    /// The total balance of an account, including holds.
    pub async fn total_balance(&self, account: &AccountBytes) -> Result<u128, ChainError> {
        let balances = self.balances(account).await?;
        Ok(balances.free.saturating_add(balances.reserved))
    }

    async fn balances(&self, account: &AccountBytes) -> Result<Balances, ChainError> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Account {
            data: Balances,
        }
        let account: Option<Account> = self
            .storage("System", "Account", (AccountId32(*account),))
            .await?;
        Ok(account.map(|account| account.data).unwrap_or_default())
    }

    /// The requests that an operator, named by its controller or its hot key, has to answer.
    pub async fn assignments(
        &self,
        operator: &AccountBytes,
    ) -> Result<Vec<OpenAnswer>, ChainError> {
        self.view("Inference", "assignments", (AccountId32(*operator),))
            .await
    }

    /// The checks in which a step of an operator is due.
    pub async fn checks_due(&self, operator: &AccountBytes) -> Result<Vec<CheckDue>, ChainError> {
        self.view("Claims", "checks_due", (AccountId32(*operator),))
            .await
    }

    /// The disputes in which a step of an operator as a juror is due.
    pub async fn verdicts_due(
        &self,
        operator: &AccountBytes,
    ) -> Result<Vec<VerdictDue>, ChainError> {
        self.view("Jury", "verdicts_due", (AccountId32(*operator),))
            .await
    }

    /// A claim, with its job and its disputes.
    pub async fn claim(&self, claim: ClaimId) -> Result<Option<ClaimInfo>, ChainError> {
        self.view("Claims", "claim_info", (claim,)).await
    }

    /// The leaves that an operator, named by its controller or its hot key, has to post.
    pub async fn demands_due(&self, operator: &AccountBytes) -> Result<Vec<DemandDue>, ChainError> {
        self.view("Claims", "demands_due", (AccountId32(*operator),))
            .await
    }

    /// The sessions of a worker, named by its controller or its hot key, that have not ended.
    pub async fn worker_sessions(
        &self,
        operator: &AccountBytes,
    ) -> Result<Vec<SessionId>, ChainError> {
        self.view("Sessions", "worker_sessions", (AccountId32(*operator),))
            .await
    }

    /// The sessions of a payer that can still be read.
    pub async fn payer_sessions(&self, payer: &AccountBytes) -> Result<Vec<SessionId>, ChainError> {
        self.view("Sessions", "payer_sessions", (AccountId32(*payer),))
            .await
    }

    /// A session, with its claims that have not ended.
    pub async fn session(&self, session: SessionId) -> Result<Option<SessionInfo>, ChainError> {
        self.view("Sessions", "session_info", (session,)).await
    }

    /// The claims of a session whose records are kept, by their number in the session.
    pub async fn session_claims(
        &self,
        session: SessionId,
    ) -> Result<Vec<(u32, ClaimId)>, ChainError> {
        self.view("Sessions", "session_claims", (session,)).await
    }

    /// The terms of a session; `None` before it has a worker and a seed.
    pub async fn session_terms(
        &self,
        session: SessionId,
    ) -> Result<Option<SessionTerms<AccountBytes>>, ChainError> {
        self.view_by_position("Sessions", "session_terms", (session,))
            .await
    }

    /// The workers with which a session can be opened, the cheapest first.
    pub async fn session_offers(
        &self,
        checkpoint: &CheckpointId,
        leaf_tokens: u32,
    ) -> Result<Vec<SessionOffer>, ChainError> {
        self.view("Sessions", "quote", (*checkpoint, leaf_tokens))
            .await
    }

    /// The rules for a session that is opened now.
    pub async fn session_rules(&self) -> Result<SessionRules, ChainError> {
        self.view_by_position("Sessions", "rules", ()).await
    }

    /// The state of a request.
    pub async fn request(&self, request: RequestId) -> Result<Option<RequestState>, ChainError> {
        self.view("Inference", "request_state", (request,)).await
    }

    /// The price limits for a request.
    pub async fn quote(
        &self,
        checkpoint: &CheckpointId,
        prompt_bytes: u32,
        parameters: SamplingParameters,
    ) -> Result<Option<PriceList>, ChainError> {
        self.view(
            "Inference",
            "quote",
            (*checkpoint, prompt_bytes, parameters),
        )
        .await
    }

    /// The families that have a programme of training.
    pub async fn trained_families(&self) -> Result<Vec<FamilyId>, ChainError> {
        let families = self.storage("Training", "Families", ()).await?;
        Ok(families.unwrap_or_default())
    }

    /// The open round of a family.
    pub async fn open_round(&self, family: FamilyId) -> Result<Option<Round>, ChainError> {
        self.view_by_position("Training", "open_round", (family,))
            .await
    }

    /// The closed rounds of a family that are still readable, oldest first.
    pub async fn closed_rounds(&self, family: FamilyId) -> Result<Vec<RoundId>, ChainError> {
        self.view("Training", "closed_rounds", (family,)).await
    }

    /// A round, while it is readable.
    pub async fn round(&self, round: RoundId) -> Result<Option<Round>, ChainError> {
        self.view_by_position("Training", "round", (round,)).await
    }

    /// All entries of the map `pallet.entry`.
    async fn entries<K, V>(&self, pallet: &str, entry: &str) -> Result<Vec<(K, V)>, ChainError>
    where
        (K,): subxt::ext::frame_decode::storage::IntoEncodableValues
            + subxt::ext::frame_decode::storage::IntoDecodableValues,
        (): subxt::storage::PrefixOf<(K,)>,
        V: DecodeAsType,
    {
        let what = format!("storage {pallet}.{entry}");
        let address = subxt::dynamic::storage::<(K,), V>(pallet, entry);
        let storage = self.block.storage();
        let collect = async {
            let mut found = Vec::new();
            let mut entries = storage.iter(address, ()).await?;
            while let Some(entry) = entries.next().await {
                let entry = entry?;
                let (key,) = entry.key()?.decode()?;
                found.push((key, entry.value().decode()?));
            }
            Ok::<_, subxt::Error>(found)
        };
        self.in_time(&what, collect).await
    }

    /// All checkpoints that requests may name.
    pub async fn active_checkpoints(
        &self,
    ) -> Result<Vec<(CheckpointId, CheckpointRecord)>, ChainError> {
        let all = self
            .entries::<CheckpointId, CheckpointRecord>("Checkpoints", "Checkpoints")
            .await?;
        Ok(all
            .into_iter()
            .filter(|(_, record)| record.status == Status::Active)
            .collect())
    }

    /// All families, with their numbers.
    pub async fn families(&self) -> Result<Vec<(FamilyId, FamilyRecord)>, ChainError> {
        self.entries("Checkpoints", "Families").await
    }

    /// The canonical checkpoint of each family that has one.
    pub async fn canonical_checkpoints(&self) -> Result<Vec<CheckpointId>, ChainError> {
        let all = self
            .entries::<FamilyId, CheckpointId>("Checkpoints", "Canonical")
            .await?;
        Ok(all.into_iter().map(|(_, id)| id).collect())
    }

    /// The operators that announced to hold the weights of a checkpoint.
    pub async fn holders(&self, id: &CheckpointId) -> Result<Vec<Holding>, ChainError> {
        self.view("Checkpoints", "holders", (*id,)).await
    }

    /// The endpoint of an operator; `None` if it shares no artefacts.
    pub async fn endpoint(
        &self,
        controller: &AccountBytes,
    ) -> Result<Option<WireEndpoint>, ChainError> {
        self.view("Operators", "endpoint", (AccountId32(*controller),))
            .await
    }

    /// The operators that published an endpoint, with their endpoints.
    pub async fn endpoints(&self) -> Result<Vec<(AccountBytes, WireEndpoint)>, ChainError> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Report {
            endpoint: Option<WireEndpoint>,
        }
        let reports = self
            .entries::<AccountId32, Report>("Operators", "Endpoints")
            .await?;
        Ok(reports
            .into_iter()
            .filter_map(|(operator, report)| Some((operator.0, report.endpoint?)))
            .collect())
    }

    /// The canonical checkpoint of a family.
    pub async fn canonical(&self, family: FamilyId) -> Result<Option<CheckpointId>, ChainError> {
        self.view("Checkpoints", "canonical", (family,)).await
    }

    /// The record of a checkpoint.
    pub async fn checkpoint(
        &self,
        id: &CheckpointId,
    ) -> Result<Option<CheckpointRecord>, ChainError> {
        self.view("Checkpoints", "checkpoint", (*id,)).await
    }

    /// The record of the operator with this controller.
    pub async fn operator(
        &self,
        controller: &AccountBytes,
    ) -> Result<Option<OperatorInfo>, ChainError> {
        self.view("Operators", "operator", (AccountId32(*controller),))
            .await
    }

    /// The controller that a hot key submits for.
    pub async fn controller_of(
        &self,
        key: &AccountBytes,
    ) -> Result<Option<AccountBytes>, ChainError> {
        let controller: Option<AccountId32> = self
            .view("Operators", "controller_of_key", (AccountId32(*key),))
            .await?;
        Ok(controller.map(|controller| controller.0))
    }

    /// The checkpoints that an operator still has to execute: those for which it may be drawn, in the current
    /// term or a later one, those of its open jobs, and those of its sessions.
    pub async fn owed(
        &self,
        controller: &AccountBytes,
    ) -> Result<BTreeSet<CheckpointId>, ChainError> {
        let (drawn, answers, checks, verdicts) = futures::try_join!(
            self.view::<_, Vec<CheckpointId>>(
                "Operators",
                "drawn_for",
                (AccountId32(*controller),)
            ),
            self.assignments(controller),
            self.checks_due(controller),
            self.verdicts_due(controller),
        )?;
        let answers = answers.into_iter().map(|answer| answer.checkpoint);
        let checks = checks.into_iter().map(|check| check.checkpoint);
        let verdicts = verdicts.into_iter().map(|verdict| verdict.checkpoint);
        let jobs = answers.chain(checks).chain(verdicts);
        let mut owed: BTreeSet<_> = drawn.into_iter().chain(jobs).collect();
        let sessions = match self.worker_sessions(controller).await {
            // The runtime has no sessions yet.
            Err(ChainError::Incompatible { .. }) => Vec::new(),
            sessions => sessions?,
        };
        for session in sessions {
            let info = self.session(session).await?;
            owed.extend(info.map(|info| info.session.checkpoint));
        }
        Ok(owed)
    }

    /// An operator's ledger of earnings and losses.
    pub async fn earnings(
        &self,
        controller: &AccountBytes,
    ) -> Result<Option<EarningsLedger>, ChainError> {
        self.view("Operators", "earnings", (AccountId32(*controller),))
            .await
    }

    /// The pallets with the view function `audit`, in the order of the runtime.
    pub fn audited_pallets(&self) -> Vec<String> {
        self.block
            .metadata_ref()
            .pallets()
            .filter(|pallet| pallet.view_function_by_name("audit").is_some())
            .map(|pallet| pallet.name().to_owned())
            .collect()
    }

    /// The result of a pallet's `audit`; an error names the difference.
    pub async fn audit(&self, pallet: &str) -> Result<Result<Value, Value>, ChainError> {
        self.view(pallet, "audit", ()).await
    }
}

fn incompatible_view(pallet: &str, name: &str, reason: impl std::fmt::Display) -> ChainError {
    ChainError::Incompatible {
        what: format!("view function {pallet}.{name}"),
        reason: reason.to_string(),
    }
}
