//! Keeps the histories of markets at the head of the chain, through reorganisations and from the chain alone.
//!
//! The last [`WINDOW`] blocks are kept with their events. Each poll finds the newest of them that the chain still has,
//! drops what came after it and reads what the chain has instead, block by block and by the blocks' hashes, so that logs
//! of one fork are never taken for those of another. Blocks older than that are merged into a base that only a deeper
//! reorganisation, which reads everything anew, can change.

use crate::events::{Event, EventError, LoggedEvent, decode};
use crate::history::{HistoryError, MarketHistory};
use crate::{CallError, Client, Head, Market, MarketError, MarketId};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::B256;
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log};
use alloy::transports::{RpcError, TransportErrorKind};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use thiserror::Error;
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// How many blocks may be undone without reading everything anew.
pub const WINDOW: u64 = 96;

/// Requests under way at once while reading block by block.
const AT_ONCE: usize = 8;

/// Which markets to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Markets {
    /// Every market of the contract, also those created later.
    All,
    /// These.
    Only(Vec<MarketId>),
}

/// What to follow, and how to ask for it.
#[derive(Debug, Clone)]
pub struct FollowOptions {
    /// Which markets.
    pub markets: Markets,
    /// First block to read: that of the contract's deployment or any before it.
    pub from_block: u64,
    /// Most blocks to ask for in one request for logs, at least 1.
    pub max_span: u64,
    /// How long to wait before asking for a new block again.
    pub poll: Duration,
}

impl FollowOptions {
    /// Follows `markets` from `from_block` on.
    #[must_use]
    pub const fn new(markets: Markets, from_block: u64) -> Self {
        Self { markets, from_block, max_span: 5_000, poll: Duration::from_millis(400) }
    }
}

/// Why the head of the chain was not reached. The state is that of before; trying again later may help.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The node did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A market that was named cannot be loaded.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// A log makes no sense.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Events do not follow from each other even after reading all of them anew.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Blocks changed while they were read, again and again.
    #[error(
        "the chain changed while it was read, or the node gives no logs by block hash; if it lasts, try another node"
    )]
    Moving,
}

impl From<RpcError<TransportErrorKind>> for FollowError {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        Self::Call(error.into())
    }
}

/// The head of the chain moved.
#[derive(Debug, Clone)]
pub struct Change {
    /// The new head.
    pub head: Head,
    /// The first block that is not what it was, if any was undone.
    pub undone_from: Option<u64>,
    /// The events of the new blocks, in order.
    pub events: Vec<LoggedEvent>,
}

/// Histories by market.
type State = BTreeMap<MarketId, MarketHistory>;

#[derive(Debug, Clone)]
struct Block {
    head: Head,
    events: Vec<LoggedEvent>,
}

/// What has been read: everything up to `base_head` in `base`, then `recent`, and both together in `tip`.
#[derive(Debug, Clone)]
struct Read {
    base: State,
    base_head: Option<Head>,
    recent: VecDeque<Block>,
    tip: State,
}

impl Read {
    fn head(&self) -> Option<Head> {
        self.recent.back().map(|block| block.head).or(self.base_head)
    }
}

/// Follows markets. Everything it knows comes from the chain, so that it starts anew without any file.
#[derive(Debug)]
pub struct Follower {
    client: Client,
    options: FollowOptions,
    /// The histories of markets that were named, before anything happened in them.
    origin: State,
    read: Read,
    head: Head,
}

