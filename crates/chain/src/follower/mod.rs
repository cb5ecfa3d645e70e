//! Keeps the histories of markets at the head of the chain, through reorganisations and from the chain alone.
//!
//! | module | what is in it |
//! |---|---|
//! | `timeline` | the histories, and what it takes to go back (pure) |
//! | `blocks` | reads blocks one by one, by their hashes, and checks their logs against them |
//! | `check` | compares what was read with the contract |
//!
//! Blocks that lie more than [`WINDOW`] behind the head are read in ranges, and each range is applied before the next
//! one is asked for. The others are read block by block and by the blocks' hashes, so that logs of one fork are never taken
//! for those of another. Each poll finds the newest block that the chain still has, goes back to the checkpoint before it
//! and reads on from there; only a reorganisation beyond the window reads everything anew. Whatever fails, the histories
//! stand at a block that was read whole, and the next poll goes on after it.

mod blocks;
mod check;
mod timeline;

use crate::events::EventError;
use crate::history::{HistoryError, MarketHistory, Retention};
use crate::logs::{LogReader, LogsError};
use crate::{CallError, Client, Head, Market, MarketError, MarketId};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::B256;
use alloy::rpc::types::Filter;
use alloy::transports::{RpcError, TransportErrorKind};
use futures_util::stream::TryStreamExt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use timeline::{Rules, State, Timeline};
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// How many blocks may be undone without reading everything anew.
pub const WINDOW: u64 = 96;

/// Blocks between two comparisons of what was read with the contract.
const CHECK_EVERY: u64 = 16;

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
    /// How much of the past to keep.
    pub retention: Retention,
}

impl FollowOptions {
    /// Follows `markets` from `from_block` on and keeps what is live.
    #[must_use]
    pub const fn new(markets: Markets, from_block: u64) -> Self {
        let (poll, retention) = (Duration::from_millis(400), Retention::Live);
        Self { markets, from_block, max_span: 5_000, poll, retention }
    }

    /// Keeps so much of the past.
    #[must_use]
    pub const fn keeping(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }
}

/// Why the head of the chain was not reached. What was read on the way there is not lost; trying again later may help.
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
    /// The node refuses the logs of a block.
    #[error(
        "the logs of block {block} are too many to be had at once: {reason}; use another node, or raise its limits"
    )]
    BlockTooLarge {
        /// The block.
        block: u64,
        /// What the node says.
        reason: String,
    },
    /// Events do not follow from each other even after reading all of them anew.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Endpoints have different blocks at the head.
    #[error(
        "endpoints have different blocks {number}; if it lasts, one of them is wrong: take it out of --rpc-url"
    )]
    Disputed {
        /// The block.
        number: u64,
    },
    /// The bids that were read are not those of the contract.
    #[error(
        "the {known} bids of round {round} that were read are not the {actual} of the contract; the node's logs lack some, reading everything anew"
    )]
    Incomplete {
        /// The round.
        round: market_types::RoundNumber,
        /// How many bids are known.
        known: u64,
        /// How many the contract has.
        actual: u64,
    },
    /// Blocks changed while they were read, again and again.
    #[error(
        "the chain changed while it was read, or the node gives no logs by block hash; if it lasts, try another node"
    )]
    Moving,
}

impl FollowError {
    /// Whether trying again later may help.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Market(error) => error.may_pass(),
            _ => true,
        }
    }
}

impl From<RpcError<TransportErrorKind>> for FollowError {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        Self::Call(error.into())
    }
}

impl From<LogsError> for FollowError {
    fn from(error: LogsError) -> Self {
        match error {
            LogsError::Call(error) => Self::Call(error),
            LogsError::Event(error) => Self::Event(error),
            LogsError::BlockTooLarge { block, reason } => Self::BlockTooLarge { block, reason },
            LogsError::Gone(_) => Self::Moving,
        }
    }
}

/// The head of the chain moved.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// The new head.
    pub head: Head,
    /// The first block that is not what it was, if any was undone.
    pub undone_from: Option<u64>,
    /// How many events were read to get there. Up to a few blocks that were not undone are read again in a reorganisation.
    pub events: u64,
}

/// What has happened since the last [`Change`] was told.
#[derive(Debug, Default)]
struct Untold {
    moved: bool,
    undone_from: Option<u64>,
    events: u64,
}

