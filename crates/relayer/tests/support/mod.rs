//! A market with a round that waits to be settled, on a chain of its own.
#![allow(dead_code)] // each test file uses its part

pub(crate) mod intake;

use alloy::primitives::{B256, U256};
use alloy::providers::Provider;
use bindings::ProverMarket::BidsSubmitted;
use chain::events::{Event, LoggedEvent};
use chain::history::BundleRecord;
use chain::settlement::{PageLimits, Settling};
use chain::{
    Client, FollowOptions, Follower, Market, MarketHistory, MarketParams, Markets, Retention, RoundRecord,
};
use market_types::RoundNumber;
use relayer::act::{ActError, Done, Manner, settle};
use relayer::relay::{Relay, RelayOptions, Releases};
use std::sync::Arc;
use std::time::Duration;
use testkit::{AnvilOptions, Bid, Testbed, circuits};

pub(crate) const ROUND: RoundNumber = RoundNumber::new(1);
/// Rounds of tests pay much less than their gas costs.
pub(crate) const OPTIONS: RelayOptions =
    RelayOptions { releases: Releases::All, limits: PageLimits::TRANSACTION, profit: None, turn_seconds: 0 };

pub(crate) struct Stage {
    pub(crate) bed: Testbed,
    pub(crate) market: Market,
}

impl Stage {
    /// Three provers (accounts 1 to 3) and a bundle of twelve bids (account 5) in round 1, which is open.
    pub(crate) async fn new() -> Self {
        Self::new_in(|params| params).await
    }

    /// [`Stage::new`] in another kind of market; in a sealed one without bids.
    pub(crate) async fn new_in(kind: impl FnOnce(MarketParams) -> MarketParams) -> Self {
        let bed = Testbed::start().await;
        let market = bed.market_with(&kind(bed.params().await)).await;
        let stage = Self { bed, market };
        stage.fill(&stage.market).await;
        stage
    }

    /// Provers and bids in round 1 of a market that has just opened.
    pub(crate) async fn fill(&self, market: &Market) {
        self.fill_with(market, 12).await;
    }

    pub(crate) async fn fill_with(&self, market: &Market, bids: u64) {
        for (account, cost) in [(1, 10), (2, 20), (3, 30)] {
            self.bed.register(&self.bed.client(account).await, market, 200, cost).await;
        }
        self.bed.warp_to_open(market, ROUND).await;
        if !market.params.is_sealed() {
            self.bids(market, bids).await;
        }
    }

    /// Bids of account 5 in the open round, 250 in a bundle.
    pub(crate) async fn bids(&self, market: &Market, bids: u64) {
        let circuit = circuits()[0].id;
        let client = self.bed.client(5).await;
        let all: Vec<Bid> = (0..bids).map(|step| Bid::of(2_000 - step, circuit)).collect();
        for bundle in all.chunks(250) {
            self.bed.bids(&client, market, bundle).await;
        }
    }

    pub(crate) async fn close(&self) {
        self.bed.warp_to_close(&self.market, ROUND).await;
    }

    /// A relayer of every market with the key of this account.
    pub(crate) async fn relay(&self, account: usize) -> Relay {
        relay(self.bed.client(account).await).await
    }

    pub(crate) async fn follower(&self) -> Follower {
        let markets = Markets::Only(vec![self.market.id]);
        let options = FollowOptions::new(markets, 0).keeping(Retention::Everything);
        Follower::start(self.bed.client(9).await, options).await.unwrap()
    }

    pub(crate) async fn history(&self) -> MarketHistory {
        self.follower().await.market(self.market.id).unwrap().clone()
    }

    /// The round as a relayer reads it.
    pub(crate) async fn record(&self) -> RoundRecord {
        self.history().await.round(ROUND).unwrap().clone()
    }

