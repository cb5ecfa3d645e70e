mod retention;

use super::*;
use crate::commitments::BidWord;
use crate::events::Origin;
use crate::params::tests::params;
use crate::{Lot, Statement};
use alloy::primitives::{B256, Bytes, keccak256};
use bindings::ProverMarket as abi;
use market_types::{CircuitId, LotSize, TaskSize, UnitFee};

/// The worked example of the mechanism: bids A to E, winners P (5 units) and Q (4), user price 5, batch of 9.
const BIDS: [(u64, u32); 5] = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
pub(super) const WHO: Address = Address::repeat_byte(0xaa);

pub(super) fn history() -> MarketHistory {
    let params = params();
    MarketHistory::new(Market { id: params.market_id(), params })
}

pub(super) fn id() -> B256 {
    params().market_id().get()
}

pub(super) fn logged(event: Event) -> LoggedEvent {
    logged_in(1, event)
}

/// While this round takes bids.
pub(super) fn logged_in(round: u64, event: Event) -> LoggedEvent {
    let time = params().market_id().open_of(RoundNumber::new(round));
    let origin = Origin { block: 1, time, log_index: 0, tx_hash: B256::ZERO };
    LoggedEvent { market: MarketId::from(id()), origin, event }
}

fn bid(round: u64, index: u32, fee: u64, size: u32) -> LoggedEvent {
    submitted(round, index, word(index, fee, size))
}

pub(super) fn place(round: u64, index: u32) -> U256 {
    (U256::from_be_bytes(WHO.into_word().0) << 64) | (U256::from(round) << 32) | U256::from(index)
}

pub(super) fn submitted(round: u64, index: u32, word: B256) -> LoggedEvent {
    logged(Event::BidSubmitted(abi::BidSubmitted { id: id(), place: place(round, index), word }))
}

pub(super) fn statement(input: u64, size: u32) -> Statement {
    let (circuit, public_inputs) = (CircuitId::of(3, size), vec![U256::from(input)]);
    Statement { circuit, public_inputs, data: Bytes::from_static(b"data") }
}

/// An entry of `count` bids whose statements are numbered from `first`.
pub(super) fn lot(first: u64, count: u64, fee: u64, size: u32) -> Lot {
    let statements = (first..first + count).map(|input| statement(input, size)).collect();
    Lot::new(WHO, UnitFee::new(fee).unwrap(), statements).unwrap()
}

pub(super) fn published(lot: &Lot) -> LoggedEvent {
    let statements = lot.statements().iter().map(Statement::to_abi).collect();
    let event = abi::StatementsPublished { id: id(), requester: lot.requester(), statements };
    logged(Event::StatementsPublished(event))
}

/// The word of a bid by itself, also of one that no contract takes.
fn word(index: u32, fee: u64, size: u32) -> B256 {
    let ticket = Ticket::new(WHO, statement(index.into(), size).leaf(0));
    let word = BidWord::new(UnitFee::MIN, TaskSize::MIN, LotSize::MIN, ticket).get();
    let ticket = U256::from_be_bytes(word.0) & ((U256::ONE << 144) - U256::ONE);
    B256::from((U256::from(fee) << 192) | (U256::from(size) << 160) | ticket)
}

/// Takes a seat while round 0 takes bids; it counts from round 2 on (the delay of the parameters).
pub(super) fn seat(seat: u64, capacity: u64) -> LoggedEvent {
    logged_in(
        0,
        Event::SeatRegistered(abi::SeatRegistered {
            id: id(),
            seat: U256::from(seat),
            prover: WHO,
            capacity: U256::from(capacity),
            cost: U256::from(seat),
            fromRound: U256::from(2),
        }),
    )
}

/// A page of this many bids.
pub(super) fn share(bids: u64) -> U256 {
    (U256::from_be_bytes(WHO.into_word().0) << 64) | U256::from(bids)
}

/// Round 1, whose walk starts at the second winner: Q, then P.
pub(super) fn settlement(root: B256) -> LoggedEvent {
    settlement_in(root, &[5])
}

/// The same in pages of these numbers of bids, from the last one on.
pub(super) fn settlement_in(root: B256, pages: &[u64]) -> LoggedEvent {
    let winner = |seat: u64, capacity: u64| U256::from((capacity << 8) | seat);
    let certificate =
        abi::Certificate { pivotSeat: 6, pivotFee: 5, pivotIndex: 3, units: 9, ..Default::default() };
    logged_in(
        2,
        Event::RoundSettled(abi::RoundSettled {
            id: id(),
            round: U256::ONE,
            settler: WHO,
            certificate,
            revenue: U256::from(36),
            winners: vec![winner(4, 4), winner(2, 5)],
            assignmentRoot: root,
            shares: pages.iter().map(|bids| share(*bids)).collect(),
        }),
    )
}

