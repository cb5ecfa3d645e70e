//! The service: reads what was included, asks the plan what to do, and does it. It decides nothing itself.
//!
//! | module | what is in it |
//! |---|---|
//! | `ended` | what a transaction that has ended means for its bids |
//! | `sizes` | how many bids a transaction may hold in each market |
//! | this one | the loop |

mod ended;
mod sizes;

use crate::intake::options::REMEMBERED;
use crate::intake::plan::{Action, BatchLimits, Queue, Time, plan};
use crate::intake::post::{Posted, Refused, post};
use crate::intake::{Shared, stopped};
use crate::watch;
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolError;
use bindings::ProverMarket::{BidInRoundAlready, WrongSignature};
use chain::follower::WINDOW;
use chain::inclusion::{Inclusion, InclusionReader};
use chain::{Change, FollowError};
use intake_api::{Parcel, Signer};
use service::{BID_REFUSED, BIDS_CUT_OFF, BIDS_MISSED, Backoff, CANNOT_CATCH_UP, INTAKE_STUCK, trouble};
use sizes::Sizes;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use store::bids::{BidsError, Group};
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
    Bids(#[from] BidsError),
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
    /// The account that posts: what it holds no other relayer posts.
    holder: Address,
    changes: mpsc::UnboundedReceiver<Change>,
    reader: InclusionReader,
    /// The last block whose inclusions are noted.
    read: u64,
    /// The first block that was undone and not gone back before yet.
    undone: Option<u64>,
    /// Blocks to read again. What was decided in them counts until then.
    again: Option<RangeInclusive<u64>>,
    forgotten_at: u64,
    rests: BTreeMap<B256, Rest>,
    backoffs: BTreeMap<Group, Backoff>,
    /// Refusals that count unless the bid turns out to be included, known once their block was read.
    refused: Vec<(u64, Refused)>,
    running: JoinSet<Posted>,
    under_way: BTreeMap<Group, usize>,
    sizes: Sizes,
}

