use super::*;
use alloy::primitives::{B256, Bytes, U256};
use bindings::ProverMarket::{self, BidsSubmitted, PageSettled, RoundSettled};
use chain::commitments::{BidChain, BidWord, Ticket};
use chain::events::{Event, LoggedEvent, Origin};
use chain::round::certificate_to_abi;
use chain::settlement::claim_of;
use chain::{Market, MarketHistory};
use clearing::{Certificate, ProverClaim, UserPivot};
use market_types::{LotSize, RoundNumber, TaskSize, UnitFee, Units};

const ROUND: RoundNumber = RoundNumber::new(1);
const ME: Address = Address::repeat_byte(1);
const OTHER: Address = Address::repeat_byte(2);
const THIRD: Address = Address::repeat_byte(3);
/// Bids of each entry of the round.
const ENTRIES: [u16; 4] = [1, 4, 1, 3];

/// One entry a page.
const ONE_BY_ONE: PageLimits = PageLimits { entries: 1, ..PageLimits::TRANSACTION };

fn market() -> Market {
    let params = testkit::default_params(Address::repeat_byte(9), 1_000);
    Market { id: params.market_id(), params }
}

/// In a round without provers nobody wins.
fn nobody_wins() -> Certificate {
    Certificate {
        user_pivot: UserPivot::NOBODY_WINS,
        units: Units::ZERO,
        prover_side: ProverClaim::Core { pivot_ask: None },
    }
}

struct World(MarketHistory);

impl World {
    /// A closed round of the [`ENTRIES`].
    fn new() -> Self {
        Self::of(&ENTRIES)
    }

    /// A closed round of entries of so many bids.
    fn of(entries: &[u16]) -> Self {
        let ticket = Ticket::new(THIRD, B256::ZERO);
        let word = |count| {
            BidWord::new(UnitFee::new(5).unwrap(), TaskSize::MIN, LotSize::new(count).unwrap(), ticket)
        };
        let words = entries.iter().map(|count| word(*count).get()).collect();
        let mut world = Self(MarketHistory::new(market()));
        let place = U256::from(ROUND.get()) << 32;
        world.apply(Event::BidsSubmitted(BidsSubmitted { id: market().id.get(), place, words }));
        world
    }

    fn apply(&mut self, event: Event) {
        let time = market().id.open_of(ROUND);
        let origin = Origin { block: 1, time, log_index: 0, tx_hash: B256::ZERO };
        self.0.apply(&LoggedEvent { market: market().id, origin, event }).unwrap();
    }

    /// The last of `shares` settles a page, after those before it.
    fn page_under(&mut self, certificate: &ProverMarket::Certificate, shares: &[(Address, u64)]) {
        let share =
            |(who, bids): &(Address, u64)| (U256::from_be_bytes(who.into_word().0) << 64) | U256::from(*bids);
        let (id, round, settler) = (market().id.get(), U256::from(ROUND.get()), shares.last().unwrap().0);
        let progress = Bytes::from_static(b"progress");
        let claim = claim_of(id, ROUND, certificate);
        let shares = shares.iter().map(share).collect();
        self.apply(Event::PageSettled(PageSettled { id, round, settler, claim, shares, progress }));
    }

    fn page(&mut self, shares: &[(Address, u64)]) {
        self.page_under(&certificate_to_abi(&nobody_wins()), shares);
    }

    fn next(&self, limits: &PageLimits) -> Option<SettlementCall> {
        self.next_with(Trust::Everybody, limits)
    }

    fn next_with(&self, trust: Trust, limits: &PageLimits) -> Option<SettlementCall> {
        let record = self.0.round(ROUND).unwrap();
        let seed = BidChain::seed(1, THIRD, market().id, ROUND);
        next_step(record, &Settling::new(&market(), seed, record, &nobody_wins()), ME, trust, limits)
    }

    /// The page to settle next: whose it goes on from, how many pages there were, and bids before it.
    fn next_page(&self, limits: &PageLimits) -> (Address, usize, u64) {
        let Some(SettlementCall::Page(call)) = self.next(limits) else { panic!("no page is next") };
        (call.page.settler, call.page.shares.len(), BidChain::stored(call.page.start.chain).count())
    }
}

#[test]
fn a_round_within_the_limits_is_settled_whole() {
    let Some(SettlementCall::Whole(call)) = World::new().next(&PageLimits::TRANSACTION) else { panic!() };
    assert_eq!(call.words.len(), ENTRIES.len());
}

#[test]
fn a_larger_round_is_settled_from_its_last_entry_on() {
    let two = PageLimits { entries: 2, ..PageLimits::TRANSACTION };
    assert_eq!(World::new().next_page(&two), (Address::ZERO, 0, 5));
}

#[test]
fn what_anybody_settled_is_gone_on_from() {
    let mut world = World::new();
    world.page(&[(OTHER, 3)]);
    assert_eq!(world.next_page(&ONE_BY_ONE), (OTHER, 1, 5));
    world.page(&[(OTHER, 3), (ME, 1)]);
    assert_eq!(world.next_page(&ONE_BY_ONE), (ME, 2, 1));
    // Another relayer with larger pages.
    world.page(&[(THIRD, 4)]);
    assert_eq!(world.next_page(&ONE_BY_ONE).2, 1);
    // Own pages are not lost if what is left has become one transaction.
    let three = PageLimits { entries: 3, ..PageLimits::TRANSACTION };
    assert_eq!(world.next_page(&three), (ME, 2, 0));
}

