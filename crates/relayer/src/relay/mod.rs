//! The service: follows the chain, asks the plan what to do, and does it. It decides nothing itself.
//!
//! | module | what is in it |
//! |---|---|
//! | `attempt` | what was begun, and until when it is not begun again |
//! | `purse` | what is left of the rewards of rounds for the release of their bundles |
//! | `work` | one action as a task of its own, and what is logged of its end |
//! | this one | the loop |

mod attempt;
mod purse;
mod work;

use crate::act::{Done, Manner};
use crate::intake::feed::Feed;
use crate::plan::{Action, Due, MarketView, Profit, UnderWay, begin, plan, release_turn, turn};
use crate::watch;
use alloy::primitives::U256;
use attempt::{Attempt, Rest};
use chain::settlement::PageLimits;
use chain::{Change, Client, FollowError, Follower, MarketId};
use market_types::RoundNumber;
use purse::Purses;
use service::ops::{Health, Watch};
use service::{ACTION_LOST, Backoff, CANNOT_FOLLOW, Stop, TRANSACTIONS_CUT_OFF, trouble};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use thiserror::Error;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};
use work::{Ended, report, work};

/// How the relayer works.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// Which bundles to release.
    pub releases: Releases,
    /// What one transaction of a settlement may hold.
    pub limits: PageLimits,
    /// When a settlement pays; without it, rounds are settled whatever it costs.
    pub profit: Option<Profit>,
    /// Seconds between the turns of relayers, see [`turn()`]; 0: nobody waits.
    pub turn_seconds: u64,
}

/// Which bundles a relayer releases. Nothing is paid for a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Releases {
    /// None.
    Nothing,
    /// Those of rounds that it settled itself since it was started, as long as what the round paid it covers that as well.
    Covered,
    /// All of the markets that it serves, at its own cost.
    All,
}

/// How long transactions on their way are waited for at the end, unless told otherwise.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What one pass of [`Relay::run_once`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rounds settled by this relayer.
    pub settled: usize,
    /// Pages settled by this relayer that left others to be settled.
    pub pages: usize,
    /// Bundles released by this relayer.
    pub released: usize,
    /// Settlements that were left since they do not pay.
    pub unpaid: usize,
    /// Actions that came to nothing.
    pub failed: usize,
}

