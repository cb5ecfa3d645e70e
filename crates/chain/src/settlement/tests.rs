use super::*;
use crate::commitments::{BidWord, Ticket};
use crate::events::{Event, LoggedEvent, Origin};
use crate::history::{MarketHistory, PageShare};
use crate::params::tests::params;
use clearing::{ProverClaim, UserPivot};
use market_types::{LotSize, TaskSize, UnitFee, UnitPrice};

const ROUND: RoundNumber = RoundNumber::new(1);
const WHO: Address = Address::repeat_byte(0xaa);

fn market() -> Market {
    let params = params();
    Market { id: params.market_id(), params }
}

fn seed() -> BidChain {
    BidChain::seed(1, WHO, market().id, ROUND)
}

fn word(fee: u64, size: u32, count: u16) -> BidWord {
    let ticket = Ticket::new(WHO, B256::ZERO);
    let (size, count) = (TaskSize::new(size).unwrap(), LotSize::new(count).unwrap());
    BidWord::new(UnitFee::new(fee).unwrap(), size, count, ticket)
}

fn history(words: &[BidWord]) -> MarketHistory {
    let mut history = MarketHistory::new(market());
    let place = U256::from(ROUND.get()) << 32;
    let words = words.iter().map(|word| word.get()).collect();
    let event = ProverMarket::BidsSubmitted { id: market().id.get(), place, words };
    let origin = Origin { block: 1, time: market().id.open_of(ROUND), log_index: 0, tx_hash: B256::ZERO };
    let event = Event::BidsSubmitted(event);
    history.apply(&LoggedEvent { market: market().id, origin, event }).unwrap();
    history
}

/// Everybody above `fee`, and those at `fee` before `index`, win.
fn certificate(fee: u64, index: u32) -> Certificate {
    let user_pivot = UserPivot { fee: UnitPrice::new(fee), index };
    Certificate { user_pivot, units: Units::new(0), prover_side: ProverClaim::Core { pivot_ask: None } }
}

/// What the contract would say of a page.
fn settled(call: &ProverMarket::settlePageCall, bids: u32, progress: usize) -> PageRecord {
    let mut shares: Vec<PageShare> = call.page.shares.iter().map(|s| PageShare::from_abi(*s)).collect();
    let before: u32 = shares.iter().map(|share| share.bids).sum();
    let start = u32::try_from(BidChain::stored(call.page.start.chain).count()).unwrap();
    shares.push(PageShare { settler: WHO, bids: bids - before - start });
    let claim = claim_of(call.id, ROUND, &call.certificate);
    PageRecord { settler: WHO, claim, shares, progress: vec![1; progress].into() }
}

const MIXED: [(u64, u32, u16); 6] = [(9, 4, 1), (5, 2, 10), (7, 3, 2), (5, 1, 4), (2, 6, 3), (5, 8, 2)];

fn mixed() -> MarketHistory {
    history(&MIXED.map(|(fee, size, count)| word(fee, size, count)))
}

#[test]
fn a_round_within_the_limits_is_settled_at_once() {
    let history = mixed();
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, &certificate(5, 14));
    assert_eq!(settling.page_count(&PageLimits::TRANSACTION), 1);
    let Some(SettlementCall::Whole(call)) = settling.next(None, &PageLimits::TRANSACTION) else {
        panic!("in pages")
    };
    assert_eq!(call.words, record.words().iter().map(|word| word.get()).collect::<Vec<_>>());
    assert_eq!(settling.chain(), BidChain::of(1, WHO, market().id, ROUND, &record.words()));
}

