//! Errors in the form that OpenAI gives them.

use crate::{ReceiptFault, SourceFault, TextFault};
use axum::body::Body;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{json, Value};

/// Why a call of the API is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiFault {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    parameter: Option<String>,
    message: String,
    /// Seconds after which the same call may be accepted.
    retry_after: Option<u64>,
}

impl ApiFault {
    fn new(status: StatusCode, kind: &'static str, message: String) -> Self {
        Self {
            status,
            kind,
            code: None,
            parameter: None,
            message,
            retry_after: None,
        }
    }

    const fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// A parameter that is refused.
    pub(crate) fn parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            parameter: Some(name.into()),
            ..Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_request_error",
                message.into(),
            )
        }
    }

    /// A parameter that would change the answer, and has no effect here.
    pub(crate) fn unsupported(name: impl Into<String>, why: &str) -> Self {
        let name = name.into();
        let message = format!("`{name}` is not supported: {why}");
        Self::parameter(name, message).with_code("unsupported_parameter")
    }

    /// A body that is no JSON map.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            message.into(),
        )
    }

    /// A body that is too long, or was not received.
    pub(crate) fn too_long(limit: usize) -> Self {
        let message = format!(
            "the body was not received, or is longer than {limit} bytes; send a shorter one"
        );
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request_error",
            message,
        )
    }

    /// A prompt that leaves no room for an answer.
    pub(crate) fn context(parameter: &str, tokens: usize, context: u32) -> Self {
        let message = format!(
            "the prompt has {tokens} tokens; prompt and answer together can have {context}; send a shorter one"
        );
        Self::parameter(parameter, message).with_code("context_length_exceeded")
    }

    /// A key that is missing, wrong or revoked.
    pub(crate) fn key() -> Self {
        let message = "the key is missing, wrong or revoked; send `Authorization: Bearer KEY`";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_request_error",
            message.into(),
        )
        .with_code("invalid_api_key")
    }

    /// A call of a foreign page.
    pub(crate) fn foreign() -> Self {
        let message = "a gateway without keys takes no calls of foreign pages; call it by its address, or start it with --keys";
        Self::new(
            StatusCode::FORBIDDEN,
            "invalid_request_error",
            message.into(),
        )
    }

    /// A key whose budget does not cover the call.
    pub(crate) fn budget() -> Self {
        let message =
            "the budget of the key does not cover this call; ask for fewer tokens, or use another key";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "insufficient_quota",
            message.into(),
        )
        .with_code("insufficient_quota")
    }

    /// A key that is used too often.
    pub(crate) fn rate(seconds: u64) -> Self {
        let message = format!("the key is used too often; call again in {seconds} s");
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message)
        }
        .with_code("rate_limit_exceeded")
    }

    /// More calls at a time than the gateway takes.
    pub(crate) fn busy() -> Self {
        Self::unavailable("as many calls as the gateway takes are in progress; call again later")
    }

    /// A conversation that waited too long until its chat template could run.
    pub(crate) fn templates() -> Self {
        Self::unavailable(
            "as many chat templates as the gateway runs at a time are running; call again later",
        )
    }

    fn unavailable(message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "service_unavailable_error",
                message.into(),
            )
        }
    }

    /// A checkpoint that is not served.
    pub(crate) fn model(name: &str) -> Self {
        let message =
            format!("the model `{name}` is not served; GET /v1/models lists those that are");
        Self {
            parameter: Some("model".to_owned()),
            ..Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
        }
        .with_code("model_not_found")
    }

    /// A path that does not exist.
    pub(crate) fn path(path: &str) -> Self {
        let message = format!("{path} does not exist, or not with this method");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
    }

    /// A program that was built without the page.
    pub(crate) fn no_page() -> Self {
        let message =
            "this program was built without the page; run ./scripts/page.sh, and build it again";
        Self::new(
            StatusCode::NOT_FOUND,
            "invalid_request_error",
            message.into(),
        )
    }

    /// A defect of the gateway.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            message.into(),
        )
    }

    /// Its JSON form.
    pub(crate) fn json(&self) -> Value {
        json!({
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.parameter,
                "code": self.code,
            }
        })
    }
}

impl From<SourceFault> for ApiFault {
    fn from(fault: SourceFault) -> Self {
        let message = fault.to_string();
        match fault {
            SourceFault::Prompt(_) => Self::body(message),
            SourceFault::KeyBudget => Self::budget(),
            SourceFault::Failed(_) | SourceFault::Breach(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "server_error", message)
            }
            _ => Self::unavailable(message),
        }
    }
}

impl From<ReceiptFault> for ApiFault {
    fn from(fault: ReceiptFault) -> Self {
        let message = fault.to_string();
        let refused = |status| Self::new(status, "invalid_request_error", message.clone());
        match fault {
            ReceiptFault::Unknown => refused(StatusCode::NOT_FOUND).with_code("receipt_unknown"),
            ReceiptFault::NotBegun => refused(StatusCode::NOT_FOUND).with_code("recompute_unknown"),
            ReceiptFault::NoWeights(_) => {
                refused(StatusCode::CONFLICT).with_code("weights_missing")
            }
            ReceiptFault::Unreadable(_) | ReceiptFault::Busy => Self::unavailable(message),
            ReceiptFault::Failed(_) | ReceiptFault::True => Self::internal(message),
        }
    }
}

impl ApiFault {
    /// The fault of a text, in the parameter with this name.
    pub(crate) fn text(parameter: &str, fault: &TextFault) -> Self {
        match fault {
            TextFault::NotRun(_) => Self::internal(fault.to_string()),
            _ => Self::parameter(parameter, fault.to_string()),
        }
    }
}

impl IntoResponse for ApiFault {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
