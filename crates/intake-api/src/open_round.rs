//! What a requester needs to know of the open round.

use crate::forms;
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolStruct;
use chain::signed::TypedBid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The round of a market that takes bids now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenRound {
    /// The market.
    #[schema(value_type = forms::Bytes32)]
    pub market: B256,
    /// The round to sign for.
    pub round: u64,
    /// When it closes (seconds since the epoch, by the chain's clock).
    pub closes_at: u64,
    /// Until when the relayer takes bids for it. From then on sign for the next one, once that is open.
    pub accepts_until: u64,
    /// About when the relayer posts what it holds at the latest.
    pub posts_at: u64,
    /// Time of the newest block that the relayer has read.
    pub block_time: u64,
    /// What each bid pays towards the settlement (ticks).
    pub settlement_fee: u64,
    /// Value of a tick (wei, or the token's smallest unit; a decimal string).
    #[schema(value_type = forms::Decimal)]
    pub tick: String,
    /// Largest size of a task (units).
    pub max_task_size: u32,
    /// Bids with a lower unit fee lose (ticks per unit; a decimal string).
    #[schema(value_type = forms::Decimal)]
    pub reserve_price: String,
    /// What the relayer takes.
    pub limits: Limits,
    /// What is signed, apart from the message: pass it to `eth_signTypedData_v4` with the message added.
    pub typed_data: TypedData,
}

/// What a relayer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Most bytes of a request's body.
    pub body_bytes: u64,
    /// Most bytes of a transaction that a bid may take with its statements, as they are published.
    pub bid_bytes: u64,
    /// Most requests a minute from one address.
    pub requests_per_minute: u32,
}

/// EIP-712 typed data without its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypedData {
    /// Names chain and contract.
    pub domain: Domain,
    /// `Bid`.
    pub primary_type: String,
    /// The members of each type, in order.
    pub types: BTreeMap<String, Vec<Member>>,
}

/// An EIP-712 domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    /// Name of the contract.
    #[schema(example = "Proophi")]
    pub name: String,
    /// Version of what is signed.
    #[schema(example = "1")]
    pub version: String,
    /// The chain.
    pub chain_id: u64,
    /// The market's contract.
    #[schema(value_type = forms::Address)]
    pub verifying_contract: Address,
}

/// A member of an EIP-712 type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Its name.
    #[schema(example = "market")]
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "bytes32")]
    pub kind: String,
}

impl TypedData {
    /// What is signed for the contract at this place.
    #[must_use]
    pub fn new(chain_id: u64, contract: Address) -> Self {
        let domain = Domain {
            name: "Proophi".to_owned(),
            version: "1".to_owned(),
            chain_id,
            verifying_contract: contract,
        };
        let of_domain = "string name,string version,uint256 chainId,address verifyingContract";
        let bid = TypedBid::eip712_root_type();
        let of_bid = bid.split_once('(').map_or("", |(_, members)| members.trim_end_matches(')'));
        let types = [("EIP712Domain", of_domain), (TypedBid::NAME, of_bid)];
        let types = types.map(|(name, list)| (name.to_owned(), members(list)));
        Self { domain, primary_type: TypedBid::NAME.to_owned(), types: types.into() }
    }
}

fn members(list: &str) -> Vec<Member> {
    let pairs = list.split(',').filter_map(|member| member.split_once(' '));
    pairs.map(|(kind, name)| Member { name: name.to_owned(), kind: kind.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_those_that_are_hashed() {
        let typed = TypedData::new(1, Address::ZERO);
        let written: Vec<String> =
            typed.types["Bid"].iter().map(|member| format!("{} {}", member.kind, member.name)).collect();
        assert_eq!(format!("Bid({})", written.join(",")), TypedBid::eip712_root_type());
        assert_eq!(typed.types["EIP712Domain"].len(), 4);
    }
}