#[test]
fn a_page_names_where_it_starts_and_what_the_last_one_left() {
    let history = mixed();
    let record = history.round(ROUND).unwrap();
    let words = record.words();
    // Bids 1 to 10, 12 and 13 and the first of 13 to 16 are at the pivot's fee or above it and before it.
    let settling = Settling::new(&market(), seed(), record, &certificate(5, 14));
    let first = settling.page(3, None).unwrap();
    assert_eq!((first.page.shares.len(), first.page.progress.len()), (0, 0));
    let mut before = seed();
    words[..3].iter().for_each(|word| before.absorb(*word));
    assert_eq!((first.page.start.chain, before.count()), (before.value(), 13));
    assert_eq!(first.page.start.offset, U256::from(4 + 2 * 10 + 3 * 2));
    assert_eq!(first.page.words.len(), 3);

    let page = settled(&first, 22, 7);
    assert_eq!(page.shares, [PageShare { settler: WHO, bids: 9 }]);
    let last = settling.page(0, Some(&page)).unwrap();
    assert_eq!((last.page.start.chain, last.page.start.offset), (seed().value(), U256::ZERO));
    assert_eq!((last.page.settler, last.page.progress.len(), last.page.words.len()), (WHO, 7, 3));
    assert_eq!(last.page.shares, [page.shares[0].to_abi()]);
    assert!(SettlementCall::Page(last).is_last() && !SettlementCall::Page(first).is_last());
}

#[test]
fn only_places_between_entries_are_gone_on_from() {
    let history = mixed();
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, &certificate(5, 14));
    let page = |bids: u32| PageRecord {
        shares: vec![PageShare { settler: WHO, bids }],
        ..settled(&settling.page(3, None).unwrap(), 22, 7)
    };
    for (bids, begins) in [(2, true), (3, false), (5, true), (22, false), (23, false)] {
        let next = settling.next(Some(&page(bids)), &PageLimits::TRANSACTION);
        assert_eq!(next.is_some_and(|call| call.is_last()), begins, "{bids}");
    }
}

#[test]
fn the_furthest_page_of_the_same_certificate_is_gone_on_from() {
    let mut history = mixed();
    let of = |settler: u8, units: u64, bids: &[u64]| {
        let share = |bids: &u64| (U256::from(settler) << 64) | U256::from(*bids);
        let certificate = AbiCertificate { units, ..certificate_to_abi(&certificate(5, 14)) };
        let event = ProverMarket::PageSettled {
            id: market().id.get(),
            round: U256::from(ROUND.get()),
            settler: Address::with_last_byte(settler),
            claim: claim_of(market().id.get(), ROUND, &certificate),
            shares: bids.iter().map(share).collect(),
            progress: vec![settler].into(),
        };
        let origin = Origin { block: 1, time: 1, log_index: 0, tx_hash: B256::ZERO };
        LoggedEvent { market: market().id, origin, event: Event::PageSettled(event) }
    };
    let furthest = |history: &MarketHistory| {
        let record = history.round(ROUND).unwrap();
        let settling = Settling::new(&market(), seed(), record, &certificate(5, 14));
        settling.furthest(&record.pages).map(|page| page.settler.0[19])
    };
    assert_eq!(furthest(&history), None);
    // The third is of another certificate, and the last of no place in this round.
    for event in [of(1, 0, &[2]), of(2, 0, &[2, 3]), of(3, 1, &[2, 3, 4]), of(4, 0, &[7])] {
        history.apply(&event).unwrap();
    }
    assert_eq!(furthest(&history), Some(2));
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, &certificate(5, 14));
    let one_by_one = PageLimits { entries: 1, ..PageLimits::TRANSACTION };
    let of = |page| settling.left(Some(page), WHO, &one_by_one).map(|left| left.transactions);
    assert_eq!(record.pages.iter().map(of).collect::<Vec<_>>(), [Some(5), Some(4), None, None]);
    assert_eq!(settling.left(None, WHO, &one_by_one).unwrap().transactions, 6);
}

/// Shares of a bid each, all of `settlers` in turn.
fn shares(count: u32, settlers: u32) -> Vec<PageShare> {
    let settler = |number: u32| Address::left_padding_from(&(number % settlers + 1).to_be_bytes());
    (0..count).map(|number| PageShare { settler: settler(number), bids: 1 }).collect()
}

#[test]
fn a_share_is_dear_only_where_its_settler_is_credited_for_the_first_time() {
    let history = history(&[word(5, 1, 1); 1_000]);
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, &certificate(5, 0));
    let more = |begin, count, settlers| {
        settling.gas_bound(begin, 500, &shares(count, settlers)) - settling.gas_bound(begin, 500, &[])
    };
    assert_eq!(more(0, 400, 1), 400 * SHARE_GAS + SETTLER_GAS);
    assert_eq!(more(0, 400, 400), 400 * (SHARE_GAS + SETTLER_GAS));
    // Only the last page credits anybody.
    assert_eq!(more(1, 400, 400), 400 * SHARE_GAS);
}

