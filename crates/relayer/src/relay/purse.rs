//! What is left of the rewards of rounds for the release of their bundles.

use crate::act::Done;
use alloy::primitives::U256;
use chain::MarketId;
use market_types::RoundNumber;
use std::collections::BTreeMap;

/// Blocks for which a purse stays shut that did not cover the next release: gas may become cheaper.
const SHUT: u64 = 10;

/// A round of a market.
pub(super) type Of = (MarketId, RoundNumber);

/// What this relayer has spent on each round that it had a part in settling, since it was started.
#[derive(Debug, Default)]
pub(super) struct Purses(BTreeMap<Of, Purse>);

#[derive(Debug, Default)]
struct Purse {
    /// In wei.
    spent: U256,
    /// To a release that is under way. One at a time, as none knows what another costs.
    lent: bool,
    /// The block from which on it can be lent again.
    opens_at: u64,
}

impl Purses {
    /// Whether there is one that can be lent.
    pub(super) fn is_open(&self, of: Of, head: u64) -> bool {
        self.0.get(&of).is_some_and(|purse| !purse.lent && purse.opens_at <= head)
    }

    /// Lends what is left of the `reward` (wei); nothing if there is none to lend.
    pub(super) fn lend(&mut self, of: Of, reward: U256) -> Option<U256> {
        let purse = self.0.get_mut(&of).filter(|purse| !purse.lent)?;
        purse.lent = true;
        Some(reward.saturating_sub(purse.spent))
    }

    /// What an action for the round came to, when `head` was the newest block.
    pub(super) fn note(&mut self, of: Of, is_release: bool, done: Option<&Done>, head: u64) {
        if let Some(Done::Settled { spent, .. } | Done::PageSettled { spent, .. }) = done {
            let purse = self.0.entry(of).or_default();
            purse.spent = purse.spent.saturating_add(*spent);
        }
        let Some(purse) = self.0.get_mut(&of).filter(|_| is_release) else { return };
        purse.lent = false;
        match done {
            Some(Done::Released { spent, .. }) => purse.spent = purse.spent.saturating_add(*spent),
            Some(Done::DoesNotPay { .. }) => purse.opens_at = head.saturating_add(SHUT),
            _ => {}
        }
    }

    /// Drops those that nobody asks for any more.
    pub(super) fn retain(&mut self, wanted: impl Fn(&Of) -> bool) {
        self.0.retain(|of, _| wanted(of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use market_types::Units;

    fn of() -> Of {
        (MarketId::from(B256::ZERO), RoundNumber::new(3))
    }

    fn wei(amount: u64) -> U256 {
        U256::from(amount)
    }

    fn settled(spent: u64) -> Done {
        let (transaction, block, gas) = (B256::ZERO, 1, 1);
        Done::Settled { transaction, block, gas, spent: wei(spent), bids: 1, units: Units::ZERO }
    }

    fn released(spent: u64) -> Done {
        Done::Released { transaction: B256::ZERO, block: 1, gas: 1, spent: wei(spent) }
    }

    #[test]
    fn what_is_left_of_a_reward_pays_for_one_release_after_the_other() {
        let mut purses = Purses::default();
        assert_eq!(
            (purses.is_open(of(), 1), purses.lend(of(), wei(100))),
            (false, None),
            "settled by others"
        );
        purses.note(of(), false, Some(&settled(60)), 1);
        assert!(purses.is_open(of(), 1));
        assert_eq!(purses.lend(of(), wei(100)), Some(wei(40)));
        assert_eq!((purses.is_open(of(), 1), purses.lend(of(), wei(100))), (false, None), "one at a time");
        purses.note(of(), true, Some(&released(30)), 1);
        assert_eq!(purses.lend(of(), wei(100)), Some(wei(10)));
        purses.note(of(), true, None, 1);
        assert_eq!(purses.lend(of(), wei(50)), Some(wei(0)), "less than was spent");
    }

    #[test]
    fn a_purse_that_does_not_cover_a_release_is_shut_for_a_while() {
        let mut purses = Purses::default();
        purses.note(of(), false, Some(&settled(60)), 1);
        purses.lend(of(), wei(100));
        purses.note(of(), true, Some(&Done::DoesNotPay { reward: wei(40), cost: wei(41) }), 5);
        assert!(!purses.is_open(of(), 5 + SHUT - 1) && purses.is_open(of(), 5 + SHUT));
        purses.retain(|_| false);
        assert!(!purses.is_open(of(), 5 + SHUT));
    }
}