pub(super) fn leaf(word: B256, index: u32, position: u64, seat: u32) -> B256 {
    run(word, index, position, 1, seat)
}

/// The leaf of so many bids of an entry that fall to one seat, from bid `index` on, number `position` of its entry.
pub(super) fn run(word: B256, index: u32, position: u64, length: u64, seat: u32) -> B256 {
    let which: U256 = (U256::from(position) << 32) | U256::from(index);
    let who: U256 = (U256::from(length - 1) << 8) | U256::from(seat);
    keccak256([word, which.into(), who.into()].concat())
}

pub(super) fn pair(a: B256, b: B256) -> B256 {
    keccak256(if a < b { [a, b].concat() } else { [b, a].concat() })
}

/// A (offset 0) falls to Q, whose scaled interval ends at 4; B (offset 4) and C (offset 7) fall to P.
pub(super) fn leaves() -> [B256; 3] {
    [(0, 4), (1, 2), (2, 2)].map(|(index, seat)| {
        let (fee, size) = BIDS[index as usize];
        leaf(word(index, fee, size), index, 0, seat)
    })
}

pub(super) fn root() -> B256 {
    let [a, b, c] = leaves();
    pair(pair(a, b), c)
}

pub(super) fn with_bids() -> MarketHistory {
    let mut history = history();
    for (number, capacity) in [(2, 60), (4, 60)] {
        history.apply(&seat(number, capacity)).unwrap();
    }
    for (index, (fee, size)) in (0..).zip(BIDS) {
        history.apply(&bid(1, index, fee, size)).unwrap();
    }
    history
}

fn settled() -> MarketHistory {
    let mut history = with_bids();
    history.apply(&settlement(root())).unwrap();
    history
}

pub(super) fn round_one(history: &MarketHistory) -> &RoundRecord {
    history.round(RoundNumber::new(1)).unwrap()
}

#[test]
fn the_assignment_follows_from_bids_and_settlement() {
    let history = settled();
    let round = round_one(&history);
    let assigned: Vec<_> =
        round.assignments().unwrap().iter().map(|task| (task.index.get(), task.seat.get())).collect();
    assert_eq!(assigned, [(0, 4), (1, 2), (2, 2)]);
    let settlement = round.settlement.as_ref().unwrap();
    assert!(settlement.is_trade());
    let refunds: Vec<_> = round.bids().map(|bid| settlement.refund(&bid)).collect();
    assert_eq!(refunds, [16, 6, 4, 25, 12].map(U256::from));
    let assignment = round.assignment(BidIndex::new(1).unwrap()).unwrap();
    assert_eq!((assignment.seat.get(), round.path(&assignment).len()), (2, 2));
    assert!(round.assignment(BidIndex::new(3).unwrap()).is_none());
}

#[test]
fn an_assignment_with_another_root_shows_that_bids_are_missing() {
    let mut history = with_bids();
    let error = history.apply(&settlement(B256::repeat_byte(1))).unwrap_err();
    assert_eq!(error, HistoryError::OtherAssignment(RoundNumber::new(1)));
    assert!(round_one(&history).settlement.is_none());
}

#[test]
fn a_bid_out_of_order_is_an_error_and_changes_nothing() {
    let mut history = with_bids();
    let expected = |found| HistoryError::BidOutOfOrder {
        round: RoundNumber::new(1),
        expected: 5,
        found: BidIndex::new(found).unwrap(),
    };
    assert_eq!(history.apply(&bid(1, 6, 1, 1)).unwrap_err(), expected(6));
    assert_eq!(history.apply(&bid(1, 4, 1, 1)).unwrap_err(), expected(4));
    assert!(history.apply(&bid(2, 1, 1, 1)).is_err());
    assert_eq!((history.rounds().count(), round_one(&history).bid_count()), (1, 5));
    history.apply(&bid(1, 5, 1, 1)).unwrap();
}

#[test]
fn events_about_what_is_not_known_are_errors() {
    let mut history = history();
    assert_eq!(
        history.apply(&settlement(root())).unwrap_err(),
        HistoryError::UnknownRound(RoundNumber::new(1))
    );
    let expired = Event::TaskExpired(abi::TaskExpired {
        id: id(),
        round: U256::ONE,
        index: U256::ZERO,
        refund: U256::ZERO,
    });
    assert!(matches!(history.apply(&logged(expired)), Err(HistoryError::UnknownRound(_))));
    let (units, loss, returned) = (U256::ONE, U256::ONE, U256::ZERO);
    let slashed = Event::SeatSlashed(abi::SeatSlashed { id: id(), seat: U256::ONE, units, loss, returned });
    assert_eq!(history.apply(&logged(slashed)).unwrap_err(), HistoryError::UnknownSeat(AskIndex::new(1)));
}

