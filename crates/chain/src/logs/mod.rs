//! Reads the logs of a range of blocks in pieces that fit into memory, from nodes that limit what they answer.
//!
//! | module | what is in it |
//! |---|---|
//! | `span` | how many blocks to ask for at once, learned from the answers |
//! | `dense` | a single block with more logs than the node gives at once |
//! | `refusal` | what a node means by an answer that is no logs |
//!
//! The reader keeps no position: who applies a chunk goes on after its last block, and what was applied is never asked
//! for again, whatever fails.

pub(crate) mod dense;
mod refusal;
mod span;

use crate::events::{EventError, LoggedEvent, decode};
use crate::{CallError, Client, Head};
use alloy::eips::BlockId;
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log};
use alloy::transports::{RpcError, TransportErrorKind};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use refusal::{Refusal, suggested};
use span::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::future::IntoFuture;
use std::time::Duration;
use thiserror::Error;
use tokio::time::sleep;
use tracing::{debug, warn};

/// Times that a question is asked again when the node is busy or its answer unclear.
const RETRIES: u32 = 4;

/// Pause before the first of them; each further one is twice as long. Longer outages are for the caller to sit out.
const PAUSE: Duration = Duration::from_millis(50);

/// Requests for block times under way at once.
const AT_ONCE: usize = 8;

/// Why the next logs could not be read. What was read before them is not lost.
#[derive(Debug, Error)]
pub enum LogsError {
    /// The node did not answer, also when asked again.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A log makes no sense.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The node refuses even a single block, its receipts, and its logs kind by kind.
    #[error(
        "the logs of block {block} are too many to be had at once: {reason}; use another node, or raise its limits"
    )]
    BlockTooLarge {
        /// The block.
        block: u64,
        /// What the node says.
        reason: String,
    },
    /// A block that was there is not any more.
    #[error("block {0} is gone while its logs are read; try again, and if it lasts, use another node")]
    Gone(u64),
}

impl From<RpcError<TransportErrorKind>> for LogsError {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        Self::Call(error.into())
    }
}

/// The events of some blocks.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The last of the blocks.
    pub(crate) reached: Head,
    /// Their events in the order of the chain.
    pub(crate) events: Vec<LoggedEvent>,
}

/// Reads logs. It remembers how much the node is willing to answer.
#[derive(Debug)]
pub(crate) struct LogReader {
    client: Client,
    filter: Filter,
    span: Span,
}

impl LogReader {
    /// Reads what `filter` names, from at most `most` blocks at once.
    pub(crate) fn new(client: Client, filter: Filter, most: u64) -> Self {
        Self { client, filter, span: Span::new(most) }
    }

    /// The events of the blocks from `from` on, of as many as the node answers for at once and none after `last`.
    ///
    /// # Errors
    /// [`LogsError`]. The same call later tries the same blocks again.
    pub(crate) async fn next(&mut self, from: u64, last: u64) -> Result<Chunk, LogsError> {
        let (mut logs, to) = self.raw(from, last).await?;
        self.tell_times(&mut logs).await?;
        Ok(Chunk { reached: block(&self.client, to).await?, events: decoded(logs)? })
    }

    /// The logs as the node gives them, and the last block that they are of; otherwise as [`LogReader::next`].
    ///
    /// # Errors
    /// [`LogsError`]. The same call later tries the same blocks again.
    pub(crate) async fn raw(&mut self, from: u64, last: u64) -> Result<(Vec<Log>, u64), LogsError> {
        let mut failures = 0;
        loop {
            let to = self.span.end(from, last);
            let asked = to.saturating_sub(from).saturating_add(1);
            let filter = self.filter.clone().from_block(from).to_block(to);
            let error = match self.client.provider().get_logs(&filter).await {
                Ok(mut logs) => {
                    self.span.answered(asked, u64::try_from(logs.len()).unwrap_or(u64::MAX));
                    // What was not asked for is not there twice later.
                    logs.retain(|log| log.block_number.is_none_or(|block| (from..=to).contains(&block)));
                    return Ok((logs, to));
                }
                Err(error) => error,
            };
            let refusal = Refusal::of(&error);
            debug!(from, to, %error, ?refusal, "no logs");
            match refusal {
                Refusal::TooMuch if asked == 1 => {
                    let logs =
                        dense::of_block(&self.client, &filter, (from, BlockId::number(from)), &error).await?;
                    self.span.answered(asked, u64::try_from(logs.len()).unwrap_or(u64::MAX));
                    return Ok((logs, to));
                }
                Refusal::TooMuch | Refusal::Unclear if asked > 1 => {
                    self.span.refused(asked, suggested(&error, from));
                    continue;
                }
                // It may have had no time because of what was asked.
                _ => self.span.fewer(asked, None),
            }
            if failures >= RETRIES {
                return Err(error.into());
            }
            pause(failures, &error).await;
            failures = failures.saturating_add(1);
        }
    }

    /// Asks for the times of the blocks of `logs` where the node has left them out.
    async fn tell_times(&self, logs: &mut [Log]) -> Result<(), LogsError> {
        let untold = logs.iter().filter(|log| log.block_timestamp.is_none());
        let blocks: BTreeSet<u64> = untold.filter_map(|log| log.block_number).collect();
        let times: BTreeMap<u64, u64> = stream::iter(blocks)
            .map(|number| async move {
                Ok::<_, LogsError>((number, block(&self.client, number).await?.timestamp))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for log in logs.iter_mut().filter(|log| log.block_timestamp.is_none()) {
            log.block_timestamp = log.block_number.and_then(|number| times.get(&number).copied());
        }
        Ok(())
    }
}

async fn block(client: &Client, number: u64) -> Result<Head, LogsError> {
    let block = patiently(|| client.provider().get_block_by_number(number.into()).into_future()).await?;
    let header = block.ok_or(LogsError::Gone(number))?.header;
    Ok(Head { number: header.number, hash: header.hash, timestamp: header.timestamp })
}

/// Asks a few times, as long as the node is busy.
///
/// # Errors
/// What the node answered, or why it did not the last time.
pub(crate) async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, RpcError<TransportErrorKind>>
where
    F: Future<Output = Result<T, RpcError<TransportErrorKind>>>,
{
    let mut failures = 0;
    loop {
        match ask().await {
            Err(error) if failures < RETRIES && Refusal::of(&error) == Refusal::Busy => {
                pause(failures, &error).await;
                failures = failures.saturating_add(1);
            }
            answer => return answer,
        }
    }
}

async fn pause(failures: u32, error: &RpcError<TransportErrorKind>) {
    let pause = PAUSE.saturating_mul(1 << failures.min(RETRIES));
    warn!(%error, "no answer, asking again in {pause:?}");
    sleep(pause).await;
}

/// Decodes logs and puts them into the order of the chain, each once.
///
/// # Errors
/// [`EventError`] for the first that is none of the market's.
pub(crate) fn decoded(logs: Vec<Log>) -> Result<Vec<LoggedEvent>, EventError> {
    // Each log goes as its event comes.
    let mut events = logs.into_iter().map(|log| decode(&log)).collect::<Result<Vec<_>, _>>()?;
    events.sort_by_key(|event| event.origin);
    events.dedup_by_key(|event| event.origin);
    Ok(events)
}
