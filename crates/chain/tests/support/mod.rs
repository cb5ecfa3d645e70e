//! A market with three provers and a round full of bids, on a chain of its own.
#![allow(dead_code)] // each test file uses its part

use alloy::rpc::types::TransactionReceipt;
use chain::round::asks_at;
use chain::settlement::{PageLimits, Settling};
use chain::{FollowOptions, Follower, Market, MarketHistory, MarketParams, Markets, Retention, RoundRecord};
use market_types::RoundNumber;
use testkit::{Bid, Circuit, Testbed, circuits};

pub(crate) const ROUND: RoundNumber = RoundNumber::new(1);

pub(crate) struct Stage {
    pub(crate) bed: Testbed,
    pub(crate) market: Market,
    pub(crate) circuits: Vec<Circuit>,
}

impl Stage {
    /// Accounts 1, 2 and 3 hold seats 0, 1 and 2, which take part from round 1 on, which is open.
    ///
    /// Each seat has 200 units free and offers 63 less (the largest task but one unit): 137.
    pub(crate) async fn with_provers() -> Self {
        Self::with_provers_in(|params| params).await
    }

    /// [`Stage::with_provers`] in another kind of market.
    pub(crate) async fn with_provers_in(kind: impl FnOnce(MarketParams) -> MarketParams) -> Self {
        let bed = Testbed::start().await;
        let market = bed.market_with(&kind(bed.params().await)).await;
        for (account, cost) in [(1, 10), (2, 20), (3, 30)] {
            bed.register(&bed.client(account).await, &market, 200, cost).await;
        }
        bed.warp_to_open(&market, ROUND).await;
        Self { bed, market, circuits: circuits() }
    }

    /// Account 4 posts bids one by one and account 5 many at once: real statements at falling unit fees, worth more than two
    /// of the three seats can prove.
    pub(crate) async fn with_bids() -> Self {
        Self::with_bids_in(|params| params).await
    }

    /// [`Stage::with_bids`] in another kind of market with open bids.
    pub(crate) async fn with_bids_in(kind: impl FnOnce(MarketParams) -> MarketParams) -> Self {
        let stage = Self::with_provers_in(kind).await;
        let client = stage.bed.client(4).await;
        for fee in [90, 80, 70] {
            stage.bed.bid(&client, &stage.market, &stage.proved_bid(fee)).await;
        }
        let bundle: Vec<Bid> = (0..9).map(|step| stage.proved_bid(65 - step)).collect();
        stage.bed.bids(&stage.bed.client(5).await, &stage.market, &bundle).await;
        stage
    }

    /// A bid for a statement whose proof is known, of the largest circuit.
    pub(crate) fn proved_bid(&self, fee: u64) -> Bid {
        let circuit = self.circuits.last().unwrap();
        let public_inputs = circuit.statements[0].public_inputs.clone();
        Bid { fee, circuit: circuit.id, public_inputs, data: vec![7; 40].into() }
    }

    pub(crate) async fn follower(&self) -> Follower {
        let markets = Markets::Only(vec![self.market.id]);
        let options = FollowOptions::new(markets, 0).keeping(Retention::Everything);
        Follower::start(self.bed.client(9).await, options).await.unwrap()
    }

    pub(crate) async fn history(&self) -> MarketHistory {
        self.follower().await.market(self.market.id).unwrap().clone()
    }

    pub(crate) async fn round(&self) -> RoundRecord {
        self.history().await.round(ROUND).unwrap().clone()
    }

    /// Closes the round and settles it as account 9.
    pub(crate) async fn settle(&self) -> TransactionReceipt {
        self.bed.warp_to_settlement(&self.market, ROUND).await;
        let client = self.bed.client(9).await;
        let history = self.history().await;
        let (record, round) = (history.round(ROUND).unwrap(), history.closed_round(ROUND).unwrap());
        assert_eq!(asks_at(&client, &self.market, ROUND).await.unwrap(), round.asks());
        let certificate = clearing::certificate(self.market.params.mechanism, &round);
        let seed = client.seed(&self.market, ROUND);
        let settling = Settling::new(&self.market, seed, record, &certificate);
        client.settle(settling.next(None, &PageLimits::TRANSACTION).unwrap()).await.unwrap()
    }
}