#[test]
fn a_bid_that_no_market_takes_is_refused_without_a_panic() {
    let mut history = history();
    assert!(matches!(history.apply(&bid(1, 0, 0, 1)), Err(HistoryError::OutOfRange(_))));
    assert!(matches!(history.apply(&bid(1, 0, 1, 0)), Err(HistoryError::OutOfRange(_))));
    assert!(matches!(history.apply(&bid(1, u32::MAX, 1, 1)), Err(HistoryError::OutOfRange(_))));
    assert_eq!(history.rounds().count(), 0);
}

#[test]
fn events_of_other_markets_change_nothing() {
    let mut history = history();
    let mut other = bid(1, 0, 5, 5);
    other.market = MarketId::from(B256::ZERO);
    history.apply(&other).unwrap();
    assert_eq!(history.rounds().count(), 0);
}

#[test]
fn the_last_taker_holds_a_task() {
    let mut history = settled();
    let task = BidIndex::new(1).unwrap();
    for (number, deadline) in [(7, 100), (8, 200)] {
        history.apply(&seat(number, 60)).unwrap();
        let taken = Event::TaskTakenOver(abi::TaskTakenOver {
            id: id(),
            round: U256::ONE,
            index: U256::ONE,
            seat: U256::from(number),
            deadline: U256::from(deadline),
        });
        history.apply(&logged(taken)).unwrap();
    }
    let round = round_one(&history);
    let holder = |index: u32| round.holder(&round.assignment(BidIndex::new(index).unwrap()).unwrap()).get();
    assert_eq!((holder(0), holder(1)), (4, 8));
    assert_eq!(round.task(task).unwrap().takeovers.len(), 2);
}

#[test]
fn a_round_is_resolved_when_settled_void_or_closed_without_a_bid() {
    let (open, done) = (with_bids(), settled());
    let market = open.market().clone();
    let (one, two) = (RoundNumber::new(1), RoundNumber::new(2));
    assert!(!open.is_resolved(one, market.settle_by(one) - 1));
    assert!(open.is_resolved(one, market.settle_by(one)));
    assert!(done.is_resolved(one, market.close_of(one)));
    assert!(!open.is_resolved(two, market.close_of(two) - 1));
    assert!(open.is_resolved(two, market.close_of(two)));
}

/// The ask book of a round as `(seat, cost, capacity)`. A seat offers 15 units less than it has free.
fn book(history: &MarketHistory, round: u64) -> Vec<(u32, u64, u32)> {
    let asks = history.asks_at(RoundNumber::new(round));
    asks.iter().map(|entry| (entry.seat.get(), entry.ask.cost.get(), entry.ask.capacity.get())).collect()
}

fn capacity(round: u64, capacity: u64, from: u64) -> LoggedEvent {
    let (capacity, from_round) = (U256::from(capacity), U256::from(from));
    let event = abi::CapacityChanged { id: id(), seat: U256::from(2), capacity, fromRound: from_round };
    logged_in(round, Event::CapacityChanged(event))
}

fn released(round: u64, units: u64, left: bool) -> LoggedEvent {
    let (units, collateral) = (U256::from(units), U256::ZERO);
    let event = abi::CapacityReleased { id: id(), seat: U256::from(2), prover: WHO, units, collateral, left };
    logged_in(round, Event::CapacityReleased(event))
}

