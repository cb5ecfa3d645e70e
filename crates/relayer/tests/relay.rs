//! Rounds are settled and bundles released, once, whatever else goes on.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::U256;
use chain::settlement::PageLimits;
use chain::{Client, Connection, ConnectionOptions, MarketParams};
use market_types::{AskIndex, RoundNumber};
use relayer::act::{ActError, Done, Manner, release, settle};
use relayer::plan::Profit;
use relayer::relay::{Lost, Relay, RelayOptions, Releases, Tally};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{OPTIONS, ROUND, Stage, relay, relay_with, start_on, until};
use testkit::{AnvilOptions, Bid, average_fee, circuits, controlled, sealed, with_reserve};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

fn done(settled: usize, released: usize) -> Tally {
    Tally { settled, released, ..Tally::default() }
}

#[tokio::test]
async fn a_closed_round_is_settled_and_its_bundles_released() {
    let stage = Stage::new().await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(0, 0));
    stage.close().await;
    let before = stage.available(5).await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(1, 1));
    assert!(stage.is_settled(&stage.market).await);
    assert!(stage.available(5).await > before);
    // Twelve bids, seven ticks each.
    assert_eq!(stage.available(7).await, U256::from(84));
}

#[tokio::test]
async fn a_restarted_relayer_goes_on_where_the_chain_stands() {
    let stage = Stage::new().await;
    stage.close().await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(1, 1));
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(0, 0));
}

#[tokio::test]
async fn a_round_that_nobody_settled_in_time_is_left_and_its_bundles_are_released() {
    let stage = Stage::new().await;
    stage.bed.anvil.warp_to(stage.market.settle_by(ROUND)).await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(0, 1));
    assert!(!stage.is_settled(&stage.market).await);
}

#[tokio::test]
async fn every_market_of_the_contract_is_served() {
    let stage = Stage::new().await;
    let mut params = stage.bed.params().await;
    params = with_reserve(params, 1_995);
    let second = stage.bed.market_with(&params).await;
    let second_round = async |stage: &Stage| stage.is_settled(&second).await;
    stage.close().await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(1, 1));
    stage.fill(&second).await;
    assert!(!second_round(&stage).await);
    stage.bed.warp_to_close(&second, ROUND).await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(1, 1));
    assert!(second_round(&stage).await);
}

#[tokio::test]
async fn of_two_relayers_one_wins_and_the_other_stops_cleanly() {
    let stage = Stage::new().await;
    stage.close().await;
    let relayer = async |account| {
        let options = RelayOptions { releases: Releases::Nothing, ..OPTIONS };
        relay_with(stage.bed.client(account).await, options).await
    };
    let (one, other) = (relayer(7).await, relayer(8).await);
    // Whether both have sent before either can be seen is up to chance.
    stage.bed.anvil.set_automine(false).await;
    let (one, other) = (tokio::spawn(one.run_once()), tokio::spawn(other.run_once()));
    until("a settlement waits to be mined", async || stage.waiting().await >= 1).await;
    stage.bed.anvil.mine(1).await;
    stage.bed.anvil.set_automine(true).await;
    let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
    assert_eq!((one.settled + other.settled, one.failed + other.failed), (1, 0));
    let rewards = (stage.available(7).await, stage.available(8).await);
    assert_eq!(rewards.0 + rewards.1, U256::from(84));
    assert!(stage.in_vain().await <= 1);
}

