//! Bids that their requesters signed, submitted by somebody else.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{Address, Signature, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolError, SolEvent};
use bindings::ProverMarket::{
    BidInRoundAlready, InsufficientBalance, NothingSubmitted, SignedBidRefused, WrongSignature,
};
use chain::commitments::BidChain;
use chain::signed::SignedBid;
use chain::{Client, Lot, error_name};
use market_types::RoundNumber;
use support::{ROUND, Stage};
use testkit::lot;

/// A lot of this client at `fee`, without anything having been paid.
fn asked(stage: &Stage, client: &Client, fee: u64, count: usize) -> Lot {
    lot(client.sender().unwrap(), fee, vec![stage.proved_bid(0).statement(); count])
}

async fn signed(stage: &Stage, account: usize, round: RoundNumber, lot: &Lot) -> SignedBid {
    let client = stage.bed.client(account).await;
    let bid = client.bid_to_sign(&stage.market, round, lot.word());
    let signed = bid.sign(stage.bed.anvil.account(account)).await.unwrap();
    assert!(signed.is_of(client.sender().unwrap()));
    signed
}

/// Who was refused at which place of the call, and why.
fn refused(receipt: &TransactionReceipt) -> Vec<(Address, u64, [u8; 4])> {
    let logs = receipt.inner.logs().iter().filter_map(|log| SignedBidRefused::decode_log(&log.inner).ok());
    logs.map(|log| (log.requester, log.position.to(), log.reason.0)).collect()
}

async fn available(stage: &Stage, account: Address) -> U256 {
    let client = stage.bed.client(9).await;
    client.market().availableOf(stage.market.id.get(), account).call().await.unwrap()
}

#[tokio::test]
async fn the_contract_signs_in_the_name_that_is_signed() {
    let stage = Stage::with_provers().await;
    let client = stage.bed.client(9).await;
    let known = client.market().eip712Domain().call().await.unwrap();
    let entry = asked(&stage, &client.clone(), 9, 1).word();
    let domain = client.bid_to_sign(&stage.market, ROUND, entry).domain();
    assert_eq!(Some(&*known.name), domain.name.as_deref());
    assert_eq!(Some(&*known.version), domain.version.as_deref());
    assert_eq!(Some(known.chainId), domain.chain_id);
    assert_eq!(Some(known.verifyingContract), domain.verifying_contract);
}

#[tokio::test]
async fn signed_bids_are_their_requesters_whoever_submits_them() {
    let stage = Stage::with_provers().await;
    let (four, five) = (stage.bed.client(4).await, stage.bed.client(5).await);
    let anyone = stage.bed.client(8).await;
    let who = [&four, &five].map(|client| client.sender().unwrap());
    let lots = [asked(&stage, &four, 90, 2), asked(&stage, &five, 80, 1), asked(&stage, &four, 70, 1)];
    for client in [&four, &five] {
        stage.bed.deposit(client, &stage.market, 100_000).await;
    }
    let mut bids = Vec::new();
    for (account, lot) in [4, 5, 4].into_iter().zip(&lots) {
        bids.push(signed(&stage, account, ROUND, lot).await);
    }
    bids.push(SignedBid { signature: Signature::new(U256::ZERO, U256::ZERO, false), ..bids[1] });

    let receipt = anyone.submit_signed(&stage.market, &lots, &bids).await.unwrap();
    let told = [(who[0], 2, BidInRoundAlready::SELECTOR), (Address::ZERO, 3, WrongSignature::SELECTOR)];
    assert_eq!(refused(&receipt), told);
    let again = anyone.submit_signed(&stage.market, &lots, &bids[..1]).await.unwrap_err();
    assert!(again.is::<NothingSubmitted>());
    assert!(again.to_string().contains("NothingSubmitted(reason: BidInRoundAlready)"), "{again}");

    // Each has paid for its own.
    for (account, lot) in who.into_iter().zip(&lots) {
        assert_eq!(available(&stage, account).await, U256::from(100_000 - lot.cost(&stage.market)));
    }
    let history = stage.history().await;
    let record = history.round(ROUND).unwrap();
    let entries: Vec<_> =
        record.entries().iter().map(|entry| (entry.requester, entry.first_index.get(), entry.word)).collect();
    assert_eq!(entries, [(who[0], 0, lots[0].word()), (who[1], 2, lots[1].word())]);
    assert_eq!(history.bundles().count(), 0);
    let stored = anyone.market().bidChainOf(stage.market.id.get(), U256::from(ROUND.get())).call().await;
    let known = BidChain::of(anyone.chain_id(), anyone.contract(), stage.market.id, ROUND, &record.words());
    assert_eq!(known, BidChain::stored(stored.unwrap()));
}

#[tokio::test]
async fn a_signed_bid_is_published_settled_and_delivered_like_any_other() {
    let stage = Stage::with_provers().await;
    let (four, anyone) = (stage.bed.client(4).await, stage.bed.client(8).await);
    let dear = asked(&stage, &four, 90, 2);
    stage.bed.deposit(&four, &stage.market, 100_000).await;
    let bid = signed(&stage, 4, ROUND, &dear).await;
    let refused = anyone.submit_signed(&stage.market, &[], &[bid]).await.unwrap_err();
    assert!(refused.to_string().contains("NothingSubmitted(reason: NotPublishedHere)"), "{refused}");
    anyone.submit_signed(&stage.market, std::slice::from_ref(&dear), &[bid]).await.unwrap();
    // Enough for two of the seats to lose, so that there is a price.
    let rest: Vec<_> = (0..9).map(|step| stage.proved_bid(65 - step)).collect();
    stage.bed.bids(&stage.bed.client(5).await, &stage.market, &rest).await;
    stage.settle().await;
    let record = stage.round().await;
    let proof = stage.circuits.last().unwrap().statements[0].proof.clone();
    for task in &record.assignments().unwrap()[..2] {
        assert_eq!(record.bid(task.index).unwrap().requester, four.sender().unwrap());
        let delivery = record.delivery(task, proof.clone()).unwrap();
        anyone.deliver(&stage.market, delivery).await.unwrap();
    }
}

#[tokio::test]
async fn a_bid_that_was_signed_for_another_round_is_a_stranger_s() {
    let stage = Stage::with_provers().await;
    let (four, anyone) = (stage.bed.client(4).await, stage.bed.client(8).await);
    stage.bed.deposit(&four, &stage.market, 100_000).await;
    let lot = asked(&stage, &four, 90, 1).untold();
    let next = signed(&stage, 4, RoundNumber::new(ROUND.get() + 1), &lot).await;
    let refused = anyone.submit_signed(&stage.market, &[], &[next]).await.unwrap_err();
    assert!(refused.is::<NothingSubmitted>());
    let reason = error_name(InsufficientBalance::SELECTOR).unwrap();
    assert!(refused.to_string().contains(&format!("NothingSubmitted(reason: {reason})")), "{refused}");
    stage.bed.warp_to_open(&stage.market, next.bid.round).await;
    anyone.submit_signed(&stage.market, &[], &[next]).await.unwrap();
    assert_eq!(stage.history().await.round(next.bid.round).unwrap().bid_count(), 1);
}
