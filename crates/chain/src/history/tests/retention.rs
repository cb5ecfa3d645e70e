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
    history.round(ONE).map_or_else(Vec::new, |round| round.bids().map(|bid| bid.index().get()).collect())
}

/// The bids whose statements are known.
fn stated(history: &MarketHistory) -> Vec<u32> {
    let round = history.round(ONE).into_iter().flat_map(RoundRecord::bids);
    round.filter(|bid| bid.statement().is_some()).map(|bid| bid.index().get()).collect()
}

/// Publishes what bid `number` of [`BIDS`] asks for.
fn publish(history: &mut MarketHistory, number: u32) {
    let (fee, size) = BIDS[number as usize];
    history.apply(&published(&lot(number.into(), 1, fee, size))).unwrap();
}

fn all_published(mut history: MarketHistory) -> MarketHistory {
    (0..5).for_each(|number| publish(&mut history, number));
    assert_eq!(stated(&history), [0, 1, 2, 3, 4]);
    history
}

/// Forgets at the close of a round, and once more without effect.
fn forget_at(history: &mut MarketHistory, round: u64) {
    forget(history, history.market().close_of(RoundNumber::new(round)));
}

fn forget(history: &mut MarketHistory, now: u64) {
    history.forget(Retention::Live, now);
    assert!(!history.can_forget(Retention::Live, now));
}

#[test]
fn bids_that_lost_go_with_the_settlement_and_the_round_with_its_last_task() {
    let whole = all_published(settled());
    let mut history = whole.clone();
    forget_at(&mut history, 1);
    let (before, after) = (round_one(&whole), round_one(&history));
    assert_eq!((known(&history), stated(&history), after.bid_count()), (vec![0, 1, 2], vec![0, 1, 2], 5));
    assert_eq!(before.assignments(), after.assignments());
    for task in &after.assignments().unwrap() {
        assert_eq!(before.bid(task.index), after.bid(task.index));
        assert_eq!(before.named_task(task), after.named_task(task));
        let delivery = after.delivery(task, Bytes::new());
        assert!(delivery.is_some() && before.delivery(task, Bytes::new()) == delivery);
    }
    assert!(after.bid(index(3)).is_none());
    for number in 0..3 {
        assert!(history.round(ONE).is_some());
        assert_eq!(stated(&history), (number..3).collect::<Vec<_>>());
        history.apply(&expired(number)).unwrap();
        forget_at(&mut history, 4);
    }
    assert_eq!(history.rounds().count(), 0);
    assert!(history.is_resolved(ONE, history.market().close_of(ONE)));
}

#[test]
fn what_nobody_has_published_is_waited_for_as_long_as_a_task_needs_it() {
    let mut history = settled();
    forget_at(&mut history, 40);
    assert_eq!((known(&history), stated(&history)), (vec![0, 1, 2], vec![]));
    assert_eq!(history.unpublished.len(), 3);
    (0..5).for_each(|number| publish(&mut history, number));
    assert_eq!((stated(&history), history.unpublished.len()), (vec![0, 1, 2], 0));
    let mut unpublished = settled();
    (0..3).for_each(|number| unpublished.apply(&expired(number)).unwrap());
    forget_at(&mut unpublished, 4);
    assert_eq!((unpublished.rounds().count(), unpublished.unpublished.len()), (0, 0));
    // Whoever publishes it now brings nothing back.
    publish(&mut unpublished, 0);
    assert_eq!(unpublished.rounds().count(), 0);
}

#[test]
fn a_lot_that_won_in_part_keeps_its_statements_until_the_last_of_its_tasks_ended() {
    let mut history = super::history();
    for (number, capacity) in [(2, 60), (4, 60)] {
        history.apply(&seat(number, capacity)).unwrap();
    }
    // Of five bids the first three win, in the worked example with a pivot of fee 5 and index 3.
    let all = lot(0, 5, 5, 3);
    let word = all.word().get();
    let many = abi::BidsSubmitted { id: id(), place: place(1, 0), words: vec![word] };
    history.apply(&logged(Event::BidsSubmitted(many))).unwrap();
    history.apply(&published(&all)).unwrap();
    let runs = [run(word, 0, 0, 2, 4), leaf(word, 2, 2, 2)];
    history.apply(&settlement(pair(runs[0], runs[1]))).unwrap();
    let statements = |history: &MarketHistory| {
        round_one(history).entries().get(index(0)).and_then(EntryRecord::publication).map(std::ptr::from_ref)
    };
    let copy = history.clone();
    for number in [1, 0, 2] {
        forget_at(&mut history, 4);
        // One entry, whose copies share what was published.
        assert_eq!((round_one(&history).entries().len(), stated(&history).len()), (1, 5));
        assert_eq!(statements(&history), statements(&copy));
        // The round stays for a bundle.
        history.apply(&bundle(0, 1)).unwrap();
        history.apply(&expired(number)).unwrap();
    }
    forget_at(&mut history, 4);
    assert_eq!((known(&history), stated(&history)), (vec![0, 1, 2, 3, 4], vec![]));
    history.apply(&release(0)).unwrap();
    forget_at(&mut history, 4);
    assert_eq!((history.rounds().count(), stated(&copy).len()), (0, 5));
}

