//! The HTTP server.
//!
//! | module | what is in it |
//! |---|---|
//! | `routes` | one function for each route |
//! | `guard` | rate, number and duration of requests |
//! | `rates` | how often each client may ask |
//! | `answer` | problems as answers, bodies as values |
//! | `connections` | accepts connections, a limited number of them, and ends them cleanly |
//! | this one | the router and the OpenAPI document, made from the routes and the types of `intake-api` |

mod answer;
mod connections;
mod guard;
mod rates;
mod routes;

use crate::intake::Shared;
use crate::intake::options::MAX_BODY;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use guard::Guard;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use utoipa::OpenApi;

/// The interface as an OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Proophi relayer: intake of signed bids",
        version = "1",
        description = "Takes bids that their requesters have signed (EIP-712 or ERC-1271), keeps them safely and posts them before their \
                       round closes. Problems are application/problem+json (RFC 9457) with a stable code.",
        license(name = "MIT")
    ),
    paths(routes::post_bid, routes::get_bid, routes::get_round, routes::get_health, routes::get_openapi),
    tags((name = "bids", description = "Signed bids"), (name = "service", description = "The relayer itself"))
)]
struct Api;

/// The OpenAPI document, as it is served and as it lies in `docs/openapi.json`.
#[must_use]
pub fn openapi() -> String {
    // A document of texts and lists can always be written.
    let text = Api::openapi().to_pretty_json().unwrap_or_default();
    text + "\n"
}

/// Serves until `stop` turns true, and then what was asked before.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let last_wait = shared.options.last_wait;
    connections::serve(listener, router(shared), connections::AT_ONCE, stop, last_wait).await;
}

fn router(shared: Arc<Shared>) -> Router {
    let guard = Arc::new(Guard::new(&shared.options));
    Router::new()
        .route("/v1/bids", post(routes::post_bid))
        .route("/v1/bids/{id}", get(routes::get_bid))
        .route("/v1/markets/{market}/round", get(routes::get_round))
        .route("/v1/health", get(routes::get_health))
        .route("/v1/openapi.json", get(routes::get_openapi))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(guard, guard::pass))
        .with_state(shared)
}
