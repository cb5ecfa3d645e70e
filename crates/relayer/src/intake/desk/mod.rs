//! The service: reads what was included, asks the plan what to do, and does it. It decides nothing itself.
//!
//! | module | what is in it |
//! |---|---|
//! | `ended` | what a transaction that has ended means for its bids |
//! | this one | the loop |

mod ended;

use crate::intake::options::REMEMBERED;
use crate::intake::plan::{Action, BatchLimits, Group, Queue, Time, plan};
use crate::intake::post::{Posted, Refused, post};
use crate::intake::store::StoreError;
use crate::intake::{Shared, stopped};
use crate::watch;
use alloy::primitives::B256;
use alloy::sol_types::SolError;
use bindings::ProverMarket::BidInRoundAlready;
use chain::follower::WINDOW;
use chain::inclusion::InclusionReader;
use chain::{Change, FollowError};
use intake_api::Parcel;
use service::{BID_REFUSED, BIDS_CUT_OFF, BIDS_MISSED, Backoff, CANNOT_CATCH_UP, INTAKE_STUCK, trouble};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info};

/// Transactions on their way at once.
const AT_ONCE: usize = 8;
/// How often the plan is asked when nothing happens: the close comes nearer by itself.
const TICK: Duration = Duration::from_secs(1);
/// Blocks between two times that old bids are forgotten.
const FORGET_EVERY: u64 = 32;

/// Why the desk could not go on for now.
#[derive(Debug, Error)]
enum DeskError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Chain(#[from] FollowError),
}

/// Until when a bid is not posted again.
#[derive(Debug, Clone, Copy)]
enum Rest {
    /// It is under way.
    Running,
    /// What came of it shows once this block was read.
    UntilRead(u64),
    /// It failed.
    Until(Instant),
}

/// The posting half of the intake.
#[derive(Debug)]
pub(crate) struct Desk {
    shared: Arc<Shared>,
    changes: mpsc::UnboundedReceiver<Change>,
    reader: InclusionReader,
    /// The last block whose inclusions are noted.
    read: u64,
    /// The first block that was undone and not gone back before yet.
    undone: Option<u64>,
    forgotten_at: u64,
    rests: BTreeMap<B256, Rest>,
    backoffs: BTreeMap<Group, Backoff>,
    /// Refusals that count unless the bid turns out to be included, known once their block was read.
    refused: Vec<(u64, Refused)>,
    running: JoinSet<Posted>,
    under_way: BTreeMap<Group, usize>,
    /// Most bids of a transaction: fewer than set once one has proved too large.
    bids: usize,
}

impl Desk {
    /// A desk that has read nothing of the bids in the database yet.
    pub(crate) async fn new(
        shared: Arc<Shared>,
        changes: mpsc::UnboundedReceiver<Change>,
    ) -> Result<Self, StoreError> {
        let head = shared.seen.borrow().head.number;
        // What was undone while nobody looked is found out by reading it again.
        shared.store.undo(head.saturating_sub(WINDOW)).await?;
        let first = shared.store.first_block().await?;
        let read = first.map_or(head, |first| first.saturating_sub(WINDOW).min(head));
        let reader = InclusionReader::new(shared.client.clone(), shared.options.max_span);
        let bids = shared.options.post_at.get();
        Ok(Self {
            shared,
            changes,
            reader,
            read,
            undone: None,
            forgotten_at: 0,
            rests: BTreeMap::new(),
            backoffs: BTreeMap::new(),
            refused: Vec::new(),
            running: JoinSet::new(),
            under_way: BTreeMap::new(),
            bids,
        })
    }

    /// Reads what has become of old bids, as far as the node answers.
    pub(crate) async fn catch_up(&mut self) {
        if let Err(error) = self.look().await {
            trouble!(warn, CANNOT_CATCH_UP, %error, "cannot read yet what has become of signed bids");
        }
    }

    /// Works until `stop` turns true.
    pub(crate) async fn run(mut self, mut stop: Receiver<bool>) {
        let shared = Arc::clone(&self.shared);
        let mut backoff = Backoff::default();
        loop {
            let pause = match self.step().await {
                Ok(()) => {
                    backoff.reset();
                    TICK
                }
                Err(error) => {
                    let delay = backoff.delay();
                    trouble!(warn, INTAKE_STUCK, %error, "the intake cannot go on, trying again in {delay:?}");
                    delay
                }
            };
            tokio::select! {
                () = stopped(&mut stop) => break,
                change = self.changes.recv() => match change {
                    Some(change) => self.take(change),
                    // The relay has ended, and a stop is on its way.
                    None => sleep(pause).await,
                },
                Some(ended) = self.running.join_next() => self.finish_joined(ended).await,
                () = shared.wake.notified() => {}
                () = sleep(pause) => {}
            }
        }
        if timeout(shared.options.last_wait, self.finish_running()).await.is_err() {
            trouble!(
                warn,
                BIDS_CUT_OFF,
                "signed bids are still on their way; the next start sees what came of them"
            );
        }
    }

    async fn step(&mut self) -> Result<(), DeskError> {
        self.undo().await?;
        self.look().await?;
        self.act().await?;
        self.forget().await
    }

    /// Remembers what a change has undone.
    fn take(&mut self, change: Change) {
        let Some(first) = change.undone_from else { return };
        self.undone = Some(self.undone.map_or(first, |known| known.min(first)));
    }

