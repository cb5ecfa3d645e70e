//! Lots, what is published for them, and settlements in pages.

use super::tests::*;
use super::*;
use crate::Lot;
use crate::commitments::{BidWord, MerkleTree};
use alloy::primitives::Bytes;
use bindings::ProverMarket as abi;

fn many(round: u64, index: u32, lots: &[Lot]) -> LoggedEvent {
    let words = lots.iter().map(|lot| lot.word().get()).collect();
    logged(Event::BidsSubmitted(abi::BidsSubmitted { id: id(), place: place(round, index), words }))
}

fn index(index: u32) -> BidIndex {
    BidIndex::new(index).unwrap()
}

fn inputs(round: &RoundRecord) -> Vec<Option<u64>> {
    round.bids().map(|bid| Some(bid.statement()?.public_inputs[0].to())).collect()
}

#[test]
fn an_entry_stands_for_bids_with_consecutive_indices() {
    let mut history = history();
    history.apply(&submitted(1, 0, lot(0, 3, 9, 4).word().get())).unwrap();
    history.apply(&many(1, 3, &[lot(3, 1, 7, 3), lot(4, 2, 7, 2)])).unwrap();
    let round = round_one(&history);
    let bids: Vec<_> = round.bids().map(|bid| (bid.index().get(), bid.position, bid.fee.get())).collect();
    assert_eq!(bids, [(0, 0, 9), (1, 1, 9), (2, 2, 9), (3, 0, 7), (4, 0, 7), (5, 1, 7)]);
    assert_eq!((round.bid_count(), round.words().len(), round.entries().len()), (6, 3, 3));
    for bid in round.bids() {
        assert_eq!(round.bid(bid.index()), Some(bid));
    }
    assert_eq!(round.bid(index(6)), None);
    // The next entry follows the bids, not the entries.
    let found = index(3);
    let error = HistoryError::BidOutOfOrder { round: RoundNumber::new(1), expected: 6, found };
    assert_eq!(history.apply(&many(1, 3, &[lot(9, 1, 7, 3)])), Err(error));
    history.apply(&many(1, 6, &[lot(9, 1, 7, 3)])).unwrap();
}

#[test]
fn signed_entries_are_their_signers_bids_in_order() {
    let mut history = history();
    history.apply(&submitted(1, 0, lot(0, 2, 9, 4).word().get())).unwrap();
    let signers = [1, 2].map(Address::repeat_byte);
    let entries = [lot(2, 1, 7, 3), lot(3, 2, 8, 3)];
    let bids = signers.into_iter().zip(&entries);
    let bids =
        bids.map(|(requester, lot)| abi::SubmittedBid { requester, entry: lot.word().get() }).collect();
    let event = abi::SignedBidsSubmitted { id: id(), round: U256::ONE, firstIndex: U256::from(2), bids };
    history.apply(&logged(Event::SignedBidsSubmitted(event.clone()))).unwrap();
    let entry = |entry: &EntryRecord| (entry.requester, entry.first_index.get(), entry.word);
    let known: Vec<_> = round_one(&history).entries().iter().skip(1).map(entry).collect();
    assert_eq!(known, [(signers[0], 2, entries[0].word()), (signers[1], 3, entries[1].word())]);
    assert_eq!(history.bundles().count(), 0);

    let refused = abi::SignedBidRefused {
        id: id(),
        requester: signers[0],
        round: U256::ONE,
        position: U256::ZERO,
        reason: [1; 4].into(),
    };
    history.apply(&logged(Event::SignedBidRefused(refused))).unwrap();
    let found = index(2);
    let error = HistoryError::BidOutOfOrder { round: RoundNumber::new(1), expected: 5, found };
    assert_eq!(history.apply(&logged(Event::SignedBidsSubmitted(event))), Err(error));
    // What it asks for is told by its ticket, as for any entry.
    history.apply(&published(&entries[1])).unwrap();
    assert_eq!(inputs(round_one(&history)), [None, None, None, Some(3), Some(4)]);
}

