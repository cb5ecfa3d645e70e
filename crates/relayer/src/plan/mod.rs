//! What to do next. Pure: the same views and time give the same actions.
//!
//! | module | what is in it |
//! |---|---|
//! | `step` | [`next_step`]: the next transaction of one settlement |
//! | `profit` | [`Profit`]: whether a settlement pays |
//! | `turn` | [`turn()`], [`release_turn`]: how long to leave something to others |
//! | `urgency` | [`begin`]: what comes first of what is [`Due`] in all markets |
//! | this one | [`plan()`]: what there is to do in one market |

mod profit;
mod step;
mod turn;
mod urgency;

pub use profit::{Factor, InvalidFactor, Profit};
pub use step::{Trust, next_step};
pub use turn::{release_turn, turn};
pub use urgency::{Due, UnderWay, begin};

use chain::history::BundleRecord;
use chain::{Market, MarketHistory};
use market_types::RoundNumber;
use std::collections::BTreeSet;

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Clear a closed round and settle it, or its next page.
    Settle {
        /// The round.
        round: RoundNumber,
    },
    /// Credit the results of bids that were submitted together.
    Release {
        /// The bids.
        bundle: BundleRecord,
    },
}

impl Action {
    /// The round that it is about.
    #[must_use]
    pub const fn round(&self) -> RoundNumber {
        match self {
            Self::Settle { round } => *round,
            Self::Release { bundle } => bundle.round,
        }
    }
}

/// A round as far as a relayer cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundView {
    /// Its number.
    pub number: RoundNumber,
    /// How many bids it has.
    pub bids: u32,
    /// Whether it is settled.
    pub settled: bool,
}

/// One moment of a market.
#[derive(Debug, Clone)]
pub struct MarketView<'a> {
    /// The market, for its deadlines.
    pub market: &'a Market,
    /// Its rounds.
    pub rounds: Vec<RoundView>,
    /// The bundles that wait to be released.
    pub bundles: Vec<BundleRecord>,
}

impl<'a> MarketView<'a> {
    /// The view of a history.
    #[must_use]
    pub fn of(history: &'a MarketHistory) -> Self {
        let rounds = history.rounds().map(|round| RoundView {
            number: round.number,
            bids: round.bid_count(),
            settled: round.settlement.is_some(),
        });
        Self {
            market: history.market(),
            rounds: rounds.collect(),
            bundles: history.bundles().copied().collect(),
        }
    }
}

/// What there is to do at `now` (seconds since the epoch, block time).
#[must_use]
pub fn plan(view: &MarketView<'_>, now: u64) -> Vec<Due> {
    let settled: BTreeSet<RoundNumber> =
        view.rounds.iter().filter(|round| round.settled).map(|round| round.number).collect();
    let settle = view
        .rounds
        .iter()
        .filter(|round| can_be_settled(view.market, round, now))
        .map(|round| Action::Settle { round: round.number });
    let release = view
        .bundles
        .iter()
        // Of a round that is settled, or void because its deadline has passed.
        .filter(|bundle| settled.contains(&bundle.round) || now >= view.market.settle_by(bundle.round))
        .map(|bundle| Action::Release { bundle: *bundle });
    let due = |action: Action| Due {
        market: view.market.id,
        deadline: view.market.settle_by(action.round()),
        action,
    };
    settle.chain(release).map(due).collect()
}

