//! A connection to one chain, with or without a key to send transactions with.

use crate::endpoints::{Agreement, Endpoints};
use crate::transactions::{Owner, Patience, TransactionOptions, TransactionSigner, Worth};
use crate::transport::Transport;
use crate::{CallError, SendError};
use alloy::eips::BlockNumberOrTag;
use alloy::network::TxSigner;
use alloy::primitives::{Address, B256, Signature};
use alloy::providers::{DynProvider, Provider};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How to reach a chain.
#[derive(Clone)]
pub struct ConnectionOptions {
    /// The node's JSON-RPC endpoint, `http` or `https`, or several that are separated by commas.
    pub rpc_url: String,
    /// The chain that is expected there; any, if none is given.
    pub chain_id: Option<u64>,
    /// Signs transactions; without it only reading is possible.
    pub signer: Option<TransactionSigner>,
    /// How long to wait for transactions.
    pub patience: Patience,
    /// How transactions are sent.
    pub transactions: TransactionOptions,
    /// Most bytes of an answer that are read. Where the logs of many blocks are more, fewer blocks are asked for; a larger answer about
    /// one block cannot be had.
    pub max_answer: usize,
}

impl ConnectionOptions {
    /// Any chain at `rpc_url` (one endpoint, or several that are separated by commas), for reading.
    #[must_use]
    pub fn new(rpc_url: impl Into<String>) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            chain_id: None,
            signer: None,
            patience: Patience::default(),
            transactions: TransactionOptions::default(),
            max_answer: MAX_ANSWER,
        }
    }

    /// Refuse any other chain.
    #[must_use]
    pub const fn chain_id(mut self, chain_id: Option<u64>) -> Self {
        self.chain_id = chain_id;
        self
    }

    /// Send transactions with this key.
    #[must_use]
    pub fn signer<S>(mut self, signer: Option<S>) -> Self
    where
        S: TxSigner<Signature> + Send + Sync + 'static,
    {
        self.signer = signer.map(|signer| Arc::new(signer) as TransactionSigner);
        self
    }
}

impl fmt::Debug for ConnectionOptions {
    /// Leaves out the key, and the URL, which often holds one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sender = self.signer.as_ref().map(TxSigner::address);
        formatter
            .debug_struct("ConnectionOptions")
            .field("chain_id", &self.chain_id)
            .field("sender", &sender)
            .finish_non_exhaustive()
    }
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The endpoint's address cannot be used.
    #[error("{0:?} is no http(s) address of a node; write one like http://127.0.0.1:8545")]
    Url(String),
    /// No HTTP client can be made on this system.
    #[error("cannot open connections: {0}")]
    Http(#[source] reqwest::Error),
    /// The node does not answer.
    #[error("{0}; is a node running at --rpc-url?")]
    Node(#[source] CallError),
    /// Another chain.
    #[error("the node is on chain {found}, not on {expected}; check --rpc-url and --chain-id")]
    WrongChain {
        /// What was asked for.
        expected: u64,
        /// What the node says.
        found: u64,
    },
    /// What an earlier process has sent with the key cannot be read.
    #[error(transparent)]
    Transactions(SendError),
    /// No code at the address.
    #[error("there is no contract at {address} on chain {chain_id}; check --contract and --rpc-url")]
    NoContract {
        /// The address given.
        address: Address,
        /// The chain the node is on.
        chain_id: u64,
    },
    /// Code, but not the market's.
    #[error("the contract at {address} on chain {chain_id} is no ProverMarket; check --contract")]
    OtherContract {
        /// The address given.
        address: Address,
        /// The chain the node is on.
        chain_id: u64,
    },
}

impl ConnectError {
    /// Whether trying again later may help.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Node(_))
    }
}

/// The block at the head of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time (seconds since the epoch): the only clock that the market knows.
    pub timestamp: u64,
}

/// A connection to one chain. Cheap to clone; clones share the order of their transactions.
#[derive(Clone)]
pub struct Connection {
    pub(crate) provider: DynProvider,
    /// The endpoints behind the provider, if there are several.
    pub(crate) endpoints: Option<Endpoints>,
    pub(crate) chain_id: u64,
    pub(crate) owner: Option<Arc<Owner>>,
    pub(crate) patience: Patience,
    pub(crate) worth: Worth,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("chain_id", &self.chain_id)
            .field("sender", &self.sender())
            .finish_non_exhaustive()
    }
}

/// Bytes of an answer: some 50,000 of the market's logs, and a block of 60 million gas has room for half of that.
const MAX_ANSWER: usize = 32 << 20;

