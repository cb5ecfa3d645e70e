//! Deploys the contracts, for development chains and for the command line.

use crate::events::first;
use crate::{Client, ConnectError, Connection, InvalidParams, Market, MarketError, MarketParams, SendError};
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::sol_types::SolConstructor;
use bindings::Groth16Verifier::constructorCall as NewVerifier;
use bindings::MarketLens::constructorCall as NewLens;
use bindings::ProverMarket::constructorCall as NewMarket;
use bindings::{Groth16Verifier, IGroth16Verifier, MarketExtension, MarketLens, ProverMarket, RoundAuditor};
use market_types::TaskSize;
use thiserror::Error;

/// A circuit for the verifier: its size and its verifying key, as words in the order of `IGroth16Verifier`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitKey {
    /// Size of one proof (units).
    pub units: TaskSize,
    /// The key: alpha, beta, gamma, delta, then one point more than there are public inputs.
    pub words: Vec<[u8; 32]>,
}

/// Where the contracts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployment {
    /// The verifier of the circuits.
    pub verifier: Address,
    /// The market.
    pub market: Address,
    /// The views for front ends.
    pub lens: Address,
    /// The block of the market's deployment: no event is older.
    pub block: u64,
}

/// Why something is not deployed or created.
#[derive(Debug, Error)]
pub enum DeployError {
    /// A transaction went wrong.
    #[error("cannot deploy {what}: {reason}")]
    Send {
        /// What was to be deployed.
        what: &'static str,
        /// What went wrong.
        #[source]
        reason: SendError,
    },
    /// The node's receipt lacks what every receipt has.
    #[error("the node's receipt for {0} is incomplete; try another node")]
    Receipt(&'static str),
    /// What was deployed does not answer.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The market that was created does not answer.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// A parameter makes no market. Nothing was sent.
    #[error("this makes no market: {0}")]
    Params(#[from] InvalidParams),
}

/// Deploys a verifier for `circuits`, the market and its lens. The connection needs a key with funds.
///
/// # Errors
/// [`DeployError`].
pub async fn deploy(connection: &Connection, circuits: &[CircuitKey]) -> Result<Deployment, DeployError> {
    let verifier = deploy_verifier(connection, circuits).await?;
    let (market, block) = deploy_market(connection).await?;
    let lens = deploy_lens(connection, market).await?;
    Ok(Deployment { verifier, market, lens, block })
}

/// Deploys a verifier; circuit `i` gets index `i`.
///
/// # Errors
/// [`DeployError`], also if a key is not well-formed.
pub async fn deploy_verifier(
    connection: &Connection,
    circuits: &[CircuitKey],
) -> Result<Address, DeployError> {
    let circuits = circuits
        .iter()
        .map(|circuit| IGroth16Verifier::Circuit {
            units: circuit.units.get(),
            verifyingKey: circuit.words.concat().into(),
        })
        .collect();
    let arguments = NewVerifier { circuits }.abi_encode();
    Ok(create(connection, "the verifier", &Groth16Verifier::BYTECODE, &arguments).await?.0)
}

/// Deploys the market's auditor, its extension and then its contract, and tells the block that is in.
///
/// # Errors
/// [`DeployError`].
pub async fn deploy_market(connection: &Connection) -> Result<(Address, u64), DeployError> {
    let (auditor, _) = create(connection, "the market's auditor", &RoundAuditor::BYTECODE, &[]).await?;
    let (extension, _) =
        create(connection, "the market's extension", &MarketExtension::BYTECODE, &[]).await?;
    let arguments = NewMarket { auditor_: auditor, extension_: extension }.abi_encode();
    create(connection, "the market", &ProverMarket::BYTECODE, &arguments).await
}

/// Deploys a lens for `market`.
///
/// # Errors
/// [`DeployError`].
pub async fn deploy_lens(connection: &Connection, market: Address) -> Result<Address, DeployError> {
    let arguments = NewLens { market_: market }.abi_encode();
    Ok(create(connection, "the lens", &MarketLens::BYTECODE, &arguments).await?.0)
}

/// Creates a market.
///
/// # Errors
/// [`DeployError`] with the parameter that makes no market.
pub async fn create_market(client: &Client, params: &MarketParams) -> Result<Market, DeployError> {
    const WHAT: &str = "the market";
    params.validate()?;
    let call = ProverMarket::createMarketCall { params: params.to_abi() };
    let receipt = client.send(call, U256::ZERO, None).await;
    let receipt = receipt.map_err(|reason| DeployError::Send { what: WHAT, reason })?;
    let created: Option<ProverMarket::MarketCreated> = first(&receipt, client.contract());
    let created = created.ok_or(DeployError::Receipt(WHAT))?;
    Ok(Market::from_abi(created.id.into(), &created.params)?)
}

async fn create(
    connection: &Connection,
    what: &'static str,
    bytecode: &Bytes,
    arguments: &[u8],
) -> Result<(Address, u64), DeployError> {
    let input = [bytecode, arguments].concat().into();
    let receipt = connection.transact(TxKind::Create, input, U256::ZERO, None).await;
    let receipt = receipt.map_err(|reason| DeployError::Send { what, reason })?;
    receipt.contract_address.zip(receipt.block_number).ok_or(DeployError::Receipt(what))
}