#[tokio::test]
async fn a_settlement_that_waits_to_be_mined_is_left_to_whoever_sent_it() {
    let stage = Stage::new().await;
    stage.close().await;
    let (one, other) = (stage.relay(7).await, stage.relay(8).await);
    stage.bed.anvil.set_automine(false).await;
    let one = tokio::spawn(one.run_once());
    until("it waits to be mined", async || stage.waiting().await == 1).await;
    assert_eq!(other.run_once().await.unwrap(), done(0, 0));
    let (record, terms, client) =
        (stage.record().await, stage.market.params.first_terms(), stage.bed.client(8).await);
    let polite = settle(&client, &stage.market, &record, &Manner::eager(terms), &mut None).await.unwrap();
    assert_eq!((polite, stage.waiting().await), (Done::UnderWay, 1));
    // It may wait for ever, so that nobody is polite for ever.
    let market = stage.market.clone();
    let rude = tokio::spawn(async move {
        settle(&client, &market, &record, &Manner { polite: false, ..Manner::eager(terms) }, &mut None).await
    });
    until("both wait", async || stage.waiting().await == 2).await;
    stage.bed.anvil.set_automine(true).await;
    stage.bed.anvil.mine(1).await;
    assert_eq!(one.await.unwrap().unwrap().settled, 1);
    assert_eq!(rude.await.unwrap().unwrap(), Done::SettledByOther);
    assert_eq!(stage.in_vain().await, 1);
}

#[tokio::test]
async fn relayers_that_leave_each_other_turns_pay_for_one_settlement() {
    let stage = Stage::new().await;
    let mut relayers = Vec::new();
    for account in [7, 8] {
        let options = RelayOptions { turn_seconds: 12, releases: Releases::Nothing, ..OPTIONS };
        relayers.push(run(relay_with(stage.bed.client(account).await, options).await));
    }
    stage.close().await;
    until("settled", async || stage.is_settled(&stage.market).await).await;
    let mut settled = 0;
    for (stop, running) in relayers {
        stop.send(()).unwrap();
        settled += running.await.unwrap().unwrap().settled;
    }
    assert_eq!(settled, 1);
    assert!(stage.in_vain().await <= 1);
}

#[tokio::test]
async fn a_round_that_does_not_pay_is_left_until_gas_is_cheap_enough() {
    let stage = Stage::new().await;
    stage.close().await;
    let paid = RelayOptions { profit: Some(Profit::default()), ..OPTIONS };
    let left = relay_with(stage.bed.client(7).await, paid.clone()).await.run_once().await.unwrap();
    assert_eq!(left, Tally { unpaid: 1, ..Tally::default() });
    assert_eq!(stage.sent(7).await, 0);

    // The same round pays in a market with much higher fees.
    let stage = Stage::new_in(|mut params| {
        params.settlement_fee = 1_000_000;
        params
    })
    .await;
    stage.close().await;
    let greedy = Profit { factor: "1000".parse().unwrap(), ..Profit::default() };
    let greedy = RelayOptions { profit: Some(greedy), ..OPTIONS };
    let left = relay_with(stage.bed.client(7).await, greedy).await.run_once().await.unwrap();
    assert_eq!((left.unpaid, left.settled), (1, 0));
    let settled = relay_with(stage.bed.client(7).await, paid).await.run_once().await.unwrap();
    assert_eq!((settled.unpaid, settled.settled), (0, 1));
}

#[tokio::test]
async fn bundles_of_strangers_are_released_only_if_their_round_has_paid_for_it() {
    let paid = RelayOptions { profit: Some(Profit::default()), releases: Releases::Covered, ..OPTIONS };
    let rich = |mut params: MarketParams| {
        params.settlement_fee = 1_000_000;
        params
    };
    // Void, since it did not pay, or settled by somebody else: nothing was earned.
    let stage = Stage::new().await;
    stage.bed.anvil.warp_to(stage.market.settle_by(ROUND)).await;
    assert_eq!(
        relay_with(stage.bed.client(7).await, paid.clone()).await.run_once().await.unwrap(),
        done(0, 0)
    );
    let stage = Stage::new_in(rich).await;
    stage.close().await;
    stage.settle(8, &stage.record().await, &PageLimits::TRANSACTION).await.unwrap();
    assert_eq!(
        relay_with(stage.bed.client(7).await, paid.clone()).await.run_once().await.unwrap(),
        done(0, 0)
    );
    assert_eq!(stage.sent(7).await, 0);

    let stage = Stage::new_in(rich).await;
    stage.close().await;
    assert_eq!(
        relay_with(stage.bed.client(7).await, paid.clone()).await.run_once().await.unwrap(),
        done(1, 1)
    );

    // The settlement cost more than it paid.
    let stage = Stage::new().await;
    stage.close().await;
    let at_a_loss = RelayOptions { profit: None, ..paid };
    assert_eq!(relay_with(stage.bed.client(7).await, at_a_loss).await.run_once().await.unwrap(), done(1, 0));
}

