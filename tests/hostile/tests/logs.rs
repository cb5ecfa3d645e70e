//! Logs of an endpoint that lies: damaged, doubled, left out, in another order.
#![allow(clippy::unwrap_used, reason = "a panic is the failure")]

use alloy::primitives::{Address, B256};
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log};
use chain::{Client, ConnectOptions, Market, MarketHistory, events};
use hostile::{Edit, damaged, edits};
use market_types::RoundNumber;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use testkit::{Bid, Testbed};

/// A market, and the logs of a round in it.
async fn recorded() -> (Market, Vec<Log>) {
    let bed = Testbed::start().await;
    let market = bed.market_with(&bed.params().await).await;
    for (account, cost) in [(1, 10), (2, 20), (3, 30)] {
        bed.register(&bed.client(account).await, &market, 200, cost).await;
    }
    bed.warp_to_open(&market, RoundNumber::new(1)).await;
    let circuit = testkit::circuits().pop().unwrap();
    let bid = |fee| Bid {
        fee,
        circuit: circuit.id,
        public_inputs: circuit.statements[0].public_inputs.clone(),
        data: vec![7; 40].into(),
    };
    bed.bid(&bed.client(4).await, &market, &bid(90)).await;
    bed.bids(&bed.client(5).await, &market, &[bid(65), bid(64), bid(63)]).await;
    let client = Client::connect(&ConnectOptions::new(bed.anvil.url(), bed.deployment.market)).await.unwrap();
    let logs =
        client.provider().get_logs(&Filter::new().from_block(0).address(client.contract())).await.unwrap();
    assert!(logs.len() > 8, "{}", logs.len());
    (market, logs)
}

/// What happens to a log on its way.
#[derive(Debug, Clone)]
enum Fault {
    Data(Index, Vec<Edit>),
    Topic(Index, Index, B256),
    Topics(Index, Vec<B256>),
    Time(Index, u64),
    Contract(Index, Address),
    Drop(Index),
    Double(Index, Index),
    Swap(Index, Index),
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let word = || any::<[u8; 32]>().prop_map(B256::from);
    // Numbers that are small, and those at the end of a range.
    let topic = prop_oneof![
        word(),
        (0..40_u8).prop_map(|low| B256::left_padding_from(&[low])),
        Just(B256::repeat_byte(0xff))
    ];
    let fault = prop_oneof![
        (any::<Index>(), edits()).prop_map(|(at, edits)| Fault::Data(at, edits)),
        (any::<Index>(), any::<Index>(), topic).prop_map(|(at, topic, word)| Fault::Topic(at, topic, word)),
        (any::<Index>(), vec(word(), 0..5)).prop_map(|(at, topics)| Fault::Topics(at, topics)),
        (any::<Index>(), any::<u64>()).prop_map(|(at, time)| Fault::Time(at, time)),
        (any::<Index>(), any::<[u8; 20]>()).prop_map(|(at, address)| Fault::Contract(at, address.into())),
        any::<Index>().prop_map(Fault::Drop),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Fault::Double(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Fault::Swap(one, other)),
    ];
    vec(fault, 1..6)
}

fn apply(logs: &mut Vec<Log>, fault: &Fault) {
    let length = logs.len();
    match fault {
        Fault::Data(at, edits) => {
            let data = &mut logs[at.index(length)].inner.data.data;
            *data = damaged(data, edits).into();
        }
        Fault::Topic(at, topic, word) => {
            let topics = logs[at.index(length)].inner.data.topics_mut_unchecked();
            if !topics.is_empty() {
                let topic = topic.index(topics.len());
                topics[topic] = *word;
            }
        }
        Fault::Topics(at, topics) => logs[at.index(length)].inner.data.set_topics_unchecked(topics.clone()),
        Fault::Time(at, time) => logs[at.index(length)].block_timestamp = Some(*time),
        Fault::Contract(at, address) => logs[at.index(length)].inner.address = *address,
        Fault::Drop(at) if length > 1 => drop(logs.remove(at.index(length))),
        Fault::Drop(_) => {}
        Fault::Double(from, to) => {
            let log = logs[from.index(length)].clone();
            logs.insert(to.index(length), log);
        }
        Fault::Swap(one, other) => logs.swap(one.index(length), other.index(length)),
    }
}

/// Reads logs as a follower does; whether all of them were understood.
fn read(market: &Market, logs: &[Log]) -> bool {
    let mut history = MarketHistory::new(market.clone());
    let all = logs.iter().all(|log| events::decode(log).is_ok_and(|logged| history.apply(&logged).is_ok()));
    // What was understood can be looked at.
    let rounds: Vec<RoundNumber> = history.rounds().map(|round| round.number).collect();
    for number in rounds {
        let _ = (history.asks_at(number), history.terms_at(number), history.closed_round(number));
        let _ = history.is_resolved(number, u64::MAX);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_makes_a_reader_panic() {
    let (market, logs) = recorded().await;
    assert!(read(&market, &logs), "the logs are good to begin with");
    let config = Config { cases: 4_000, failure_persistence: None, ..Config::default() };
    let refused = Cell::new(0_u32);
    let outcome = TestRunner::new(config).run(&faults(), |faults| {
        let mut logs = logs.clone();
        faults.iter().for_each(|fault| apply(&mut logs, fault));
        refused.set(refused.get() + u32::from(!read(&market, &logs)));
        Ok(())
    });
    outcome.unwrap();
    let refused = refused.get();
    assert!(
        refused > 1_000,
        "{refused} of 4,000 were seen to be wrong: the damage does not reach the reader"
    );
}