#[test]
fn a_round_that_fits_into_one_transaction_is_settled_whole_whatever_pages_there_are() {
    let mut world = World::new();
    for shares in [&[(OTHER, 3)][..], &[(OTHER, 3), (THIRD, 1)], &[(ME, 3)]] {
        world.page(shares);
        assert!(matches!(world.next(&PageLimits::TRANSACTION), Some(SettlementCall::Whole(_))));
    }
}

#[test]
fn a_page_of_somebody_else_that_saves_no_transaction_is_not_gone_on_from() {
    let mut world = World::new();
    let two = PageLimits { entries: 2, ..PageLimits::TRANSACTION };
    // One entry of four leaves as many pages of two.
    world.page(&[(OTHER, 3)]);
    assert_eq!(world.next_page(&two), (Address::ZERO, 0, 5));
    // Own ones cannot be taken away, but may do as little.
    world.page(&[(OTHER, 0), (OTHER, 0), (ME, 0)]);
    assert_eq!(world.next_page(&two), (Address::ZERO, 0, 5));
    world.page(&[(OTHER, 3), (OTHER, 1)]);
    assert_eq!(world.next_page(&two), (OTHER, 2, 0), "a page fewer");
    world.page(&[(ME, 3), (ME, 1)]);
    assert_eq!(world.next_page(&two), (ME, 2, 0));
}

#[test]
fn pages_that_only_lengthen_the_settlement_do_not_hold_it_up() {
    let mut world = World::of(&[1; 4_500]);
    let many = |count: u64| (0..count).map(|_| (OTHER, 1)).collect::<Vec<_>>();
    let first = world.next_page(&PageLimits::TRANSACTION);
    assert_eq!((first.0, first.1), (Address::ZERO, 0));
    // As many as it takes for no entry to fit into a page after them, each without progress.
    world.page(&many(400));
    assert_eq!(world.next_page(&PageLimits::TRANSACTION), first);
    let settlers = |number: u64| (Address::left_padding_from(&(number + 100).to_be_bytes()), 10);
    world.page(&(0..400).map(settlers).collect::<Vec<_>>());
    assert_eq!(world.next_page(&PageLimits::TRANSACTION), first);
}

#[test]
fn of_pages_that_are_as_far_the_one_with_the_most_own_bids_is_gone_on_from() {
    let mut world = World::new();
    world.page(&[(OTHER, 3)]);
    world.page(&[(THIRD, 3)]);
    assert_eq!(world.next_page(&ONE_BY_ONE).0, OTHER, "the first of two that pay the same");
    world.page(&[(ME, 3)]);
    assert_eq!(world.next_page(&ONE_BY_ONE).0, ME);
    world.page(&[(THIRD, 3), (OTHER, 1)]);
    assert_eq!(world.next_page(&ONE_BY_ONE).0, OTHER, "further");
    world.page(&[(ME, 3), (THIRD, 1)]);
    assert_eq!(world.next_page(&ONE_BY_ONE).0, THIRD, "as far, and with own bids");
}

#[test]
fn what_others_can_take_away_is_left_if_nobody_is_trusted() {
    let mut world = World::new();
    let two = PageLimits { entries: 2, ..PageLimits::TRANSACTION };
    let next = |world: &World| {
        let Some(SettlementCall::Page(call)) = world.next_with(Trust::Nobody, &two) else { panic!() };
        (call.page.settler, BidChain::stored(call.page.start.chain).count())
    };
    world.page(&[(OTHER, 3), (OTHER, 1)]);
    assert_eq!(next(&world), (Address::ZERO, 5));
    world.page(&[(ME, 3), (ME, 1)]);
    assert_eq!(next(&world), (ME, 0));
}

#[test]
fn pages_of_another_certificate_or_of_no_place_between_entries_mean_nothing() {
    let mut world = World::new();
    let wrong = ProverMarket::Certificate { units: 1, ..certificate_to_abi(&nobody_wins()) };
    world.page_under(&wrong, &[(OTHER, 3), (OTHER, 1), (OTHER, 4)]);
    world.page(&[(THIRD, 2)]);
    assert_eq!(world.next_page(&ONE_BY_ONE), (Address::ZERO, 0, 6));
}

#[test]
fn nothing_is_next_once_somebody_has_settled_the_round() {
    let mut world = World::new();
    world.page(&[(OTHER, 3)]);
    world.apply(Event::RoundSettled(RoundSettled {
        id: market().id.get(),
        round: U256::from(ROUND.get()),
        settler: OTHER,
        certificate: certificate_to_abi(&nobody_wins()),
        revenue: U256::ZERO,
        winners: Vec::new(),
        assignmentRoot: B256::ZERO,
        shares: Vec::new(),
    }));
    assert_eq!(world.next(&ONE_BY_ONE), None);
}
