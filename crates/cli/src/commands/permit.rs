//! Deposits of tokens by signature: EIP-2612 in one transaction of one's own, Permit2 for anyone to send.

use crate::commands::session::{OpenMarket, Session, refused};
use crate::failure::{Code, Failure, OrFail, Outcome};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
use chain::MarketId;
use chain::permit::{PermitError, SignedDeposit, any_nonce};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// A signed deposit in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DepositJson {
    chain_id: u64,
    contract: Address,
    market: B256,
    owner: Address,
    /// The token's smallest unit.
    amount: U256,
    nonce: U256,
    /// Seconds since the epoch.
    deadline: u64,
    signature: Bytes,
}

/// Deposits `wei` (the token's smallest unit) of the sender with its signature in place of an approval.
pub(crate) async fn with_permit(
    session: &Session,
    open: &OpenMarket,
    wei: U256,
    valid_for: u64,
) -> Outcome<TransactionReceipt> {
    let deadline = session.now().await?.saturating_add(valid_for);
    let call = session.client.permit_call(&open.market, &session.key()?, wei, deadline).await;
    session.send("depositing with a permit", call.map_err(failed)?, U256::ZERO).await
}

/// Signs a deposit of `wei` (the token's smallest unit) for anyone to send.
pub(crate) async fn sign(
    session: &Session,
    open: &OpenMarket,
    wei: U256,
    valid_for: u64,
) -> Outcome<SignedDeposit> {
    let deadline = session.now().await?.saturating_add(valid_for);
    let signed = session.client.sign_deposit(&open.market, &session.key()?, wei, any_nonce(), deadline).await;
    signed.map_err(failed)
}

/// Sends a deposit that somebody has signed.
pub(crate) async fn send(session: &Session, deposit: &SignedDeposit) -> Outcome<TransactionReceipt> {
    session.send("depositing with Permit2", deposit.call(), U256::ZERO).await
}

/// A signed deposit as it is written to a file.
pub(crate) fn to_json(session: &Session, deposit: &SignedDeposit) -> Outcome<String> {
    let written = DepositJson {
        chain_id: session.client.chain_id(),
        contract: session.client.contract(),
        market: deposit.market.get(),
        owner: deposit.owner,
        amount: deposit.amount,
        nonce: deposit.nonce,
        deadline: u64::try_from(deposit.deadline).unwrap_or(u64::MAX),
        signature: deposit.signature.clone(),
    };
    serde_json::to_string_pretty(&written).or_fail(Code::Failed)
}

/// Reads a signed deposit for the contract of this session.
pub(crate) fn from_file(session: &Session, file: &Path) -> Outcome<SignedDeposit> {
    let text =
        fs::read(file).map_err(|error| Failure::input(format!("cannot read {}: {error}", file.display())))?;
    let read: DepositJson = serde_json::from_slice(&text)
        .or_fail_with(Code::Input, || format!("{} holds no signed deposit", file.display()))?;
    let here = (session.client.chain_id(), session.client.contract());
    if (read.chain_id, read.contract) != here {
        return Err(Failure::input(format!(
            "{} is for the contract {} on chain {}; check --contract and --rpc-url",
            file.display(),
            read.contract,
            read.chain_id
        )));
    }
    Ok(SignedDeposit {
        market: MarketId::from(read.market),
        owner: read.owner,
        amount: read.amount,
        nonce: read.nonce,
        deadline: U256::from(read.deadline),
        signature: read.signature,
    })
}

fn failed(error: PermitError) -> Failure {
    match error {
        PermitError::Call(error) => refused("asking for what to sign", error.into()),
        PermitError::Sign(_) => Failure::new(Code::Failed, error),
        error => Failure::new(Code::Input, error),
    }
}
