//! The market's contract on one chain.

use crate::transactions::{Estimate, Worth};
use crate::{CallError, ConnectError, Connection, ConnectionOptions, Currency, Revert, SendError};
use alloy::network::TxSigner;
use alloy::primitives::{Address, B256, Signature, TxKind, U256};
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolCall;
use bindings::IERC20::{self, IERC20Instance};
use bindings::ProverMarket::{self, ProverMarketInstance};
use std::ops::Deref;

/// How to reach the market's contract.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// How to reach its chain.
    pub connection: ConnectionOptions,
    /// Where the contract is.
    pub contract: Address,
}

impl ConnectOptions {
    /// The contract at `contract` on any chain at `rpc_url`, for reading.
    #[must_use]
    pub fn new(rpc_url: impl Into<String>, contract: Address) -> Self {
        Self { connection: ConnectionOptions::new(rpc_url), contract }
    }

    /// Refuse any other chain.
    #[must_use]
    pub fn chain_id(mut self, chain_id: Option<u64>) -> Self {
        self.connection = self.connection.chain_id(chain_id);
        self
    }

    /// Send transactions with this key.
    #[must_use]
    pub fn signer<S>(mut self, signer: Option<S>) -> Self
    where
        S: TxSigner<Signature> + Send + Sync + 'static,
    {
        self.connection = self.connection.signer(signer);
        self
    }
}

/// The market's contract and a [`Connection`] to its chain, whose methods it has too. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Connection,
    contract: Address,
}

impl Deref for Client {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Client {
    /// Connects, and makes sure that the market's contract is there.
    ///
    /// # Errors
    /// [`ConnectError`] saying what to check.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, ConnectError> {
        let connection = Connection::connect(&options.connection).await?;
        Self::at(connection, options.contract).await
    }

    /// The market's contract over an existing connection.
    ///
    /// # Errors
    /// [`ConnectError`] if there is another contract or none at `contract`.
    pub async fn at(connection: Connection, contract: Address) -> Result<Self, ConnectError> {
        let chain_id = connection.chain_id;
        let code = connection.provider.get_code_at(contract).await;
        if code.map_err(|error| ConnectError::Node(error.into()))?.is_empty() {
            return Err(ConnectError::NoContract { address: contract, chain_id });
        }
        let client = Self { connection, contract };
        // No market has id zero, as its bidding period would be zero; only a ProverMarket refuses it in this way.
        match client.market().marketParams(B256::ZERO).call().await.map_err(CallError::from) {
            Err(CallError::Reverted(revert)) if revert.is::<ProverMarket::UnknownMarket>() => {
                if let Some(endpoints) = &client.endpoints {
                    endpoints.require_code(contract).await;
                }
                Ok(client)
            }
            Err(error @ CallError::Rpc(_)) => Err(ConnectError::Node(error)),
            _ => Err(ConnectError::OtherContract { address: contract, chain_id }),
        }
    }

    /// The market's contract, to read from it. Send transactions with [`Client::send`].
    #[must_use]
    pub fn market(&self) -> ProverMarketInstance<DynProvider> {
        ProverMarketInstance::new(self.contract, self.connection.provider.clone())
    }

    /// A token, to read from it.
    #[must_use]
    pub fn token(&self, token: Address) -> IERC20Instance<DynProvider> {
        IERC20Instance::new(token, self.connection.provider.clone())
    }

    /// What `account` has outside of the market, in what that pays in (wei, or the token's smallest unit).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn wallet(&self, currency: Currency, account: Address) -> Result<U256, CallError> {
        match currency {
            Currency::Native => self.balance_of(account).await,
            Currency::Token(token) => Ok(self.token(token).balanceOf(account).call().await?),
        }
    }

    /// Readies `amount` (wei, or the token's smallest unit) of the sender for a deposit: lets the contract take it, if it is
    /// a token. Returns the native currency to attach to the call that deposits (wei).
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn prepare_deposit(&self, currency: Currency, amount: U256) -> Result<U256, SendError> {
        let token = match currency {
            Currency::Native => return Ok(amount),
            Currency::Token(token) => token,
        };
        let (owner, spender) = (self.sender().ok_or(SendError::NoKey)?, self.contract);
        let allowed = self.token(token).allowance(owner, spender).call().await.map_err(CallError::from)?;
        if allowed < amount {
            let approve = IERC20::approveCall { spender, amount };
            self.send_to(token, &approve, U256::ZERO, None).await?;
        }
        Ok(U256::ZERO)
    }

    /// Where the contract is.
    #[must_use]
    pub const fn contract(&self) -> Address {
        self.contract
    }

    /// The connection by itself.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The same client, for calls that are worth so much: they are cancelled when it is too late for them, and never pay more.
    #[must_use]
    pub fn worth(&self, worth: Worth) -> Self {
        Self { connection: self.connection.worth(worth), contract: self.contract }
    }

    /// What a call of the market would cost now.
    ///
    /// # Errors
    /// [`SendError`] as for sending it.
    pub async fn estimate<C: SolCall>(&self, call: &C, value: U256) -> Result<Estimate, SendError> {
        self.connection.estimate(TxKind::Call(self.contract), call.abi_encode().into(), value).await
    }

    /// Calls the market in a transaction with `value` wei and waits until it is mined; see [`Connection::transact`].
    /// `gas_floor`: the least gas to send it with, for calls that need more than an estimate shows.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send<C: SolCall>(
        &self,
        call: C,
        value: U256,
        gas_floor: Option<u64>,
    ) -> Result<TransactionReceipt, SendError> {
        self.send_to(self.contract, &call, value, gas_floor).await
    }

    /// [`Client::send`] to another contract, such as a token.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_to<C: SolCall>(
        &self,
        to: Address,
        call: &C,
        value: U256,
        gas_floor: Option<u64>,
    ) -> Result<TransactionReceipt, SendError> {
        let (to, input) = (TxKind::Call(to), call.abi_encode().into());
        self.connection.transact_for(C::SIGNATURE, to, input, value, gas_floor).await
    }
}

impl SendError {
    /// The refusal of the contract, if that is what went wrong.
    #[must_use]
    pub const fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Refused(revert) => Some(revert),
            Self::Failed { revert, .. } => revert.as_ref(),
            _ => None,
        }
    }

    /// Whether the contract refused with the custom error `E`.
    #[must_use]
    pub fn is<E: alloy::sol_types::SolError>(&self) -> bool {
        self.revert().is_some_and(Revert::is::<E>)
    }
}
