//! A follower ends where a fresh reading of the chain ends, whatever happened on the way.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::U256;
use bindings::ProverMarket;
use chain::follower::WINDOW;
use chain::{FollowOptions, Follower, MarketHistory, Markets, Retention};
use support::{ROUND, Stage};
use testkit::Testbed;

/// Everything that a history holds, to compare two of them.
fn all_of(history: &MarketHistory) -> String {
    let rounds: Vec<_> = history.rounds().collect();
    let seats: Vec<_> = history.seats().collect();
    let bundles: Vec<_> = history.bundles().collect();
    format!("{rounds:?} {seats:?} {bundles:?}")
}

async fn require_as_fresh(stage: &Stage, follower: &Follower) {
    let fresh = stage.follower().await;
    assert_eq!(follower.head().hash, fresh.head().hash);
    let (here, there) = (follower.market(stage.market.id).unwrap(), fresh.market(stage.market.id).unwrap());
    assert_eq!(all_of(here), all_of(there));
}

fn bids(follower: &Follower, stage: &Stage) -> u32 {
    follower.market(stage.market.id).unwrap().round(ROUND).map_or(0, chain::RoundRecord::bid_count)
}

#[tokio::test]
async fn new_events_arrive_with_the_blocks_that_hold_them() {
    let stage = Stage::with_provers().await;
    let mut follower = stage.follower().await;
    assert!(follower.poll().await.unwrap().is_none());
    let client = stage.bed.client(4).await;
    for count in 1..4 {
        stage.bed.bid(&client, &stage.market, &stage.proved_bid(50)).await;
        let change = follower.next_change().await.unwrap();
        assert_eq!((change.head, change.undone_from), (follower.head(), None));
        assert!(change.events > 0);
        assert_eq!(bids(&follower, &stage), count);
    }
    require_as_fresh(&stage, &follower).await;
}

#[tokio::test]
async fn blocks_that_are_undone_take_their_events_with_them() {
    let stage = Stage::with_provers().await;
    let client = stage.bed.client(4).await;
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(50)).await;
    let mut follower = stage.follower().await;
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(60)).await;
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(70)).await;
    follower.next_change().await.unwrap();
    assert_eq!(bids(&follower, &stage), 3);

    let head = follower.head().number;
    // Each bid takes two blocks, as the money for it comes first.
    stage.bed.anvil.reorg(4).await;
    let change = follower.next_change().await.unwrap();
    assert_eq!(change.undone_from, Some(head - 3));
    assert_eq!(bids(&follower, &stage), 1);
    require_as_fresh(&stage, &follower).await;

    // The chain goes on from there, with other bids in the places of those that were undone.
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(99)).await;
    follower.next_change().await.unwrap();
    let round = follower.market(stage.market.id).unwrap().round(ROUND).unwrap();
    assert_eq!(round.bids().map(|bid| bid.fee.get()).collect::<Vec<_>>(), [50, 99]);
    require_as_fresh(&stage, &follower).await;
}

#[tokio::test]
async fn a_settlement_that_is_undone_is_open_again() {
    let stage = Stage::with_bids().await;
    let mut follower = stage.follower().await;
    let snapshot = stage.bed.anvil.snapshot().await;
    stage.settle().await;
    follower.next_change().await.unwrap();
    let settled = |follower: &Follower| {
        follower.market(stage.market.id).unwrap().round(ROUND).unwrap().settlement.is_some()
    };
    assert!(settled(&follower));
    stage.bed.anvil.revert(&snapshot).await;
    stage.bed.anvil.mine(3).await;
    let change = follower.next_change().await.unwrap();
    assert!(change.undone_from.is_some());
    assert!(!settled(&follower));
    require_as_fresh(&stage, &follower).await;
}

#[tokio::test]
async fn reorganisations_of_every_depth_up_to_the_window_are_followed() {
    let stage = Stage::with_provers().await;
    let client = stage.bed.client(4).await;
    let mut follower = stage.follower().await;
    for depth in [1, 3, 17, 64, WINDOW - 1] {
        for _ in 0..3 {
            stage.bed.bid(&client, &stage.market, &stage.proved_bid(50)).await;
            stage.bed.anvil.mine(depth / 3).await;
        }
        let _ = follower.next_change().await.unwrap();
        stage.bed.anvil.reorg(depth).await;
        let change = follower.next_change().await.unwrap();
        assert!(change.undone_from.is_some(), "depth {depth}");
        require_as_fresh(&stage, &follower).await;
    }
}

