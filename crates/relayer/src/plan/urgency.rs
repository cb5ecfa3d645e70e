//! What is begun first of what is to be done in all markets. Pure.

use super::Action;
use chain::MarketId;
use std::cmp::Ordering;

/// Transactions on their way at once.
const AT_ONCE: usize = 8;
/// Releases among them. They have no deadline, and whoever owns a market can make any number of them; the rest is for settlements.
const RELEASES_AT_ONCE: usize = 4;

/// Something to do in one of the markets. The order is that of urgency: settlements first, then the earliest deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The market.
    pub market: MarketId,
    /// When its round becomes void (seconds since the epoch, block time).
    pub deadline: u64,
    /// What to do.
    pub action: Action,
}

impl Due {
    const fn is_release(&self) -> bool {
        matches!(self.action, Action::Release { .. })
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |due: &Self| (due.is_release(), due.deadline, due.market, due.action);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How many actions are under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Settlements.
    pub settlements: usize,
    /// Releases.
    pub releases: usize,
}

impl UnderWay {
    /// The number of those like `action`.
    pub const fn of(&mut self, action: Action) -> &mut usize {
        match action {
            Action::Settle { .. } => &mut self.settlements,
            Action::Release { .. } => &mut self.releases,
        }
    }

    /// Whether there is room for one more like `action`.
    #[must_use]
    pub const fn has_room_for(&self, action: Action) -> bool {
        let all = self.settlements.saturating_add(self.releases);
        all < AT_ONCE && (matches!(action, Action::Settle { .. }) || self.releases < RELEASES_AT_ONCE)
    }
}

/// Of what is `due` and does not rest, in order of urgency, what there is room for beside what is under way.
pub fn begin(due: impl IntoIterator<Item = Due>, mut under_way: UnderWay) -> Vec<Due> {
    let mut begun = Vec::new();
    for due in due {
        if under_way.has_room_for(due.action) {
            let count = under_way.of(due.action);
            *count = count.saturating_add(1);
            begun.push(due);
        } else if due.is_release() {
            // Nothing but releases follows.
            break;
        }
    }
    begun
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, B256};
    use chain::history::BundleRecord;
    use market_types::{BidIndex, RoundNumber};

    fn due(market: u8, deadline: u64, action: Action) -> Due {
        Due { market: MarketId::from(B256::with_last_byte(market)), deadline, action }
    }

    fn settle(market: u8, deadline: u64) -> Due {
        due(market, deadline, Action::Settle { round: RoundNumber::new(1) })
    }

    fn release(market: u8, deadline: u64, number: u32) -> Due {
        let first_index = BidIndex::new(number).unwrap();
        let (round, requester) = (RoundNumber::new(0), Address::ZERO);
        due(
            market,
            deadline,
            Action::Release { bundle: BundleRecord { round, first_index, entries: 2, requester } },
        )
    }

    fn begun(mut all: Vec<Due>, under_way: UnderWay) -> Vec<Due> {
        all.sort_unstable();
        begin(all, under_way)
    }

    #[test]
    fn many_bundles_of_one_market_do_not_hold_up_the_settlement_of_another() {
        let mut all: Vec<Due> = (0..100).map(|number| release(1, 10, number)).collect();
        all.push(settle(9, 500));
        let first = begun(all.clone(), UnderWay::default());
        assert_eq!(first[0], settle(9, 500));
        assert_eq!(first.len(), 1 + RELEASES_AT_ONCE);
        // Nor if they came before it.
        let releases = UnderWay { settlements: 0, releases: first.len() - 1 };
        assert_eq!(begun(all, releases), [settle(9, 500)]);
    }

    #[test]
    fn the_earliest_deadline_of_all_markets_comes_first() {
        let all = vec![settle(1, 900), settle(3, 100), release(1, 5, 0), settle(2, 500), release(0, 7, 0)];
        let expected = [settle(3, 100), settle(2, 500), settle(1, 900), release(1, 5, 0), release(0, 7, 0)];
        assert_eq!(begun(all, UnderWay::default()), expected);
    }

    #[test]
    fn settlements_may_take_every_place() {
        let all: Vec<Due> = (0..20).map(|market| settle(market, 100)).collect();
        assert_eq!(begun(all.clone(), UnderWay::default()).len(), AT_ONCE);
        let most = UnderWay { settlements: AT_ONCE - RELEASES_AT_ONCE, releases: RELEASES_AT_ONCE };
        assert_eq!(begun(all, most), []);
    }
}
