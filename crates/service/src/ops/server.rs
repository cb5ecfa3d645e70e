//! A small server for whoever watches the program.

use super::metric;
use super::{Health, OpsSettings, metric_value};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::io;
use std::net::SocketAddr;
use thiserror::Error;
use tokio::net::TcpListener;
use tracing::info;

/// Upper ends of the classes that durations of proofs are counted in (seconds).
const PROOF_SECONDS: [f64; 12] = [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0];

/// Why nobody can look.
#[derive(Debug, Error)]
pub enum OpsError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}; choose another with --ops-listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// Metrics were set up twice in one process.
    #[error("cannot count: {0}")]
    Recorder(#[from] BuildError),
}

/// What operators look at. It is there whether or not anybody can look.
#[derive(Debug, Clone)]
pub struct Ops {
    /// Where the program says how it is.
    pub health: Health,
    address: Option<SocketAddr>,
}

#[derive(Clone)]
struct Shared {
    health: Health,
    metrics: PrometheusHandle,
}

impl Ops {
    /// Begins to count and to listen, if there is where to. It serves until the process ends, also during a stop.
    ///
    /// # Errors
    /// [`OpsError`].
    pub async fn start(program: &'static str, settings: &OpsSettings) -> Result<Self, OpsError> {
        let health = Health::new(settings.ready_within);
        let Some(requested) = settings.listen else { return Ok(Self { health, address: None }) };
        let failed = |reason| OpsError::Listen { address: requested, reason };
        let listener = TcpListener::bind(requested).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let proofs = Matcher::Full(metric::PROOF_TIME.name().to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(proofs, &PROOF_SECONDS)?;
        let metrics = builder.install_recorder()?;
        metric::ALL.iter().for_each(metric::Metric::describe);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        metric::BUILD.set([("program", program.to_owned()), ("version", version)], 1.0);
        let router = router(Shared { health: health.clone(), metrics });
        // It ends with the process: nothing is lost with an answer to somebody who looks.
        tokio::spawn(async move { axum::serve(listener, router).await });
        info!(%address, "metrics and health");
        Ok(Self { health, address: Some(address) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/metrics", get(scrape))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(shared)
}

async fn scrape(State(shared): State<Shared>) -> impl IntoResponse {
    let readiness = shared.health.readiness();
    metric::READY.set([], if readiness.ready { 1.0 } else { 0.0 });
    if let Some(seen) = readiness.head {
        metric::HEAD_AGE.set([], metric_value(seen.age_seconds));
    }
    shared.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.metrics.render())
}

/// The process answers, which is all that this says.
async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "live": true }))
}

async fn ready(State(shared): State<Shared>) -> Response {
    let readiness = shared.health.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}