impl Untold {
    fn undone(&mut self, first: u64) {
        self.moved = true;
        self.undone_from = Some(self.undone_from.map_or(first, |known| known.min(first)));
    }

    fn read(&mut self, events: usize) {
        self.moved = true;
        self.events = self.events.saturating_add(u64::try_from(events).unwrap_or(u64::MAX));
    }
}

/// Follows markets. Everything it knows comes from the chain, so that it starts anew without any file.
#[derive(Debug)]
pub struct Follower {
    client: Client,
    options: FollowOptions,
    filter: Filter,
    reader: LogReader,
    /// The histories of markets that were named, before anything happened in them.
    origin: State,
    /// The block at which that was so.
    begin: Head,
    timeline: Timeline,
    /// From which block on to compare it with the contract again.
    check_at: u64,
    untold: Untold,
}

impl Follower {
    /// Reads everything up to the head of the chain, and over failures on the way that may pass.
    ///
    /// # Errors
    /// [`FollowError`]. Who wants to go on from where it stopped begins with [`Follower::at_origin`] instead.
    pub async fn start(client: Client, options: FollowOptions) -> Result<Self, FollowError> {
        /// Failures in a row without getting any further.
        const ATTEMPTS: u32 = 4;
        let poll = options.poll;
        let mut follower = Self::at_origin(client, options).await?;
        let (mut failed, mut reached) = (0_u32, follower.head());
        while let Err(error) = follower.poll().await {
            if follower.head() != reached {
                (failed, reached) = (0, follower.head());
            }
            failed = failed.saturating_add(1);
            if failed >= ATTEMPTS || !may_pass(&error) {
                return Err(error);
            }
            debug!(%error, block = reached.number, "reading on");
            sleep(poll).await;
        }
        follower.untold = Untold::default();
        Ok(follower)
    }

    /// Stands before the first block to read, in which nothing has happened: [`Follower::poll`] reads on from there, and after
    /// a failure from where it stopped.
    ///
    /// # Errors
    /// [`FollowError`] if the node does not answer, or has no market of those that were named.
    pub async fn at_origin(client: Client, options: FollowOptions) -> Result<Self, FollowError> {
        let mut origin = State::new();
        if let Markets::Only(ids) = &options.markets {
            for id in ids {
                origin.insert(*id, Arc::new(MarketHistory::new(Market::load(&client, *id).await?)));
            }
        }
        let begin = origin_of(&client, options.from_block).await?;
        let filter = filter_of(&client, &options.markets);
        let reader = LogReader::new(client.clone(), filter.clone(), options.max_span);
        let timeline = Timeline::new(rules_of(&options), origin.clone(), begin);
        let (check_at, untold) = (0, Untold::default());
        Ok(Self { client, options, filter, reader, origin, begin, timeline, check_at, untold })
    }

