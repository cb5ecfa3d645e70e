//! Rounds that are settled page by page, by one relayer or by several.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::U256;
use chain::RoundRecord;
use chain::settlement::{PageLimits, SettlementCall, Settling};
use clearing::{Certificate, ProverClaim, UserPivot};
use market_types::Units;
use relayer::act::{Done, Manner, settle};
use relayer::plan::Profit;
use relayer::relay::{Relay, RelayOptions, Tally};
use std::sync::Arc;
use support::{OPTIONS, ROUND, Stage, relay_with, start_on, until};
use testkit::{AnvilOptions, Bid, Testbed, circuits, lot};
use tokio::sync::oneshot;

/// The round has 13 entries, so this makes pages of 5, 5 and 3.
const SMALL: PageLimits = PageLimits { entries: 5, ..PageLimits::TRANSACTION };
/// Settlement fee of a bid (ticks).
const FEE: u64 = 7;

/// A closed round of twelve bids by themselves and a lot of four, which is its last entry.
async fn closed_stage_on(options: &AnvilOptions) -> Stage {
    closed(start_on(options).await).await
}

async fn closed(stage: Stage) -> Stage {
    stage.fill(&stage.market).await;
    let client = stage.bed.client(6).await;
    let statement = Bid::of(1, circuits()[0].id).statement();
    let lot = lot(client.sender().unwrap(), 1_995, vec![statement; 4]);
    stage.bed.lots(&client, &stage.market, &[lot]).await;
    stage.close().await;
    stage
}

async fn closed_stage() -> Stage {
    closed_stage_on(&AnvilOptions::default()).await
}

async fn relay_in_pages(stage: &Stage, account: usize) -> Relay {
    relay_with(stage.bed.client(account).await, RelayOptions { limits: SMALL, ..OPTIONS }).await
}

/// The settlement as every relayer makes it.
async fn settling(stage: &Stage) -> Settling {
    let history = stage.history().await;
    let round = history.closed_round(ROUND).unwrap();
    let certificate = clearing::certificate(stage.market.params.mechanism, &round);
    let seed = stage.bed.client(9).await.seed(&stage.market, ROUND);
    Settling::new(&stage.market, seed, history.round(ROUND).unwrap(), &certificate)
}

/// Settles a page as this account, and tells how many bids are left.
async fn page(stage: &Stage, account: usize, record: &RoundRecord) -> u64 {
    match stage.settle(account, record, &SMALL).await.unwrap() {
        Done::PageSettled { bids_left, .. } => bids_left,
        other => panic!("{other:?}"),
    }
}

/// The bids of each page, from the last one of the round on, with the number of the account that settled it.
async fn shares(stage: &Stage) -> Vec<(usize, u32)> {
    let settlement = stage.record().await.settlement.unwrap();
    let number = |address| (0..20).find(|number| stage.bed.anvil.account(*number).address() == address);
    settlement.shares.iter().map(|share| (number(share.settler).unwrap(), share.bids)).collect()
}

#[tokio::test]
async fn relayers_that_take_turns_settle_a_round_and_are_paid_for_their_pages() {
    let stage = closed_stage().await;
    assert_eq!(page(&stage, 7, &stage.record().await).await, 8);
    assert_eq!(page(&stage, 8, &stage.record().await).await, 3);
    let before_the_last = stage.record().await;
    let Done::Settled { units, .. } = stage.settle(7, &before_the_last, &SMALL).await.unwrap() else {
        panic!("the last page settles the round")
    };
    assert_eq!(shares(&stage).await, [(7, 8), (8, 5), (7, 3)]);
    assert_eq!(stage.available(7).await, U256::from(11 * FEE));
    assert_eq!(stage.available(8).await, U256::from(5 * FEE));
    // Whoever comes later with what it saw before is told, and pays nothing.
    let late = stage.settle(8, &before_the_last, &SMALL).await.unwrap();
    assert_eq!(late, Done::SettledByOther);

    // The same as if it had been settled at once.
    let whole = closed_stage().await;
    let at_once = whole.settle(7, &whole.record().await, &PageLimits::TRANSACTION).await.unwrap();
    assert!(matches!(at_once, Done::Settled { units: all, .. } if all == units && all.get() > 0));
    let (paged, whole) = (stage.record().await.settlement.unwrap(), whole.record().await.settlement.unwrap());
    assert_eq!((paged.outcome, paged.winners), (whole.outcome, whole.winners));
}

#[tokio::test]
async fn a_relayer_settles_every_page_that_is_left_whoever_began() {
    let stage = closed_stage().await;
    assert_eq!(page(&stage, 8, &stage.record().await).await, 8);
    let tally = relay_in_pages(&stage, 7).await.run_once().await.unwrap();
    assert_eq!(tally, Tally { settled: 1, pages: 1, released: 1, ..Tally::default() });
    assert_eq!(shares(&stage).await, [(8, 8), (7, 5), (7, 3)]);
}

#[tokio::test]
async fn a_round_is_cleared_once_for_all_its_pages() {
    let stage = closed_stage().await;
    // Of other bids than the contract has: of no use.
    let other = stage.without_the_last_bid().await;
    let nobody = Certificate {
        user_pivot: UserPivot::NOBODY_WINS,
        units: Units::ZERO,
        prover_side: ProverClaim::Core { pivot_ask: None },
    };
    let seed = stage.bed.client(7).await.seed(&stage.market, ROUND);
    let useless = Arc::new(Settling::new(&stage.market, seed, &other, &nobody));
    let mut kept = Some(Arc::clone(&useless));
    stage.settle_with(7, &stage.record().await, &SMALL, &mut kept).await.unwrap();
    let cleared = kept.clone().unwrap();
    assert!(!Arc::ptr_eq(&cleared, &useless));
    stage.settle_with(7, &stage.record().await, &SMALL, &mut kept).await.unwrap();
    assert!(Arc::ptr_eq(&cleared, kept.as_ref().unwrap()));
    let last = stage.settle_with(7, &stage.record().await, &SMALL, &mut kept).await.unwrap();
    assert!(matches!(last, Done::Settled { .. }) && kept.is_none());
}

