//! Lots on the real contract: bids, statements, settlement in pages, deliveries.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{Address, U256};
use bindings::ProverMarket::{
    Delivery, PageSettled, StatementsPublished, TaskEnded, UnknownTask, WrongProgress, WrongStatement,
    expireCall,
};
use chain::commitments::BidChain;
use chain::events::first;
use chain::history::{PageRecord, TaskEnd};
use chain::round::release_call;
use chain::settlement::{PageLimits, SettlementCall, Settling};
use chain::{EntryRecord, Lot, MarketHistory};
use clearing::Certificate;
use support::{ROUND, Stage};
use testkit::lot;

/// Account 4 posts a lot of three real statements, account 5 another of four and one bid in a bundle. The two cheapest seats have room
/// for five tasks, so that one of the four wins.
async fn with_lots() -> Stage {
    let stage = Stage::with_provers().await;
    let statement = stage.proved_bid(0).statement();
    let entry = |who: Address, fee, count| lot(who, fee, vec![statement.clone(); count]);
    let (four, five) = (stage.bed.client(4).await, stage.bed.client(5).await);
    let who = [&four, &five].map(|client| client.sender().unwrap());
    stage.bed.lots(&four, &stage.market, &[entry(who[0], 90, 3)]).await;
    stage.bed.lots(&five, &stage.market, &[entry(who[1], 80, 4), entry(who[1], 95, 1)]).await;
    let rest: Vec<Lot> = (0..9).map(|step| entry(who[1], 65 - step, 1)).collect();
    stage.bed.lots(&five, &stage.market, &rest).await;
    stage
}

fn certificate(stage: &Stage, history: &MarketHistory) -> Certificate {
    clearing::certificate(stage.market.params.mechanism, &history.closed_round(ROUND).unwrap())
}

#[tokio::test]
async fn lots_are_hashed_and_counted_as_the_contract_does() {
    let stage = with_lots().await;
    let client = stage.bed.client(9).await;
    let round = stage.round().await;
    assert_eq!((round.entries().len(), round.bid_count()), (12, 17));
    let stored = client.market().bidChainOf(stage.market.id.get(), U256::from(ROUND.get())).call().await;
    let stored = BidChain::stored(stored.unwrap());
    let id = stage.market.id;
    let known = BidChain::of(client.chain_id(), client.contract(), id, ROUND, &round.words());
    assert_eq!((known, known.count()), (stored, stored.count()));
    assert!(round.bids().all(|bid| bid.statement().is_some()));
}

#[tokio::test]
async fn every_bid_of_a_lot_is_delivered_by_itself_and_only_once() {
    let stage = with_lots().await;
    stage.settle().await;
    let client = stage.bed.client(8).await;
    let record = stage.round().await;
    let proof = stage.circuits.last().unwrap().statements[0].proof.clone();
    let tasks = record.assignments().unwrap();
    let positions: Vec<_> = tasks.iter().map(|task| record.bid(task.index).unwrap().position).collect();
    assert_eq!(positions, [0, 1, 2, 0, 0]);
    let other = record.delivery(&tasks[1], proof.clone()).unwrap();
    for assignment in &tasks {
        let delivery = record.delivery(assignment, proof.clone()).unwrap();
        let (id, task, path) = (stage.market.id.get(), delivery.task.clone(), delivery.path.clone());
        let expire = client.send(expireCall { id, task, path }, U256::ZERO, None).await.unwrap_err();
        assert!(expire.to_string().starts_with("TaskNotExpirable"), "{expire}");
        if assignment.index != tasks[1].index && delivery.task.requester == other.task.requester {
            // The same statement, but as that of another bid.
            let path = other.statementPath.clone();
            let swapped = Delivery { statementPath: path, ..delivery.clone() };
            assert!(client.deliver(&stage.market, swapped).await.unwrap_err().is::<WrongStatement>());
        }
        let mut moved = delivery.clone();
        moved.task.position += 1;
        assert!(client.deliver(&stage.market, moved).await.unwrap_err().is::<UnknownTask>());
        client.deliver(&stage.market, delivery.clone()).await.unwrap();
        assert!(client.deliver(&stage.market, delivery).await.unwrap_err().is::<TaskEnded>());
    }
    let record = stage.round().await;
    let delivered = |index| matches!(record.task(index).unwrap().end, Some(TaskEnd::Delivered { .. }));
    assert!(tasks.iter().all(|task| delivered(task.index)));
}