    /// The client it reads through.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The block that the histories stand at: the head of the chain, as far as it could be read.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.timeline.head()
    }

    /// The history of one market at [`Follower::head`].
    #[must_use]
    pub fn market(&self, id: MarketId) -> Option<&MarketHistory> {
        self.timeline.tip().get(&id).map(AsRef::as_ref)
    }

    /// All histories at [`Follower::head`].
    pub fn markets(&self) -> impl Iterator<Item = &MarketHistory> {
        self.timeline.tip().values().map(AsRef::as_ref)
    }

    /// Waits until the head of the chain moves. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`FollowError`]; the histories stand at the last block that was read whole, and the next call goes on from there.
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
    /// [`FollowError`]; the histories stand at the last block that was read whole, and the next call goes on from there.
    pub async fn poll(&mut self) -> Result<Option<Change>, FollowError> {
        let head = self.client.head().await?;
        // A block that was passed already is the answer of a node that lags behind.
        let behind = head != self.head() && self.timeline.known().any(|known| known.hash == head.hash);
        if behind {
            return Ok(None);
        }
        if head != self.head() {
            if !self.client.is_undisputed(head).await {
                return Err(FollowError::Disputed { number: head.number });
            }
            self.undo_what_is_gone().await?;
            match self.read_to(head).await {
                Err(FollowError::History(error)) => {
                    warn!(%error, "reading everything anew");
                    self.read_to(head).await?;
                }
                other => other?,
            }
            self.timeline.forget();
            self.check_if_due().await?;
        }
        let Untold { moved, undone_from, events } = std::mem::take(&mut self.untold);
        Ok(moved.then(|| Change { head: self.head(), undone_from, events }))
    }

    /// Compares what was read with the contract now and then. If logs are missing, everything is read anew.
    async fn check_if_due(&mut self) -> Result<(), FollowError> {
        let head = self.head();
        if head.number < self.check_at {
            return Ok(());
        }
        for history in self.timeline.tip().values() {
            if let Err(error) = check::compare(&self.client, history, head).await {
                warn!(%error, market = %history.id(), "logs are missing");
                self.begin_anew();
                self.untold.undone(self.options.from_block);
                return Err(error);
            }
        }
        self.check_at = head.number.saturating_add(CHECK_EVERY);
        Ok(())
    }

    /// Goes back before the first of the known blocks that the chain no longer has.
    async fn undo_what_is_gone(&mut self) -> Result<(), FollowError> {
        let mut undone = None;
        for known in self.timeline.known() {
            let now = self.client.block(BlockNumberOrTag::Number(known.number)).await?;
            if now.is_some_and(|now| now.hash == known.hash) {
                break;
            }
            undone = Some(known.number);
        }
        let Some(first) = undone else { return Ok(()) };
        if self.timeline.rewind(first) {
            info!(first, "the chain was reorganised");
        } else {
            warn!(first, "reorganised deeper than is remembered, reading everything anew");
            self.begin = origin_of(&self.client, self.options.from_block).await?;
            self.begin_anew();
        }
        self.untold.undone(first);
        Ok(())
    }

    /// Reads on up to `head`. What has been read stays, unless it proves to make no sense: then nothing does.
    async fn read_to(&mut self, head: Head) -> Result<(), FollowError> {
        let reading = async {
            self.read_ranges(head.number.saturating_sub(WINDOW)).await?;
            self.read_blocks(head.number).await
        };
        let result = reading.await;
        if let Err(FollowError::History(_)) = &result {
            // No await lies between the event that does not follow and this.
            self.begin_anew();
            self.untold.undone(self.options.from_block);
        }
        result
    }

    /// Reads the blocks up to `last`, many at once.
    async fn read_ranges(&mut self, last: u64) -> Result<(), FollowError> {
        while self.head().number < last {
            let chunk = self.reader.next(self.head().number.saturating_add(1), last).await?;
            self.timeline.jump(chunk.reached, &chunk.events)?;
            self.untold.read(chunk.events.len());
            debug!(block = chunk.reached.number, events = chunk.events.len(), "reading");
        }
        Ok(())
    }

    /// Reads the blocks up to `last` one by one.
    async fn read_blocks(&mut self, last: u64) -> Result<(), FollowError> {
        let first = self.head().number.saturating_add(1);
        let mut blocks = pin!(blocks::read(self.client.clone(), self.filter.clone(), first..=last));
        while let Some(block) = blocks.try_next().await? {
            self.timeline.link(&block)?;
            self.untold.read(block.events.len());
        }
        Ok(())
    }

    fn begin_anew(&mut self) {
        self.timeline = Timeline::new(rules_of(&self.options), self.origin.clone(), self.begin);
    }
}

fn rules_of(options: &FollowOptions) -> Rules {
    Rules { markets: options.markets.clone(), retention: options.retention }
}

/// The block before `first`, or the head of a chain that has not come so far.
async fn origin_of(client: &Client, first: u64) -> Result<Head, CallError> {
    match client.block(BlockNumberOrTag::Number(first.saturating_sub(1))).await? {
        Some(head) => Ok(head),
        None => client.head().await,
    }
}

fn filter_of(client: &Client, markets: &Markets) -> Filter {
    let filter = Filter::new().address(client.contract());
    match markets {
        Markets::All => filter,
        Markets::Only(ids) => filter.topic1(ids.iter().map(|id| id.get()).collect::<Vec<B256>>()),
    }
}

/// Whether asking again may help.
fn may_pass(error: &FollowError) -> bool {
    use FollowError::{Call, Disputed, Incomplete, Moving};
    matches!(error, Call(CallError::Rpc(_)) | Moving | Disputed { .. } | Incomplete { .. })
}
