//! Several endpoints work as one, whatever one of them does.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{B256, U256};
use bindings::ProverMarket::depositCall;
use chain::{
    Client, ConnectError, ConnectOptions, Connection, ConnectionOptions, FollowError, FollowOptions,
    Follower, Market, Markets,
};
use serde_json::{Value, json};
use support::{ROUND, Stage};
use testkit::{Anvil, AnvilOptions, Proxy, Reply, Testbed};

async fn connect(bed: &Testbed, endpoints: &[&str]) -> Client {
    let options = ConnectOptions::new(endpoints.join(","), bed.deployment.market);
    Client::connect(&options.signer(Some(bed.anvil.account(3).clone()))).await.unwrap()
}

async fn deposit(client: &Client, market: &Market, ticks: u64) {
    let amount = market.ticks_to_wei(U256::from(ticks));
    let call = depositCall { id: market.id.get(), account: client.sender().unwrap(), amount };
    client.send(call, amount, None).await.unwrap();
}

fn is_for_newest(request: &Value) -> bool {
    request["method"] == "eth_getBlockByNumber" && request["params"][0] == "latest"
}

/// Changes the hashes of all blocks but the first.
fn lies_about_blocks(request: &Value, forward: &dyn Fn() -> Value) -> Option<Value> {
    let mut answer = forward();
    if request["method"] == "eth_getBlockByNumber" && answer["result"]["number"] != "0x0" {
        answer["result"]["hash"] = json!(format!("0x{}", "ab".repeat(32)));
    }
    Some(answer)
}

fn hides_logs(request: &Value, forward: &dyn Fn() -> Value) -> Option<Value> {
    let mut answer = forward();
    if request["method"] == "eth_getLogs" {
        answer["result"] = json!([]);
    }
    Some(answer)
}

#[tokio::test]
async fn what_one_does_not_answer_another_does() {
    let bed = Testbed::start().await;
    let market = bed.market().await;
    let (one, other) = (Proxy::to(bed.anvil.url()), Proxy::to(bed.anvil.url()));
    let client = connect(&bed, &["http://127.0.0.1:1", one.url(), other.url()]).await;
    deposit(&client, &market, 1).await;
    one.close();
    deposit(&client, &market, 2).await;
    one.open();
    other.close();
    deposit(&client, &market, 3).await;
    let held = client.market().availableOf(market.id.get(), client.sender().unwrap()).call().await.unwrap();
    assert_eq!(held, U256::from(6));
    one.close();
    assert!(client.head().await.is_err());
    other.open();
    assert!(client.head().await.is_ok());
}

#[tokio::test]
async fn an_older_head_than_one_that_was_told_is_never_told() {
    let bed = Testbed::start().await;
    let (fresh, stale) = (Proxy::to(bed.anvil.url()), Proxy::to(bed.anvil.url()));
    let old = bed.anvil.request("eth_getBlockByNumber", json!(["latest", false])).await;
    stale.set(move |request, forward| {
        let mut answer = forward();
        if is_for_newest(request) {
            answer["result"] = old.clone();
        }
        Some(answer)
    });
    bed.anvil.mine(5).await;
    let client = connect(&bed, &[stale.url(), fresh.url()]).await;
    let head = bed.anvil.head().await;
    for _ in 0..10 {
        assert_eq!(client.head().await.unwrap(), head);
    }
    fresh.close();
    let error = client.head().await.unwrap_err().to_string();
    assert!(error.contains(&format!("block {}", head.number)), "{error}");
    stale.open();
    assert_eq!(client.head().await.unwrap(), head);
}

#[tokio::test]
async fn whoever_makes_up_blocks_is_found_out_by_two_others_or_by_its_own_blocks() {
    let bed = Testbed::start().await;
    bed.anvil.mine(5).await;
    let real = bed.anvil.head().await;
    for honest in [1, 2] {
        let liar = Proxy::to(bed.anvil.url());
        liar.set(lies_about_blocks);
        let honest: Vec<Proxy> = (0..honest).map(|_| Proxy::to(bed.anvil.url())).collect();
        let mut urls = vec![liar.url()];
        urls.extend(honest.iter().map(Proxy::url));
        let client = connect(&bed, &urls).await;
        for _ in 0..5 {
            assert_eq!(client.head().await.unwrap(), real);
        }
        let (asked, sender) = (liar.asked("eth_call"), client.sender().unwrap());
        for _ in 0..5 {
            let _ = client.market().availableOf(B256::ZERO, sender).call().await;
        }
        assert_eq!(liar.asked("eth_call"), asked, "it is asked no more");
    }
}