/// A task of the relayer was lost, which is a fault of this program.
#[derive(Debug, Error)]
#[error("an action ended without a result: {0}")]
pub struct Lost(#[from] JoinError);

/// A running relayer.
#[derive(Debug)]
pub struct Relay {
    client: Client,
    follower: Follower,
    options: RelayOptions,
    /// What there is to do in all markets, the most urgent first, as of the newest block that was read.
    due: Vec<Due>,
    attempts: BTreeMap<(MarketId, Action), Attempt>,
    under_way: UnderWay,
    purses: Purses,
    running: JoinSet<Ended>,
    tally: Tally,
    feed: Option<Feed>,
    stop: Stop,
    watch: Watch,
}

impl Relay {
    /// A relayer that acts on what `follower` sees, with the key of its client.
    #[must_use]
    pub fn new(follower: Follower, options: RelayOptions) -> Self {
        let mut relay = Self {
            client: follower.client().clone(),
            follower,
            options,
            due: Vec::new(),
            attempts: BTreeMap::new(),
            under_way: UnderWay::default(),
            purses: Purses::default(),
            running: JoinSet::new(),
            tally: Tally::default(),
            feed: None,
            stop: Stop::within(LAST_WAIT),
            watch: Watch::default(),
        };
        relay.look();
        relay
    }

    /// Finishes what is under way for as long as `stop` allows, once it is asked to stop.
    #[must_use]
    pub fn stopping(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Tells how it is.
    #[must_use]
    pub fn watched(mut self, health: Health) -> Self {
        self.watch = Watch::of(health, self.follower.head());
        watch::rounds(&self.follower);
        self
    }

    /// Tells an intake of signed bids how the chain goes on.
    #[must_use]
    pub fn feeding(mut self, feed: Feed) -> Self {
        self.feed = Some(feed);
        self
    }

    /// Works until `stop` resolves. Trouble with the node is waited out.
    ///
    /// # Errors
    /// [`Lost`], which is a fault of this program.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<Tally, Lost> {
        tokio::pin!(stop);
        let mut backoff = Backoff::default();
        self.wait_for_turns();
        loop {
            self.start_what_is_due();
            let rested = self.next_rested();
            tokio::select! {
                () = &mut stop => break,
                () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() => {}
                Some(ended) = self.running.join_next() => self.finish(ended?),
                change = self.follower.next_change() => match change {
                    Ok(change) => {
                        backoff.reset();
                        if let Some(feed) = &self.feed {
                            feed.tell(&self.follower, change);
                        }
                        self.watch.read(&change);
                        watch::rounds(&self.follower);
                        self.look();
                        self.forget_what_is_over(&change);
                        self.wait_for_turns();
                    }
                    Err(error) => {
                        self.watch.unreadable(&error);
                        if wait_out(&error, &mut backoff, &mut stop).await {
                            break;
                        }
                    }
                },
            }
        }
        info!("stopping");
        // What was sent takes effect or not by itself; a moment is enough to say which.
        let stop = self.stop.clone();
        tokio::select! {
            () = self.finish_running() => {}
            () = stop.over() => trouble!(
                warn,
                TRANSACTIONS_CUT_OFF,
                "transactions are still on their way; the next start sees what came of them"
            ),
        }
        Ok(self.tally)
    }

    /// Does what can be done now, and what follows from that, then returns.
    ///
    /// # Errors
    /// [`FollowError`] if the chain cannot be read.
    pub async fn run_once(mut self) -> Result<Tally, FollowError> {
        loop {
            self.start_what_is_due();
            if self.running.is_empty() {
                return Ok(self.tally);
            }
            self.finish_running().await;
            if let Some(change) = self.follower.poll().await? {
                self.look();
                self.forget_what_is_over(&change);
            }
        }
    }

    /// Asks the plan of every market what there is to do, once for each block.
    fn look(&mut self) {
        let now = self.follower.head().timestamp;
        let due = self.follower.markets().flat_map(|history| plan(&MarketView::of(history), now));
        self.due = due.collect();
        self.due.sort_unstable();
    }

    fn start_what_is_due(&mut self) {
        let head = self.follower.head();
        let rests = |due: &&Due| {
            self.attempts.get(&(due.market, due.action)).is_some_and(|attempt| attempt.is_resting(head))
        };
        let wanted = self.due.iter().filter(|due| self.is_ours(due) && !rests(due));
        for Due { market: id, action, .. } in begin(wanted.copied(), self.under_way) {
            if let Some(mut work) = self.follower.market(id).and_then(|history| work(history, action)) {
                if matches!(action, Action::Release { .. }) && self.options.releases == Releases::Covered {
                    let (of, reward) = ((id, action.round()), self.reward_of(id, action.round()));
                    work.budget = self.purses.lend(of, reward);
                    if work.budget.is_none() {
                        continue;
                    }
                }
                debug!(market = %id, ?action, "starting");
                let attempt = self.attempts.entry((id, action)).or_insert_with(Attempt::new);
                attempt.rest = Rest::Running;
                work.cleared = attempt.cleared.take();
                work.manner = Manner {
                    limits: self.options.limits,
                    profit: self.options.profit.clone(),
                    trust: attempt.trust(),
                    polite: attempt.is_polite(),
                    ..work.manner
                };
                let client = self.client.clone();
                let count = self.under_way.of(action);
                *count = count.saturating_add(1);
                self.running.spawn(async move { work.run(&client).await });
            }
        }
    }

    /// Leaves what is new to those whose turn is first.
    fn wait_for_turns(&mut self) {
        let (step, now) = (self.options.turn_seconds, self.follower.head().timestamp);
        let Some(settler) = self.client.sender() else { return };
        let ours: Vec<Due> = self.due.iter().filter(|due| self.is_ours(due)).copied().collect();
        for due in ours {
            let Some(history) = self.follower.market(due.market) else { continue };
            let (market, round) = (history.market(), due.action.round());
            self.attempts.entry((due.market, due.action)).or_insert_with(|| {
                let (from, wait) = match due.action {
                    Action::Settle { .. } => (market.reveal_by(round), turn(market, round, settler, step)),
                    Action::Release { .. } => {
                        let settlement = history.round(round).and_then(|record| record.settlement.as_ref());
                        let by = settlement.map(|settlement| settlement.settler);
                        (now, release_turn(market, round, settler, by, step))
                    }
                };
                let until = from.saturating_add(wait);
                Attempt::resting(Rest::Turn(until, Instant::now() + Duration::from_secs(wait)))
            });
        }
    }

    /// Whether this relayer does such things.
    fn is_ours(&self, due: &Due) -> bool {
        match (due.action, self.options.releases) {
            (Action::Settle { .. }, _) | (_, Releases::All) => true,
            (_, Releases::Nothing) => false,
            (_, Releases::Covered) => {
                self.purses.is_open((due.market, due.action.round()), self.follower.head().number)
            }
        }
    }

    /// What the settlement of a round paid this relayer (wei), by what the chain says of it.
    fn reward_of(&self, id: MarketId, round: RoundNumber) -> U256 {
        let reward = || {
            let (history, settler) = (self.follower.market(id)?, self.client.sender()?);
            let shares = &history.round(round)?.settlement.as_ref()?.shares;
            let own = shares.iter().filter(|share| share.settler == settler);
            let bids = own.fold(0_u64, |sum, share| sum.saturating_add(share.bids.into()));
            let ticks = U256::from(id.settlement_fee()).saturating_mul(U256::from(bids));
            self.options.profit.clone().unwrap_or_default().wei_of(history.market(), ticks)
        };
        reward().unwrap_or_default()
    }

    /// When the first of the attempts that rest by the host's clock has done so.
    fn next_rested(&self) -> Option<Instant> {
        let (head, now) = (self.follower.head(), Instant::now());
        let resting = self.attempts.values().filter(|attempt| attempt.is_resting(head));
        let times = resting.filter_map(|attempt| match attempt.rest {
            Rest::Until(time) | Rest::Turn(_, time) => Some(time),
            _ => None,
        });
        times.filter(|time| *time > now).min()
    }

    async fn finish_running(&mut self) {
        while let Some(ended) = self.running.join_next().await {
            match ended {
                Ok(ended) => self.finish(ended),
                Err(error) => trouble!(error, ACTION_LOST, %error, "an action ended without a result"),
            }
        }
    }

    fn finish(&mut self, ended: Ended) {
        let Ended { market, action, result, cleared } = ended;
        let attempt = self.attempts.entry((market, action)).or_insert_with(Attempt::new);
        attempt.cleared = cleared;
        let count = self.under_way.of(action);
        *count = count.saturating_sub(1);
        let is_release = matches!(action, Action::Release { .. });
        let head = self.follower.head();
        self.purses.note((market, action.round()), is_release, result.as_ref().ok(), head.number);
        watch::ended(market, action, &result, self.running.len());
        report(market, action, &result, attempt.said);
        match &result {
            Ok(Done::Settled { .. }) => self.tally.settled += 1,
            Ok(Done::PageSettled { .. }) => self.tally.pages += 1,
            Ok(Done::Released { .. }) => self.tally.released += 1,
            Ok(Done::DoesNotPay { .. }) if !is_release => self.tally.unpaid += 1,
            Ok(_) => {}
            Err(_) => self.tally.failed += 1,
        }
        attempt.ended(&result, head);
    }

    /// Drops attempts at what the history no longer asks for, so that they do not pile up, and lets what was undone begin
    /// anew.
    fn forget_what_is_over(&mut self, change: &Change) {
        let wanted: BTreeSet<(MarketId, Action)> =
            self.due.iter().map(|due| (due.market, due.action)).collect();
        self.attempts.retain(|key, attempt| {
            matches!(attempt.rest, Rest::Running) || (wanted.contains(key) && !attempt.is_undone(change))
        });
        let rounds: BTreeSet<_> = wanted.iter().map(|(market, action)| (*market, action.round())).collect();
        self.purses.retain(|of| rounds.contains(of));
    }
}

/// Waits a while after a failure; whether it was cut short by a stop.
async fn wait_out(error: &FollowError, backoff: &mut Backoff, stop: impl Future<Output = ()>) -> bool {
    let delay = backoff.delay();
    trouble!(warn, CANNOT_FOLLOW, %error, "cannot follow the chain, trying again in {delay:?}");
    timeout(delay, stop).await.is_ok()
}
