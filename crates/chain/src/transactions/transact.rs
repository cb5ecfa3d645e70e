//! One transaction from simulation to receipt.

use super::error::{MAX_TRANSACTION_GAS, SendError};
use super::fees::GasPrice;
use super::options::Worth;
use super::owner::{Draft, Owner, price};
use super::signing::Call;
use super::slot::{Ended, Waiting};
use crate::{Connection, Revert};
use alloy::eips::BlockId;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Bytes, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info};

/// What a transaction would cost now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Gas that it uses, by a simulation.
    pub gas: u64,
    /// What gas costs.
    pub price: GasPrice,
}

impl Estimate {
    /// Gas times what is paid for it in the next block (wei).
    #[must_use]
    pub fn cost(&self) -> U256 {
        U256::from(self.gas).saturating_mul(U256::from(self.price.expected()))
    }
}

impl Connection {
    /// The same connection, for calls that are worth so much: they are cancelled when it is too late for them, and never pay more.
    #[must_use]
    pub fn worth(&self, worth: Worth) -> Self {
        Self { worth, ..self.clone() }
    }

    /// Sends a transaction of [`Connection::sender`] and waits until it is mined.
    ///
    /// It is simulated first, so that a refusal costs nothing. The gas limit is the estimate and a quarter, at least
    /// `gas_floor`. It is sent once gas costs no more than may be paid. Once a node may have it, only the same nonce is used again
    /// for it: whatever happens to an answer, it has at most one effect. If the same call is on its way already and nobody waits for it
    /// any more (it was sent before a restart, or undone by a reorganisation), then that one is waited for.
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
        self.transact_for("", to, input, value, gas_floor).await
    }

    /// [`Connection::transact`] with a word for people who read the journal.
    pub(crate) async fn transact_for(
        &self,
        purpose: &'static str,
        to: TxKind,
        input: Bytes,
        value: U256,
        gas_floor: Option<u64>,
    ) -> Result<TransactionReceipt, SendError> {
        let owner = self.owner.as_ref().ok_or(SendError::NoKey)?;
        let (start, request) = (Instant::now(), request(owner, to, &input, value));
        let waiting = loop {
            // The estimate runs the call, so that a refusal shows here and nothing is sent.
            let estimate = self.provider.estimate_gas(request.clone()).block(BlockId::latest()).await?;
            let call = Call { to, input: input.clone(), value, gas: gas_limit(estimate, gas_floor)? };
            match owner.begin(&Draft { call, purpose, worth: self.worth }).await {
                Err(error @ SendError::TooDear { .. }) if start.elapsed() < self.patience.give_up_after => {
                    info!(%error, "waiting until gas is cheaper");
                    sleep(Duration::from_millis(500).min(self.patience.bump_after)).await;
                }
                begun => break begun?,
            }
        };
        let receipt = self.see_through(owner, waiting, start).await?;
        self.require_success(receipt, request).await
    }

    /// What a call would cost now; see [`Connection::transact`].
    ///
    /// # Errors
    /// [`SendError`] as for sending it.
    pub async fn estimate(&self, to: TxKind, input: Bytes, value: U256) -> Result<Estimate, SendError> {
        let owner = self.owner.as_ref().ok_or(SendError::NoKey)?;
        let call = request(owner, to, &input, value);
        let gas = self.provider.estimate_gas(call).block(BlockId::latest()).await?;
        Ok(Estimate { gas, price: price(&self.provider).await? })
    }

    async fn see_through(
        &self,
        owner: &Arc<Owner>,
        waiting: Waiting,
        start: Instant,
    ) -> Result<TransactionReceipt, SendError> {
        let nonce = waiting.nonce;
        let left = self.patience.give_up_after.saturating_sub(start.elapsed());
        match timeout(left, waiting.ended).await {
            Ok(Ok(Ended::Mined(receipt))) => Ok(*receipt),
            Ok(Ok(Ended::Refused(revert))) => Err(SendError::Refused(revert)),
            Ok(Ok(Ended::Outdated(now))) => {
                Err(SendError::Outdated { now, until: self.worth.until.unwrap_or(now) })
            }
            Ok(Ok(Ended::Replaced(hash))) => Err(SendError::Replaced { hash, nonce }),
            Ok(Err(_)) | Err(_) => {
                debug!(nonce, "nobody waits for it any more");
                let (hash, seconds) = (owner.hash_of(nonce).await, start.elapsed().as_secs());
                Err(SendError::NotMined { hash, seconds })
            }
        }
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

fn request(owner: &Owner, to: TxKind, input: &Bytes, value: U256) -> TransactionRequest {
    TransactionRequest::default()
        .with_from(owner.address())
        .with_kind(to)
        .with_input(input.clone())
        .with_value(value)
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

    #[test]
    fn the_gas_limit_has_a_quarter_of_room_and_respects_floor_and_ceiling() {
        assert_eq!(gas_limit(100_000, None).unwrap(), 125_000);
        assert_eq!(gas_limit(100_000, Some(700_000)).unwrap(), 700_000);
        assert_eq!(gas_limit(15_000_000, None).unwrap(), MAX_TRANSACTION_GAS);
        assert!(matches!(gas_limit(MAX_TRANSACTION_GAS + 1, None), Err(SendError::TooMuchGas { .. })));
        assert!(matches!(gas_limit(1, Some(MAX_TRANSACTION_GAS + 1)), Err(SendError::TooMuchGas { .. })));
    }

    #[test]
    fn the_expected_cost_is_what_the_next_block_takes_and_not_the_most_that_is_offered() {
        let price = GasPrice { base_fee: 90, tip: 10, max_fee: 190 };
        assert_eq!(Estimate { gas: 50, price }.cost(), U256::from(5_000));
    }
}
