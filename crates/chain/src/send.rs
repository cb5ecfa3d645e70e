//! Sends one transaction and sees it through: simulated first, with an explicit gas limit, one nonce at a time, sent again
//! with a higher fee if it gets stuck.

use crate::connection::Signer;
use crate::{CallError, Connection, Revert};
use alloy::consensus::TxEnvelope;
use alloy::eips::BlockId;
use alloy::eips::eip2718::Encodable2718;
use alloy::network::{NetworkTransactionBuilder, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::transports::{RpcError, TransportErrorKind};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

/// The most gas that one transaction may have (EIP-7825).
pub const MAX_TRANSACTION_GAS: u64 = 16_777_216;

/// Why a transaction had no effect, or may have had one that is not known.
#[derive(Debug, Error)]
pub enum SendError {
    /// There is no key to sign with.
    #[error("no private key; name a file with --key-file or set PROOPHI_PRIVATE_KEY")]
    NoKey,
    /// The contract would refuse. Nothing was sent.
    #[error("{0}")]
    Refused(Revert),
    /// The contract refused when the transaction was mined. Gas was paid.
    #[error("transaction {hash} failed: {}", .revert.as_ref().map_or_else(|| "for no reason that can be found".to_owned(), ToString::to_string))]
    Failed {
        /// The transaction.
        hash: B256,
        /// The reason, if the same call at the end of its block shows one.
        revert: Option<Revert>,
    },
    /// It needs more gas than a transaction can have.
    #[error(
        "the call needs {needed} gas, more than the {MAX_TRANSACTION_GAS} that one transaction can have; make it smaller"
    )]
    TooMuchGas {
        /// Gas that it needs.
        needed: u64,
    },
    /// The node cannot be asked, or refused the transaction. Nothing was sent.
    #[error(transparent)]
    Call(CallError),
    /// The transaction cannot be signed.
    #[error("cannot sign the transaction: {0}")]
    Sign(String),
    /// Another transaction of the same key took its place. Use a key in one program only.
    #[error("transaction {hash} was replaced by another with nonce {nonce}; use the key in one program only")]
    Replaced {
        /// The transaction, in its last form.
        hash: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// The chain did not mine it in time. It may still be mined.
    #[error("transaction {hash} is not mined after {seconds} s; it may still be, look before sending again")]
    NotMined {
        /// The transaction, in its last form.
        hash: B256,
        /// How long was waited.
        seconds: u64,
    },
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Reverted(revert) => Self::Refused(revert),
            other => Self::Call(other),
        }
    }
}

impl From<RpcError<TransportErrorKind>> for SendError {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        CallError::from(error).into()
    }
}

/// A transaction that the node may have, in all the forms it was given: same nonce, rising fees.
struct Sent {
    request: TransactionRequest,
    nonce: u64,
    forms: Vec<TxEnvelope>,
}

impl Sent {
    fn last(&self) -> Option<&TxEnvelope> {
        self.forms.last()
    }

    fn hash(&self) -> B256 {
        self.last().map(|form| *form.tx_hash()).unwrap_or_default()
    }
}

/// What a node's refusal of a signed transaction means.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// It has the transaction already.
    Known,
    /// Its nonce is used, by a transaction that was mined or that waits.
    NonceTaken,
    /// The answer was lost, so the node may or may not have it.
    Lost,
    /// It does not want it.
    Unwanted,
}

impl Answer {
    fn of(error: &RpcError<TransportErrorKind>) -> Self {
        let Some(payload) = error.as_error_resp() else { return Self::Lost };
        let message = payload.message.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if says(&["already known", "already imported", "alreadyknown"]) {
            Self::Known
        } else if says(&["nonce too low", "nonce is too low", "replacement transaction underpriced"]) {
            Self::NonceTaken
        } else {
            Self::Unwanted
        }
    }
}

