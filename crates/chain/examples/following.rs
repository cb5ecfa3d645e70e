//! How fast a market is followed, and in how much memory. `script/bench/following` runs this.
#![allow(clippy::unwrap_used, reason = "a measurement ends with what went wrong")]

use alloy::primitives::Address;
use alloy::rpc::types::Log;
use chain::events::decode;
use chain::{
    Client, ConnectOptions, FollowOptions, Follower, Market, MarketHistory, MarketId, Markets, Retention,
};
use market_types::{CapacityCap, RoundNumber};
use std::env::args;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testkit::{Bid, Limits, RecordedChain, Recording, Testbed, default_params};

const HELP: &str = "following records [BIDS] [UNITS] [DATA]   answers to eth_getLogs that are in memory
following served [BIDS] [UNITS] [DATA]    a node with the usual limits, in another process
following anvil [BIDS]                    real bids on a real chain, a round for each 4000 of them

BIDS in one open round if not said otherwise, each for a task of UNITS with DATA bytes published";

/// Bids in a block: about what a block of 36 million gas has room for.
const IN_A_BLOCK: u64 = 500;

/// Bids in a call, and in a round, which takes no more.
const A_CALL: usize = 250;
const A_ROUND: u64 = 4_000;

fn main() {
    let number = |position: usize, otherwise: u64| {
        args().nth(position).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let what = args().nth(1).unwrap_or_default();
    let recording = || {
        recording(
            number(2, 1_000_000),
            u32::try_from(number(3, 8)).unwrap(),
            usize::try_from(number(4, 256)).unwrap(),
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match what.as_str() {
        "records" => records(&recording()),
        "served" => runtime.block_on(served(&recording())),
        "serve" => serve(recording()),
        "anvil" => runtime.block_on(anvil(number(2, 100_000))),
        "follow" => {
            let (url, contract) = (args().nth(2).unwrap(), args().nth(3).unwrap().parse().unwrap());
            let market = args().nth(4).unwrap().parse().unwrap();
            runtime.block_on(follow(&url, contract, market));
        }
        _ => eprintln!("{HELP}"),
    }
}

/// One round that is open all the time.
fn recording(bids: u64, units: u32, data: usize) -> Recording {
    let mut params = default_params(Address::repeat_byte(1), 1_000_000);
    params.bidding_period = 1_000_000;
    let cap = CapacityCap::new(1_000_000).unwrap();
    (params.capacity_cap, params.cap_min, params.cap_max) = (cap, cap, cap);
    let market = Market { id: params.market_id(), params };
    let blocks = bids.div_ceil(IN_A_BLOCK);
    Recording { market, head: blocks + 10, busy: (1, 1 + blocks), bids: IN_A_BLOCK, data, units }
}

/// JSON to history on this thread, with a checkpoint for every eighth block.
fn records(recording: &Recording) {
    let mut history = MarketHistory::new(recording.market.clone());
    let mut checkpoints = std::collections::VecDeque::new();
    let (mut events, mut spent, mut used) = (0_u64, Duration::ZERO, Duration::ZERO);
    for blocks in (recording.busy.0..recording.busy.1).collect::<Vec<_>>().chunks(8) {
        let logs: Vec<Log> = blocks.iter().flat_map(|block| recording.logs(*block)).collect();
        let answer = serde_json::to_string(&logs).unwrap();
        drop(logs);
        let (begun, before) = (Instant::now(), processor());
        let logs: Vec<Log> = serde_json::from_str(&answer).unwrap();
        for log in logs {
            history.apply(&decode(&log).unwrap()).unwrap();
            events += 1;
        }
        history.forget(Retention::Live, recording.market.id.genesis());
        checkpoints.push_back(history.clone());
        if checkpoints.len() > 13 {
            checkpoints.pop_front();
        }
        (spent, used) = (spent + begun.elapsed(), used + (processor() - before));
    }
    report("records", events, (spent, used), &history);
}

async fn served(recording: &Recording) {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["serve", &recording.total().to_string(), &recording.units.to_string()])
        .arg(recording.data.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(server.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let (url, contract) = line.split_once(' ').unwrap();
    follow(url, contract.parse().unwrap(), recording.market.id).await;
    server.kill().unwrap();
    server.wait().unwrap();
}

fn serve(recording: Recording) {
    let limits = Limits { blocks: 2_000, logs: 10_000, suggests: false, ..Limits::NONE };
    let chain = RecordedChain::serve(recording, limits);
    println!("{} {}", chain.url(), chain.contract());
    loop {
        std::thread::park();
    }
}

/// Everything that a node does until it stands at the head.
async fn follow(url: &str, contract: Address, market: MarketId) {
    let client = Client::connect(&ConnectOptions::new(url, contract)).await.unwrap();
    let options = FollowOptions::new(Markets::Only(vec![market]), 0);
    let mut follower = Follower::at_origin(client, options).await.unwrap();
    let (begun, before) = (Instant::now(), processor());
    let change = follower.poll().await.unwrap().unwrap();
    let spent = (begun.elapsed(), processor() - before);
    report("followed", change.events, spent, follower.market(market).unwrap());
}

/// Posts bids on a chain and follows it from another process, whose memory is then that of following alone.
async fn anvil(bids: u64) {
    let bed = Testbed::start().await;
    let mut params = bed.params().await;
    params.bidding_period = 600;
    let market = bed.market_with(&params).await;
    let circuit = testkit::circuits().first().unwrap().id;
    let client = bed.client(4).await;
    for posted in (0..bids).step_by(A_CALL) {
        if posted % A_ROUND == 0 {
            bed.warp_to_open(&market, RoundNumber::new(posted / A_ROUND)).await;
        }
        let bid = |step| Bid { data: vec![7; 256].into(), ..Bid::of(1 + (posted + step) % 1_000, circuit) };
        let many: Vec<Bid> = (0..A_CALL as u64).map(bid).collect();
        bed.bids(&client, &market, &many).await;
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["follow", bed.anvil.url(), &client.contract().to_string(), &market.id.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// `spent`: time that passed, and processor time.
fn report(what: &str, events: u64, spent: (Duration, Duration), history: &MarketHistory) {
    let entries = || history.rounds().flat_map(|round| round.entries().iter());
    let bids: u64 = entries().map(|entry| u64::from(entry.count().get())).sum();
    let statements: usize =
        entries().filter_map(|entry| entry.publication()).map(|known| known.statements().len()).sum();
    let rate = |time: Duration| u128::from(events) * 1_000_000 / time.as_micros().max(1);
    println!("{what}: {events} events, {bids} bids and {statements} statements kept");
    println!("  {:.1?}: {} events a second", spent.0, rate(spent.0));
    println!("  {:.1?} of processor time: {} events a second of it", spent.1, rate(spent.1));
    println!("  peak RSS {} MiB", peak_kib() / 1024);
}

/// Processor time of this thread, system calls included, as Linux tells it.
fn processor() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split_whitespace().next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// The most memory that this process ever had (KiB), as Linux tells it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