#[test]
fn entries_with_one_word_that_is_none_are_refused_as_a_whole() {
    let mut history = history();
    let words = vec![lot(0, 1, 9, 4).word().get(), B256::ZERO];
    let event = abi::BidsSubmitted { id: id(), place: place(1, 0), words };
    assert!(matches!(history.apply(&logged(Event::BidsSubmitted(event))), Err(HistoryError::OutOfRange(_))));
    assert_eq!(history.rounds().count(), 0);
}

#[test]
fn what_is_published_after_the_entry_counts_for_every_entry_with_its_ticket() {
    let mut history = history();
    let (one, two) = (lot(0, 2, 9, 4), lot(2, 1, 8, 4));
    // Before there is such an entry it means nothing, but in its transaction.
    let mut before = published(&one);
    before.origin.tx_hash = B256::repeat_byte(1);
    history.apply(&before).unwrap();
    let dearer = Lot::new(one.requester(), market_types::UnitFee::MAX, one.statements().to_vec()).unwrap();
    history.apply(&many(1, 0, &[one.clone(), two.clone(), dearer])).unwrap();
    assert_eq!(inputs(round_one(&history)), [None; 5]);
    history.apply(&published(&one)).unwrap();
    assert_eq!(inputs(round_one(&history)), [Some(0), Some(1), None, Some(0), Some(1)]);
    history.apply(&published(&two)).unwrap();
    assert_eq!(inputs(round_one(&history)), [Some(0), Some(1), Some(2), Some(0), Some(1)]);
    let entries: Vec<_> = round_one(&history).entries().iter().collect();
    assert_eq!(entries[0].publication().unwrap().root(), one.root());
    assert!(std::ptr::eq(entries[0].publication().unwrap(), entries[2].publication().unwrap()));
}

#[test]
fn what_is_published_before_entries_of_its_transaction_counts_for_them() {
    let mut history = history();
    let (one, two) = (lot(0, 2, 9, 4), lot(2, 1, 8, 4));
    for lot in [&one, &two] {
        history.apply(&published(lot)).unwrap();
    }
    history.apply(&many(1, 0, &[one.clone(), lot(7, 1, 9, 4), two.clone(), one.clone()])).unwrap();
    assert_eq!(inputs(round_one(&history)), [Some(0), Some(1), None, Some(2), Some(0), Some(1)]);
    assert_eq!(history.unpublished.len(), 1);
    // The next transaction that publishes anything takes its place.
    let mut next = published(&two);
    next.origin.tx_hash = B256::repeat_byte(1);
    history.apply(&next).unwrap();
    history.apply(&many(1, 6, &[one])).unwrap();
    assert_eq!(inputs(round_one(&history))[6..], [None, None]);
    let mut its = many(1, 8, &[two]);
    its.origin.tx_hash = next.origin.tx_hash;
    history.apply(&its).unwrap();
    assert_eq!(inputs(round_one(&history))[8..], [Some(2)]);
}

#[test]
fn what_is_published_for_another_requester_or_in_another_order_means_nothing() {
    let mut history = history();
    let asked = lot(0, 2, 9, 4);
    history.apply(&many(1, 0, std::slice::from_ref(&asked))).unwrap();
    let mut swapped = asked.statements().to_vec();
    swapped.reverse();
    let of = |requester, statements| Lot::new(requester, asked.word().fee(), statements).unwrap();
    history.apply(&published(&of(asked.requester(), swapped))).unwrap();
    history.apply(&published(&of(Address::ZERO, asked.statements().to_vec()))).unwrap();
    let nothing = abi::StatementsPublished { id: id(), requester: WHO, statements: vec![] };
    history.apply(&logged(Event::StatementsPublished(nothing))).unwrap();
    assert_eq!(inputs(round_one(&history)), [None, None]);
    history.apply(&published(&asked)).unwrap();
    assert_eq!(inputs(round_one(&history)), [Some(0), Some(1)]);
}

