//! What has to be there before the loop: connection, market, keys.

use std::{path::Path, sync::Arc, time::Duration};

use alloy::{
    network::TxSigner,
    primitives::{Address, Signature, U256},
};
use bindings::Groth16Verifier::Groth16VerifierInstance;
use chain::{
    CallError, Client, ConnectError, ConnectOptions, FollowError, FollowOptions, Follower, Market,
    MarketError, MarketId, Markets,
};
use circuits::{CircuitId, CircuitKind, Proof, Task};
use service::{
    Stop,
    openings::{OpeningStore, OpeningsError, Venue},
    ops::{Health, Watch},
    patiently,
};
use store::StoreError;
use thiserror::Error;
use tokio::task::{JoinError, JoinSet, spawn_blocking};

use super::{Node, ProverPool, STOP_WITHIN, desk::Desk, memory::Memory, proving::Purpose};
use crate::{
    config::Config,
    plan::{Paces, Wish},
    work::{KeyRing, KeyRingError, OnChainCircuit, Pool, PoolError, ProofError, Published},
};
#[cfg(feature = "queue")]
use {
    crate::work::{Queue, QueueError, Remote},
    futures_util::{FutureExt, future::try_join_all},
    tokio::runtime::Handle,
};

/// Why a node cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No connection to the contract.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Transactions cannot be written down.
    #[error(transparent)]
    Journal(#[from] StoreError),
    /// No such market.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// The verifier could not be asked.
    #[error("cannot ask the market's verifier for its circuits: {0}")]
    Verifier(#[from] CallError),
    /// The market's past could not be read.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The key may not act for the prover.
    #[error(
        "{operator} may not act for {prover} in this market; run `proophi prover operator {operator}` with the key of {prover}, which takes its seat itself"
    )]
    NotOperator {
        /// Whose seats are to be served.
        prover: Address,
        /// The key's account.
        operator: Address,
    },
    /// No proving keys.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// Nowhere to keep openings.
    #[error(transparent)]
    Openings(#[from] OpeningsError),
    /// No workers.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The queue of the machines that prove cannot be used.
    #[cfg(feature = "queue")]
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// There is no queue to work for, or this build cannot.
    #[error(
        "there is no queue: give its URL with --queue, and use a program that was built with `--features queue`"
    )]
    NoQueue,
    /// Loading keys broke off.
    #[error("loading the proving keys broke off: {0}; report this as a bug")]
    Broken(#[from] JoinError),
}

impl StartError {
    /// Whether trying again later may help.
    const fn may_pass(&self) -> bool {
        match self {
            Self::Connect(error) => error.may_pass(),
            Self::Market(error) => error.may_pass(),
            Self::Verifier(error) => error.may_pass(),
            Self::Follow(error) => error.may_pass(),
            _ => false,
        }
    }
}

/// A step that waits for a node that does not answer yet. What was done before it need not be done again.
async fn step<T>(attempt: impl AsyncFnMut() -> Result<T, StartError>) -> Result<T, StartError> {
    patiently(attempt, StartError::may_pass).await
}

/// Makes a node ready to run: connects, reads the market's past, loads the keys of the circuits that its verifier knows. May take
/// seconds, for reading and for keys that have to be made; and waits for an endpoint that does not answer yet.
///
/// # Errors
/// [`StartError`] saying what to check.
pub async fn start(
    config: &Config,
    key: impl TxSigner<Signature> + Send + Sync + 'static,
    wish: Wish,
    health: Health,
) -> Result<Node, StartError> {
    let operator = key.address();
    let prover = config.prover.unwrap_or(operator);
    let mut options = ConnectOptions::new(&config.rpc_url, config.contract).chain_id(config.chain_id);
    options.connection.patience = config.transactions().patience();
    let mut transactions = config.transactions().options(config.key_file.as_deref()).await?;
    transactions.journal = health.watching(transactions.journal);
    options.connection.transactions = transactions;
    let (client, market) = connect(config, &options.signer(Some(key))).await?;
    step(async || require_operator(&client, &market, prover, operator).await).await?;
    tracing::info!(%prover, %operator, market = %market.id, chain = client.chain_id(), "connected");

    let openings = OpeningStore::at_or_default(config.openings.as_deref())?;
    if market.id.is_sealed() {
        let kept = openings.of_market(&Venue::of(&client, &market)).openings.len();
        tracing::info!(kept, "openings of sealed offers");
    }
    let keys = Arc::new(load_keys(&client, market.params.verifier, &config.key_store).await?);
    let mut follow = FollowOptions::new(Markets::Only(vec![market.id]), config.from_block);
    follow.poll = Duration::from_millis(config.poll_ms);
    let follower = follow_up(&client, follow).await?;
    let watch = Watch::of(health, follower.head());
    let prove = prover_of(config, &client, &market, Arc::clone(&keys)).await?;
    let memory = Memory::of(Paces::unmeasured(keys.kinds().map(CircuitKind::id)));
    let examining = keys;
    Ok(Node {
        desk: Desk { client, market: Arc::new(market), prover, openings },
        follower,
        wish,
        policy: config.policy(),
        memory,
        examiner: Pool::start(1, 1, move |(_, published): &(_, Published)| published.examine(&examining))?,
        prover: prover_pool(config.workers.get(), config.threads(), prove)?,
        threads: config.threads(),
        orders: JoinSet::new(),
        seen: None,
        stop: Stop::within(STOP_WITHIN),
        stopping: false,
        watch,
    })
}

