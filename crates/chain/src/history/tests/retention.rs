//! What is forgotten changes nothing for those who act.

use super::*;
use crate::round::release_call;

const ONE: RoundNumber = RoundNumber::new(1);

fn index(number: u32) -> BidIndex {
    BidIndex::new(number).unwrap()
}

fn bundle(first: u32, count: u32) -> LoggedEvent {
    let (first, count) = (U256::from(first), U256::from(count));
    let event = abi::BidsBundled { id: id(), requester: WHO, round: U256::ONE, firstIndex: first, count };
    logged(Event::BidsBundled(event))
}

fn release(first: u32) -> LoggedEvent {
    let first = U256::from(first);
    let event = abi::BundleReleased {
        id: id(),
        requester: WHO,
        round: U256::ONE,
        firstIndex: first,
        amount: U256::ZERO,
    };
    logged_in(3, Event::BundleReleased(event))
}

fn expired(number: u32) -> LoggedEvent {
    let index = U256::from(number);
    logged_in(
        4,
        Event::TaskExpired(abi::TaskExpired { id: id(), round: U256::ONE, index, refund: U256::ZERO }),
    )
}

fn known(history: &MarketHistory) -> Vec<u32> {
    history.round(ONE).map_or_else(Vec::new, |round| round.bids.iter().map(|bid| bid.index.get()).collect())
}

/// Forgets at the close of a round, and once more without effect.
fn forget_at(history: &mut MarketHistory, round: u64) {
    let now = history.market().close_of(RoundNumber::new(round));
    history.forget(now);
    assert!(!history.can_forget(now));
}

#[test]
fn bids_that_lost_go_with_the_settlement_and_the_round_with_its_last_task() {
    let (whole, mut history) = (settled(), settled());
    forget_at(&mut history, 1);
    let (before, after) = (round_one(&whole), round_one(&history));
    assert_eq!((known(&history), after.bids.submitted()), (vec![0, 1, 2], 5));
    assert_eq!(before.assignments(), after.assignments());
    for number in 0..3 {
        let index = index(number);
        assert_eq!(before.bid(index), after.bid(index));
        assert!(before.statement(index).is_some() && before.statement(index) == after.statement(index));
    }
    assert!(after.bid(index(3)).is_none() && after.statement(index(3)).is_none());
    for number in 0..3 {
        assert!(history.round(ONE).is_some());
        history.apply(&expired(number)).unwrap();
        forget_at(&mut history, 4);
    }
    assert_eq!(history.rounds().count(), 0);
    assert!(history.is_resolved(ONE, history.market().close_of(ONE)));
}

#[test]
fn bids_in_a_bundle_stay_until_it_is_released() {
    let mut history = settled();
    history.apply(&bundle(1, 1)).unwrap();
    history.apply(&bundle(4, 1)).unwrap();
    forget_at(&mut history, 1);
    assert_eq!(known(&history), [0, 1, 2, 4]);
    (0..3).for_each(|number| history.apply(&expired(number)).unwrap());
    forget_at(&mut history, 50);
    for first in [4, 1] {
        let record = *history.bundles().find(|bundle| bundle.first_index == index(first)).unwrap();
        let call = release_call(history.market(), round_one(&history), &record).unwrap();
        let (fee, size) = BIDS[first as usize];
        assert_eq!(call.words, [word(first, fee, size)]);
        history.apply(&release(first)).unwrap();
        forget_at(&mut history, 51);
    }
    assert_eq!((history.rounds().count(), history.bundles().count()), (0, 0));
}

#[test]
fn a_round_that_can_be_settled_is_whole_until_its_deadline() {
    let mut history = with_bids();
    let deadline = history.market().settle_by(ONE);
    history.forget(deadline - 1);
    assert_eq!(known(&history), [0, 1, 2, 3, 4]);
    history.apply(&settlement(root())).unwrap();
    assert!(round_one(&history).settlement.is_some());
    let mut void = with_bids();
    void.forget(deadline);
    assert_eq!(void.rounds().count(), 0);
    assert!(void.is_resolved(ONE, deadline));
}

#[test]
fn asks_and_terms_of_rounds_that_can_be_settled_are_those_of_the_whole_history() {
    let moved = |from: u64, cap: u64| {
        let (cap, reserve) = (U256::from(cap), U256::from(3));
        let from_round = U256::from(from);
        logged_in(
            from - 1,
            Event::TermsMoved(abi::TermsMoved {
                id: id(),
                fromRound: from_round,
                capacityCap: cap,
                reservePrice: reserve,
            }),
        )
    };
    let ask = |round: u64, cost: u64| {
        let (cost, from_round) = (U256::from(cost), U256::from(round + 1));
        logged_in(
            round,
            Event::AskSubmitted(abi::AskSubmitted {
                id: id(),
                seat: U256::from(2),
                cost,
                fromRound: from_round,
            }),
        )
    };
    let reveal = |round: u64| {
        let (cost, number) = (U256::ONE, U256::from(round));
        logged_in(
            round + 1,
            Event::AskRevealed(abi::AskRevealed { id: id(), seat: U256::from(2), cost, round: number }),
        )
    };
    let events = [
        seat(2, 60),
        ask(2, 7),
        moved(3, 450),
        capacity(3, 80, 5),
        ask(4, 8),
        moved(5, 400),
        reveal(4),
        capacity(6, 0, 8),
        ask(6, 9),
        moved(8, 390),
        reveal(7),
        released(9, 80, true),
        ask_of_other(),
        moved(12, 380),
    ];
    let (mut whole, mut history) = (super::history(), super::history());
    for event in events {
        whole.apply(&event).unwrap();
        history.apply(&event).unwrap();
        let current = whole.market().id.round_at(event.origin.time).unwrap().get();
        history.forget(event.origin.time);
        // At the opening of a round the one before it can still be settled.
        for round in current.saturating_sub(1)..current + 6 {
            assert_eq!(book(&history, round), book(&whole, round), "round {round} in {current}");
            let number = RoundNumber::new(round);
            assert_eq!(history.terms_at(number), whole.terms_at(number), "round {round} in {current}");
        }
    }
    history.forget(whole.market().close_of(RoundNumber::new(40)));
    assert_eq!((history.seats.left.len(), history.terms.len()), (0, 1));
    assert_eq!(history.seat(AskIndex::new(5)).map(|seat| seat.asks.len()), Some(1));
}

fn ask_of_other() -> LoggedEvent {
    let event = abi::SeatRegistered {
        id: id(),
        seat: U256::from(5),
        prover: WHO,
        capacity: U256::from(70),
        cost: U256::from(3),
        fromRound: U256::from(12),
    };
    logged_in(10, Event::SeatRegistered(event))
}

#[test]
fn commitments_are_not_kept_and_may_be_forfeited_all_the_same() {
    let mut history = history();
    let commitment = B256::repeat_byte(1);
    let (deposit, bond, round) = (U256::from(9), U256::from(5), U256::ONE);
    let committed = abi::Committed { id: id(), account: WHO, round, commitment, deposit, bond };
    history.apply(&logged(Event::Committed(committed))).unwrap();
    forget_at(&mut history, 0);
    assert_eq!(history.commitments(ONE).count(), 0);
    let returned = U256::from(4);
    let forfeited = abi::Forfeited { id: id(), account: WHO, round, commitment, returned, bond };
    history.apply(&logged_in(2, Event::Forfeited(forfeited))).unwrap();
}