#[test]
fn capacity_counts_from_its_round_on_and_no_change_touches_rounds_that_closed() {
    let mut history = history();
    let seat_of = |history: &MarketHistory| history.seat(AskIndex::new(2)).cloned();
    history.apply(&seat(2, 60)).unwrap();
    let rounds = |history: &MarketHistory| [1, 2, 3, 5, 6, 8].map(|round| book(history, round));
    let offers = |capacity| vec![(2, 2, capacity)];
    assert_eq!(rounds(&history), [vec![], offers(45), offers(45), offers(45), offers(45), offers(45)]);
    history.apply(&capacity(3, 80, 5)).unwrap();
    assert_eq!(rounds(&history), [vec![], offers(45), offers(45), offers(65), offers(65), offers(65)]);
    history.apply(&capacity(6, 0, 8)).unwrap();
    assert_eq!(rounds(&history), [vec![], offers(45), offers(45), offers(65), offers(65), vec![]]);
    assert_eq!(seat_of(&history).unwrap().waiting_for_release().unwrap().units, 80);
    history.apply(&released(8, 80, true)).unwrap();
    assert_eq!(rounds(&history), [vec![], offers(45), offers(45), offers(65), offers(65), vec![]]);
    assert_eq!(seat_of(&history), None);
    // The next prover's seat of the same number begins anew.
    let next = abi::SeatRegistered {
        id: id(),
        seat: U256::from(2),
        prover: WHO,
        capacity: U256::from(31),
        cost: U256::from(9),
        fromRound: U256::from(10),
    };
    history.apply(&logged_in(8, Event::SeatRegistered(next))).unwrap();
    assert_eq!(
        (book(&history, 6), book(&history, 9), book(&history, 10)),
        (offers(65), vec![], vec![(2, 9, 16)])
    );
}

#[test]
fn part_of_a_capacity_can_leave_and_come_back() {
    let mut history = history();
    history.apply(&seat(2, 60)).unwrap();
    history.apply(&capacity(3, 40, 5)).unwrap();
    history.apply(&released(5, 20, false)).unwrap();
    history.apply(&capacity(6, 50, 8)).unwrap();
    let offered = [4, 5, 6, 7, 8].map(|round| book(&history, round)[0].2);
    assert_eq!(offered, [45, 25, 25, 25, 35]);
    assert_eq!(history.seat(AskIndex::new(2)).unwrap().capacity, 50);
}

#[test]
fn tasks_occupy_their_seat_until_they_end_and_a_slash_is_gone() {
    let mut history = settled();
    // Round 1 is settled while round 2 takes bids: A (4) is on seat 4, B and C (5) on seat 2.
    assert_eq!(book(&history, 2), [(2, 2, 40), (4, 4, 41)]);
    let delivered = abi::TaskDelivered {
        id: id(),
        round: U256::ONE,
        index: U256::ZERO,
        seat: U256::from(4),
        payment: U256::ZERO,
        bounty: U256::ZERO,
        compensation: U256::ZERO,
    };
    history.apply(&logged_in(3, Event::TaskDelivered(delivered))).unwrap();
    assert_eq!(
        (book(&history, 2), book(&history, 3)),
        (vec![(2, 2, 40), (4, 4, 41)], vec![(2, 2, 40), (4, 4, 45)])
    );
    // Seat 2 loses a unit of the three of task B.
    let (units, loss, returned) = (U256::ONE, U256::ONE, U256::ZERO);
    let slashed = abi::SeatSlashed { id: id(), seat: U256::from(2), units, loss, returned };
    history.apply(&logged_in(4, Event::SeatSlashed(slashed))).unwrap();
    let expired = abi::TaskExpired { id: id(), round: U256::ONE, index: U256::ONE, refund: U256::ZERO };
    history.apply(&logged_in(4, Event::TaskExpired(expired))).unwrap();
    assert_eq!((book(&history, 3)[0], book(&history, 4)[0]), ((2, 2, 40), (2, 2, 42)));
    assert_eq!(history.seat(AskIndex::new(2)).unwrap().capacity, 59);
}

#[test]
fn tasks_delivered_together_are_the_same_as_one_by_one() {
    let single = |index: u64, seat: u64| abi::TaskDelivered {
        id: id(),
        round: U256::ONE,
        index: U256::from(index),
        seat: U256::from(seat),
        payment: U256::from(9),
        bounty: U256::ZERO,
        compensation: U256::ZERO,
    };
    let mut alone = settled();
    for delivered in [single(0, 4), single(1, 2)] {
        alone.apply(&logged_in(3, Event::TaskDelivered(delivered))).unwrap();
    }
    let mut together = settled();
    let tasks = vec![U256::from(4), U256::from((1 << 8) | 2)];
    let delivered = abi::TasksDelivered { id: id(), round: U256::ONE, payment: U256::from(9), tasks };
    together.apply(&logged_in(3, Event::TasksDelivered(delivered))).unwrap();
    assert_eq!(book(&together, 3), book(&alone, 3));
    let ends = |history: &MarketHistory| {
        let round = history.round(RoundNumber::new(1)).unwrap();
        [0, 1].map(|index| round.task(BidIndex::new(index).unwrap()).unwrap().end)
    };
    assert_eq!(ends(&together), ends(&alone));
    assert!(ends(&alone).iter().all(Option::is_some));
}

