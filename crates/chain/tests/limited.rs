//! A node that limits its answers and fails now and then is followed to the right state, and no block is read twice or left
//! out.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::Address;
use chain::events::decode;
use chain::follower::WINDOW;
use chain::{
    Client, ConnectOptions, FollowError, FollowOptions, Follower, Market, MarketHistory, Markets, Retention,
    RoundRecord,
};
use market_types::{CapacityCap, RoundNumber};
use testkit::{Asked, Limits, RecordedChain, Recording, default_params};

/// Rounds of 60 blocks.
fn recording() -> Recording {
    let mut params = default_params(Address::repeat_byte(1), 1_000_000);
    (params.capacity_cap, params.cap_min, params.cap_max) =
        [500, 500, 500].map(|cap| CapacityCap::new(cap).unwrap()).into();
    let market = Market { id: params.market_id(), params };
    Recording { market, head: 6_000, busy: (3_000, 3_500), bids: 10, data: 64, units: 10 }
}

async fn begin(chain: &RecordedChain, market: &Market, retention: Retention) -> Follower {
    let options = ConnectOptions::new(chain.url(), chain.contract());
    begin_with(options, market, retention).await
}

async fn begin_with(options: ConnectOptions, market: &Market, retention: Retention) -> Follower {
    // The node may fail here as well.
    for _ in 0..10 {
        let Ok(client) = Client::connect(&options).await else { continue };
        let follow = FollowOptions::new(Markets::Only(vec![market.id]), 0).keeping(retention);
        if let Ok(follower) = Follower::at_origin(client, follow).await {
            return follower;
        }
    }
    panic!("no connection in ten attempts");
}

/// Polls until the head is reached; how often it failed on the way.
async fn reach_head(follower: &mut Follower, head: u64) -> usize {
    for failures in 0..100 {
        let before = follower.head();
        match follower.poll().await {
            Ok(_) => {
                assert_eq!(follower.head().number, head);
                return failures;
            }
            Err(error) => {
                assert!(matches!(error, FollowError::Call(_)), "{error}");
                assert!(follower.head().number >= before.number, "what was read is lost");
            }
        }
    }
    panic!("the head was not reached in a hundred attempts");
}

/// What the bids of the recording come to, without any node.
fn expected(recording: &Recording) -> MarketHistory {
    let mut history = MarketHistory::new(recording.market.clone());
    for log in (0..=recording.head).flat_map(|block| recording.logs(block)) {
        history.apply(&decode(&log).unwrap()).unwrap();
    }
    history
}

/// The blocks from 1 to the head, once each: in ranges up to the window, and one by one in it.
fn require_each_block_once(chain: &RecordedChain, head: u64) {
    let asked = chain.asked();
    let mut next = 1;
    for (from, to) in &asked.ranges {
        assert_eq!(*from, next, "{:?}", asked.ranges);
        next = to + 1;
    }
    assert_eq!(next, head - WINDOW + 1);
    let mut blocks = asked.blocks;
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(blocks, (next..=head).collect::<Vec<_>>());
}

async fn follow_through(limits: Limits) -> (Asked, usize) {
    let recording = recording();
    let chain = RecordedChain::serve(recording.clone(), limits);
    let mut follower = begin(&chain, &recording.market, Retention::Everything).await;
    let failures = reach_head(&mut follower, recording.head).await;
    require_each_block_once(&chain, recording.head);
    let history = follower.market(recording.market.id).unwrap();
    assert_eq!(history.rounds().map(|round| u64::from(round.bid_count())).sum::<u64>(), recording.total());
    assert!(history.rounds().eq(expected(&recording).rounds()));
    (chain.asked(), failures)
}

#[tokio::test]
async fn a_node_with_limits_that_fails_now_and_then_is_asked_for_each_block_once() {
    for suggests in [false, true] {
        let limits = Limits { blocks: 1_000, logs: 400, suggests, fails: (7, 1), ..Limits::NONE };
        let (asked, _) = follow_through(limits).await;
        assert!(asked.refused >= 2 && asked.failed >= 5, "{} {}", asked.refused, asked.failed);
    }
}

#[tokio::test]
async fn a_node_without_limits_is_read_in_answers_that_have_one() {
    let recording = recording();
    let bytes = |block: u64| serde_json::to_string(&recording.logs(block)).unwrap().len();
    let of_one = bytes(3_000);
    for blocks in [1, 5] {
        let max_answer = (blocks + 1) * of_one - 1;
        let chain = RecordedChain::serve(recording.clone(), Limits::NONE);
        let mut options = ConnectOptions::new(chain.url(), chain.contract());
        options.connection.max_answer = max_answer;
        let mut follower = begin_with(options, &recording.market, Retention::Everything).await;
        assert_eq!(reach_head(&mut follower, recording.head).await, 0);
        let history = follower.market(recording.market.id).unwrap();
        assert!(history.rounds().eq(expected(&recording).rounds()));
        // What was too large is asked for again from the same block on.
        let asked = chain.asked().ranges;
        let read = asked.windows(2).filter(|pair| pair[1].0 > pair[0].1).map(|pair| pair[0]);
        let largest = read.map(|(from, to)| (from..=to).map(bytes).sum::<usize>()).max().unwrap();
        assert!((of_one..=max_answer).contains(&largest), "{largest}");
    }
}