impl Connection {
    /// Sends a transaction of [`Connection::sender`] and waits until it is mined.
    ///
    /// It is simulated first, so that a refusal costs nothing. The gas limit is the estimate and a quarter, at least
    /// `gas_floor`. Once a node may have the transaction, only the same nonce is used again for it: whatever happens to an
    /// answer, it has at most one effect.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn transact(
        &self,
        to: TxKind,
        input: Bytes,
        value: U256,
        gas_floor: Option<u64>,
    ) -> Result<TransactionReceipt, SendError> {
        let signer = self.signer.as_ref().ok_or(SendError::NoKey)?;
        let call = call(signer.address, to, input, value);
        // The estimate runs the call, so that a refusal shows here and nothing is sent.
        let estimate = self.provider.estimate_gas(call.clone()).block(BlockId::latest()).await?;
        let request = call.clone().with_gas_limit(gas_limit(estimate, gas_floor)?);
        let sent = self.broadcast(signer, request).await?;
        debug!(hash = %sent.hash(), nonce = sent.nonce, "sent");
        let receipt = self.see_through(signer, sent).await?;
        self.require_success(receipt, call).await
    }

    /// Gives the transaction a nonce and hands it to the node. One at a time, so that two never get the same nonce.
    async fn broadcast(&self, signer: &Signer, request: TransactionRequest) -> Result<Sent, SendError> {
        const TRIES: u32 = 5;
        let fees = self.provider.estimate_eip1559_fees().await?;
        let request = request
            .with_chain_id(self.chain_id)
            .with_max_fee_per_gas(fees.max_fee_per_gas)
            .with_max_priority_fee_per_gas(fees.max_priority_fee_per_gas);
        let _turn = signer.nonces.lock().await;
        let mut tries = 0;
        loop {
            let nonce = self.provider.get_transaction_count(signer.address).pending().await?;
            let request = request.clone().with_nonce(nonce);
            let form = sign(signer, request.clone()).await?;
            let answer = self.provider.send_raw_transaction(&form.encoded_2718()).await;
            let sent = Sent { request, nonce, forms: vec![form] };
            tries += 1;
            match answer {
                Ok(_) => return Ok(sent),
                Err(error) => match Answer::of(&error) {
                    Answer::Known | Answer::Lost => return Ok(sent),
                    // The node's count was behind. It catches up within a moment.
                    Answer::NonceTaken if tries < TRIES => sleep(Duration::from_millis(200)).await,
                    Answer::NonceTaken | Answer::Unwanted => return Err(error.into()),
                },
            }
        }
    }

    /// Waits for the receipt. Trouble with the node is sat out, as the transaction cannot be taken back.
    async fn see_through(&self, signer: &Signer, mut sent: Sent) -> Result<TransactionReceipt, SendError> {
        let start = Instant::now();
        let mut last_sent = start;
        let mut pause = Duration::from_millis(50);
        loop {
            if let Some(receipt) = self.receipt(&sent).await {
                return Ok(receipt);
            }
            if start.elapsed() >= self.patience.give_up_after {
                let seconds = start.elapsed().as_secs();
                return Err(SendError::NotMined { hash: sent.hash(), seconds });
            }
            if last_sent.elapsed() >= self.patience.bump_after {
                if self.is_replaced(signer, &sent).await {
                    return Err(SendError::Replaced { hash: sent.hash(), nonce: sent.nonce });
                }
                self.bump(signer, &mut sent).await?;
                last_sent = Instant::now();
            }
            sleep(pause).await;
            pause = pause.saturating_mul(3).div_f32(2.0).min(Duration::from_secs(2));
        }
    }

    async fn receipt(&self, sent: &Sent) -> Option<TransactionReceipt> {
        for form in &sent.forms {
            match self.provider.get_transaction_receipt(*form.tx_hash()).await {
                Ok(Some(receipt)) => return Some(receipt),
                Ok(None) => {}
                Err(error) => debug!(%error, "cannot ask for a receipt"),
            }
        }
        None
    }

    /// Whether the account's nonce has moved past the transaction, and yet none of its forms was mined.
    async fn is_replaced(&self, signer: &Signer, sent: &Sent) -> bool {
        match self.provider.get_transaction_count(signer.address).latest().await {
            Ok(next) if next > sent.nonce => self.receipt(sent).await.is_none(),
            _ => false,
        }
    }

    /// Sends it again, 25 % dearer: nodes ask for at least 12.5 % (10 % some) to replace a transaction that waits.
    async fn bump(&self, signer: &Signer, sent: &mut Sent) -> Result<(), SendError> {
        let dearer = |fee: Option<u128>| fee.unwrap_or(0).saturating_mul(5).div_ceil(4);
        let request = sent
            .request
            .clone()
            .with_max_fee_per_gas(dearer(sent.request.max_fee_per_gas))
            .with_max_priority_fee_per_gas(dearer(sent.request.max_priority_fee_per_gas));
        let form = sign(signer, request.clone()).await?;
        warn!(before = %sent.hash(), now = %form.tx_hash(), nonce = sent.nonce, "not mined yet, sending it dearer");
        match self.provider.send_raw_transaction(&form.encoded_2718()).await {
            Err(error) if Answer::of(&error) == Answer::Unwanted => {
                // Too dear for the account, perhaps. The form before stands; the node may have dropped it.
                warn!(%error, "the node refuses the dearer form");
                if let Some(last) = sent.last() {
                    let again = self.provider.send_raw_transaction(&last.encoded_2718()).await;
                    debug!(accepted = again.is_ok(), "sent the last form again");
                }
            }
            _ => {
                sent.request = request;
                sent.forms.push(form);
            }
        }
        Ok(())
    }

    async fn require_success(
        &self,
        receipt: TransactionReceipt,
        call: TransactionRequest,
    ) -> Result<TransactionReceipt, SendError> {
        if receipt.status() {
            return Ok(receipt);
        }
        let block = receipt.block_number.map_or(BlockId::latest(), BlockId::number);
        // Receipts give no reason. The same call on the state at the end of the block mostly fails in the same way.
        let again = self.provider.call(call).block(block).await;
        let revert = again.err().as_ref().and_then(Revert::of_rpc);
        Err(SendError::Failed { hash: receipt.transaction_hash, revert })
    }
}

