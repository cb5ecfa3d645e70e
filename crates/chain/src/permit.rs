//! Deposits of tokens by a signature in place of an approval: EIP-2612, and Uniswap's Permit2 for tokens without it.
//!
//! With EIP-2612 the owner signs and sends, in one transaction rather than two. With Permit2 the owner signs for one market and anybody
//! sends; the owner has once allowed Permit2 to move the token.

use crate::{CallError, Client, Currency, Market, MarketId, SendError};
use alloy::primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use alloy::signers::{Error as SignerError, Signer};
use alloy::sol_types::SolStruct;
use bindings::ProverMarket;
use thiserror::Error;

/// Where Permit2 is on every chain that has it.
pub const PERMIT2: Address = address!("0x000000000022D473030F116dDEE9F6B43aC78BA3");

mod typed {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    // Generated code only: names and members are those of EIP-2612 and Permit2, and the witness is the market's.
    alloy::sol! {
        struct Permit {
            address owner;
            address spender;
            uint256 value;
            uint256 nonce;
            uint256 deadline;
        }

        struct TokenPermissions {
            address token;
            uint256 amount;
        }

        struct MarketDeposit {
            bytes32 market;
        }

        struct PermitWitnessTransferFrom {
            TokenPermissions permitted;
            address spender;
            uint256 nonce;
            uint256 deadline;
            MarketDeposit witness;
        }
    }
}

/// Why there is no signed deposit.
#[derive(Debug, Error)]
pub enum PermitError {
    /// The market pays in the chain's own currency.
    #[error("this market pays in the chain's currency, which needs no permit; deposit without one")]
    Native,
    /// The token does not take signatures.
    #[error(
        "the token {0} takes no signatures for allowances (EIP-2612); use Permit2, or deposit without a permit"
    )]
    NoPermit(Address),
    /// There is no Permit2 on the chain.
    #[error("chain {0} has no Permit2 at its usual address; use an EIP-2612 permit, or deposit without one")]
    NoPermit2(u64),
    /// The owner has not allowed Permit2 to move the token.
    #[error(
        "{owner} lets Permit2 move {allowed} of the {needed} needed of the token {token}; approve {PERMIT2} there first, once"
    )]
    NotAllowed {
        /// Who signs.
        owner: Address,
        /// The token.
        token: Address,
        /// What Permit2 may move (the token's smallest unit).
        allowed: U256,
        /// What it would have to (the same).
        needed: U256,
    },
    /// The chain was asked and gave no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The signer does not sign.
    #[error("cannot sign the permit: {0}")]
    Sign(#[from] SignerError),
}

/// A deposit that the owner of a token has signed for one market, for anyone to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDeposit {
    /// The market.
    pub market: MarketId,
    /// Whose token and whose balance.
    pub owner: Address,
    /// How much (the token's smallest unit), a multiple of the market's tick.
    pub amount: U256,
    /// Any number that the owner has not used with Permit2; it makes the signature count once.
    pub nonce: U256,
    /// Last second at which it counts (seconds since the epoch).
    pub deadline: U256,
    /// The owner's signature.
    pub signature: Bytes,
}

impl SignedDeposit {
    /// The call that makes the deposit.
    #[must_use]
    pub fn call(&self) -> ProverMarket::depositWithPermit2Call {
        ProverMarket::depositWithPermit2Call {
            id: self.market.get(),
            owner: self.owner,
            amount: self.amount,
            nonce: self.nonce,
            deadline: self.deadline,
            signature: self.signature.clone(),
        }
    }
}

impl Client {
    /// The call by which `owner` deposits `amount` (the token's smallest unit) of its own with one signature (EIP-2612). Only the owner
    /// can send it, until `deadline` (seconds since the epoch).
    ///
    /// # Errors
    /// [`PermitError`].
    pub async fn permit_call(
        &self,
        market: &Market,
        owner: &(impl Signer + Sync),
        amount: U256,
        deadline: u64,
    ) -> Result<ProverMarket::depositWithPermitCall, PermitError> {
        let token = token_of(market)?;
        let contract = self.token(token);
        let no_permit = |error: alloy::contract::Error| match CallError::from(error) {
            error @ CallError::Rpc(_) => PermitError::Call(error),
            _ => PermitError::NoPermit(token),
        };
        let domain = contract.DOMAIN_SEPARATOR().call().await.map_err(no_permit)?;
        let nonce = contract.nonces(owner.address()).call().await.map_err(no_permit)?;
        let deadline = U256::from(deadline);
        let permit = typed::Permit {
            owner: owner.address(),
            spender: self.contract(),
            value: amount,
            nonce,
            deadline,
        };
        let signature = owner.sign_hash(&hash_of(domain, &permit)).await?;
        Ok(ProverMarket::depositWithPermitCall {
            id: market.id.get(),
            amount,
            deadline,
            v: 27 + u8::from(signature.v()),
            r: signature.r().into(),
            s: signature.s().into(),
        })
    }

    /// A deposit of `amount` (the token's smallest unit) that `owner` signs for `market`, for anyone to send until `deadline` (seconds
    /// since the epoch). `nonce` is any number that the owner has not used with Permit2.
    ///
    /// # Errors
    /// [`PermitError`].
    pub async fn sign_deposit(
        &self,
        market: &Market,
        owner: &(impl Signer + Sync),
        amount: U256,
        nonce: U256,
        deadline: u64,
    ) -> Result<SignedDeposit, PermitError> {
        let token = token_of(market)?;
        let code = self.provider().get_code_at(PERMIT2).await.map_err(CallError::from)?;
        if code.is_empty() {
            return Err(PermitError::NoPermit2(self.chain_id()));
        }
        let allowed =
            self.token(token).allowance(owner.address(), PERMIT2).call().await.map_err(CallError::from)?;
        if allowed < amount {
            return Err(PermitError::NotAllowed { owner: owner.address(), token, allowed, needed: amount });
        }
        let deadline = U256::from(deadline);
        let permit = typed::PermitWitnessTransferFrom {
            permitted: typed::TokenPermissions { token, amount },
            spender: self.contract(),
            nonce,
            deadline,
            witness: typed::MarketDeposit { market: market.id.get() },
        };
        let domain = self.token(PERMIT2).DOMAIN_SEPARATOR().call().await.map_err(CallError::from)?;
        let signature = owner.sign_hash(&hash_of(domain, &permit)).await?.as_bytes().to_vec().into();
        Ok(SignedDeposit { market: market.id, owner: owner.address(), amount, nonce, deadline, signature })
    }

    /// Sends a deposit that somebody has signed.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_deposit(&self, deposit: &SignedDeposit) -> Result<TransactionReceipt, SendError> {
        self.send(deposit.call(), U256::ZERO, None).await
    }
}

/// A number that nobody has used with Permit2, as far as random numbers go.
#[must_use]
pub fn any_nonce() -> U256 {
    B256::random().into()
}

fn token_of(market: &Market) -> Result<Address, PermitError> {
    match market.params.currency {
        Currency::Native => Err(PermitError::Native),
        Currency::Token(token) => Ok(token),
    }
}

/// What is signed of `message` for the contract whose domain has this hash, as that itself tells.
fn hash_of(domain: B256, message: &impl SolStruct) -> B256 {
    keccak256([&[0x19, 0x01][..], &domain[..], &message.eip712_hash_struct()[..]].concat())
}
