//! How transactions are sent.

use super::fees::FeeLimits;
use super::journal::{Journal, MemoryJournal};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a receipt for so long, the transaction is sent again with a higher fee.
    pub bump_after: Duration,
    /// Without a receipt for so long, it counts as not mined.
    pub give_up_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { bump_after: Duration::from_secs(45), give_up_after: Duration::from_secs(300) }
    }
}

/// How a key's transactions are sent, and where they are written down.
#[derive(Clone)]
pub struct TransactionOptions {
    /// What none of them pays more than.
    pub fees: FeeLimits,
    /// The endpoint that signed transactions are handed to, `http` or `https`; without one, those that are read from.
    pub private_url: Option<String>,
    /// Where they are written down before that.
    pub journal: Arc<dyn Journal>,
    /// For how many blocks after its own a transaction is watched: if a reorganisation undoes it, it is sent again. 0: not at all.
    pub watch: u64,
    /// Whether to forget what is written down and go by the chain alone. What is on its way then goes on by itself, without a higher
    /// fee.
    pub rebuild: bool,
}

impl Default for TransactionOptions {
    /// The default limits, no private endpoint, a journal in memory, and no watch.
    fn default() -> Self {
        let journal = Arc::new(MemoryJournal::default());
        Self { fees: FeeLimits::default(), private_url: None, journal, watch: 0, rebuild: false }
    }
}

impl TransactionOptions {
    /// Blocks that services watch their transactions for: as many as a [`Follower`](crate::Follower) can go back.
    pub const WATCH: u64 = crate::follower::WINDOW;
}

impl fmt::Debug for TransactionOptions {
    /// Leaves out the URL, which often holds a key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransactionOptions")
            .field("fees", &self.fees)
            .field("private", &self.private_url.is_some())
            .field("journal", &self.journal)
            .field("watch", &self.watch)
            .field("rebuild", &self.rebuild)
            .finish()
    }
}

/// What the effect of a call is worth, for who knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worth {
    /// Only before this block time (seconds since the epoch): then it is cancelled.
    pub until: Option<u64>,
    /// Most that it may pay (wei per gas), if that is less than the key's limits allow.
    pub max_fee_per_gas: Option<u128>,
}

impl Worth {
    /// Of use before `time` only (block time, seconds since the epoch).
    #[must_use]
    pub const fn until(time: u64) -> Self {
        Self { until: Some(time), max_fee_per_gas: None }
    }
}
