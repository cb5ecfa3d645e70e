//! Bids that contracts stand for (ERC-1271), for anyone to submit: the same bytes as `WalletBid` of `contracts/types/SignedBid.sol`.

use crate::signed::BidToSign;
use crate::{Client, Market, SendError};
use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
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
    /// Submits bids that contracts stand for. One that is refused does not stop the others: `SignedBidRefused` in the receipt tells of it.
    ///
    /// # Errors
    /// [`SendError`], also if not a single one was accepted.
    pub async fn submit_wallet(
        &self,
        market: &Market,
        bids: &[WalletBid],
    ) -> Result<TransactionReceipt, SendError> {
        self.send(submit_wallet_call(market, bids), U256::ZERO, None).await
    }
}
