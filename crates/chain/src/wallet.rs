//! Bids that contracts stand for (ERC-1271), for anyone to submit: the same bytes as `WalletBid` of `contracts/types/SignedBid.sol`.

use crate::lot::publish_and;
use crate::signed::BidToSign;
use crate::{Client, Lot, Market, SendError};
use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolCall;
use bindings::ProverMarket;

/// An entry with whatever its requester, a contract, takes for its signature. Only the contract can say whether it does: it is asked
/// with [`BidToSign::signing_hash`] and has 100,000 gas to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletBid {
    /// What the contract stands for.
    pub bid: BidToSign,
    /// The contract.
    pub requester: Address,
    /// What it is asked with.
    pub signature: Bytes,
}

impl WalletBid {
    /// The entry as the market takes it.
    #[must_use]
    pub fn to_abi(&self) -> ProverMarket::WalletBid {
        let (requester, signature) = (self.requester, self.signature.clone());
        ProverMarket::WalletBid { requester, entry: self.bid.entry.get(), signature }
    }
}

/// The call that submits `bids`, which must be of the open round of `market`. Each is paid from its requester's balance there.
#[must_use]
pub fn submit_wallet_call(market: &Market, bids: &[WalletBid]) -> ProverMarket::submitWalletBidsCall {
    let bids = bids.iter().map(WalletBid::to_abi).collect();
    ProverMarket::submitWalletBidsCall { id: market.id.get(), bids }
}

impl Client {
    /// Publishes the statements of `told` and submits bids that contracts stand for, in one transaction. One that is refused does not stop the others: `SignedBidRefused` in the receipt tells of it.
    ///
    /// # Errors
    /// [`SendError`], also if not a single one was accepted.
    pub async fn submit_wallet(
        &self,
        market: &Market,
        told: &[Lot],
        bids: &[WalletBid],
    ) -> Result<TransactionReceipt, SendError> {
        let submit = submit_wallet_call(market, bids).abi_encode();
        let publish = told.iter().map(|lot| lot.publish_call(market));
        self.send(publish_and(publish, submit), U256::ZERO, None).await
    }
}