#[tokio::test]
async fn a_settlement_that_is_undone_is_made_again() {
    let stage = Stage::new().await;
    stage.close().await;
    let (stop, running) = run(stage.relay(7).await);
    until("settled", async || stage.is_settled(&stage.market).await).await;
    until("released", async || stage.available(5).await > U256::ZERO).await;
    let head = stage.bed.anvil.head().await;
    stage.bed.anvil.reorg(2).await;
    assert!(!stage.is_settled(&stage.market).await);
    assert!(stage.bed.anvil.head().await.timestamp <= head.timestamp + 5);
    until("settled again", async || {
        stage.bed.anvil.mine(1).await;
        stage.is_settled(&stage.market).await
    })
    .await;
    stop.send(()).unwrap();
    assert!(running.await.unwrap().unwrap().settled >= 1);
}

#[tokio::test]
async fn a_node_that_goes_away_and_comes_back_is_waited_for() {
    let stage = Stage::new().await;
    let (url, open) = door(&stage).await;
    let key = stage.bed.anvil.account(7).clone();
    let connection = Connection::connect(&ConnectionOptions::new(url).signer(Some(key))).await.unwrap();
    let client = Client::at(connection, stage.bed.deployment.market).await.unwrap();
    let (stop, running) = run(relay(client).await);
    open.store(false, Ordering::SeqCst);
    stage.close().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!stage.is_settled(&stage.market).await);
    open.store(true, Ordering::SeqCst);
    until("settled", async || stage.is_settled(&stage.market).await).await;
    stop.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap().settled, 1);
}

#[tokio::test]
async fn a_stop_during_an_outage_is_a_clean_one() {
    let stage = Stage::new().await;
    let (url, open) = door(&stage).await;
    let connection = Connection::connect(&ConnectionOptions::new(url)).await.unwrap();
    let client = Client::at(connection, stage.bed.deployment.market).await.unwrap();
    let (stop, running) = run(relay(client).await);
    open.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.send(()).unwrap();
    let tally = timeout(Duration::from_secs(3), running).await.unwrap().unwrap().unwrap();
    assert_eq!(tally, done(0, 0));
}

#[tokio::test]
async fn a_thousand_bids_are_settled_within_the_gas_of_one_transaction() {
    let stage = start_on(&AnvilOptions { tx_gas_limit: true, ..AnvilOptions::default() }).await;
    stage.fill_with(&stage.market, 1_000).await;
    stage.close().await;
    let record = stage.record().await;
    assert_eq!(record.bid_count(), 1_000);
    let settled = stage.settle(7, &record, &PageLimits::TRANSACTION).await.unwrap();
    let Done::Settled { gas, .. } = settled else { panic!("{settled:?}") };
    println!("gas to settle 1,000 bids: {gas}");
    assert!(gas <= 1_400_000, "{gas}");
    assert_eq!(stage.available(7).await, U256::from(7_000));
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(0, 4));
}