#[tokio::test]
async fn results_of_a_bundle_of_lots_come_back_at_once() {
    let stage = with_lots().await;
    stage.settle().await;
    let history = stage.history().await;
    let client = stage.bed.client(9).await;
    let record = history.round(ROUND).unwrap();
    let settlement = record.settlement.as_ref().unwrap();
    assert_eq!(history.bundles().map(|bundle| bundle.entries).collect::<Vec<_>>(), [2, 9]);
    for bundle in history.bundles() {
        let available = async || {
            client.market().availableOf(stage.market.id.get(), bundle.requester).call().await.unwrap()
        };
        let before = available().await;
        client.send(release_call(&stage.market, record, bundle).unwrap(), U256::ZERO, None).await.unwrap();
        let entries = record.entries_from(bundle.first_index, bundle.entries).unwrap();
        let bids = entries.into_iter().flat_map(EntryRecord::bids);
        let refund = bids.fold(U256::ZERO, |sum, bid| sum + settlement.refund(&bid));
        assert_eq!(available().await - before, refund);
    }
}

#[tokio::test]
async fn a_settlement_in_pages_is_begun_by_one_and_ended_by_another() {
    let stage = with_lots().await;
    stage.bed.warp_to_settlement(&stage.market, ROUND).await;
    let history = stage.history().await;
    let record = history.round(ROUND).unwrap();
    let (first_one, other) = (stage.bed.client(8).await, stage.bed.client(9).await);
    let seed = other.seed(&stage.market, ROUND);
    let ours = certificate(&stage, &history);
    let settling = Settling::new(&stage.market, seed, record, &ours);

    // Nine bids by themselves, as far as the gas goes.
    let begin = settling.page(3, None).unwrap();
    let receipt = first_one.settle(SettlementCall::Page(begin)).await.unwrap();
    let event = first::<PageSettled>(&receipt, first_one.contract()).unwrap();
    // The same from the receipt as from the history.
    let history = stage.history().await;
    let record = history.round(ROUND).unwrap();
    assert_eq!(record.pages, [PageRecord::from(&event)]);
    let settling = Settling::new(&stage.market, seed, record, &ours);
    let after = settling.furthest(&record.pages).unwrap().clone();

    let mut broken = after.clone();
    broken.shares[0].settler = other.sender().unwrap();
    let broken = SettlementCall::Page(settling.page(1, Some(&broken)).unwrap());
    assert!(other.settle(broken).await.unwrap_err().is::<WrongProgress>());

    let middle = SettlementCall::Page(settling.page(1, Some(&after)).unwrap());
    let receipt = other.settle(middle).await.unwrap();
    let after = PageRecord::from(&first::<PageSettled>(&receipt, other.contract()).unwrap());
    let last = settling.next(Some(&after), &PageLimits::TRANSACTION).unwrap();
    assert!(last.is_last());
    first_one.settle(last).await.unwrap();

    let record = stage.round().await;
    let settlement = record.settlement.as_ref().unwrap();
    assert_eq!(settlement.shares.iter().map(|share| share.bids).collect::<Vec<_>>(), [9, 5, 3]);
    assert!(record.pages.is_empty() && settlement.is_trade());
    // Everybody was paid for its pages.
    for (client, bids) in [(&first_one, 12), (&other, 5)] {
        let account = client.sender().unwrap();
        let due = settlement.reward_of(account, stage.market.id.settlement_fee());
        assert_eq!(due, U256::from(bids * stage.market.id.settlement_fee()));
        let held = client.market().availableOf(stage.market.id.get(), account).call().await.unwrap();
        assert_eq!(held, due);
    }
    // And every path is that of the contract.
    let proof = stage.circuits.last().unwrap().statements[0].proof.clone();
    for assignment in &record.assignments().unwrap() {
        let delivery = record.delivery(assignment, proof.clone()).unwrap();
        other.deliver(&stage.market, delivery).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_not_published_with_the_bid_can_be_published_by_anyone_later() {
    let stage = Stage::with_provers().await;
    let (client, anyone) = (stage.bed.client(4).await, stage.bed.client(9).await);
    let entry = lot(client.sender().unwrap(), 90, vec![stage.proved_bid(0).statement(); 2]).untold();
    stage.bed.deposit(&client, &stage.market, u64::try_from(entry.cost(&stage.market)).unwrap()).await;
    client.send(entry.submit_call(&stage.market), U256::ZERO, None).await.unwrap();
    assert!(stage.round().await.bids().all(|bid| bid.statement().is_none()));
    let receipt = anyone.publish(&stage.market, &entry).await.unwrap();
    assert!(first::<StatementsPublished>(&receipt, anyone.contract()).is_some());
    let record = stage.round().await;
    assert!(record.bids().all(|bid| bid.statement() == Some(&entry.statements()[0])));
}