#[tokio::test]
async fn a_block_beyond_the_bound_of_an_answer_is_named() {
    let recording = recording();
    let chain = RecordedChain::serve(recording.clone(), Limits::NONE);
    let mut options = ConnectOptions::new(chain.url(), chain.contract());
    options.connection.max_answer = 8_000;
    let mut follower = begin_with(options, &recording.market, Retention::Everything).await;
    let error = follower.poll().await.unwrap_err();
    assert!(matches!(error, FollowError::BlockTooLarge { block: 3_000, .. }), "{error}");
    assert!(error.to_string().contains("at most 8000 bytes"), "{error}");
    assert_eq!(follower.head().number, 2_999);
}

#[tokio::test]
async fn an_outage_that_is_longer_than_the_reader_waits_loses_nothing_that_was_read() {
    let (asked, failures) = follow_through(Limits { blocks: 200, fails: (40, 12), ..Limits::NONE }).await;
    assert!(failures >= 2 && asked.failed >= 24, "{failures} {}", asked.failed);
}

#[tokio::test]
async fn a_single_block_with_too_many_logs_is_named_and_what_was_before_it_stays() {
    let recording = recording();
    let limits = Limits { logs: 9, ..Limits::NONE };
    let chain = RecordedChain::serve(recording.clone(), limits);
    let mut follower = begin(&chain, &recording.market, Retention::Everything).await;
    for _ in 0..2 {
        let error = follower.poll().await.unwrap_err();
        assert!(matches!(error, FollowError::BlockTooLarge { block: 3_000, .. }), "{error}");
        assert!(error.to_string().contains("more than 9 results"), "{error}");
        assert_eq!(follower.head().number, 2_999);
    }
    // Of its kinds of events, those that it has few of were given.
    assert!(chain.asked().ranges.iter().all(|(from, to)| *from <= *to && *to <= 3_000));
}

/// Blocks of 10 bids with 20 logs before the window or in it, by a node that gives few at once.
async fn follow_dense(busy: (u64, u64), limits: Limits) -> Asked {
    let recording = Recording { busy, ..recording() };
    let chain = RecordedChain::serve(recording.clone(), limits);
    let mut follower = begin(&chain, &recording.market, Retention::Everything).await;
    assert_eq!(reach_head(&mut follower, recording.head).await, 0);
    let history = follower.market(recording.market.id).unwrap();
    assert_eq!(history.rounds().map(|round| u64::from(round.bid_count())).sum::<u64>(), recording.total());
    assert!(history.rounds().eq(expected(&recording).rounds()));
    chain.asked()
}

#[tokio::test]
async fn a_block_with_more_logs_than_the_node_gives_is_read_from_its_receipts() {
    for busy in [(3_000, 3_005), (5_990, 5_995)] {
        let asked = follow_dense(busy, Limits { logs: 9, receipts: true, ..Limits::NONE }).await;
        let mut read = asked.receipts;
        read.sort_unstable();
        read.dedup();
        assert_eq!(read, (busy.0..busy.1).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_block_with_too_many_logs_and_no_receipts_is_read_kind_by_kind() {
    for busy in [(3_000, 3_005), (5_990, 5_995)] {
        let asked = follow_dense(busy, Limits { logs: 10, ..Limits::NONE }).await;
        assert!(asked.receipts.is_empty() && asked.refused >= 5);
    }
}

#[tokio::test]
async fn statements_are_kept_of_bids_that_may_win_and_of_no_others() {
    let recording = recording();
    let mut history = expected(&recording);
    let stated = |round: &RoundRecord| round.bids().filter(|bid| bid.statement().is_some()).count();
    let number = RoundNumber::new(52);
    assert_eq!(stated(history.round(number).unwrap()), 600);
    history.forget(Retention::Live, recording.market.close_of(number));
    // A full round: 60 blocks of 10 bids of 10 units, where the cap has room for 50 bids.
    let round = history.round(number).unwrap();
    let mut ranked: Vec<_> = round.bids().collect();
    assert_eq!(ranked.len(), 600);
    ranked.sort_by_key(|bid| (std::cmp::Reverse(bid.fee), bid.index()));
    let kept: Vec<bool> = ranked.iter().map(|bid| bid.statement().is_some()).collect();
    assert!(kept[..50].iter().all(|kept| *kept));
    assert!(kept.iter().filter(|kept| **kept).count() <= 100);
}

#[tokio::test]
async fn a_history_of_what_is_live_holds_no_round_that_is_void() {
    let mut recording = recording();
    (recording.head, recording.busy, recording.bids) = (4_000, (100, 4_001), 1);
    let chain = RecordedChain::serve(recording.clone(), Limits::NONE);
    let mut follower = begin(&chain, &recording.market, Retention::Live).await;
    assert_eq!(reach_head(&mut follower, recording.head).await, 0);
    let rounds: Vec<u64> =
        follower.market(recording.market.id).unwrap().rounds().map(|round| round.number.get()).collect();
    // Round 66 is open since block 3960, and round 65 could be settled until block 3990.
    assert_eq!(rounds, [66]);
    let change = follower.poll().await.unwrap();
    assert!(change.is_none());
}