impl Follower {
    /// Reads everything up to the head of the chain.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn start(client: Client, options: FollowOptions) -> Result<Self, FollowError> {
        let mut origin = State::new();
        if let Markets::Only(ids) = &options.markets {
            for id in ids {
                origin.insert(*id, MarketHistory::new(Market::load(&client, *id).await?));
            }
        }
        let head = client.head().await?;
        let read = empty(&origin);
        let mut follower = Self { client, options, origin, read, head };
        let (read, _) = follower.extended(empty(&follower.origin), head).await?;
        follower.head = read.head().unwrap_or(head);
        follower.read = read;
        Ok(follower)
    }

    /// The client it reads through.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The head that the histories stand at.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The history of one market at [`Follower::head`].
    #[must_use]
    pub fn market(&self, id: MarketId) -> Option<&MarketHistory> {
        self.read.tip.get(&id)
    }

    /// All histories at [`Follower::head`].
    pub fn markets(&self) -> impl Iterator<Item = &MarketHistory> {
        self.read.tip.values()
    }

    /// Waits until the head of the chain moves. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`FollowError`]; the histories stay where they were and the next call tries again.
    pub async fn next_change(&mut self) -> Result<Change, FollowError> {
        /// A reorganisation is read in one or two attempts; what lasts longer is worth a word to the operator.
        const ATTEMPTS: u32 = 8;
        let mut moved: u32 = 0;
        loop {
            match self.poll().await {
                Ok(Some(change)) => return Ok(change),
                Ok(None) => moved = 0,
                Err(FollowError::Moving) if moved < ATTEMPTS => moved = moved.saturating_add(1),
                Err(error) => return Err(error),
            }
            sleep(self.options.poll).await;
        }
    }

    /// Moves to the head of the chain now; `None` if it has not moved.
    ///
    /// # Errors
    /// [`FollowError`]; the histories stay where they were.
    pub async fn poll(&mut self) -> Result<Option<Change>, FollowError> {
        let head = self.client.head().await?;
        if head == self.head || self.is_behind(head) {
            return Ok(None);
        }
        let undone_from = self.first_undone().await?;
        let kept = match undone_from {
            None => self.read.clone(),
            Some(block) => self.without(block)?,
        };
        let (read, events) = match self.extended(kept, head).await {
            Err(FollowError::History(error)) => {
                warn!(%error, "reading everything anew");
                self.extended(empty(&self.origin), head).await?
            }
            other => other?,
        };
        if let Some(block) = undone_from {
            info!(block, head = head.number, "the chain was reorganised");
        }
        // Nothing was changed before here, so that a dropped future leaves a whole state.
        self.head = read.head().unwrap_or(head);
        self.read = read;
        Ok(Some(Change { head: self.head, undone_from, events }))
    }

    /// Whether `head` is a block that was passed already: an answer of a node that lags behind.
    fn is_behind(&self, head: Head) -> bool {
        self.read.recent.iter().any(|block| block.head.hash == head.hash)
    }

    /// The first of the known blocks that the chain no longer has.
    async fn first_undone(&self) -> Result<Option<u64>, FollowError> {
        let mut undone = None;
        let known = self.read.recent.iter().map(|block| block.head).rev().chain(self.read.base_head);
        for block in known {
            let now = self.client.block(BlockNumberOrTag::Number(block.number)).await?;
            if now.is_some_and(|now| now.hash == block.hash) {
                return Ok(undone);
            }
            undone = Some(block.number);
        }
        Ok(undone)
    }

    /// What remains when the blocks from `first` on are undone.
    fn without(&self, first: u64) -> Result<Read, FollowError> {
        if self.read.base_head.is_some_and(|base| base.number >= first) {
            warn!(first, "reorganised deeper than is remembered, reading everything anew");
            return Ok(empty(&self.origin));
        }
        let mut kept = self.read.clone();
        kept.recent.retain(|block| block.head.number < first);
        kept.tip = kept.base.clone();
        for block in &kept.recent {
            apply(&mut kept.tip, &block.events, &self.options.markets)?;
        }
        Ok(kept)
    }

    /// Reads on from what is known up to `head`.
    async fn extended(&self, mut read: Read, head: Head) -> Result<(Read, Vec<LoggedEvent>), FollowError> {
        let mut events = Vec::new();
        let mut next = read.head().map_or(self.options.from_block, |last| last.number.saturating_add(1));
        let settled = head.number.saturating_sub(WINDOW);
        if next < settled {
            // So far behind that all that is known lies before the window.
            let old = decoded(&self.logs(next, settled).await?)?;
            read.base = read.tip;
            apply(&mut read.base, &old, &self.options.markets)?;
            read.base_head = self.client.block(BlockNumberOrTag::Number(settled)).await?;
            read.recent.clear();
            read.tip = read.base.clone();
            events.extend(old);
            next = settled.saturating_add(1);
        }
        for block in self.blocks(next, head).await? {
            if read.head().is_some_and(|last| last.hash != block.parent) {
                return Err(FollowError::Moving);
            }
            apply(&mut read.tip, &block.block.events, &self.options.markets)?;
            events.extend(block.block.events.iter().cloned());
            read.recent.push_back(block.block);
        }
        while u64::try_from(read.recent.len()).is_ok_and(|length| length > WINDOW) {
            let Some(oldest) = read.recent.pop_front() else { break };
            apply(&mut read.base, &oldest.events, &self.options.markets)?;
            read.base_head = Some(oldest.head);
        }
        Ok((read, events))
    }

    /// The blocks from `first` to `head`, each with its events.
    async fn blocks(&self, first: u64, head: Head) -> Result<Vec<Linked>, FollowError> {
        stream::iter(first..=head.number)
            .map(|number| self.linked(number))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn linked(&self, number: u64) -> Result<Linked, FollowError> {
        let provider = self.client.provider();
        let header = provider.get_block_by_number(number.into()).await?.ok_or(FollowError::Moving)?.header;
        let head = Head { number: header.number, hash: header.hash, timestamp: header.timestamp };
        let filter = self.filter().at_block_hash(head.hash);
        let mut logs = match provider.get_logs(&filter).await {
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
        let events = decoded(&logs)?;
        Ok(Linked { parent: header.parent_hash, block: Block { head, events } })
    }

    /// Logs of a range of old blocks, in spans that the node is willing to answer for.
    async fn logs(&self, first: u64, last: u64) -> Result<Vec<Log>, FollowError> {
        let mut logs = Vec::new();
        let mut span = self.options.max_span.max(1);
        let mut from = first;
        while from <= last {
            let to = from.saturating_add(span.saturating_sub(1)).min(last);
            let filter = self.filter().from_block(from).to_block(to);
            match self.client.provider().get_logs(&filter).await {
                Ok(found) => {
                    logs.extend(found);
                    from = to.saturating_add(1);
                    span = span.saturating_mul(2).min(self.options.max_span.max(1));
                }
                Err(RpcError::ErrorResp(error)) if span > 1 => {
                    debug!(from, to, %error, "asking for fewer blocks");
                    span = span.div_ceil(2);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.tell_times(&mut logs).await?;
        Ok(logs)
    }

    /// Asks for the times of the blocks of `logs` where the node has left them out.
    async fn tell_times(&self, logs: &mut [Log]) -> Result<(), FollowError> {
        let untold = logs.iter().filter(|log| log.block_timestamp.is_none());
        let blocks: BTreeSet<u64> = untold.filter_map(|log| log.block_number).collect();
        let times: BTreeMap<u64, u64> = stream::iter(blocks)
            .map(|number| async move {
                let block = self.client.block(BlockNumberOrTag::Number(number)).await?;
                Ok::<_, FollowError>((number, block.ok_or(FollowError::Moving)?.timestamp))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for log in logs.iter_mut().filter(|log| log.block_timestamp.is_none()) {
            log.block_timestamp = log.block_number.and_then(|number| times.get(&number).copied());
        }
        Ok(())
    }

    fn filter(&self) -> Filter {
        let filter = Filter::new().address(self.client.contract());
        match &self.options.markets {
            Markets::All => filter,
            Markets::Only(ids) => filter.topic1(ids.iter().map(|id| id.get()).collect::<Vec<B256>>()),
        }
    }
}

struct Linked {
    parent: B256,
    block: Block,
}

fn empty(origin: &State) -> Read {
    Read { base: origin.clone(), base_head: None, recent: VecDeque::new(), tip: origin.clone() }
}

fn decoded(logs: &[Log]) -> Result<Vec<LoggedEvent>, EventError> {
    let mut events = logs.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    events.sort_by_key(|event| event.origin);
    events.dedup_by_key(|event| event.origin);
    Ok(events)
}

fn apply(state: &mut State, events: &[LoggedEvent], markets: &Markets) -> Result<(), HistoryError> {
    for logged in events {
        if let (Markets::All, Event::MarketCreated(event)) = (markets, &logged.event) {
            match Market::from_abi(logged.market, &event.params) {
                Ok(market) => {
                    state.insert(logged.market, MarketHistory::new(market));
                }
                // A mechanism of a later version of the contract, perhaps. Other markets are none the worse for it.
                Err(error) => warn!(%error, "leaving a market out"),
            }
        } else if let Some(history) = state.get_mut(&logged.market) {
            history.apply(logged)?;
        }
    }
    Ok(())
}
