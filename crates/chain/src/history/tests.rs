use super::*;
use crate::commitments::{BidWord, ticket};
use crate::events::Origin;
use crate::params::tests::params;
use alloy::primitives::{B256, Bytes, keccak256};
use bindings::ProverMarket as abi;
use market_types::{CircuitId, TaskSize, UnitFee};

/// The worked example of the mechanism: bids A to E, winners P (5 units) and Q (4), user price 5, batch of 9.
const BIDS: [(u64, u32); 5] = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
const WHO: Address = Address::repeat_byte(0xaa);

fn history() -> MarketHistory {
    let params = params();
    MarketHistory::new(Market { id: params.market_id(), params })
}

fn id() -> B256 {
    params().market_id().get()
}

fn logged(event: Event) -> LoggedEvent {
    let origin = Origin { block: 1, log_index: 0, tx_hash: B256::ZERO };
    LoggedEvent { market: MarketId::from(id()), origin, event }
}

fn bid(round: u64, index: u32, fee: u64, size: u32) -> LoggedEvent {
    let head = (U256::from(round) << 160)
        | (U256::from(index) << 128)
        | (U256::from(fee) << 64)
        | U256::from(CircuitId::of(3, size).get());
    logged(Event::BidSubmitted(abi::BidSubmitted {
        id: id(),
        requester: WHO,
        head,
        publicInputs: vec![U256::from(index)],
        data: Bytes::from_static(b"data"),
    }))
}

fn word(index: u32, fee: u64, size: u32) -> B256 {
    let ticket = ticket(WHO, CircuitId::of(3, size), &[U256::from(index)], b"data");
    BidWord::new(UnitFee::new(fee).unwrap(), TaskSize::new(size).unwrap(), ticket).get()
}

/// Round 1, whose walk starts at the second winner: Q, then P.
fn settlement(root: B256) -> LoggedEvent {
    let winner = |seat: u64, capacity: u64| U256::from((capacity << 8) | seat);
    logged(Event::RoundSettled(abi::RoundSettled {
        id: id(),
        round: U256::ONE,
        settler: WHO,
        certificate: abi::Certificate { pivotSeat: 6, pivotFee: 5, pivotIndex: 3, units: 9 },
        proverPrice: U256::from(4),
        winners: vec![winner(4, 4), winner(2, 5)],
        assignmentRoot: root,
        reward: U256::from(25),
    }))
}

/// A (offset 0) falls to Q, whose scaled interval ends at 4; B (offset 4) and C (offset 7) fall to P.
fn root() -> B256 {
    let leaf = |index: u32, seat: u32| {
        let (fee, size) = BIDS[index as usize];
        let words = [word(index, fee, size), U256::from(index).into(), U256::from(seat).into()];
        keccak256(words.concat())
    };
    let pair = |a: B256, b: B256| keccak256(if a < b { [a, b].concat() } else { [b, a].concat() });
    pair(pair(leaf(0, 4), leaf(1, 2)), leaf(2, 2))
}

fn with_bids() -> MarketHistory {
    let mut history = history();
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

fn round_one(history: &MarketHistory) -> &RoundRecord {
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
    let refunds: Vec<_> = round.bids.iter().map(|bid| settlement.refund(bid)).collect();
    assert_eq!(refunds, [16, 6, 4, 25, 12].map(U256::from));
    let assignment = round.assignment(BidIndex::new(1).unwrap()).unwrap();
    assert_eq!((assignment.task.index, assignment.task.seat, assignment.path().len()), (1, 2, 2));
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
    assert_eq!((history.rounds().count(), round_one(&history).bids.len()), (1, 5));
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
    let left = Event::SeatLeft(abi::SeatLeft { id: id(), seat: U256::ONE, fromRound: U256::ONE });
    assert_eq!(history.apply(&logged(left)).unwrap_err(), HistoryError::UnknownSeat(AskIndex::new(1)));
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
    for (seat, deadline) in [(7, 100), (8, 200)] {
        let taken = Event::TaskTakenOver(abi::TaskTakenOver {
            id: id(),
            round: U256::ONE,
            index: U256::ONE,
            seat: U256::from(seat),
            deadline: U256::from(deadline),
        });
        history.apply(&logged(taken)).unwrap();
    }
    let round = round_one(&history);
    let holder = |index: u32| round.holder(round.assignment(BidIndex::new(index).unwrap()).unwrap()).get();
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
