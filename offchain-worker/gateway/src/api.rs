//! OpenAI's API over HTTP.

mod call;
mod chunks;
mod connections;
mod content;
mod events;
mod fields;
mod origin;
mod page;
mod receipts;
mod responses;
mod sampling;
mod writing;

use crate::fault::ApiFault;
use crate::keys::KeyRefusal;
use crate::metrics::GatewayMetrics;
use crate::{
    AnswerSource, BearerKeys, Bill, Json, PaidQuestion, ReceiptSource, TextFault, TextLayer,
};
use axum::body::{to_bytes, Body};
use axum::extract::{Path, State};
use axum::http::{header, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use call::{About, Call, Form, Prompt, Told};
use chunks::Chunks;
pub use connections::ConnectionLimits;
use futures::stream::{self, BoxStream, StreamExt};
use noema_protocol::{CheckpointId, SamplingParameters};
pub use page::GatewayChain;
use responses::Events;
use serde_json::{json, Value};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use writing::{Piece, Usage, Writing};

/// The header with the signed receipts of an answer that is not streamed, in hexadecimal digits.
const RECEIPT: &str = "x-noema-receipt";
/// The most chat templates at a time, whatever the number of cores: each may take half a gigabyte.
const MOST_TEMPLATES: usize = 8;
/// How often what keys have spent is written to disk.
const SAVE: Duration = Duration::from_secs(2);

/// What a gateway serves, and how much of it.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// Names by which a call can ask for it, beside its id. The first one is listed.
    pub names: Vec<String>,
    /// The most tokens of prompt and answer together.
    pub context: u32,
    /// The most tokens of an answer where the call states none.
    pub default_tokens: u16,
    /// The most bytes of a body.
    pub most_body: usize,
    /// How long a body may take to arrive.
    pub body_patience: Duration,
    /// The most JSON values of a conversation.
    pub most_values: usize,
    /// The most calls in progress at a time.
    pub most_calls: usize,
    /// The most answers to one call.
    pub most_answers: usize,
    /// The most chat templates that run at a time: each may be a process that takes much memory.
    pub most_templates: usize,
    /// How long a conversation waits until its template can run.
    pub template_patience: Duration,
    /// The chain that the page shows; `None` where it shows none.
    pub chain: Option<GatewayChain>,
    /// Whether a caller can have answers executed again: a [`Rechecks`](crate::Rechecks) runs.
    pub verifies: bool,
    /// The bounds on connections.
    pub connections: ConnectionLimits,
}

impl GatewayOptions {
    /// The usual bounds for a checkpoint with this context.
    pub fn new(checkpoint: CheckpointId, context: u32) -> Self {
        Self {
            checkpoint,
            names: Vec::new(),
            context,
            default_tokens: 1_024,
            most_body: 4 << 20,
            body_patience: Duration::from_secs(60),
            most_values: 1 << 16,
            most_calls: 256,
            most_answers: 16,
            most_templates: available_parallelism()
                .map_or(1, NonZeroUsize::get)
                .min(MOST_TEMPLATES),
            template_patience: Duration::from_secs(10),
            chain: None,
            verifies: false,
            connections: ConnectionLimits::default(),
        }
    }
}

/// A gateway: OpenAI's API over a source of answers.
pub struct Gateway {
    options: GatewayOptions,
    source: Arc<dyn AnswerSource>,
    layer: Arc<dyn TextLayer>,
    /// `None` where calls need no key.
    keys: Option<Arc<BearerKeys>>,
    /// `None` where nothing is known of receipts.
    receipts: Option<Arc<dyn ReceiptSource>>,
    metrics: GatewayMetrics,
    places: Arc<Semaphore>,
    /// Places for chat templates that run.
    templates: Arc<Semaphore>,
    started: u64,
    /// The number of the next call.
    number: AtomicU64,
}

/// A call that may be answered. Dropped at its end.
struct Admitted {
    /// The hash of its key.
    key: Option<String>,
    _place: OwnedSemaphorePermit,
    metrics: GatewayMetrics,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.metrics.in_progress.dec();
    }
}

type Pieces = BoxStream<'static, (usize, Piece)>;