#[tokio::test]
async fn rounds_of_both_mechanisms_are_settled_under_terms_that_move() {
    let stage = Stage::new_in(|params| average_fee(controlled(params))).await;
    for round in 1..5 {
        let round = RoundNumber::new(round);
        if round > ROUND {
            stage.bids(&stage.market, 12).await;
        }
        stage.bed.warp_to_close(&stage.market, round).await;
        assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(1, 1), "{round}");
    }
    let terms = [1, 2, 3, 4].map(|_| stage.market.params.first_terms());
    let history = stage.history().await;
    let moved = [1, 2, 3, 4].map(|round| history.terms_at(RoundNumber::new(round)));
    assert_eq!(moved[..2], terms[..2]);
    assert!(moved[2] != terms[2] && moved[3] != moved[2]);
}

#[tokio::test]
async fn terms_that_are_not_those_of_the_contract_are_not_sent() {
    let stage = Stage::new_in(controlled).await;
    stage.close().await;
    let mut terms = stage.market.params.first_terms();
    terms.reserve = market_types::ReservePrice::new(9);
    let record = stage.record().await;
    let client = stage.bed.client(7).await;
    let error = settle(&client, &stage.market, &record, &Manner::eager(terms), &mut None).await.unwrap_err();
    assert!(matches!(error, ActError::OtherTerms { .. }), "{error}");
}

#[tokio::test]
async fn a_sealed_round_is_settled_once_nothing_more_can_be_opened() {
    let stage = Stage::new_in(|params| sealed(with_reserve(params, 50))).await;
    let (bed, market) = (&stage.bed, &stage.market);
    let (mut bids, mut asks) = (Vec::new(), Vec::new());
    for (seat, account, cost) in [(0, 1, 10), (1, 2, 20), (2, 3, 30)] {
        asks.push(bed.commit_ask(&bed.client(account).await, market, AskIndex::new(seat), cost).await.1);
    }
    for (account, fee) in [(5, 90), (6, 80)] {
        let bid = Bid::of(fee, circuits()[0].id);
        bids.push(bed.commit_bid(&bed.client(account).await, market, &bid).await.1);
    }
    stage.close().await;
    bed.reveal(&bed.client(5).await, market, &bids, &asks).await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(0, 0));
    bed.warp_to_settlement(market, ROUND).await;
    assert_eq!(stage.relay(7).await.run_once().await.unwrap(), done(1, 0));
    assert!(stage.record().await.settlement.unwrap().is_trade());
}

#[tokio::test]
async fn bids_that_are_not_those_of_the_contract_are_not_sent() {
    let stage = Stage::new().await;
    stage.close().await;
    let client = stage.bed.client(7).await;
    let record = stage.without_the_last_bid().await;
    let error = stage.settle(7, &record, &PageLimits::TRANSACTION).await.unwrap_err();
    assert!(matches!(error, ActError::OtherBids { known: 11, actual: 12 }), "{error}");
    let bundle = stage.bundle().await;
    let error = release(&client, &stage.market, &record, &bundle, None).await.unwrap_err();
    assert!(matches!(error, ActError::MissingBids(round) if round == ROUND), "{error}");
}

/// Runs a relayer until it is told to stop.
fn run(relay: Relay) -> (oneshot::Sender<()>, JoinHandle<Result<Tally, Lost>>) {
    let (stop, stopped) = oneshot::channel();
    let until_told = async {
        let _ = stopped.await;
    };
    (stop, tokio::spawn(relay.run(until_told)))
}

/// A way to the stage's node, and what shuts it.
async fn door(stage: &Stage) -> (String, Arc<AtomicBool>) {
    let (url, open) = (stage.bed.anvil.url().to_owned(), Arc::new(AtomicBool::new(true)));
    let switch = open.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let node = url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        loop {
            let (mut inside, _) = listener.accept().await.unwrap();
            let (node, open) = (node.clone(), open.clone());
            tokio::spawn(async move {
                let Ok(mut outside) = TcpStream::connect(&node).await else { return };
                let shut = async {
                    while open.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                };
                // A shut door cuts what is under way, too.
                tokio::select! {
                    _ = copy_bidirectional(&mut inside, &mut outside) => {}
                    () = shut => {}
                }
            });
        }
    });
    (format!("http://{address}"), switch)
}