    /// The round as events tell it that lack its last bid.
    pub(crate) async fn without_the_last_bid(&self) -> RoundRecord {
        let record = self.record().await;
        let mut words: Vec<B256> = record.words().iter().map(|word| word.get()).collect();
        words.pop();
        let first = record.entries().iter().next().unwrap();
        let requester = U256::from_be_bytes(first.requester.into_word().0);
        let place = (requester << 64) | (U256::from(ROUND.get()) << 32);
        let event = Event::BidsSubmitted(BidsSubmitted { id: self.market.id.get(), place, words });
        let mut history = MarketHistory::new(self.market.clone());
        history.apply(&LoggedEvent { market: self.market.id, origin: first.origin, event }).unwrap();
        history.round(ROUND).unwrap().clone()
    }

    /// What comes of one transaction of this account towards the settlement of `record`, in a market whose terms do not move.
    pub(crate) async fn settle(
        &self,
        account: usize,
        record: &RoundRecord,
        limits: &PageLimits,
    ) -> Result<Done, ActError> {
        self.settle_with(account, record, limits, &mut None).await
    }

    /// [`Stage::settle`] with what was kept from the page before.
    pub(crate) async fn settle_with(
        &self,
        account: usize,
        record: &RoundRecord,
        limits: &PageLimits,
        kept: &mut Option<Arc<Settling>>,
    ) -> Result<Done, ActError> {
        let terms = self.market.params.first_terms();
        let manner = Manner { limits: *limits, ..Manner::eager(terms) };
        settle(&self.bed.client(account).await, &self.market, record, &manner, kept).await
    }

    /// The first bundle that waits.
    pub(crate) async fn bundle(&self) -> BundleRecord {
        *self.follower().await.market(self.market.id).unwrap().bundles().next().unwrap()
    }

    pub(crate) async fn is_settled(&self, market: &Market) -> bool {
        let contract = self.bed.client(9).await.market();
        let outcome = contract.outcomeOf(market.id.get(), U256::from(ROUND.get())).call().await.unwrap();
        outcome != U256::ZERO
    }

    /// Transactions that wait to be mined.
    pub(crate) async fn waiting(&self) -> u64 {
        let pool = self.bed.anvil.request("txpool_status", serde_json::json!([])).await;
        serde_json::from_value::<U256>(pool["pending"].clone()).unwrap().to()
    }

    /// Transactions of an account that were mined.
    pub(crate) async fn sent(&self, account: usize) -> u64 {
        let address = self.bed.anvil.account(account).address();
        self.bed.anvil.connection().provider().get_transaction_count(address).await.unwrap()
    }

    /// Transactions that were mined and refused.
    pub(crate) async fn in_vain(&self) -> usize {
        let provider = self.bed.anvil.connection().provider();
        let mut failed = 0;
        for number in 0..=self.bed.anvil.head().await.number {
            let receipts = provider.get_block_receipts(number.into()).await.unwrap().unwrap();
            failed += receipts.iter().filter(|receipt| !receipt.status()).count();
        }
        failed
    }

    /// Ticks that an account could withdraw.
    pub(crate) async fn available(&self, account: usize) -> U256 {
        let contract = self.bed.client(9).await.market();
        let account = self.bed.anvil.account(account).address();
        contract.availableOf(self.market.id.get(), account).call().await.unwrap()
    }
}

pub(crate) async fn relay(client: Client) -> Relay {
    relay_with(client, OPTIONS).await
}

pub(crate) async fn relay_with(client: Client, relay: RelayOptions) -> Relay {
    let mut options = FollowOptions::new(Markets::All, 0);
    options.poll = Duration::from_millis(50);
    Relay::new(Follower::start(client, options).await.unwrap(), relay)
}

/// Waits until `condition` holds, for at most 20 s.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never happened: {what}");
}

pub(crate) async fn start_on(options: &AnvilOptions) -> Stage {
    let bed = Testbed::start_with(options).await;
    let market = bed.market().await;
    Stage { bed, market }
}