/// An answer that takes longer counts as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`] if nobody answers or it is another chain than expected.
    pub async fn connect(options: &ConnectionOptions) -> Result<Self, ConnectError> {
        let (provider, endpoints) = provider_of(&options.rpc_url, options.chain_id, options.max_answer)?;
        if let Some(endpoints) = &endpoints
            && let Some((expected, found)) = endpoints.stranger().await
        {
            return Err(ConnectError::WrongChain { expected, found });
        }
        let chain_id = provider.get_chain_id().await.map_err(|error| ConnectError::Node(error.into()))?;
        if let Some(expected) = options.chain_id.filter(|expected| *expected != chain_id) {
            return Err(ConnectError::WrongChain { expected, found: chain_id });
        }
        let owner = match &options.signer {
            Some(key) => Some(start_owner(options, key, chain_id, &provider).await?),
            None => None,
        };
        let (patience, worth) = (options.patience, Worth::default());
        Ok(Self { provider, endpoints, chain_id, owner, patience, worth })
    }

    /// The provider, for whatever has no method here. It signs nothing and fills nothing in.
    #[must_use]
    pub const fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// The chain.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The account that transactions come from, if there is a key.
    #[must_use]
    pub fn sender(&self) -> Option<Address> {
        self.owner.as_ref().map(|owner| owner.address())
    }

    /// The head of the chain.
    ///
    /// # Errors
    /// [`CallError`] if the node does not answer.
    pub async fn head(&self) -> Result<Head, CallError> {
        self.block(BlockNumberOrTag::Latest)
            .await?
            .ok_or_else(|| CallError::Unexpected("no latest block".to_owned()))
    }

    /// Time of the latest block (seconds since the epoch).
    ///
    /// # Errors
    /// [`CallError`] if the node does not answer.
    pub async fn now(&self) -> Result<u64, CallError> {
        Ok(self.head().await?.timestamp)
    }

    /// Balance of `account` in the chain's currency (wei).
    ///
    /// # Errors
    /// [`CallError`] if the node does not answer.
    pub async fn balance_of(&self, account: Address) -> Result<alloy::primitives::U256, CallError> {
        Ok(self.provider.get_balance(account).await?)
    }

    /// Whether no endpoint has another block in place of this one, as far as several can be asked.
    pub(crate) async fn is_undisputed(&self, head: Head) -> bool {
        match &self.endpoints {
            Some(endpoints) => endpoints.agree_on(head.number, head.hash).await == Agreement::Undisputed,
            None => true,
        }
    }

    pub(crate) async fn block(&self, number: BlockNumberOrTag) -> Result<Option<Head>, CallError> {
        let block = self.provider.get_block_by_number(number).await?;
        Ok(block.map(|block| Head {
            number: block.header.number,
            hash: block.header.hash,
            timestamp: block.header.timestamp,
        }))
    }
}

/// A provider that signs nothing and fills nothing in, and the endpoints behind it if there are several.
fn provider_of(
    urls: &str,
    expected: Option<u64>,
    max_answer: usize,
) -> Result<(DynProvider, Option<Endpoints>), ConnectError> {
    // Fails if the process has chosen its cryptography already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .connect_timeout(CONNECT_WITHIN)
        .build()
        .map_err(ConnectError::Http)?;
    let urls = urls.split(',').map(parsed).collect::<Result<Vec<_>, _>>()?;
    let transports: Vec<Transport> =
        urls.into_iter().map(|url| Transport::new(http.clone(), url, max_answer)).collect();
    if let [transport] = transports.as_slice() {
        return Ok((transport.provider(), None));
    }
    let endpoints = Endpoints::new(transports, expected);
    Ok((endpoints.provider(), Some(endpoints)))
}

fn parsed(text: &str) -> Result<reqwest::Url, ConnectError> {
    let bad_url = || ConnectError::Url(text.to_owned());
    let url: reqwest::Url = text.trim().parse().map_err(|_| bad_url())?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(bad_url()) }
}

async fn start_owner(
    options: &ConnectionOptions,
    key: &TransactionSigner,
    chain_id: u64,
    provider: &DynProvider,
) -> Result<Arc<Owner>, ConnectError> {
    let genesis = provider.get_block_by_number(BlockNumberOrTag::Earliest).await;
    let genesis = genesis.map_err(|error| ConnectError::Node(error.into()))?;
    let chain = (chain_id, genesis.map_or(B256::ZERO, |block| block.header.hash));
    let submit = match &options.transactions.private_url {
        Some(url) => provider_of(url, Some(chain_id), options.max_answer)?.0,
        None => provider.clone(),
    };
    let (transactions, patience) = (options.transactions.clone(), options.patience);
    let owner = Owner::start(key.clone(), chain, provider.clone(), submit, transactions, patience).await;
    owner.map_err(ConnectError::Transactions)
}
