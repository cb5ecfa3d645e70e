//! Problems as answers, and bodies as values.

use crate::intake::options::MAX_BODY;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use intake_api::{Code, Problem};
use serde::de::DeserializeOwned;

/// Seconds after which it makes sense to try again, where nothing else is known.
const RETRY_AFTER: u64 = 5;

/// A problem to answer with.
#[derive(Debug)]
pub(super) struct Refusal {
    problem: Problem,
    retry_after: u64,
}

impl Refusal {
    /// A problem that may have passed after so many seconds.
    pub(super) const fn after(problem: Problem, retry_after: u64) -> Self {
        Self { problem, retry_after }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::after(problem, RETRY_AFTER)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { problem, retry_after } = self;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // A problem of texts and numbers can always be written.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if problem.code.may_pass() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
        }
        response
    }
}

/// A JSON body of the documented form, whatever its content type says.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return Problem::new(
                    Code::TooLarge,
                    format!("the body has more than {MAX_BODY} bytes; make several bids of it"),
                );
            }
            Problem::new(
                Code::Malformed,
                format!("the body cannot be read: {}; send it again", rejection.body_text()),
            )
        })?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new(Code::Malformed, format!("{error}; see /v1/openapi.json for the form"))
        })?;
        Ok(Self(value))
    }
}

/// For every other path.
pub(super) async fn not_found() -> Refusal {
    Problem::new(Code::NotFound, "there is no such resource; /v1/openapi.json lists those that there are")
        .into()
}

/// For every other method.
pub(super) async fn method_not_allowed() -> Refusal {
    Problem::new(Code::MethodNotAllowed, "the resource has no such method; see /v1/openapi.json").into()
}