impl Node {
    /// Lets `prove` make the proofs, on the node's workers, in place of what the settings say: other hardware, or a test.
    ///
    /// # Errors
    /// [`PoolError`].
    pub fn proving_by(
        mut self,
        prove: impl Fn(&Task) -> Result<Proof, ProofError> + Send + Sync + 'static,
    ) -> Result<Self, PoolError> {
        self.prover = prover_pool(self.prover.workers(), self.threads, prove)?;
        Ok(self)
    }
}

fn prover_pool(
    workers: usize,
    threads: usize,
    prove: impl Fn(&Task) -> Result<Proof, ProofError> + Send + Sync + 'static,
) -> Result<ProverPool, PoolError> {
    Pool::start(workers, threads, move |(_, task): &(Purpose, Arc<Task>)| prove(task))
}

async fn connect(config: &Config, options: &ConnectOptions) -> Result<(Client, Market), StartError> {
    let client = step(async || Ok(Client::connect(options).await?)).await?;
    let market = step(async || Ok(Market::load(&client, MarketId::from(config.market)).await?)).await?;
    Ok((client, market))
}

/// How tasks are proved: on this machine, or by those that work for the queue.
type Prove = Box<dyn Fn(&Task) -> Result<Proof, ProofError> + Send + Sync>;

#[cfg_attr(not(feature = "queue"), expect(clippy::unused_async, reason = "a queue has to be asked"))]
async fn prover_of(
    config: &Config,
    client: &Client,
    market: &Market,
    keys: Arc<KeyRing>,
) -> Result<Prove, StartError> {
    if config.queue.is_none() {
        return Ok(Box::new(move |task| keys.prove(task)));
    }
    #[cfg(feature = "queue")]
    {
        let queue = queue_of(config, client, market).await?;
        let patience = Duration::from_secs(market.params.proving_period);
        let remote = Remote { queue, runtime: Handle::current(), patience };
        Ok(Box::new(move |task| remote.prove(&keys, task)))
    }
    #[cfg(not(feature = "queue"))]
    {
        let _ = (client, market);
        Err(StartError::NoQueue)
    }
}

/// The queue of a market's tasks.
#[cfg(feature = "queue")]
async fn queue_of(config: &Config, client: &Client, market: &Market) -> Result<Queue, StartError> {
    let url = config.queue.as_deref().ok_or(StartError::NoQueue)?;
    let name = format!("{}-{:x}", client.chain_id(), market.id.get());
    Ok(Queue::connect(url, &name).await?)
}

/// Proves what a node with the same market and queue asks for, until `stop` ends. Needs no private key.
///
/// # Errors
/// [`StartError`] saying what to check.
#[cfg(feature = "queue")]
pub async fn work(config: &Config, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let options = ConnectOptions::new(&config.rpc_url, config.contract).chain_id(config.chain_id);
    let (client, market) = connect(config, &options).await?;
    let queue = queue_of(config, &client, &market).await?;
    let keys = Arc::new(load_keys(&client, market.params.verifier, &config.key_store).await?);
    tracing::info!(market = %market.id, workers = config.workers, "working for the queue");
    let stop = stop.shared();
    let workers =
        (0..config.workers.get()).map(|_| queue.work(Arc::clone(&keys), config.threads(), stop.clone()));
    try_join_all(workers).await?;
    Ok(())
}

/// This build cannot.
///
/// # Errors
/// Always [`StartError::NoQueue`].
#[cfg(not(feature = "queue"))]
#[expect(clippy::unused_async, reason = "as with a queue")]
pub async fn work(_: &Config, _: impl Future<Output = ()>) -> Result<(), StartError> {
    Err(StartError::NoQueue)
}

async fn require_operator(
    client: &Client,
    market: &Market,
    prover: Address,
    operator: Address,
) -> Result<(), StartError> {
    if prover == operator {
        return Ok(());
    }
    let allowed = client.market().operatorOf(market.id.get(), prover).call().await.map_err(CallError::from);
    if allowed.map_err(StartError::Verifier)? == operator {
        return Ok(());
    }
    Err(StartError::NotOperator { prover, operator })
}

/// Reads the market's past. What has been read stays when the endpoint goes away.
async fn follow_up(client: &Client, options: FollowOptions) -> Result<Follower, StartError> {
    let mut begun = None;
    step(async || {
        let mut follower = match begun.take() {
            Some(follower) => follower,
            None => Follower::at_origin(client.clone(), options.clone()).await?,
        };
        let read = follower.poll().await;
        match read {
            Ok(_) => Ok(follower),
            Err(error) => {
                begun = Some(follower);
                Err(error.into())
            }
        }
    })
    .await
}

async fn load_keys(client: &Client, verifier: Address, directory: &Path) -> Result<KeyRing, StartError> {
    let circuits = step(async || Ok(circuits_of(client, verifier).await?)).await?;
    let directory = directory.to_owned();
    Ok(spawn_blocking(move || KeyRing::load(&directory, &circuits)).await??)
}

async fn circuits_of(client: &Client, verifier: Address) -> Result<Vec<OnChainCircuit>, CallError> {
    let verifier = Groth16VerifierInstance::new(verifier, client.provider().clone());
    let count: u64 = verifier.circuitCount().call().await?.saturating_to();
    let mut circuits = Vec::new();
    for index in (0..count).map(U256::from) {
        let id = CircuitId::new(verifier.circuitAt(index).call().await?);
        let verifying_key = match verifier.verifyingKey(index).call().await.map_err(CallError::from) {
            Ok(bytes) => Some(bytes.chunks(32).filter_map(|word| word.try_into().ok()).collect()),
            Err(error @ CallError::Rpc(_)) => return Err(error),
            // A verifier need not publish its keys; a delivery then shows whether they are the same.
            Err(_) => None,
        };
        circuits.push(OnChainCircuit { id, verifying_key });
    }
    Ok(circuits)
}