fn can_be_settled(market: &Market, round: &RoundView, now: u64) -> bool {
    let in_time = now >= market.reveal_by(round.number) && now < market.settle_by(round.number);
    in_time && !round.settled && round.bids > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;
    use market_types::BidIndex;

    const GENESIS: u64 = 1_000;

    fn market() -> Market {
        // Rounds of 60 s, 30 s to settle them.
        let params = testkit::default_params(Address::repeat_byte(1), GENESIS);
        Market { id: params.market_id(), params }
    }

    fn round(number: u64) -> RoundNumber {
        RoundNumber::new(number)
    }

    fn open(number: u64, bids: u32) -> RoundView {
        RoundView { number: round(number), bids, settled: false }
    }

    fn settled(number: u64) -> RoundView {
        RoundView { settled: true, ..open(number, 1) }
    }

    fn bundle(number: u64) -> BundleRecord {
        let (requester, first_index) = (Address::repeat_byte(2), BidIndex::MIN);
        BundleRecord { round: round(number), first_index, entries: 2, requester }
    }

    fn view(market: &Market, rounds: Vec<RoundView>, bundles: Vec<BundleRecord>) -> MarketView<'_> {
        MarketView { market, rounds, bundles }
    }

    fn plan(view: &MarketView<'_>, now: u64) -> Vec<Action> {
        super::plan(view, now).into_iter().map(|due| due.action).collect()
    }

    const SETTLE_0: Action = Action::Settle { round: RoundNumber::new(0) };

    #[test]
    fn a_round_is_settled_from_its_close_until_its_deadline() {
        let market = market();
        let view = view(&market, vec![open(0, 3)], vec![]);
        let (close, deadline) = (GENESIS + 60, GENESIS + 90);
        assert_eq!(plan(&view, close - 1), []);
        assert_eq!(plan(&view, close), [SETTLE_0]);
        assert_eq!(plan(&view, deadline - 1), [SETTLE_0]);
        assert_eq!(plan(&view, deadline), []);
    }

    #[test]
    fn a_round_of_a_sealed_market_is_settled_once_its_commitments_can_no_longer_be_opened() {
        let params = testkit::sealed(testkit::default_params(Address::repeat_byte(1), GENESIS));
        let market = Market { id: params.market_id(), params };
        let view = view(&market, vec![open(0, 3)], vec![]);
        let (reveal_by, deadline) = (GENESIS + 60 + 20, GENESIS + 60 + 20 + 30);
        assert_eq!(plan(&view, reveal_by - 1), []);
        assert_eq!(plan(&view, reveal_by), [SETTLE_0]);
        assert_eq!(plan(&view, deadline - 1), [SETTLE_0]);
        assert_eq!(plan(&view, deadline), []);
    }

    #[test]
    fn a_round_that_is_settled_or_empty_is_left_alone() {
        let market = market();
        assert_eq!(plan(&view(&market, vec![settled(0)], vec![]), GENESIS + 60), []);
        assert_eq!(plan(&view(&market, vec![open(0, 0)], vec![]), GENESIS + 60), []);
    }

    #[test]
    fn a_bundle_is_released_once_its_round_is_settled() {
        let market = market();
        let release = Action::Release { bundle: bundle(0) };
        let now = GENESIS + 60;
        assert_eq!(plan(&view(&market, vec![settled(0)], vec![bundle(0)]), now), [release]);
        assert_eq!(plan(&view(&market, vec![open(0, 2)], vec![bundle(0)]), now), [SETTLE_0]);
    }

    #[test]
    fn a_bundle_of_a_void_round_is_released_from_the_settlement_deadline_on() {
        let market = market();
        let release = Action::Release { bundle: bundle(0) };
        let view = view(&market, vec![open(0, 2)], vec![bundle(0)]);
        assert_eq!(plan(&view, GENESIS + 89), [SETTLE_0]);
        assert_eq!(plan(&view, GENESIS + 90), [release]);
    }

    #[test]
    fn what_is_due_says_until_when() {
        let market = market();
        let view = view(&market, vec![settled(0), open(1, 1)], vec![bundle(0)]);
        let due: Vec<_> =
            super::plan(&view, GENESIS + 120).iter().map(|due| (due.action, due.deadline)).collect();
        let settle = (Action::Settle { round: round(1) }, GENESIS + 150);
        assert_eq!(due, [settle, (Action::Release { bundle: bundle(0) }, GENESIS + 90)]);
    }
}
