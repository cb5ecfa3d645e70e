//! What pages cost is within what the crate `chain` reckons with, and the largest lot can be settled.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::sol_types::SolEvent;
use bindings::ProverMarket::{PageSettled, RoundSettled};
use chain::history::PageRecord;
use chain::settlement::{PageLimits, SettlementCall, Settling};
use clearing::clear_with_certificate;
use differential::pages::assignment_root;
use differential::staged::{Staged, held_by_a_market, on_chain, settler};
use market_types::{
    Ask, AskIndex, Bid, Capacity, CapacityCap, LotSize, Mechanism, ReservePrice, Round, RoundNumber,
    SeatedAsk, TaskSize, UnitCost, UnitFee,
};

/// Bids of one unit at `fee(index)`, and seats that ask 1 and more, all but the last of them together for all but a few bids.
fn round(bids: usize, fee: impl Fn(usize) -> u64, seats: u32, reserve: u64) -> Round {
    let bid = |index| Bid { fee: UnitFee::new(fee(index)).unwrap(), size: TaskSize::MIN };
    let capacity = Capacity::from_u64((bids as u64 - 4) / u64::from(seats - 1)).unwrap();
    let ask = |seat: u32| SeatedAsk {
        seat: AskIndex::new(seat),
        ask: Ask { cost: UnitCost::new(u64::from(seat) + 1), capacity },
    };
    let round = Round::new(
        RoundNumber::new(5),
        CapacityCap::MAX,
        ReservePrice::new(reserve),
        (0..bids).map(bid).collect(),
        (0..seats).map(ask).collect(),
    );
    held_by_a_market(&round.unwrap()).expect("a market's round")
}

/// Settles a round as a relayer does, and tells how many bids won and the gas of each page with its bound.
fn settle(mechanism: Mechanism, round: Round, lots: &[u16]) -> (usize, Vec<(u64, u64)>) {
    let (outcome, certificate) = clear_with_certificate(mechanism, &round);
    let mut staged = Staged::new(mechanism, round, lots);
    let (number, history) = (staged.round.number(), staged.history.clone());
    let record = history.round(number).unwrap();
    let settling = Settling::new(history.market(), staged.seed(), record, &certificate);
    let (mut gas, mut cuts) = (Vec::new(), Vec::new());
    let (mut after, mut end): (Option<PageRecord>, usize) = (None, lots.len());
    loop {
        let (begin, before) = match settling.next(after.as_ref(), &PageLimits::TRANSACTION).unwrap() {
            SettlementCall::Whole(call) => (end - call.words.len(), None),
            SettlementCall::Page(call) => (end - call.page.words.len(), Some(call.page)),
        };
        // A whole round costs no more than a page of all of it.
        let page = before.unwrap_or_else(|| staged.page(&on_chain(&certificate), (begin, end), None));
        let done = staged.try_page(settler(0), &on_chain(&certificate), page).unwrap();
        let shares = after.as_ref().map_or(&[][..], |page| &page.shares);
        gas.push((done.gas, settling.gas_bound(begin, end, shares)));
        cuts.push(begin);
        end = begin;
        if let Some(settled) = done.logs.iter().find_map(|log| RoundSettled::decode_log(log).ok()) {
            assert_eq!(settled.assignmentRoot, assignment_root(&staged.words, &outcome, &cuts));
            assert_eq!(cuts.len(), settling.page_count(&PageLimits::TRANSACTION));
            return (outcome.winning_bids.len(), gas);
        }
        let page = done.logs.iter().find_map(|log| PageSettled::decode_log(log).ok()).unwrap();
        after = Some(PageRecord::from(&page.data));
    }
}

fn check(what: &str, round: impl Fn() -> Round, lots: &[u16], winners: usize) {
    for mechanism in Mechanism::ALL {
        let (won, gas) = settle(mechanism, round(), lots);
        println!("{what}, {mechanism}: {won} won, gas and bound of each page {gas:?}");
        assert!(won >= winners || mechanism == Mechanism::AverageFee, "{won}");
        for (gas, bound) in gas {
            assert!(gas <= bound && bound <= PageLimits::TRANSACTION.gas, "{gas} of {bound}");
        }
    }
}

#[test]
fn a_page_full_of_single_bids_is_within_its_bound() {
    let fee = |index| 1_000_000 + index as u64 * 7_919 % 10_000;
    for seats in [10, 128] {
        check(&format!("8,000 bids, {seats} seats"), || round(8_000, fee, seats, 0), &[1; 8_000], 7_000);
    }
}

#[test]
fn a_page_full_of_lots_is_within_its_bound() {
    let fee = |index| 1_000_000 + index as u64 / 2 * 7_919 % 10_000;
    for seats in [10, 128] {
        check(&format!("4,000 lots, {seats} seats"), || round(8_000, fee, seats, 0), &[2; 4_000], 7_000);
    }
}

#[test]
fn losers_are_within_their_bound() {
    check("8,000 losers", || round(8_000, |_| 1, 128, 2), &[1; 8_000], 0);
}

#[test]
fn the_largest_lot_is_settled_in_one_transaction() {
    let most = usize::from(LotSize::MAX.get());
    let fee = |index| if index < most { 9_000 } else { 1_000 };
    for seats in [3, 128] {
        let lots = [LotSize::MAX.get(), 5];
        check(&format!("the largest lot, {seats} seats"), || round(most + 5, fee, seats, 0), &lots, 16_000);
    }
}