    /// Goes back before what was undone.
    async fn undo(&mut self) -> Result<(), StoreError> {
        while let Ok(change) = self.changes.try_recv() {
            self.take(change);
        }
        let Some(first) = self.undone else { return Ok(()) };
        let bids = self.shared.store.undo(first).await?;
        if bids > 0 {
            info!(bids, first, "blocks with signed bids were undone, their bids are queued again");
        }
        self.read = self.read.min(first.saturating_sub(1));
        self.refused.retain(|(block, _)| *block < first);
        self.rests.retain(|_, rest| !matches!(rest, Rest::UntilRead(block) if *block >= first));
        self.undone = None;
        Ok(())
    }

    /// Notes what was included up to the head, and what was refused.
    async fn look(&mut self) -> Result<(), DeskError> {
        let head = self.shared.seen.borrow().head.number;
        while self.read < head {
            let (inclusions, reached) = self.reader.next(self.read.saturating_add(1), head).await?;
            let included = self.shared.store.include(&inclusions).await?;
            for id in &included {
                self.rests.remove(id);
                debug!(bid = %id, "included");
            }
            if !included.is_empty() {
                watch::intake("included", included.len());
                info!(bids = included.len(), block = reached, "signed bids are in their round");
            }
            self.read = reached;
        }
        self.note_refusals().await?;
        let read = self.read;
        self.rests.retain(|_, rest| match rest {
            Rest::Running => true,
            Rest::UntilRead(block) => *block > read,
            Rest::Until(time) => Instant::now() < *time,
        });
        Ok(())
    }

    /// Notes what was refused, as far as it is known not to be included.
    async fn note_refusals(&mut self) -> Result<(), DeskError> {
        let read = self.read;
        let known = |(block, _): &&(u64, Refused)| *block <= read;
        if self.refused.iter().filter(known).any(|(_, refused)| refused.reason == BidInRoundAlready::SELECTOR)
        {
            self.read_again().await?;
        }
        for (block, refused) in self.refused.iter().filter(|(block, _)| *block <= read) {
            let Refused { id, reason, transaction } = *refused;
            self.shared.store.refuse(id, reason, *block, transaction).await?;
            let reason = chain::Revert::of_selector(reason);
            watch::intake("refused", 1);
            trouble!(warn, BID_REFUSED, bid = %id, reason = reason.name(), "the contract refused a signed bid");
        }
        self.refused.retain(|(block, _)| *block > read);
        Ok(())
    }

    /// Notes once more what was included while something waited. A node may answer with fewer logs than there are if it has only just
    /// heard of the newest block, and no requester is to be told that a bid has failed that stands in its round.
    async fn read_again(&mut self) -> Result<(), DeskError> {
        let Some(first) = self.shared.store.first_block().await? else { return Ok(()) };
        let mut from = first;
        while from <= self.read {
            let (inclusions, reached) = self.reader.next(from, self.read).await?;
            self.shared.store.include(&inclusions).await?;
            from = reached.saturating_add(1);
        }
        Ok(())
    }

    async fn act(&mut self) -> Result<(), DeskError> {
        let waiting = self.shared.store.waiting().await?;
        watch::queued(waiting.len());
        let (time, head) = {
            let seen = self.shared.seen.borrow();
            (Time { block: seen.head.timestamp, next: seen.now() }, seen.head.number)
        };
        // What became of a bid is known only up to here.
        if self.read < head || waiting.is_empty() {
            return Ok(());
        }
        let resting: BTreeSet<B256> = self.rests.keys().copied().collect();
        let under_way: BTreeSet<Group> = self.under_way.keys().copied().collect();
        let limits = BatchLimits::new(self.bids);
        let queue = Queue { waiting: &waiting, resting: &resting, under_way: &under_way, limits };
        for action in plan(&queue, &self.shared.options, time) {
            match action {
                Action::Miss { bids } => {
                    self.read_again().await?;
                    self.shared.store.miss(&bids, head).await?;
                    watch::intake("missed", bids.len());
                    trouble!(warn, BIDS_MISSED, bids = bids.len(), "signed bids have missed their round");
                }
                Action::Post { group, bids } if self.running.len() < AT_ONCE => {
                    self.start(group, bids).await?;
                }
                Action::Post { .. } => {}
            }
        }
        self.backoffs.retain(|group, _| waiting.iter().any(|bid| bid.group == *group));
        Ok(())
    }

    async fn start(&mut self, group: Group, bids: Vec<B256>) -> Result<(), DeskError> {
        let market = self.shared.seen.borrow().markets.get(&group.market).map(|open| open.market.clone());
        // A market that is not served any more; its bids miss their round.
        let Some(market) = market else { return Ok(()) };
        let mut parcels = Vec::with_capacity(bids.len());
        for (id, submission) in self.shared.store.submissions(&bids).await? {
            // It was checked before it was accepted.
            if let Ok(parcel) = Parcel::try_from(&submission) {
                parcels.push((id, parcel));
            }
        }
        debug!(market = %group.market, round = %group.round, bids = parcels.len(), "posting signed bids");
        self.rests.extend(parcels.iter().map(|(id, _)| (*id, Rest::Running)));
        *self.under_way.entry(group).or_default() += 1;
        let client = self.shared.client.clone();
        self.running.spawn(post(client, market, group, parcels));
        Ok(())
    }

    /// Lets go of what nobody asks for any more.
    async fn forget(&mut self) -> Result<(), DeskError> {
        let head = self.shared.seen.borrow().head;
        if head.number < self.forgotten_at.saturating_add(FORGET_EVERY) {
            return Ok(());
        }
        self.forgotten_at = head.number;
        let (closed_before, settled) =
            (head.timestamp.saturating_sub(REMEMBERED), head.number.saturating_sub(WINDOW));
        Ok(self.shared.store.forget(closed_before, settled).await?)
    }
}