#[test]
fn a_statement_that_no_delivery_could_prove_is_none() {
    let mut history = history();
    // The ticket binds two statements, the second of another size, and the entry stands for three bids.
    let statements = vec![statement(0, 4), statement(1, 5)];
    let root = crate::statement_tree(&statements).root();
    let count = market_types::LotSize::new(3).unwrap();
    let (fee, size) = (market_types::UnitFee::MIN, market_types::TaskSize::new(4).unwrap());
    let word = BidWord::new(fee, size, count, Ticket::new(WHO, root));
    history.apply(&submitted(1, 0, word.get())).unwrap();
    let statements = statements.iter().map(crate::Statement::to_abi).collect();
    let event = abi::StatementsPublished { id: id(), requester: WHO, statements };
    history.apply(&logged(Event::StatementsPublished(event))).unwrap();
    assert_eq!(inputs(round_one(&history)), [Some(0), None, None]);
}

#[test]
fn entries_of_rounds_that_are_over_are_no_longer_waited_for() {
    let mut history = history();
    history.apply(&many(1, 0, &[lot(0, 1, 9, 4)])).unwrap();
    assert_eq!(history.unpublished.len(), 1);
    let over = history.market().final_at(RoundNumber::new(1));
    let mut later = many(9, 0, &[lot(1, 1, 9, 4)]);
    later.origin.time = over - 1;
    history.clone().apply(&later).unwrap();
    assert_eq!(history.unpublished.len(), 1);
    later.origin.time = over;
    history.apply(&later).unwrap();
    assert_eq!(
        history.unpublished.iter().map(|(key, ())| key.0).collect::<Vec<_>>(),
        [lot(1, 1, 9, 4).word().ticket()]
    );
}

#[test]
fn a_task_that_has_not_ended_is_waited_for_when_its_round_is_over() {
    let mut history = with_bids();
    history.apply(&settlement(root())).unwrap();
    assert_eq!(history.unpublished.len(), 5);
    let over = history.market().final_at(RoundNumber::new(1));
    let mut later = many(9, 0, &[lot(11, 1, 9, 4)]);
    later.origin.time = over;
    history.apply(&later).unwrap();
    // Three bids won.
    assert_eq!(history.unpublished.len(), 3 + 1);
    let (round, index, refund) = (U256::ONE, U256::ZERO, U256::ZERO);
    let expired = Event::TaskExpired(abi::TaskExpired { id: id(), round, index, refund });
    history.apply(&logged_in(8, expired)).unwrap();
    let mut last = many(10, 0, &[lot(12, 1, 9, 4)]);
    last.origin.time = over;
    history.apply(&last).unwrap();
    assert_eq!(history.unpublished.len(), 2 + 2);
}

