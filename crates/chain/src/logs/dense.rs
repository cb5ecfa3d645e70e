//! The logs of a block that has more of them than its node gives at once.
//!
//! A block cannot be cut, and anybody can fill one. Its receipts hold the same logs, and most nodes that limit logs give them whole; where they
//! do not, the logs of each kind of event are asked for by themselves.

use super::refusal::Refusal;
use super::{LogsError, patiently};
use crate::Client;
use crate::events::Event;
use alloy::eips::BlockId;
use alloy::primitives::B256;
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log};
use alloy::transports::{RpcError, TransportErrorKind};
use std::future::IntoFuture;
use tracing::debug;

/// The logs that `filter` names in this one block, to which it is limited.
///
/// # Errors
/// [`LogsError::BlockTooLarge`] with the reason of `refused` if they cannot be had in this way either.
pub(crate) async fn of_block(
    client: &Client,
    filter: &Filter,
    (number, block): (u64, BlockId),
    refused: &RpcError<TransportErrorKind>,
) -> Result<Vec<Log>, LogsError> {
    if let Some(logs) = from_receipts(client, filter, (number, block)).await {
        return Ok(logs);
    }
    let mut logs = Vec::new();
    for kind in Event::SELECTORS {
        let of_kind = filter.clone().event_signature(B256::from(*kind));
        match patiently(|| client.provider().get_logs(&of_kind)).await {
            Ok(found) => logs.extend(found),
            Err(error) if Refusal::of(&error) == Refusal::TooMuch => {
                return Err(LogsError::BlockTooLarge { block: number, reason: refused.to_string() });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(logs)
}

/// The same by the receipts of the block; `None` if the node does not give them.
pub(crate) async fn from_receipts(
    client: &Client,
    filter: &Filter,
    (number, block): (u64, BlockId),
) -> Option<Vec<Log>> {
    match patiently(|| client.provider().get_block_receipts(block).into_future()).await {
        Ok(Some(receipts)) => {
            let logs = receipts.into_iter().flat_map(|receipt| receipt.inner.into_logs());
            return Some(logs.filter(|log| filter.matches(&log.inner)).collect());
        }
        Ok(None) => debug!(number, "no receipts of a block"),
        Err(error) => debug!(number, %error, "no receipts of a block"),
    }
    None
}

/// Whether a node means that it was asked for too much.
pub(crate) fn is_too_much(error: &RpcError<TransportErrorKind>) -> bool {
    Refusal::of(error) == Refusal::TooMuch
}