#[test]
fn pages_that_do_little_leave_more_than_there_was_without_them() {
    let history = history(&[word(5, 1, 1); 5_000]);
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, &certificate(5, 0));
    let left = |shares: Option<Vec<PageShare>>| {
        let page = shares.map(|shares| PageRecord {
            settler: shares.last().unwrap().settler,
            shares,
            ..settled(&settling.page(4_999, None).unwrap(), 5_000, 7)
        });
        settling.left(page.as_ref(), WHO, &PageLimits::TRANSACTION).unwrap()
    };
    assert_eq!((left(None).beyond, left(None).transactions), (0, 2));
    assert!(left(Some(shares(10, 1))) > left(None));
    // So many accounts cannot be credited in one transaction at all.
    assert_eq!(left(Some(shares(400, 400))).beyond, 1);
    assert!(left(Some(shares(400, 400))) > left(None));
    // More than four thousand bids fewer are a transaction less.
    let half = vec![PageShare { settler: Address::ZERO, bids: 3_000 }];
    assert_eq!(left(Some(half)).transactions, 1);
}

/// Goes through a whole settlement as the contract would let it, and gives the numbers of entries of its pages.
fn pages(words: &[BidWord], certificate: &Certificate, limits: &PageLimits) -> Vec<usize> {
    let history = history(words);
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, certificate);
    let (mut sizes, mut after): (Vec<usize>, Option<PageRecord>) = (Vec::new(), None);
    // The most that the contract leaves, of a round in `average-fee` with 128 seats.
    const PROGRESS: usize = (5 + 128 + 24) * 32;
    while let Some(SettlementCall::Page(call)) = settling.next(after.as_ref(), limits) {
        sizes.push(call.page.words.len());
        // Signature and fees take up to 200 bytes.
        assert!(call.abi_encode().len() + 200 <= limits.bytes || call.page.words.len() == 1);
        after = Some(settled(&call, record.bid_count(), PROGRESS));
    }
    assert_eq!(settling.page_count(limits), sizes.len());
    assert_eq!(sizes.iter().sum::<usize>(), words.len());
    sizes
}

#[test]
fn pages_hold_as_many_entries_as_a_transaction_has_room_for() {
    let limits = PageLimits::TRANSACTION;
    let words = vec![word(5, 1, 1); 10_000];
    let most = ((128 << 10) - OVERHEAD_BYTES) / WORD_BYTES;
    assert_eq!(pages(&words, &certificate(5, 2_000), &limits), [most, most - 1, 10_000 - 2 * most + 1]);
    // Winners count against the gas more than losers do, ...
    let of = |words: &[BidWord], index| {
        pages(words, &certificate(5, index), &PageLimits { gas: 8_000_000, ..limits })
    };
    assert_eq!(of(&words[..3_000], 3_000), [1_698, 1_302]);
    assert_eq!(of(&words[..3_000], 0), [2_368, 632]);
    // ... and a lot is one, however many of its bids won.
    let lots = vec![word(5, 1, 2_000); 3_000];
    assert_eq!(of(&lots, 6_000_000), [1_698, 1_302]);
    assert_eq!(of(&lots, 1), [2_368, 632]);
}

#[test]
fn pages_hold_no_more_entries_than_is_wished() {
    let few = PageLimits { entries: 3, ..PageLimits::TRANSACTION };
    assert_eq!(pages(&[word(5, 1, 1); 8], &certificate(5, 2), &few), [3, 3, 2]);
}

#[test]
fn the_largest_lot_has_room_in_a_transaction_and_no_entry_is_left_out_for_its_size() {
    let largest = word(5, 1, LotSize::MAX.get());
    let all = certificate(4, 0);
    let history = history(&[largest, largest]);
    let record = history.round(ROUND).unwrap();
    let settling = Settling::new(&market(), seed(), record, &all);
    assert!(settling.gas_bound(0, 1, &shares(1, 1)) <= PageLimits::TRANSACTION.gas);
    assert_eq!(settling.page_count(&PageLimits::TRANSACTION), 1);
    assert_eq!(
        pages(&[largest, largest, largest], &all, &PageLimits { bytes: 0, gas: 0, entries: 0 }),
        [1, 1, 1]
    );
}