#[test]
fn a_task_is_named_with_what_was_published_and_its_path_is_that_of_its_page() {
    let mut history = history();
    for (number, capacity) in [(2, 60), (4, 60)] {
        history.apply(&seat(number, capacity)).unwrap();
    }
    // Bids 0 to 2 (4, 3 and 2 units in the worked example) become one lot of three of 3 units, which fall to 4, 2 and 2.
    let winners = lot(0, 3, 9, 3);
    history.apply(&many(1, 0, &[winners.clone(), lot(3, 1, 5, 5), lot(4, 1, 2, 6)])).unwrap();
    let word = winners.word().get();
    let runs = [run(word, 0, 0, 2, 4), leaf(word, 2, 2, 2)];
    history.apply(&settlement_in(pair(runs[0], runs[1]), &[2, 3])).unwrap();

    let round = round_one(&history);
    let task = round.assignment(index(2)).unwrap();
    assert_eq!(round.assignments().unwrap().len(), 3);
    assert_eq!(
        (task.seat.get(), round.named_task(&task), round.delivery(&task, Bytes::new())),
        (2, None, None)
    );
    assert_eq!((round.leaf(&task), round.path(&task)), (Some(runs[1]), vec![runs[0]]));
    for (bid, before, after) in [(0, 0, 1), (1, 1, 0), (2, 0, 0)] {
        let task = round.assignment(index(bid)).unwrap();
        assert_eq!((task.run_before, task.run_after), (before, after));
        assert_eq!(round.leaf(&task), Some(runs[usize::from(bid == 2)]));
        assert_eq!(round.path(&task), [runs[usize::from(bid != 2)]]);
    }

    history.apply(&published(&winners)).unwrap();
    let round = round_one(&history);
    let delivery = round.delivery(&task, Bytes::from_static(b"proof")).unwrap();
    let named = &delivery.task;
    assert_eq!((named.index, named.position, named.lot, named.seat), (2, 2, 0x8002, 2));
    assert_eq!((named.runBefore, named.runAfter), (0, 0));
    let first = round.named_task(&round.assignment(index(0)).unwrap()).unwrap();
    assert_eq!((first.position, first.runBefore, first.runAfter, first.seat), (0, 0, 1, 4));
    assert_eq!((named.fee, named.size, named.requester, named.statements), (9, 3, WHO, winners.root()));
    let tree = crate::statement_tree(winners.statements());
    assert_eq!(delivery.statementPath, tree.path(2).unwrap());
    assert_eq!(delivery.publicInputs, [U256::from(2)]);
}

#[test]
fn leaves_stand_page_by_page_from_the_last_to_the_first() {
    let mut history = with_bids();
    let [a, b, c] = leaves();
    // The last page holds C, D and E, then come B, and A.
    assert!(history.apply(&settlement_in(root(), &[3, 1, 1])).is_err());
    history.apply(&settlement_in(pair(pair(c, b), a), &[3, 1, 1])).unwrap();
    let round = round_one(&history);
    let tree = MerkleTree::new(vec![c, b, a]);
    for (bid, leaf) in [(0, 2), (1, 1), (2, 0)] {
        let task = round.assignment(index(bid)).unwrap();
        assert_eq!(round.path(&task), tree.path(leaf).unwrap());
    }
    let settlement = round.settlement.as_ref().unwrap();
    assert_eq!(settlement.shares.iter().map(|share| share.bids).collect::<Vec<_>>(), [3, 1, 1]);
    assert_eq!(settlement.reward_of(WHO, 7), U256::from(35));
    assert_eq!(settlement.reward_of(Address::ZERO, 7), U256::ZERO);
}

#[test]
fn of_each_settler_the_last_page_stands_until_the_round_is_settled() {
    let mut history = with_bids();
    let claim = |units: u64| B256::from(U256::from(units));
    let page = |settler: u8, units: u64, bids: &[u64]| {
        let event = abi::PageSettled {
            id: id(),
            round: U256::ONE,
            settler: Address::repeat_byte(settler),
            claim: claim(units),
            shares: bids.iter().map(|bids| share(*bids)).collect(),
            progress: Bytes::from_static(b"progress"),
        };
        logged_in(2, Event::PageSettled(event))
    };
    for event in [page(1, 8, &[2]), page(2, 9, &[1]), page(1, 9, &[1]), page(1, 9, &[2, 1])] {
        history.apply(&event).unwrap();
    }
    let known = |history: &MarketHistory| {
        let pages = round_one(history).pages.iter();
        pages.map(|page| (page.settler.0[0], page.claim, page.shares.len())).collect::<Vec<_>>()
    };
    assert_eq!(known(&history), [(2, claim(9), 1), (1, claim(9), 2)]);
    history.apply(&settlement(root())).unwrap();
    assert_eq!(known(&history), []);
    let mut early = page(1, 9, &[1]);
    if let Event::PageSettled(event) = &mut early.event {
        event.round = U256::from(5);
    }
    assert!(matches!(history.apply(&early), Err(HistoryError::UnknownRound(_))));
}
