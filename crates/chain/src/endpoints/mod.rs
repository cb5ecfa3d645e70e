//! Several endpoints of one chain as one.
//!
//! | module | what is in it |
//! |---|---|
//! | `route` | hands each request to the best endpoint, and to the next one if that fails |
//! | `judge` | looks at all of them now and then, and compares what they say |
//! | `health` | which to ask, in which order, and what answers say about those who gave them (pure) |
//!
//! No answer about the newest block is older than one that was given before. An endpoint that is on another chain, or says what the others
//! or its own blocks contradict, is asked no more for a while.

mod health;
mod judge;
mod route;

pub(crate) use judge::Agreement;

use crate::transport::{Transport, provider_over};
use alloy::primitives::{Address, B256};
use alloy::providers::{DynProvider, Provider};
use health::Health;
use std::fmt;
use std::future::IntoFuture;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{error, info};

/// How old a look at all endpoints may be.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long an endpoint that was caught is not asked.
const DISTRUST_FOR: Duration = Duration::from_secs(600);

/// Several endpoints. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Endpoints(Arc<Pool>);

struct Pool {
    endpoints: Vec<Endpoint>,
    state: Mutex<State>,
    /// Held during a look at all of them.
    looking: tokio::sync::Mutex<()>,
    expected: Option<u64>,
}

struct Endpoint {
    name: String,
    transport: Transport,
    provider: DynProvider,
}

#[derive(Debug, Default)]
struct State {
    healths: Vec<Health>,
    caught_at: Vec<Option<Instant>>,
    /// Number of the newest block that was told of.
    floor: u64,
    /// Looks in a row that found nobody at `floor`.
    below: u32,
    looked_at: Option<Instant>,
    /// Chain and first block, as the first that answered said.
    identity: Option<(u64, B256)>,
    /// The highest block that was compared.
    compared: u64,
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.endpoints.iter().map(|endpoint| &endpoint.name);
        formatter.debug_list().entries(names).finish()
    }
}

impl Endpoints {
    /// These endpoints, of the chain `expected` if one is.
    pub(crate) fn new(transports: Vec<Transport>, expected: Option<u64>) -> Self {
        let endpoint = |transport: Transport| Endpoint {
            name: transport.name(),
            provider: transport.provider(),
            transport,
        };
        let endpoints: Vec<Endpoint> = transports.into_iter().map(endpoint).collect();
        let (healths, caught_at) = (vec![Health::default(); endpoints.len()], vec![None; endpoints.len()]);
        let state = Mutex::new(State { healths, caught_at, ..State::default() });
        Self(Arc::new(Pool { endpoints, state, looking: tokio::sync::Mutex::default(), expected }))
    }

    /// All of them as one provider.
    pub(crate) fn provider(&self) -> DynProvider {
        provider_over(self.clone())
    }

    /// If an endpoint that answers is not on the chain that is expected, or that of the first of them: that chain, and its.
    pub(crate) async fn stranger(&self) -> Option<(u64, u64)> {
        let ids = self.0.endpoints.iter().map(|endpoint| endpoint.provider.get_chain_id().into_future());
        let ids = futures_util::future::join_all(ids).await;
        let ids: Vec<u64> = ids.into_iter().filter_map(Result::ok).collect();
        let expected = self.0.expected.or(ids.first().copied())?;
        ids.into_iter().find(|id| *id != expected).map(|found| (expected, found))
    }

    /// Makes sure that all that answer have the same code at `contract`; those that have another are asked no more.
    pub(crate) async fn require_code(&self, contract: Address) {
        let codes = self.ask_all(|provider| async move { provider.get_code_at(contract).await.ok() }).await;
        self.judge(&codes, "has another contract at the market's address").await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks an endpoint no more for a while.
    fn distrust(&self, number: usize, reason: &str) {
        let name = self.0.endpoints.get(number).map_or("", |endpoint| &endpoint.name);
        let mut state = self.state();
        let Some(health) = state.healths.get_mut(number) else { return };
        if !health.distrusted {
            error!(
                endpoint = number + 1,
                name, reason, "the endpoint cannot be trusted and is not asked for a while"
            );
        }
        health.distrusted = true;
        if let Some(caught_at) = state.caught_at.get_mut(number) {
            *caught_at = Some(Instant::now());
        }
    }

    /// Gives those that were caught long ago another chance.
    fn pardon(&self) {
        let mut state = self.state();
        let State { healths, caught_at, compared, .. } = &mut *state;
        for (number, (health, caught)) in healths.iter_mut().zip(caught_at).enumerate() {
            if caught.is_some_and(|at| at.elapsed() >= DISTRUST_FOR) {
                info!(endpoint = number + 1, "the endpoint is asked again");
                (health.distrusted, *caught) = (false, None);
                *compared = 0;
            }
        }
    }
}
