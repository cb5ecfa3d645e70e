//! Reads blocks one by one, with their logs by hash.

use super::FollowError;
use super::timeline::Block;
use crate::logs::{decoded, dense, patiently};
use crate::{Client, Head};
use alloy::eips::BlockId;
use alloy::primitives::{B256, BloomInput};
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, FilterSet, Header, Log};
use alloy::transports::RpcError;
use futures_util::stream::{self, Stream, StreamExt};
use std::future::IntoFuture;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::time::sleep;
use tracing::debug;

/// Requests under way at once, and blocks in memory before they are applied.
const AT_ONCE: usize = 4;

/// Time after which a node by itself is asked again for logs that a block may have.
const SECOND_LOOK: Duration = Duration::from_millis(50);

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

/// Whether a block's bloom filter says that these are not its logs: one that it does not have, or none where it may have some. The latter is so
/// by chance in some blocks, the more the fuller they are.
fn contradicts(header: &Header, filter: &Filter, logs: &[Log]) -> bool {
    let has = |bytes: &[u8]| header.logs_bloom.contains_input(BloomInput::Raw(bytes));
    let unknown = |log: &Log| {
        log.block_hash.is_some_and(|hash| hash != header.hash)
            || !has(log.address().as_slice())
            || !log.topics().iter().all(|topic| has(&topic.0))
    };
    let any = |set: &FilterSet<B256>| set.is_empty() || set.iter().any(|topic| has(&topic.0));
    let may_have =
        filter.address.iter().any(|address| has(address.as_slice())) && filter.topics.iter().all(any);
    logs.iter().any(unknown) || (logs.is_empty() && may_have)
}

async fn read_one(client: &Client, filter: Filter, number: u64) -> Result<Block, FollowError> {
    let provider = client.provider();
    let header = patiently(|| provider.get_block_by_number(number.into()).into_future()).await?;
    let header = header.ok_or(FollowError::Moving)?.header;
    let head = Head { number: header.number, hash: header.hash, timestamp: header.timestamp };
    let filter = filter.at_block_hash(head.hash);
    let mut logs = logs_of(client, &filter, head).await?;
    if contradicts(&header, &filter, &logs) {
        match &client.endpoints {
            // Whoever gives other logs than the others is asked no more.
            Some(endpoints) => endpoints.judge_logs(&header, &filter).await,
            // Some nodes tell of a block before they have its logs.
            None => sleep(SECOND_LOOK).await,
        }
        logs = logs_of(client, &filter, head).await?;
        // Twice is seldom chance, and what is missed here would be missed for good.
        if contradicts(&header, &filter, &logs) {
            let block = (head.number, BlockId::hash(head.hash));
            logs = dense::from_receipts(client, &filter, block).await.unwrap_or(logs);
        }
    }
    for log in &mut logs {
        log.block_timestamp = Some(head.timestamp);
    }
    Ok(Block { parent: header.parent_hash, head, events: decoded(logs)? })
}

/// The logs of a block by its hash, to which `filter` is limited.
async fn logs_of(client: &Client, filter: &Filter, head: Head) -> Result<Vec<Log>, FollowError> {
    match patiently(|| client.provider().get_logs(filter)).await {
        Ok(logs) => Ok(logs),
        Err(error) if dense::is_too_much(&error) => {
            let block = (head.number, BlockId::hash(head.hash));
            Ok(dense::of_block(client, filter, block, &error).await?)
        }
        // The node has lost the block since, or asks another one that never had it.
        Err(RpcError::ErrorResp(error)) => {
            debug!(number = head.number, %error, "cannot read the logs of a block");
            Err(FollowError::Moving)
        }
        Err(error) => Err(error.into()),
    }
}
