//! What has become of a bid.

use crate::forms;
use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a bid is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Kept by the relayer, which posts it before the round closes. A bid whose block was undone is queued again.
    Queued,
    /// In the round.
    Included,
    /// The contract refused it, and it has no part in the round. Nothing was taken from the requester.
    Refused,
    /// The round closed without it. Nothing was taken from the requester.
    Missed,
}

/// A bid that a relayer holds or has held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BidStatus {
    /// Names the bid: keccak256 of its requester's address (20 bytes) and the hash that is signed.
    #[schema(value_type = forms::Bytes32)]
    pub id: B256,
    /// How far it is.
    pub status: Status,
    /// The market.
    #[schema(value_type = forms::Bytes32)]
    pub market: B256,
    /// The round that it is for.
    pub round: u64,
    /// When the round closes (seconds since the epoch, by the chain's clock).
    pub closes_at: u64,
    /// Whose bid it is.
    #[schema(value_type = forms::Address)]
    pub requester: Address,
    /// The entry's word: `unit fee (64) | size (32) | further bids (16) | ticket (144)`.
    #[schema(value_type = forms::Bytes32)]
    pub entry: B256,
    /// Where it is in the round, once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Why it was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refused>,
    /// What went wrong with the last attempt to post it, as long as it is queued or when it was missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Proof that a bid is in its round: the log `SignedBidsSubmitted` at this place of the chain, which anyone can look up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The chain.
    pub chain_id: u64,
    /// The market's contract.
    #[schema(value_type = forms::Address)]
    pub contract: Address,
    /// The market.
    #[schema(value_type = forms::Bytes32)]
    pub market: B256,
    /// The round.
    pub round: u64,
    /// Whose bid it is.
    #[schema(value_type = forms::Address)]
    pub requester: Address,
    /// The entry's word.
    #[schema(value_type = forms::Bytes32)]
    pub entry: B256,
    /// The transaction.
    #[schema(value_type = forms::Bytes32)]
    pub transaction: B256,
    /// Its block.
    pub block_number: u64,
    /// Hash of its block.
    #[schema(value_type = forms::Bytes32)]
    pub block_hash: B256,
    /// Position of the log in the block, from 0.
    pub log_index: u64,
    /// Index in the round of the entry's first bid; its others follow.
    pub first_index: u32,
}

/// A refusal by the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// Name of the contract's error.
    #[schema(example = "InsufficientBalance")]
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The transaction in which it was refused; none if that showed before one was sent.
    #[schema(value_type = Option<forms::Bytes32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<B256>,
}

/// Whether the relayer is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether bids can be taken: the chain was read not long ago and the database answers.
    pub healthy: bool,
    /// The chain.
    pub chain_id: u64,
    /// The market's contract.
    #[schema(value_type = forms::Address)]
    pub contract: Address,
    /// The newest block that was read.
    pub block_number: u64,
    /// Its time (seconds since the epoch).
    pub block_time: u64,
    /// Seconds since it was read.
    pub read_ago: u64,
    /// Bids that wait to be included.
    pub queued: u64,
}
