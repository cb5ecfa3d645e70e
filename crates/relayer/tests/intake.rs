//! Signed bids that are handed in over HTTP get into their round, and their requesters learn where, whatever happens meanwhile.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use bindings::ProverMarket::{SignedBidRefused, SignedBidsSubmitted, withdrawCall};
use chain::commitments::BidChain;
use intake_api::{Code, Receipt, SignedEntry, Status};
use serde_json::json;
use std::collections::BTreeSet;
use support::intake::{ROUND, Scene};
use support::until;
use testkit::{Bid, Postgres};

/// Asserts that the chain has what a receipt says.
async fn is_true(scene: &Scene, receipt: &Receipt) {
    let client = scene.reader();
    let filter = Filter::new().address(receipt.contract).at_block_hash(receipt.block_hash);
    let logs = client.provider().get_logs(&filter).await.unwrap();
    let log = logs.iter().find(|log| log.log_index == Some(receipt.log_index)).unwrap();
    assert_eq!(
        (log.transaction_hash, log.block_number),
        (Some(receipt.transaction), Some(receipt.block_number))
    );
    let event = SignedBidsSubmitted::decode_log(&log.inner).unwrap();
    assert_eq!((event.id, event.round), (receipt.market, U256::from(receipt.round)));
    // Every entry here is a single bid.
    let place = receipt.first_index - u32::try_from(event.firstIndex).unwrap();
    let bid = &event.bids[usize::try_from(place).unwrap()];
    assert_eq!((bid.requester, bid.entry), (receipt.requester, receipt.entry));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_bids_of_as_many_requesters_share_a_transaction() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.patient(100)).await;
    let mut bids = Vec::new();
    for number in 0..100 {
        let key = scene.requester(number).await;
        bids.push(scene.signed(&key, 500 + number).await);
    }
    let mut handed_in = tokio::task::JoinSet::new();
    for bid in bids {
        let desk = relayer.desk.clone();
        handed_in.spawn(async move { (desk.accepted(&bid).await, bid) });
    }
    let (mut transactions, mut indices) = (BTreeSet::new(), BTreeSet::new());
    for (id, bid) in handed_in.join_all().await {
        let receipt = relayer.desk.becomes(id, Status::Included).await.receipt.unwrap();
        assert_eq!((receipt.requester, receipt.entry), (bid.requester, bid.bid().unwrap().entry.get()));
        is_true(&scene, &receipt).await;
        transactions.insert(receipt.transaction);
        indices.insert(receipt.first_index);
    }
    assert_eq!((transactions.len(), indices), (1, (0..100).collect()));
    relayer.stop().await;
    // The round is what the contract has, and every statement is published.
    let history = scene.history().await;
    let record = history.round(ROUND).unwrap();
    assert_eq!(scene.published().await, 100);
    let client = scene.reader();
    let stored =
        client.market().bidChainOf(scene.market.id.get(), U256::from(ROUND.get())).call().await.unwrap();
    let known = BidChain::of(client.chain_id(), client.contract(), scene.market.id, ROUND, &record.words());
    assert_eq!(known, BidChain::stored(stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bid_waits_for_others_until_the_close_is_near() {
    let scene = Scene::new().await;
    let options = scene.patient(100);
    let relayer = scene.relayer(options.clone()).await;
    let (one, other) = (scene.requester(1).await, scene.requester(2).await);
    let ids = [
        relayer.desk.accepted(&scene.signed(&one, 10).await).await,
        relayer.desk.accepted(&scene.signed(&other, 10).await).await,
    ];
    scene.bed.anvil.mine(2).await;
    assert_eq!(relayer.desk.bid(ids[0]).await.status, Status::Queued);
    scene.warp_to_posting(&options).await;
    let mut receipts = Vec::new();
    for id in ids {
        receipts.push(relayer.desk.becomes(id, Status::Included).await.receipt.unwrap());
    }
    assert_eq!(receipts[0].transaction, receipts[1].transaction);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bid_that_would_be_refused_is_left_out_and_its_statements_are_not_paid_for() {
    let scene = Scene::new().await;
    let options = scene.patient(100);
    let relayer = scene.relayer(options.clone()).await;
    let keys = [scene.requester(1).await, scene.bed.anvil.account(5).clone(), scene.requester(3).await];
    scene.fund(keys[1].address()).await;
    let mut ids = Vec::new();
    for key in &keys {
        ids.push(relayer.desk.accepted(&scene.signed(key, 10).await).await);
    }
    // The second one takes its money back before its bid is posted.
    let withdraw = withdrawCall { id: scene.market.id.get(), amount: U256::MAX, to: keys[1].address() };
    scene.bed.client(5).await.send(withdraw, U256::ZERO, None).await.unwrap();
    scene.warp_to_posting(&options).await;
    let refused = relayer.desk.becomes(ids[1], Status::Refused).await;
    let refusal = refused.refusal.unwrap();
    assert_eq!((refusal.reason.as_str(), refused.receipt), ("InsufficientBalance", None));
    assert_eq!(refusal.transaction, None);
    let mut transactions = BTreeSet::new();
    for id in [ids[0], ids[2]] {
        let receipt = relayer.desk.becomes(id, Status::Included).await.receipt.unwrap();
        is_true(&scene, &receipt).await;
        transactions.insert(receipt.transaction);
    }
    assert_eq!((transactions.len(), scene.published().await), (1, 2));
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_says_yes_when_asked_and_no_when_it_counts_is_turned_away() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let owner = scene.requester(1).await;
    let wallet = scene.wallet(&owner).await;
    let bid = scene.wallet_bid(wallet, &owner, 10).await;
    let anvil = &scene.bed.anvil;
    let code = scene.reader().provider().get_code_at(wallet).await.unwrap();
    anvil.set_automine(false).await;
    let id = relayer.desk.accepted(&bid).await;
    let waiting = async || anvil.request("txpool_status", json!([])).await["pending"] == json!("0x1");
    until("it waits to be mined", waiting).await;
    anvil.request("anvil_setCode", json!([wallet, "0x00"])).await;
    anvil.mine(1).await;
    anvil.set_automine(true).await;
    // It says yes again at once, and would cost as much again.
    anvil.request("anvil_setCode", json!([wallet, code])).await;
    let refusal = relayer.desk.becomes(id, Status::Refused).await.refusal.unwrap();
    assert_eq!(refusal.reason, "WrongSignature");
    let sender = anvil.account(7).address();
    assert_eq!(scene.reader().provider().get_transaction_count(sender).await.unwrap(), 1);
    let problem = relayer.desk.refused(&bid).await;
    assert!(problem.code == Code::Refused && problem.detail.contains("in 1440 minutes"), "{problem}");
    // Others are not to suffer for it.
    let other = scene.wallet(&owner).await;
    relayer.desk.accepted(&scene.wallet_bid(other, &owner, 10).await).await;
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn if_all_would_be_refused_nothing_is_sent() {
    let scene = Scene::new().await;
    let options = scene.patient(100);
    let relayer = scene.relayer(options.clone()).await;
    let mut ids = Vec::new();
    for number in [5, 6] {
        let key = scene.bed.anvil.account(number).clone();
        scene.fund(key.address()).await;
        ids.push(relayer.desk.accepted(&scene.signed(&key, 10).await).await);
        let withdraw = withdrawCall { id: scene.market.id.get(), amount: U256::MAX, to: key.address() };
        scene.bed.client(number).await.send(withdraw, U256::ZERO, None).await.unwrap();
    }
    scene.warp_to_posting(&options).await;
    for id in ids {
        let refusal = relayer.desk.becomes(id, Status::Refused).await.refusal.unwrap();
        assert_eq!((refusal.reason.as_str(), refusal.transaction), ("InsufficientBalance", None));
    }
    let sender = scene.bed.anvil.account(7).address();
    assert_eq!(scene.reader().provider().get_transaction_count(sender).await.unwrap(), 0);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_bids_by_its_own_signature() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let owner = scene.bed.anvil.account(6).clone();
    let wallet = scene.wallet(&owner).await;
    let id = relayer.desk.accepted(&scene.wallet_bid(wallet, &owner, 10).await).await;
    let receipt = relayer.desk.becomes(id, Status::Included).await.receipt.unwrap();
    assert_eq!(receipt.requester, wallet);
    is_true(&scene, &receipt).await;
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bid_that_somebody_else_submits_is_included_all_the_same() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.patient(100)).await;
    let key = scene.requester(1).await;
    let (bid, lots) = (scene.signed(&key, 10).await, [Scene::lot(key.address(), 10)]);
    let id = relayer.desk.accepted(&bid).await;
    let SignedEntry::Key(signed) = bid.signed().unwrap() else { panic!("signed by a key") };
    let other = scene.bed.client(8).await.submit_signed(&scene.market, &lots, &[signed]).await.unwrap();
    let receipt = relayer.desk.becomes(id, Status::Included).await.receipt.unwrap();
    assert_eq!(receipt.transaction, other.transaction_hash);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_that_bids_by_itself_meanwhile_cancels_its_signed_bid() {
    let scene = Scene::new().await;
    let options = scene.patient(100);
    let relayer = scene.relayer(options.clone()).await;
    let key = scene.bed.anvil.account(5).clone();
    scene.fund(key.address()).await;
    let id = relayer.desk.accepted(&scene.signed(&key, 10).await).await;
    scene.bed.bid(&scene.bed.client(5).await, &scene.market, &Bid::of(11, testkit::circuits()[0].id)).await;
    scene.warp_to_posting(&options).await;
    let refusal = relayer.desk.becomes(id, Status::Refused).await.refusal.unwrap();
    assert_eq!(refusal.reason, "BidInRoundAlready");
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_closes_too_early_is_missed() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.patient(100)).await;
    let id = relayer.desk.accepted(&scene.signed(&scene.requester(1).await, 10).await).await;
    // No block at a time at which it could have been posted.
    scene.bed.warp_to_close(&scene.market, ROUND).await;
    let missed = relayer.desk.becomes(id, Status::Missed).await;
    assert_eq!((missed.receipt, missed.refusal), (None, None));
    assert_eq!(missed.closes_at, scene.market.close_of(ROUND));
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_a_block_that_is_undone_disappears_and_the_bid_is_posted_again() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let id = relayer.desk.accepted(&scene.signed(&scene.requester(1).await, 10).await).await;
    let first = relayer.desk.becomes(id, Status::Included).await.receipt.unwrap();
    scene.bed.anvil.mine(1).await;
    scene.bed.anvil.reorg(2).await;
    until("another receipt", async || {
        let bid = relayer.desk.bid(id).await;
        bid.receipt.is_some_and(|receipt| receipt.block_hash != first.block_hash)
    })
    .await;
    let receipt = relayer.desk.bid(id).await.receipt.unwrap();
    is_true(&scene, &receipt).await;
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_posted_by_the_next_relayer_with_the_database() {
    let scene = Scene::new().await;
    let options = scene.patient(100);
    let first = scene.relayer(options.clone()).await;
    let (kept, bid) = (scene.requester(1).await, scene.requester(2).await);
    let lots = [Scene::lot(bid.address(), 10)];
    let kept = first.desk.accepted(&scene.signed(&kept, 10).await).await;
    let bid = scene.signed(&bid, 10).await;
    let elsewhere = first.desk.accepted(&bid).await;
    first.stop().await;
    // While nobody looks, the second one is submitted by somebody else.
    let SignedEntry::Key(signed) = bid.signed().unwrap() else { panic!("signed by a key") };
    scene.bed.client(8).await.submit_signed(&scene.market, &lots, &[signed]).await.unwrap();
    let second = scene.relayer(options.clone()).await;
    assert_eq!(second.desk.bid(elsewhere).await.status, Status::Included, "read before anyone can ask");
    assert_eq!(second.desk.bid(kept).await.status, Status::Queued);
    scene.warp_to_posting(&options).await;
    second.desk.becomes(kept, Status::Included).await;
    second.stop().await;
    let third = scene.relayer(options).await;
    for id in [kept, elsewhere] {
        assert_eq!(third.desk.bid(id).await.status, Status::Included);
    }
    assert_eq!(third.desk.get(&format!("/v1/bids/{}", B256::ZERO)).await.status(), 404);
    third.stop().await;
}

/// Two relayers with the database at `place`.
async fn share(place: &str) {
    let scene = Scene::new().await;
    let mut options = scene.patient(100);
    place.clone_into(&mut options.database);
    let (one, other) =
        (scene.relayer_of(7, options.clone()).await, scene.relayer_of(8, options.clone()).await);
    let mut ids = Vec::new();
    for number in 0..6 {
        let bid = scene.signed(&scene.requester(number).await, 10).await;
        let [first, second] = if number % 2 == 0 { [&one, &other] } else { [&other, &one] };
        ids.push(first.desk.accepted(&bid).await);
        assert_eq!(second.desk.hand_in(&bid).await.status(), 200, "it is there already");
    }
    scene.warp_to_posting(&options).await;
    for id in &ids {
        let receipt = one.desk.becomes(*id, Status::Included).await.receipt.unwrap();
        is_true(&scene, &receipt).await;
        assert_eq!(other.desk.becomes(*id, Status::Included).await.receipt, Some(receipt));
    }
    // One goes away, and what it accepted is posted by the other one, which has its receipt from then on.
    let bid = scene.signed(&scene.requester(6).await, 10).await;
    let id = one.desk.accepted(&bid).await;
    one.stop().await;
    let receipt = other.desk.becomes(id, Status::Included).await.receipt.unwrap();
    is_true(&scene, &receipt).await;
    let again = scene.relayer_of(7, options).await;
    assert_eq!(again.desk.bid(id).await.receipt, Some(receipt));
    again.stop().await;
    other.stop().await;
    let client = scene.reader();
    let refused = Filter::new().address(client.contract()).event_signature(SignedBidRefused::SIGNATURE_HASH);
    assert_eq!(
        client.provider().get_logs(&refused.from_block(0)).await.unwrap(),
        [],
        "none was posted twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn relayers_that_share_a_file_post_each_bid_once() {
    let dir = tempfile::tempdir().unwrap();
    share(&dir.path().join("shared.db").display().to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relayers_that_share_postgres_post_each_bid_once() {
    let Some(server) = Postgres::start() else { return };
    share(&server.database("intake").await).await;
}