#[tokio::test]
async fn another_chain_is_refused_and_another_chain_of_the_same_number_is_not_asked() {
    let bed = Testbed::start().await;
    let arguments = vec!["--chain-id".to_owned(), "5".to_owned()];
    let five = Anvil::start(&AnvilOptions { arguments, ..AnvilOptions::default() }).await;
    let urls = format!("{},{}", bed.anvil.url(), five.url());
    let error = Connection::connect(&ConnectionOptions::new(&urls)).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongChain { expected: 31_337, found: 5 }), "{error}");
    let error = Connection::connect(&ConnectionOptions::new(&urls).chain_id(Some(5))).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongChain { expected: 5, found: 31_337 }), "{error}");

    let arguments = vec!["--timestamp".to_owned(), "1700000000".to_owned()];
    let twin = Anvil::start(&AnvilOptions { arguments, ..AnvilOptions::default() }).await;
    twin.mine(3).await;
    let proxy = Proxy::to(twin.url());
    let client = connect(&bed, &[bed.anvil.url(), proxy.url()]).await;
    assert_eq!(client.head().await.unwrap(), bed.anvil.head().await);
    assert_eq!(proxy.asked("eth_call"), 0);
}

#[tokio::test]
async fn logs_that_one_hides_are_read_from_another() {
    let stage = Stage::with_bids().await;
    let (honest, liar) = (Proxy::to(stage.bed.anvil.url()), Proxy::to(stage.bed.anvil.url()));
    liar.set(hides_logs);
    honest.set(|_, forward| {
        // So that the liar is asked first.
        std::thread::sleep(std::time::Duration::from_millis(30));
        Some(forward())
    });
    let client = connect(&stage.bed, &[liar.url(), honest.url()]).await;
    let options = FollowOptions::new(Markets::Only(vec![stage.market.id]), 0);
    let follower = Follower::start(client, options).await.unwrap();
    let known = follower.market(stage.market.id).unwrap().round(ROUND).unwrap().words();
    assert_eq!(known, stage.round().await.words());
    assert!(liar.asked("eth_getLogs") > 0 && honest.asked("eth_getLogs") > 0);
}

/// A node that leaves the logs of the newest block out, and gives its receipts or does not.
async fn hiding(stage: &Stage, gives_receipts: bool) -> Proxy {
    let liar = Proxy::to(stage.bed.anvil.url());
    // All that happens in one block, so that what is left makes sense.
    let last = stage.bed.anvil.head().await;
    liar.set(move |request, forward| {
        let mut answer = forward();
        if request["method"] == "eth_getLogs"
            && let Some(logs) = answer["result"].as_array_mut()
        {
            logs.retain(|log| log["blockNumber"] != json!(format!("{:#x}", last.number)));
        }
        if request["method"] == "eth_getBlockReceipts" && !gives_receipts {
            answer["result"] = Value::Null;
        }
        Some(answer)
    });
    liar
}

#[tokio::test]
async fn bids_that_the_only_node_hides_are_missed() {
    let stage = Stage::with_bids().await;
    let liar = hiding(&stage, false).await;
    let client = connect(&stage.bed, &[liar.url()]).await;
    let options = FollowOptions::new(Markets::Only(vec![stage.market.id]), 0);
    let error = Follower::start(client, options).await.unwrap_err();
    let FollowError::Incomplete { round, known, actual } = error else { panic!("{error}") };
    assert_eq!((round, known < actual), (ROUND, true));
}

#[tokio::test]
async fn logs_that_the_only_node_hides_are_read_from_its_receipts() {
    let stage = Stage::with_bids().await;
    let liar = hiding(&stage, true).await;
    let client = connect(&stage.bed, &[liar.url()]).await;
    let options = FollowOptions::new(Markets::Only(vec![stage.market.id]), 0);
    let follower = Follower::start(client, options).await.unwrap();
    let known = follower.market(stage.market.id).unwrap().round(ROUND).unwrap().words();
    assert_eq!(known, stage.round().await.words());
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_and_read_elsewhere() {
    let stage = Stage::with_bids().await;
    let (endless, honest) = (Proxy::to(stage.bed.anvil.url()), Proxy::to(stage.bed.anvil.url()));
    endless.reply(
        |request, behind| {
            if request["method"] == "eth_getLogs" { Reply::Endless } else { behind.pass() }
        },
    );
    // Alone it gives the logs with its receipts.
    for endpoints in [vec![endless.url()], vec![endless.url(), honest.url()]] {
        let mut options = ConnectOptions::new(endpoints.join(","), stage.bed.deployment.market);
        options.connection.max_answer = 100_000;
        let client = Client::connect(&options).await.unwrap();
        let options = FollowOptions::new(Markets::Only(vec![stage.market.id]), 0);
        let follower = Follower::start(client, options).await.unwrap();
        let known = follower.market(stage.market.id).unwrap().round(ROUND).unwrap().words();
        assert_eq!(known, stage.round().await.words());
    }
    assert!(endless.asked("eth_getLogs") > 0 && honest.asked("eth_getLogs") > 0);
}
