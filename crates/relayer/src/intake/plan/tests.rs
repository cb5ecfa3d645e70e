use super::*;
use alloy::primitives::Address;
use intake_api::Signer;
use market_types::RoundNumber;
use std::num::NonZeroU32;

const GENESIS: u64 = 1_000;
/// Rounds of 60 s: everything is posted 20 s before the close, and accepted until 10 s before it.
const ROUND: RoundNumber = RoundNumber::new(0);
const POSTS_AT: u64 = GENESIS + 40;
const CLOSE: u64 = GENESIS + 60;

fn group(signer: Signer) -> Group {
    let params = testkit::default_params(Address::repeat_byte(1), GENESIS);
    Group { market: params.market_id(), round: ROUND, signer }
}

fn options() -> IntakeOptions {
    let mut options = IntakeOptions::new("127.0.0.1:0".parse().unwrap());
    options.post_before = NonZeroU32::new(20);
    options
}

fn id(number: u8) -> B256 {
    B256::repeat_byte(number)
}

fn bids(numbers: std::ops::Range<u8>) -> Vec<Waiting> {
    let bid = |number| Waiting {
        id: id(number),
        group: group(Signer::Key),
        bytes: 100,
        gas: 10,
        accepted_at: GENESIS + 5,
    };
    numbers.map(bid).collect()
}

/// A queue at some time.
struct Case {
    waiting: Vec<Waiting>,
    resting: BTreeSet<B256>,
    under_way: BTreeSet<Group>,
    limits: BatchLimits,
    fewer: BTreeMap<MarketId, usize>,
    options: IntakeOptions,
}

impl Case {
    fn of(waiting: Vec<Waiting>) -> Self {
        let limits = BatchLimits { bytes: 1_000, gas: 1_000, bids: 4 };
        let (resting, under_way, fewer) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Self { waiting, resting, under_way, limits, fewer, options: options() }
    }

    fn at(&self, time: u64) -> Vec<Action> {
        self.between(time, time)
    }

    fn between(&self, block: u64, next: u64) -> Vec<Action> {
        let (waiting, resting, under_way, limits) =
            (&self.waiting[..], &self.resting, &self.under_way, self.limits);
        let fewer = &self.fewer;
        plan(&Queue { waiting, resting, under_way, limits, fewer }, &self.options, Time { block, next })
    }
}

fn post(numbers: std::ops::Range<u8>) -> Action {
    Action::Post { group: group(Signer::Key), bids: numbers.map(id).collect() }
}

#[test]
fn bids_wait_for_others_until_the_close_is_near() {
    let case = Case::of(bids(0..3));
    assert_eq!(case.at(POSTS_AT - 1), []);
    assert_eq!(case.at(POSTS_AT), [post(0..3)]);
    assert_eq!(case.at(CLOSE - 1), [post(0..3)]);
}

#[test]
fn a_transaction_that_is_full_goes_at_once_and_what_is_left_waits() {
    let case = Case::of(bids(0..9));
    assert_eq!(case.at(GENESIS + 5), [post(0..4), post(4..8)]);
    assert_eq!(case.at(POSTS_AT), [post(0..4), post(4..8), post(8..9)]);
}

#[test]
fn where_transactions_have_to_be_smaller_those_of_other_markets_stay_as_they_are() {
    let mut case = Case::of(bids(0..3));
    case.fewer.insert(group(Signer::Key).market, 2);
    assert_eq!(case.at(GENESIS + 5), [post(0..2)]);
    case.fewer = BTreeMap::from([(MarketId::from(B256::ZERO), 2)]);
    assert_eq!(case.at(GENESIS + 5), []);
}

#[test]
fn no_transaction_holds_more_than_its_bytes_or_its_gas() {
    let mut case = Case::of(bids(0..3));
    case.waiting[1].bytes = 950;
    assert_eq!(case.at(GENESIS + 5), [post(0..1), post(1..2)], "no other would fit either of them");
    let mut case = Case::of(bids(0..3));
    case.limits.gas = 20;
    assert_eq!(case.at(POSTS_AT), [post(0..2), post(2..3)]);
}

#[test]
fn a_bid_waits_no_longer_than_it_is_set() {
    let mut case = Case::of(bids(0..2));
    case.options.post_after = Some(7);
    case.waiting[1].accepted_at = GENESIS + 11;
    assert_eq!(case.at(GENESIS + 11), []);
    assert_eq!(case.at(GENESIS + 12), [post(0..2)], "the others go with it");
}

#[test]
fn contracts_go_by_themselves() {
    let mut case = Case::of(bids(0..3));
    case.waiting[1].group = group(Signer::Wallet);
    let wallet = Action::Post { group: group(Signer::Wallet), bids: vec![id(1)] };
    let keys = Action::Post { group: group(Signer::Key), bids: vec![id(0), id(2)] };
    assert_eq!(case.at(POSTS_AT), [keys, wallet]);
}

#[test]
fn what_is_under_way_is_not_posted_again_and_what_comes_meanwhile_goes_together() {
    let mut case = Case::of(bids(0..3));
    case.resting.insert(id(0));
    assert_eq!(case.at(POSTS_AT), [post(1..3)]);
    case.under_way.insert(group(Signer::Key));
    assert_eq!(case.at(POSTS_AT), []);
    assert_eq!(case.at(CLOSE - 11), []);
    assert_eq!(case.at(CLOSE - 10), [post(1..3)], "the last time for it");
}

#[test]
fn only_a_block_closes_a_round() {
    let mut case = Case::of(bids(0..2));
    case.resting.insert(id(0));
    assert_eq!(case.between(CLOSE - 1, CLOSE), [], "too late to post, too early to give up");
    let missed = Action::Miss { bids: vec![id(0), id(1)] };
    assert_eq!(case.between(CLOSE, CLOSE), [missed]);
}

#[test]
fn a_round_that_a_reorganisation_has_not_opened_yet_is_waited_for() {
    let mut case = Case::of(bids(0..4));
    for bid in &mut case.waiting {
        bid.group.round = RoundNumber::new(1);
    }
    assert_eq!(case.between(CLOSE - 1, CLOSE), []);
    assert_eq!(case.at(CLOSE).len(), 1);
}

#[test]
fn rounds_that_close_first_come_first() {
    let mut case = Case::of(bids(0..8));
    for bid in &mut case.waiting[..4] {
        bid.group.market = {
            let mut params = testkit::default_params(Address::repeat_byte(1), GENESIS);
            params.bidding_period = 90;
            params.market_id()
        };
    }
    let actions = case.at(GENESIS + 5);
    assert!(matches!(&actions[0], Action::Post { bids, .. } if bids[0] == id(4)), "{actions:?}");
    assert_eq!(actions.len(), 2);
}
