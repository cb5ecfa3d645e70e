//! The contract's events as they come in, and waiting for them.

use crate::failure::{Code, Failure, OrFail, Outcome};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use chain::events::{Event, LoggedEvent, decode};
use chain::{Client, Market, MarketHistory};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(120);

/// All events of one market on a chain that never reorganises, and the history that follows from them.
#[derive(Debug)]
pub(crate) struct Journal {
    client: Client,
    next_block: u64,
    events: Vec<LoggedEvent>,
    history: MarketHistory,
}

impl Journal {
    /// An empty journal that reads from the first block on.
    pub(crate) fn new(client: Client, market: Market) -> Self {
        Self { client, next_block: 0, events: Vec::new(), history: MarketHistory::new(market) }
    }

    /// Every event so far, in the order of the chain.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|logged| &logged.event)
    }

    /// Events from number `first` on, each with its place.
    pub(crate) fn since(&self, first: usize) -> &[LoggedEvent] {
        self.events.get(first..).unwrap_or_default()
    }

    /// What follows from the events so far.
    pub(crate) const fn history(&self) -> &MarketHistory {
        &self.history
    }

    /// Reads the blocks that are new.
    pub(crate) async fn refresh(&mut self) -> Outcome<()> {
        let newest = self.client.head().await.or_fail(Code::Connection)?.number;
        if newest < self.next_block {
            return Ok(());
        }
        let filter =
            Filter::new().address(self.client.contract()).from_block(self.next_block).to_block(newest);
        for mut log in self.client.provider().get_logs(&filter).await.or_fail(Code::Connection)? {
            if log.block_timestamp.is_none() {
                log.block_timestamp = self.time_of(log.block_number).await?;
            }
            let logged = decode(&log).or_fail(Code::Failed)?;
            self.history.apply(&logged).or_fail(Code::Failed)?;
            self.events.push(logged);
        }
        self.next_block = newest + 1;
        Ok(())
    }

    /// Time of a block, for nodes that leave it out of their logs.
    async fn time_of(&self, block: Option<u64>) -> Outcome<Option<u64>> {
        let Some(number) = block else { return Ok(None) };
        let found = self.client.provider().get_block_by_number(number.into()).await;
        Ok(found.or_fail(Code::Connection)?.map(|block| block.header.timestamp))
    }

    /// Waits until `look` finds something, which it does with every event read so far. `look` may fail to end the wait.
    pub(crate) async fn wait<T>(
        &mut self,
        what: &str,
        patience: Duration,
        mut look: impl FnMut(&Self) -> Outcome<Option<T>>,
    ) -> Outcome<T> {
        let began = Instant::now();
        loop {
            self.refresh().await?;
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if began.elapsed() > patience {
                return Err(Failure::new(
                    Code::Failed,
                    eyre::eyre!("waited {patience:?} in vain for {what}"),
                ));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the newest block is at `time` (seconds since the epoch) or later.
    pub(crate) async fn until(&self, time: u64) -> Outcome<()> {
        while self.client.now().await.or_fail(Code::Connection)? < time {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}