fn call(from: Address, to: TxKind, input: Bytes, value: U256) -> TransactionRequest {
    TransactionRequest::default().with_from(from).with_kind(to).with_input(input).with_value(value)
}

async fn sign(signer: &Signer, request: TransactionRequest) -> Result<TxEnvelope, SendError> {
    request.build(&signer.wallet).await.map_err(|error| SendError::Sign(error.to_string()))
}

fn gas_limit(estimate: u64, floor: Option<u64>) -> Result<u64, SendError> {
    let needed = estimate.max(floor.unwrap_or(0));
    if needed > MAX_TRANSACTION_GAS {
        return Err(SendError::TooMuchGas { needed });
    }
    let with_room = estimate.saturating_mul(5).div_ceil(4);
    Ok(with_room.max(needed).min(MAX_TRANSACTION_GAS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(message: &str) -> Answer {
        let payload = serde_json::json!({ "code": -32000, "message": message }).to_string();
        Answer::of(&RpcError::ErrorResp(serde_json::from_str(&payload).unwrap()))
    }

    #[test]
    fn the_gas_limit_has_a_quarter_of_room_and_respects_floor_and_ceiling() {
        assert_eq!(gas_limit(100_000, None).unwrap(), 125_000);
        assert_eq!(gas_limit(100_000, Some(700_000)).unwrap(), 700_000);
        assert_eq!(gas_limit(15_000_000, None).unwrap(), MAX_TRANSACTION_GAS);
        assert!(matches!(gas_limit(MAX_TRANSACTION_GAS + 1, None), Err(SendError::TooMuchGas { .. })));
        assert!(matches!(gas_limit(1, Some(MAX_TRANSACTION_GAS + 1)), Err(SendError::TooMuchGas { .. })));
    }

    #[test]
    fn answers_of_nodes_are_told_apart() {
        assert_eq!(answer("already known"), Answer::Known);
        assert_eq!(answer("nonce too low: next nonce 5, tx nonce 4"), Answer::NonceTaken);
        assert_eq!(answer("replacement transaction underpriced"), Answer::NonceTaken);
        assert_eq!(answer("insufficient funds for gas * price + value"), Answer::Unwanted);
        let lost = RpcError::Transport(TransportErrorKind::BackendGone);
        assert_eq!(Answer::of(&lost), Answer::Lost);
    }
}
