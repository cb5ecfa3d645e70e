//! Reads blocks one by one, with their logs by hash.

use super::FollowError;
use super::timeline::Block;
use crate::logs::{decoded, patiently};
use crate::{Client, Head};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::transports::RpcError;
use futures_util::stream::{self, Stream, StreamExt};
use std::future::IntoFuture;
use std::ops::RangeInclusive;
use tracing::debug;

/// Requests under way at once, and blocks in memory before they are applied.
const AT_ONCE: usize = 8;

/// The blocks with these numbers in order, each with the events that `filter` names.
pub(super) fn read(
    client: Client,
    filter: Filter,
    numbers: RangeInclusive<u64>,
) -> impl Stream<Item = Result<Block, FollowError>> {
    let block = move |number| {
        let (client, filter) = (client.clone(), filter.clone());
        async move { read_one(&client, filter, number).await }
    };
    stream::iter(numbers).map(block).buffered(AT_ONCE)
}

async fn read_one(client: &Client, filter: Filter, number: u64) -> Result<Block, FollowError> {
    let provider = client.provider();
    let header = patiently(|| provider.get_block_by_number(number.into()).into_future()).await?;
    let header = header.ok_or(FollowError::Moving)?.header;
    let head = Head { number: header.number, hash: header.hash, timestamp: header.timestamp };
    let filter = filter.at_block_hash(head.hash);
    let mut logs = match patiently(|| provider.get_logs(&filter)).await {
        Ok(logs) => logs,
        // The node has lost the block since, or asks another one that never had it.
        Err(RpcError::ErrorResp(error)) => {
            debug!(number, %error, "cannot read the logs of a block");
            return Err(FollowError::Moving);
        }
        Err(error) => return Err(error.into()),
    };
    for log in &mut logs {
        log.block_timestamp = Some(head.timestamp);
    }
    Ok(Block { parent: header.parent_hash, head, events: decoded(logs)? })
}
