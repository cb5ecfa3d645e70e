//! What the relayer tells the intake of the chain.

use chain::{Change, Follower, Head, Market, MarketId, Terms};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// The chain as it was last read.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The newest block.
    pub head: Head,
    /// When it was read.
    pub at: Instant,
    /// The markets that are served.
    pub markets: Arc<BTreeMap<MarketId, Open>>,
}

/// A market with the terms of its open round.
#[derive(Debug, Clone)]
pub struct Open {
    /// The market.
    pub market: Market,
    /// The terms of the round that is open at the head.
    pub terms: Terms,
}

impl Seen {
    fn of(follower: &Follower) -> Self {
        let head = follower.head();
        let open = |history: &chain::MarketHistory| {
            let round = history.id().round_at(head.timestamp).unwrap_or(market_types::RoundNumber::MIN);
            (history.id(), Open { market: history.market().clone(), terms: history.terms_at(round) })
        };
        Self { head, at: Instant::now(), markets: Arc::new(follower.markets().map(open).collect()) }
    }

    /// About what time it is by the chain's clock (seconds since the epoch): that of the newest block, and what has passed since it was
    /// read. The next block is hardly older.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.head.timestamp.saturating_add(self.at.elapsed().as_secs())
    }
}

/// Where the relay tells what it has read.
#[derive(Debug)]
pub struct Feed {
    seen: watch::Sender<Seen>,
    changes: mpsc::UnboundedSender<Change>,
}

impl Feed {
    pub(crate) fn new(follower: &Follower) -> (Self, watch::Receiver<Seen>, mpsc::UnboundedReceiver<Change>) {
        let (seen, receiver) = watch::channel(Seen::of(follower));
        let (changes, changed) = mpsc::unbounded_channel();
        (Self { seen, changes }, receiver, changed)
    }

    /// Tells that the head has moved.
    pub fn tell(&self, follower: &Follower, change: Change) {
        self.seen.send_replace(Seen::of(follower));
        // An intake that has stopped needs to know nothing.
        let _ = self.changes.send(change);
    }
}