#[tokio::test]
async fn a_page_that_its_settler_has_gone_on_from_is_looked_for_again() {
    let stage = closed_stage().await;
    page(&stage, 8, &stage.record().await).await;
    let stale = stage.record().await;
    page(&stage, 8, &stale).await;
    assert_eq!(stage.settle(7, &stale, &SMALL).await.unwrap(), Done::Overtaken);
    let settled = stage.settle(7, &stage.record().await, &SMALL).await.unwrap();
    assert!(matches!(settled, Done::Settled { .. }), "{settled:?}");
    assert_eq!(shares(&stage).await, [(8, 8), (8, 5), (7, 3)]);
}

#[tokio::test]
async fn after_a_page_was_taken_away_once_a_relayer_relies_on_its_own() {
    let stage = closed_stage().await;
    let fresh = stage.record().await;
    page(&stage, 8, &fresh).await;
    page(&stage, 8, &stage.record().await).await;
    let relay = relay_in_pages(&stage, 7).await;
    // Begun anew, so that what the relayer has read is gone, and still a page ahead of it.
    page(&stage, 8, &fresh).await;
    let tally = relay.run_once().await.unwrap();
    assert_eq!(tally, Tally { settled: 1, pages: 2, released: 1, ..Tally::default() });
    assert_eq!(shares(&stage).await, [(7, 8), (7, 5), (7, 3)]);
}

#[tokio::test]
async fn a_round_does_not_rest_for_a_page_of_others_after_which_none_pays() {
    let bed = Testbed::start().await;
    let mut params = bed.params().await;
    params.settlement_fee = 1_000_000;
    let market = bed.market_with(&params).await;
    let stage = closed(Stage { bed, market }).await;
    // Somebody leaves the first bid, and with it the fee of one bid for a whole transaction.
    let settling = settling(&stage).await;
    let most = SettlementCall::Page(settling.page(1, None).unwrap());
    stage.bed.client(8).await.settle(most).await.unwrap();
    let record = stage.record().await;
    let last = settling.page(0, record.pages.first()).unwrap();
    let client = stage.bed.client(7).await;
    let input = SettlementCall::Page(last).abi_encode().into();
    let estimate = client.connection().estimate(client.contract().into(), input, U256::ZERO).await.unwrap();
    // It would take the fees of two bids and a half.
    let fee = stage.market.ticks_to_wei(U256::from(params.settlement_fee));
    let factor: u64 = (fee * U256::from(2_500) / estimate.cost()).to();
    let factor = format!("{}.{:03}", factor / 1_000, factor % 1_000).parse().unwrap();
    let manner = Manner {
        limits: PageLimits { entries: 7, ..SMALL },
        profit: Some(Profit { factor, ..Profit::default() }),
        ..Manner::eager(params.first_terms())
    };
    let done = settle(&client, &stage.market, &record, &manner, &mut None).await.unwrap();
    assert!(matches!(done, Done::PageSettled { bids: 10, bids_left: 6, .. }), "{done:?}");
    let done = settle(&client, &stage.market, &stage.record().await, &manner, &mut None).await.unwrap();
    assert!(matches!(done, Done::Settled { bids: 6, .. }), "{done:?}");
    assert_eq!(shares(&stage).await, [(7, 10), (7, 6)]);
}

#[tokio::test]
async fn a_page_that_is_undone_is_settled_again() {
    let stage = closed_stage().await;
    page(&stage, 7, &stage.record().await).await;
    stage.bed.anvil.reorg(1).await;
    assert!(stage.record().await.pages.is_empty());
    let tally = relay_in_pages(&stage, 7).await.run_once().await.unwrap();
    assert_eq!(tally, Tally { settled: 1, pages: 2, released: 1, ..Tally::default() });
}

#[tokio::test]
async fn of_relayers_that_race_through_the_pages_one_ends_it_and_every_bid_is_paid_for_once() {
    // With a block a second both send before they see the other's page.
    let stage = closed_stage_on(&AnvilOptions { block_time: Some(1), ..AnvilOptions::default() }).await;
    let mut running = Vec::new();
    for account in [7, 8] {
        let (stop, stopped) = oneshot::channel::<()>();
        let relay = relay_in_pages(&stage, account).await;
        let until_told = async {
            let _ = stopped.await;
        };
        running.push((stop, tokio::spawn(relay.run(until_told))));
    }
    until("settled", async || stage.is_settled(&stage.market).await).await;
    let mut tallies = Vec::new();
    for (stop, running) in running {
        stop.send(()).unwrap();
        tallies.push(running.await.unwrap().unwrap());
    }
    assert_eq!(tallies.iter().map(|tally| tally.settled).sum::<usize>(), 1, "{tallies:?}");
    assert_eq!(tallies.iter().map(|tally| tally.failed).sum::<usize>(), 0, "{tallies:?}");
    assert_eq!(shares(&stage).await.iter().map(|share| share.1).collect::<Vec<_>>(), [8, 5, 3]);
    assert_eq!(stage.available(7).await + stage.available(8).await, U256::from(16 * FEE));
}