#[test]
fn a_seat_that_lost_everything_keeps_its_place_in_the_rounds_before_it_was_taken_anew() {
    let mut history = settled();
    // Seat 2 loses all its units with the tasks B and C.
    let (units, loss, returned) = (U256::from(60), U256::from(60), U256::ZERO);
    let slashed = abi::SeatSlashed { id: id(), seat: U256::from(2), units, loss, returned };
    history.apply(&logged_in(6, Event::SeatSlashed(slashed))).unwrap();
    for index in [1, 2] {
        let (round, index) = (U256::ONE, U256::from(index));
        let expired = abi::TaskExpired { id: id(), round, index, refund: U256::ZERO };
        history.apply(&logged_in(6, Event::TaskExpired(expired))).unwrap();
    }
    let books = |history: &MarketHistory| [2, 3, 4, 5].map(|round| book(history, round));
    let before = books(&history);
    assert!(before.iter().all(|book| book[0] == (2, 2, 40)), "{before:?}");
    assert_eq!((book(&history, 6)[0].0, history.seat(AskIndex::new(2)).unwrap().capacity), (4, 0));
    let next = abi::SeatRegistered {
        id: id(),
        seat: U256::from(2),
        prover: Address::repeat_byte(0xbb),
        capacity: U256::from(31),
        cost: U256::from(9),
        fromRound: U256::from(8),
    };
    history.apply(&logged_in(6, Event::SeatRegistered(next))).unwrap();
    assert_eq!(books(&history), before);
    assert_eq!((book(&history, 7).len(), book(&history, 8)[0]), (1, (2, 9, 16)));
    assert_eq!(history.seat(AskIndex::new(2)).unwrap().prover, Address::repeat_byte(0xbb));
}

#[test]
fn an_ask_counts_from_its_round_on_and_a_sealed_one_for_its_round_alone() {
    let mut history = history();
    history.apply(&seat(2, 60)).unwrap();
    let asked =
        abi::AskSubmitted { id: id(), seat: U256::from(2), cost: U256::from(7), fromRound: U256::from(4) };
    history.apply(&logged_in(3, Event::AskSubmitted(asked))).unwrap();
    let revealed = abi::AskRevealed { id: id(), seat: U256::from(2), cost: U256::ONE, round: U256::from(5) };
    history.apply(&logged_in(6, Event::AskRevealed(revealed))).unwrap();
    assert_eq!([3, 4, 5, 6].map(|round| book(&history, round)[0].1), [2, 7, 1, 7]);
}

#[test]
fn terms_count_from_their_round_on() {
    let mut history = history();
    for (from, cap, reserve) in [(3, 450, 4), (5, 400, 2)] {
        let moved = abi::TermsMoved {
            id: id(),
            fromRound: U256::from(from),
            capacityCap: U256::from(cap),
            reservePrice: U256::from(reserve),
        };
        history.apply(&logged_in(from - 1, Event::TermsMoved(moved))).unwrap();
    }
    let terms = [0, 2, 3, 4, 5, 9].map(|round| {
        let terms = history.terms_at(RoundNumber::new(round));
        (terms.cap.get(), terms.reserve.get())
    });
    assert_eq!(terms, [(500, 3), (500, 3), (450, 4), (450, 4), (400, 2), (400, 2)]);
}

/// A commitment to a bid of a round, made in it: 9 deposited, and a bond of 5.
fn committed(round: u64) -> LoggedEvent {
    let (deposit, bond) = (U256::from(9), U256::from(5));
    let (account, commitment) = (WHO, B256::repeat_byte(1));
    let event = abi::Committed { id: id(), account, round: U256::from(round), commitment, deposit, bond };
    logged_in(round, Event::Committed(event))
}

#[test]
fn a_commitment_stands_until_it_is_forfeited() {
    let mut history = history();
    history.apply(&committed(1)).unwrap();
    let forfeit = |round: u64| {
        let (commitment, bond) = (B256::repeat_byte(1), U256::from(5));
        let (round, returned) = (U256::from(round), U256::from(4));
        Event::Forfeited(abi::Forfeited { id: id(), account: WHO, round, commitment, returned, bond })
    };
    let of = |history: &MarketHistory, round| {
        history.commitments(RoundNumber::new(round)).copied().collect::<Vec<_>>()
    };
    assert_eq!(
        (of(&history, 0).len(), of(&history, 1)[0].deposit.to::<u64>(), of(&history, 2).len()),
        (0, 9, 0)
    );
    assert!(matches!(history.apply(&logged(forfeit(2))), Err(HistoryError::UnknownCommitment(_))));
    history.apply(&logged_in(2, forfeit(1))).unwrap();
    assert!(of(&history, 1)[0].forfeited.is_some());
}