impl Gateway {
    /// A gateway. Without `keys`, every program that reaches it may call, so it should listen on this machine only.
    /// Without `receipts`, it does not say where receipts stand.
    pub fn new(
        options: GatewayOptions,
        source: Arc<dyn AnswerSource>,
        layer: Arc<dyn TextLayer>,
        keys: Option<Arc<BearerKeys>>,
        receipts: Option<Arc<dyn ReceiptSource>>,
        metrics: GatewayMetrics,
    ) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(options.most_calls)),
            templates: Arc::new(Semaphore::new(options.most_templates)),
            options,
            source,
            layer,
            keys,
            receipts,
            metrics,
            started: now(),
            number: AtomicU64::new(0),
        })
    }

    /// The paths of the API and of the page.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", get(page::index))
            .route("/page/{file}", get(page::file))
            .route("/v1/noema", get(page::about))
            .route("/v1/noema/receipts/{hash}", get(receipts::standing))
            .route("/v1/noema/receipts/{hash}/file", get(receipts::file))
            .route(
                "/v1/noema/receipts/{hash}/recompute",
                get(receipts::progress).post(receipts::recompute),
            )
            .route("/v1/chat/completions", post(chat))
            .route("/v1/completions", post(plain))
            .route("/v1/responses", post(respond))
            .route("/v1/models", get(models))
            .route("/v1/models/{model}", get(model))
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .fallback(missing)
            .method_not_allowed_fallback(missing)
            .with_state(self.clone())
    }

    /// Serves the API on `listener` until `stop` is true or has lost its sender. Calls in progress then have `patience`
    /// to end.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        stop: watch::Receiver<bool>,
        patience: Duration,
    ) {
        let limits = self.options.connections;
        let serving = connections::serve(listener, self.router(), limits, stopped(stop.clone()));
        let patience = async {
            stopped(stop.clone()).await;
            tokio::time::sleep(patience).await;
        };
        tokio::select! {
            () = serving => {}
            () = patience => {}
            () = self.save_often() => {}
        }
        self.save();
    }

    /// Writes what keys have spent to disk, again and again.
    async fn save_often(&self) {
        loop {
            tokio::time::sleep(SAVE).await;
            self.save();
        }
    }

    fn save(&self) {
        let saved = self.keys.as_ref().map(|keys| keys.save());
        if let Some(Err(error)) = saved {
            tracing::warn!(%error, "what the bearer keys have spent is not on disk");
        }
    }

    /// Whether a call with these headers comes from a program that may call: with a key, whose rate counts it, or from
    /// this machine and no foreign page. Returns the hash of the key.
    fn authorise(&self, headers: &HeaderMap) -> Result<Option<String>, ApiFault> {
        self.recognise_with(headers, BearerKeys::call)
    }

    /// The same for a call that no rate counts.
    fn recognise(&self, headers: &HeaderMap) -> Result<Option<String>, ApiFault> {
        self.recognise_with(headers, BearerKeys::find)
    }

    fn recognise_with(
        &self,
        headers: &HeaderMap,
        find: fn(&BearerKeys, &str) -> Result<String, KeyRefusal>,
    ) -> Result<Option<String>, ApiFault> {
        let Some(keys) = &self.keys else {
            return match origin::is_own(headers) {
                true => Ok(None),
                false => Err(ApiFault::foreign()),
            };
        };
        let key = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim());
        let hash = find(keys, key.unwrap_or_default()).map_err(refusal)?;
        Ok(Some(hash))
    }

    fn admit(&self, headers: &HeaderMap) -> Result<Admitted, ApiFault> {
        let key = self.authorise(headers)?;
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| ApiFault::busy())?;
        self.metrics.in_progress.inc();
        Ok(Admitted {
            key,
            _place: place,
            metrics: self.metrics.clone(),
        })
    }

    /// The account of one answer, for which the most that it can cost at once is reserved.
    async fn bill(
        &self,
        admitted: &Admitted,
        prompt: &[u32],
        parameters: &SamplingParameters,
    ) -> Result<Bill, ApiFault> {
        let (Some(keys), Some(hash)) = (&self.keys, &admitted.key) else {
            return Ok(Bill::free());
        };
        let tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        let dearest = self.source.dearest(tokens, parameters.max_tokens.into());
        let mut bill = Bill::new(keys.purse(hash));
        // Without a worker nothing is spent; one that is found later is covered before it is asked.
        bill.cover(dearest.unwrap_or_default()).await?;
        Ok(bill)
    }

    fn is_served(&self, name: &str) -> bool {
        let id = self.options.checkpoint.to_string();
        name == id || self.options.names.iter().any(|served| served == name)
    }

    /// The name that is listed.
    fn name(&self) -> String {
        let first = self.options.names.first().cloned();
        first.unwrap_or_else(|| self.options.checkpoint.to_string())
    }

    fn card(&self) -> Value {
        json!({
            "id": self.name(),
            "object": "model",
            "created": self.started,
            "owned_by": "noema",
            "checkpoint": self.options.checkpoint.to_string(),
            "context_length": self.options.context,
        })
    }

    /// A place for a chat template that runs.
    async fn template(&self) -> Result<OwnedSemaphorePermit, ApiFault> {
        let place = self.templates.clone().acquire_owned();
        match timeout(self.options.template_patience, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(ApiFault::templates()),
        }
    }

    /// Reads a call, and its prompts as tokens. A body can take fifty times its length in memory once it is read, so one
    /// with a conversation waits for the place of its template as bytes, and none is kept for the time of the answer.
    async fn read(&self, form: Form, body: Body) -> Result<(Call, Vec<Vec<u32>>), ApiFault> {
        let most = self.options.most_body;
        let body = timeout(self.options.body_patience, to_bytes(body, most)).await;
        let late = |_| ApiFault::body("the body did not arrive in time; send it again");
        let body = body.map_err(late)?;
        let body = body.map_err(|_| ApiFault::too_long(most))?;
        let place = match form {
            Form::Chat | Form::Responses => Some(self.template().await?),
            Form::Plain => None,
        };
        let mut call = self.call(form, &body)?;
        drop(body);
        let prompts = std::mem::take(&mut call.prompts);
        let prompts = self.encode(prompts, call.parameter, place).await?;
        Ok((call, prompts))
    }

    fn call(&self, form: Form, body: &[u8]) -> Result<Call, ApiFault> {
        let body: Json = serde_json::from_slice(body)
            .map_err(|error| ApiFault::body(format!("the body is not JSON: {error}")))?;
        let fields = fields::Fields::of(&body)?;
        if let Some(name) = fields.text("model")?.filter(|name| !self.is_served(name)) {
            return Err(ApiFault::model(name));
        }
        let call = form.read(&fields, self.options.most_answers)?;
        if call.is_verified && !self.options.verifies {
            let why = "this gateway has no weights of the checkpoint; leave it out";
            return Err(ApiFault::unsupported("noema.verify", why));
        }
        let most = self.options.most_values;
        // Each text is searched for each special token, before the template and its bounds.
        if call.prompts.iter().any(|prompt| prompt.values() > most) {
            let message =
                format!("the conversation has more than {most} values; send a shorter one");
            return Err(ApiFault::parameter(call.parameter, message));
        }
        Ok(call)
    }

    /// The tokens of prompts. `place` is that of their template.
    async fn encode(
        &self,
        prompts: Vec<Prompt>,
        parameter: &str,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Vec<Vec<u32>>, ApiFault> {
        let layer = self.layer.clone();
        let encoded = tokio::task::spawn_blocking(move || {
            // The template runs on where its caller goes.
            let _place = place;
            let prompts = prompts.iter().map(|prompt| match prompt {
                Prompt::Conversation(conversation) => layer.chat(conversation),
                Prompt::Text(text) => layer.plain(text),
            });
            prompts.collect::<Result<Vec<_>, TextFault>>()
        });
        let encoded = encoded.await.map_err(|_| {
            ApiFault::internal("the prompt made the tokenizer panic; send another one")
        })?;
        encoded.map_err(|fault| ApiFault::text(parameter, &fault))
    }

    /// Asks for all answers of a call.
    async fn ask(
        &self,
        admitted: &Admitted,
        call: &Call,
        prompts: &[Vec<u32>],
    ) -> Result<Pieces, ApiFault> {
        let mut pieces = Vec::new();
        for prompt in prompts {
            let GatewayOptions {
                context,
                default_tokens,
                ..
            } = self.options;
            let parameters =
                call.sampled
                    .parameters(call.parameter, prompt.len(), context, default_tokens)?;
            for _ in 0..call.shape.n {
                let question = PaidQuestion {
                    prompt: prompt.clone(),
                    parameters,
                    is_streamed: call.shape.is_streamed,
                    is_verified: call.is_verified,
                    bill: self.bill(admitted, prompt, &parameters).await?,
                };
                let answer = self.source.ask(question).await?;
                let writing = Writing::new(answer, self.layer.clone(), call.stops.clone());
                pieces.push(writing.pieces(pieces.len()));
            }
        }
        Ok(stream::select_all(pieces).boxed())
    }

    async fn answer(
        &self,
        form: Form,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, ApiFault> {
        let begun = Instant::now();
        let admitted = self.admit(headers)?;
        let (call, prompts) = self.read(form, body).await?;
        let mut pieces = self.ask(&admitted, &call, &prompts).await?;
        let first = pieces.next().await;
        let first = first.ok_or_else(|| ApiFault::internal("there is no answer; ask again"))?;
        if let (_, Piece::Failed(fault)) = first {
            return Err(fault);
        }
        self.metrics.first_token_after(begun.elapsed());
        let about = self.about(form, &call, &prompts);
        if !call.shape.is_streamed {
            let answers = prompts.len().saturating_mul(call.shape.n);
            let pieces = stream::once(async { first }).chain(pieces).boxed();
            return whole(form, about, pieces, answers).await;
        }
        Ok(match form {
            Form::Chat | Form::Plain => {
                let chunks = Chunks::new(about, form == Form::Chat);
                events::respond(pieces, chunks, first, admitted)
            }
            Form::Responses => events::respond(pieces, Events::new(about), first, admitted),
        })
    }

    fn about(&self, form: Form, call: &Call, prompts: &[Vec<u32>]) -> About {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = nanos.unwrap_or_default().as_nanos();
        let tokens = prompts.iter().map(Vec::len).sum();
        About {
            id: format!("{}{nanos:x}{number:08x}", form.prefix()),
            created: now(),
            model: self.name(),
            fingerprint: self.options.checkpoint.to_string(),
            usage: Usage {
                prompt: tokens,
                ..Usage::default()
            },
            sampled: call.sampled.clone(),
            shape: call.shape,
            instructions: call.instructions.clone(),
        }
    }

    async fn respond(&self, form: Form, headers: &HeaderMap, body: Body) -> Response {
        self.metrics.calls.inc();
        self.answer(form, headers, body)
            .await
            .unwrap_or_else(|fault| self.refuse(fault))
    }

    fn refuse(&self, fault: ApiFault) -> Response {
        self.metrics.refused.inc();
        fault.into_response()
    }
}

/// All answers in one response.
async fn whole(
    form: Form,
    mut about: About,
    mut pieces: Pieces,
    answers: usize,
) -> Result<Response, ApiFault> {
    let mut told = vec![Told::default(); answers];
    while let Some((index, piece)) = pieces.next().await {
        let Some(answer) = told.get_mut(index) else {
            continue;
        };
        match piece {
            Piece::Text(text) => answer.text.push_str(&text),
            Piece::Again(text) => answer.text = text,
            Piece::End(ending) => {
                about.usage.add(&ending);
                answer.ending = Some(ending);
            }
            Piece::Failed(fault) => return Err(fault),
        }
    }
    let endings = told.iter().filter_map(|told| told.ending.as_ref());
    let receipts: Vec<String> = endings.map(writing::Ending::header).collect();
    let mut response = as_json(&form.whole(&about, told));
    let receipts = HeaderValue::try_from(receipts.join(","));
    // Without receipts, or with too many, they are in the body only.
    if let Ok(receipts) = receipts {
        let name = HeaderName::from_static(RECEIPT);
        response.headers_mut().insert(name, receipts);
    }
    Ok(response)
}

fn refusal(refusal: KeyRefusal) -> ApiFault {
    match refusal {
        KeyRefusal::Unknown => ApiFault::key(),
        KeyRefusal::Rate(seconds) => ApiFault::rate(seconds),
        KeyRefusal::Budget => ApiFault::budget(),
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn as_json(value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn chat(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Body) -> Response {
    gateway.respond(Form::Chat, &headers, body).await
}

async fn plain(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Body) -> Response {
    gateway.respond(Form::Plain, &headers, body).await
}

async fn respond(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Body) -> Response {
    gateway.respond(Form::Responses, &headers, body).await
}

async fn models(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    match gateway.authorise(&headers) {
        Ok(_) => as_json(&json!({ "object": "list", "data": [gateway.card()] })),
        Err(fault) => gateway.refuse(fault),
    }
}

async fn model(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match gateway.authorise(&headers) {
        Ok(_) if gateway.is_served(&name) => as_json(&gateway.card()),
        Ok(_) => gateway.refuse(ApiFault::model(&name)),
        Err(fault) => gateway.refuse(fault),
    }
}

async fn health(State(gateway): State<Arc<Gateway>>) -> Response {
    match gateway.source.health() {
        Ok(line) => (StatusCode::OK, line).into_response(),
        Err(line) => (StatusCode::SERVICE_UNAVAILABLE, line).into_response(),
    }
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    let Some(page) = gateway.metrics.page() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], page).into_response()
}

async fn missing(State(gateway): State<Arc<Gateway>>, uri: Uri) -> Response {
    gateway.refuse(ApiFault::path(uri.path()))
}