#[tokio::test]
async fn a_reorganisation_beyond_the_window_is_read_anew() {
    let stage = Stage::with_provers().await;
    let client = stage.bed.client(4).await;
    let snapshot = stage.bed.anvil.snapshot().await;
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(50)).await;
    stage.bed.anvil.mine(WINDOW + 40).await;
    let mut follower = stage.follower().await;
    assert_eq!(bids(&follower, &stage), 1);
    stage.bed.anvil.revert(&snapshot).await;
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(51)).await;
    stage.bed.bid(&client, &stage.market, &stage.proved_bid(52)).await;
    stage.bed.anvil.mine(WINDOW + 50).await;
    let change = follower.next_change().await.unwrap();
    assert!(change.undone_from.is_some());
    assert_eq!(bids(&follower, &stage), 2);
    require_as_fresh(&stage, &follower).await;
}

#[tokio::test]
async fn a_follower_that_was_away_for_long_reads_in_spans_and_ends_the_same() {
    let stage = Stage::with_bids().await;
    let markets = Markets::Only(vec![stage.market.id]);
    let mut options = FollowOptions::new(markets, 0).keeping(Retention::Everything);
    options.max_span = 3;
    let mut away = Follower::start(stage.bed.client(9).await, options).await.unwrap();
    stage.settle().await;
    stage.bed.anvil.mine(2 * WINDOW).await;
    let change = away.next_change().await.unwrap();
    assert!(change.events > 0);
    let settled = |follower: &Follower| {
        follower.market(stage.market.id).unwrap().round(ROUND).unwrap().settlement.is_some()
    };
    assert!(settled(&away));
    require_as_fresh(&stage, &away).await;
}

#[tokio::test]
async fn what_was_forgotten_is_there_again_when_its_blocks_are_undone() {
    let stage = Stage::with_provers().await;
    // One bid for each account, so that no bundle keeps them.
    for account in 4..16 {
        let client = stage.bed.client(account).await;
        stage.bed.bid(&client, &stage.market, &stage.proved_bid(40 + account as u64)).await;
    }
    let options = FollowOptions::new(Markets::Only(vec![stage.market.id]), 0);
    let mut live = Follower::start(stage.bed.client(9).await, options.clone()).await.unwrap();
    let whole = live.market(stage.market.id).unwrap().round(ROUND).unwrap().clone();
    let snapshot = stage.bed.anvil.snapshot().await;
    stage.settle().await;
    live.next_change().await.unwrap();
    let settled = live.market(stage.market.id).unwrap().round(ROUND).unwrap();
    let winners = settled.assignments().unwrap().len();
    assert!(winners > 0 && settled.bids().count() == winners && winners < 12, "{winners}");

    stage.bed.anvil.revert(&snapshot).await;
    stage.bed.anvil.mine(2).await;
    let change = live.next_change().await.unwrap();
    assert!(change.undone_from.is_some());
    assert_eq!(live.market(stage.market.id).unwrap().round(ROUND).unwrap(), &whole);
    stage.settle().await;
    live.next_change().await.unwrap();
    let fresh = Follower::start(stage.bed.client(9).await, options).await.unwrap();
    let of = |follower: &Follower| all_of(follower.market(stage.market.id).unwrap());
    assert_eq!(of(&live), of(&fresh));
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing() {
    let stage = Stage::with_provers().await;
    let client = stage.bed.client(4).await;
    let mut follower = stage.follower().await;
    for wait in 0..40 {
        if wait % 10 == 0 {
            stage.bed.bid(&client, &stage.market, &stage.proved_bid(50)).await;
        }
        let patience = std::time::Duration::from_micros(wait * 250);
        let _ = tokio::time::timeout(patience, follower.next_change()).await;
    }
    let _ = follower.poll().await.unwrap();
    assert_eq!(bids(&follower, &stage), 4);
    require_as_fresh(&stage, &follower).await;
}

#[tokio::test]
async fn markets_created_later_are_followed_if_all_are() {
    let bed = Testbed::start().await;
    let first = bed.market().await;
    let client = bed.client(9).await;
    let mut all = Follower::start(client.clone(), FollowOptions::new(Markets::All, 0)).await.unwrap();
    let only = Markets::Only(vec![first.id]);
    let mut one = Follower::start(client.clone(), FollowOptions::new(only, 0)).await.unwrap();
    assert_eq!(all.markets().count(), 1);
    let mut params = bed.params().await;
    params.settlement_fee += 1;
    let second = bed.market_with(&params).await;
    bed.deposit(&client, &second, 10).await;
    let _ = all.next_change().await.unwrap();
    let _ = one.next_change().await.unwrap();
    assert_eq!(all.market(second.id).unwrap().market(), &second);
    assert_eq!(all.markets().count(), 2);
    assert!(one.market(second.id).is_none());

    // What a reorganisation undoes is not there any more: the market too.
    bed.anvil.reorg(2).await;
    let _ = all.next_change().await.unwrap();
    assert!(all.market(second.id).is_none());
    let gone = client.send(ProverMarket::collectSurplusCall { id: second.id.get() }, U256::ZERO, None).await;
    assert!(gone.unwrap_err().is::<ProverMarket::UnknownMarket>());
}