impl Desk {
    /// A desk that has read nothing of the bids in the database yet, whoever of those that share it has.
    pub(crate) async fn new(
        shared: Arc<Shared>,
        changes: mpsc::UnboundedReceiver<Change>,
    ) -> Result<Self, BidsError> {
        let head = shared.seen.borrow().head.number;
        // What was undone while nobody looked is found out by reading it again.
        let decided = shared.bids.last_block().await?;
        let again = decided.map(|last| last.min(head).saturating_sub(WINDOW)..=last);
        let waits = shared.bids.first_block().await?.map(|first| first.saturating_sub(WINDOW));
        let firsts = [again.as_ref().map(|again| before(*again.start())), waits];
        let read = firsts.into_iter().flatten().fold(head, u64::min);
        let holder = shared.client.sender().unwrap_or_default();
        let reader = InclusionReader::new(shared.client.clone(), shared.options.max_span);
        let sizes = Sizes::new(shared.options.post_at.get());
        Ok(Self {
            shared,
            holder,
            changes,
            reader,
            read,
            undone: None,
            again,
            forgotten_at: 0,
            rests: BTreeMap::new(),
            backoffs: BTreeMap::new(),
            refused: Vec::new(),
            running: JoinSet::new(),
            under_way: BTreeMap::new(),
            sizes,
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
        self.hold_on().await?;
        self.go_back().await?;
        self.look().await?;
        self.act().await?;
        self.forget().await
    }

    /// Remembers what a change has undone.
    fn take(&mut self, change: Change) {
        let Some(first) = change.undone_from else { return };
        self.undone = Some(self.undone.map_or(first, |known| known.min(first)));
    }

    /// Keeps what is on its way from other relayers.
    async fn hold_on(&self) -> Result<(), BidsError> {
        let now = self.shared.seen.borrow().now();
        for group in self.under_way.keys() {
            let until = now.saturating_add(self.shared.options.hours(group.market, group.round).held());
            self.shared.bids.hold_on(self.holder, *group, until).await?;
        }
        Ok(())
    }

    /// Goes back before what was undone, to read it again.
    async fn go_back(&mut self) -> Result<(), BidsError> {
        while let Ok(change) = self.changes.try_recv() {
            self.take(change);
        }
        let Some(first) = self.undone else { return Ok(()) };
        let head = self.shared.seen.borrow().head.number;
        if self.read > head {
            // The chain has become shorter.
            self.shared.bids.redo(head.saturating_add(1)..=u64::MAX, &[]).await?;
        }
        let (from, to) = self.again.take().map_or((first, self.read), RangeInclusive::into_inner);
        self.again = Some(from.min(first)..=to.max(self.read));
        self.read = self.read.min(before(first));
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
            let included = self.note(&inclusions, reached).await?;
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

    /// Notes what was included up to block `reached`, in place of what was decided in blocks that are read again.
    async fn note(&mut self, inclusions: &[Inclusion], reached: u64) -> Result<Vec<B256>, BidsError> {
        let again = self.again.clone().map(RangeInclusive::into_inner);
        let Some((first, last)) = again.filter(|(first, _)| *first <= reached) else {
            return self.shared.bids.include(inclusions).await;
        };
        let (decided, included) = self.shared.bids.redo(first..=reached, inclusions).await?;
        debug!(decided, included = included.len(), first, reached, "read again");
        self.again = (reached < last).then(|| reached.saturating_add(1)..=last);
        Ok(included)
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
            let Refused { id, reason, transaction, .. } = *refused;
            if !self.shared.bids.refuse(id, reason, *block, transaction).await? {
                continue;
            }
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
        let Some(first) = self.shared.bids.first_block().await? else { return Ok(()) };
        let mut from = first;
        while from <= self.read {
            let (inclusions, reached) = self.reader.next(from, self.read).await?;
            self.shared.bids.include(&inclusions).await?;
            from = reached.saturating_add(1);
        }
        Ok(())
    }

    async fn act(&mut self) -> Result<(), DeskError> {
        let waiting = self.shared.bids.waiting().await?;
        watch::queued(waiting.len());
        let (time, head) = {
            let seen = self.shared.seen.borrow();
            (Time { block: seen.head.timestamp, next: seen.now() }, seen.head.number)
        };
        // What became of a bid is known only up to here.
        if self.read < head || waiting.is_empty() {
            return Ok(());
        }
        let held = self.shared.bids.held_by_others(self.holder, time.next).await?;
        let resting: BTreeSet<B256> = self.rests.keys().copied().chain(held).collect();
        let under_way: BTreeSet<Group> = self.under_way.keys().copied().collect();
        let limits = BatchLimits::new(self.shared.options.post_at.get());
        let fewer = self.sizes.fewer().clone();
        let queue =
            Queue { waiting: &waiting, resting: &resting, under_way: &under_way, limits, fewer: &fewer };
        for action in plan(&queue, &self.shared.options, time) {
            match action {
                Action::Miss { bids } => {
                    self.read_again().await?;
                    let missed = self.shared.bids.miss(&bids, head).await?;
                    if missed > 0 {
                        watch::intake("missed", usize::try_from(missed).unwrap_or(usize::MAX));
                        trouble!(warn, BIDS_MISSED, bids = missed, "signed bids have missed their round");
                    }
                }
                Action::Post { group, bids } if self.running.len() < AT_ONCE => {
                    self.start(group, &bids, time.next).await?;
                }
                Action::Post { .. } => {}
            }
        }
        self.backoffs.retain(|group, _| waiting.iter().any(|bid| bid.group == *group));
        Ok(())
    }

    async fn start(&mut self, group: Group, bids: &[B256], now: u64) -> Result<(), DeskError> {
        let market = self.shared.seen.borrow().markets.get(&group.market).map(|open| open.market.clone());
        // A market that is not served any more; its bids miss their round.
        let Some(market) = market else { return Ok(()) };
        let mut parcels = Vec::with_capacity(bids.len());
        let until = now.saturating_add(self.shared.options.hours(group.market, group.round).held());
        for (id, submission) in self.shared.bids.hold(self.holder, bids, now, until).await? {
            // It was checked before it was accepted.
            let Ok(parcel) = Parcel::try_from(&submission) else { continue };
            let is_wallet = group.signer == Signer::Wallet;
            if is_wallet && self.shared.wallets.away(parcel.requester, Instant::now()).is_some() {
                let (requester, reason) = (parcel.requester, WrongSignature::SELECTOR);
                self.refused.push((self.read, Refused { id, requester, reason, transaction: None }));
                continue;
            }
            parcels.push((id, parcel));
        }
        if parcels.is_empty() {
            // Another relayer was faster.
            return Ok(());
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
        Ok(self.shared.bids.forget(closed_before, settled).await?)
    }
}

/// The block before that one.
const fn before(block: u64) -> u64 {
    block.saturating_sub(1)
}