#[test]
fn of_a_void_round_the_bids_in_bundles_stay_without_what_was_published() {
    let mut history = all_published(with_bids());
    history.apply(&bundle(1, 2)).unwrap();
    let deadline = history.market().settle_by(ONE);
    forget(&mut history, deadline - 1);
    assert_eq!((known(&history).len(), stated(&history).len()), (5, 5));
    forget(&mut history, deadline);
    assert_eq!((known(&history), stated(&history)), (vec![1, 2], vec![]));
    let record = *history.bundles().next().unwrap();
    let call = release_call(history.market(), round_one(&history), &record).unwrap();
    assert_eq!(
        call.words,
        [1, 2].map(|number| word(number, BIDS[number as usize].0, BIDS[number as usize].1))
    );
    history.apply(&release(1)).unwrap();
    forget(&mut history, deadline);
    assert_eq!(history.rounds().count(), 0);
}

#[test]
fn statements_of_an_open_round_are_those_of_entries_that_may_win_in_part() {
    let mut history = super::history();
    let cap = history.cap();
    let count = u16::try_from(cap / 4).unwrap();
    let submit = |history: &mut MarketHistory, first: u32, lot: &Lot| {
        history.apply(&submitted(1, first, lot.word().get())).unwrap();
        history.apply(&published(lot)).unwrap();
    };
    // Each lot fills the cap but for less than a task, the later ones for more.
    let lots: Vec<Lot> = (0..4).map(|number| lot(number * 10_000, count.into(), 5 + number, 4)).collect();
    let firsts: Vec<u32> = (0..4).map(|number| number * u32::from(count)).collect();
    for (first, lot) in firsts.iter().zip(&lots) {
        submit(&mut history, *first, lot);
    }
    let open = history.market().id.open_of(ONE);
    assert!(history.can_forget(Retention::Live, open));
    forget(&mut history, open);
    let stated = |history: &MarketHistory| {
        let round = round_one(history).entries();
        round.iter().map(|entry| entry.publication().is_some()).collect::<Vec<_>>()
    };
    assert_eq!(stated(&history), [false, false, false, true]);
    assert_eq!(
        (round_one(&history).bid_count(), round_one(&history).words().len()),
        (4 * u32::from(count), 4)
    );
    // What offers no more than one that is beyond the cap is not waited for, and what offers more is.
    let next = 4 * u32::from(count);
    submit(&mut history, next, &lot(90_000, 1, 7, 1));
    submit(&mut history, next + 1, &lot(91_000, 1, 8, 1));
    assert_eq!(stated(&history), [false, false, false, true, false, true]);
    assert_eq!(history.unpublished.len(), 0);
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
    history.forget(Retention::Live, deadline - 1);
    assert_eq!(known(&history), [0, 1, 2, 3, 4]);
    history.apply(&settlement(root())).unwrap();
    assert!(round_one(&history).settlement.is_some());
    let mut void = with_bids();
    forget(&mut void, deadline);
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
        history.forget(Retention::Live, event.origin.time);
        // At the opening of a round the one before it can still be settled.
        for round in current.saturating_sub(1)..current + 6 {
            assert_eq!(book(&history, round), book(&whole, round), "round {round} in {current}");
            let number = RoundNumber::new(round);
            assert_eq!(history.terms_at(number), whole.terms_at(number), "round {round} in {current}");
        }
    }
    history.forget(Retention::Live, whole.market().close_of(RoundNumber::new(40)));
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

#[test]
fn a_round_that_is_looked_back_at_stays_whole() {
    let whole = all_published(settled());
    let mut history = all_published(with_bids());
    let keep = Retention::Round(ONE);
    history.forget(keep, history.market().id.open_of(ONE));
    history.apply(&settlement(root())).unwrap();
    let long_after = history.market().close_of(RoundNumber::new(40));
    assert!(history.can_forget(keep, long_after));
    history.forget(keep, long_after);
    assert!(!history.can_forget(keep, long_after));
    assert_eq!(round_one(&history), round_one(&whole));
    assert_eq!(history.closed_round(ONE), whole.closed_round(ONE));
    assert_eq!(history.terms_at(ONE), whole.terms_at(ONE));
    // Looking back at another one is no reason to keep it.
    (0..3).for_each(|number| history.apply(&expired(number)).unwrap());
    history.forget(Retention::Round(RoundNumber::new(2)), long_after);
    assert_eq!(history.rounds().count(), 0);
}

#[test]
fn commitments_of_a_round_that_is_looked_back_at_stay() {
    let mut history = super::history();
    for round in [1, 2] {
        history.apply(&committed(round)).unwrap();
    }
    let count = |history: &MarketHistory| [1, 2].map(|n| history.commitments(RoundNumber::new(n)).count());
    let now = history.market().close_of(RoundNumber::new(40));
    assert_eq!(count(&history), [1, 1]);
    history.forget(Retention::Round(ONE), now);
    assert_eq!(count(&history), [1, 0]);
    assert!(!history.can_forget(Retention::Round(ONE), now));
    history.forget(Retention::Live, now);
    assert_eq!(count(&history), [0, 0]);
}
