//! How many bids a transaction may hold in each market. Pure.

use chain::MarketId;
use std::collections::BTreeMap;

/// Part by which a size grows after a success.
const GROWTH: usize = 4;

/// Most bids of a transaction: fewer than set in markets where one has proved too large, until smaller ones fit.
#[derive(Debug)]
pub(super) struct Sizes {
    most: usize,
    fewer: BTreeMap<MarketId, usize>,
}

impl Sizes {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, fewer: BTreeMap::new() }
    }

    /// Those of markets that take fewer than set.
    pub(super) const fn fewer(&self) -> &BTreeMap<MarketId, usize> {
        &self.fewer
    }

    /// So many bids needed too much gas; how many are tried next.
    pub(super) fn shrink(&mut self, market: MarketId, bids: usize) -> usize {
        let half = (bids / 2).max(1);
        self.fewer.insert(market, half);
        half
    }

    /// So many bids went together. A transaction that is far from full shows nothing.
    pub(super) fn grow(&mut self, market: MarketId, bids: usize) {
        let Some(size) = self.fewer.get_mut(&market).filter(|size| bids.saturating_mul(2) >= **size) else {
            return;
        };
        *size = size.saturating_add((*size / GROWTH).max(1));
        if *size >= self.most {
            self.fewer.remove(&market);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    fn market(number: u8) -> MarketId {
        MarketId::from(B256::repeat_byte(number))
    }

    #[test]
    fn a_transaction_that_is_too_large_makes_those_of_its_market_smaller() {
        let mut sizes = Sizes::new(100);
        assert_eq!((sizes.shrink(market(1), 100), sizes.shrink(market(1), 50)), (50, 25));
        assert_eq!(sizes.fewer(), &BTreeMap::from([(market(1), 25)]));
        assert_eq!((sizes.shrink(market(1), 2), sizes.shrink(market(1), 1)), (1, 1));
    }

    #[test]
    fn they_grow_again_as_long_as_they_fit() {
        let mut sizes = Sizes::new(100);
        sizes.shrink(market(1), 100);
        sizes.grow(market(2), 100);
        sizes.grow(market(1), 24);
        assert_eq!(sizes.fewer(), &BTreeMap::from([(market(1), 50)]), "far from full");
        let mut tried = Vec::new();
        while let Some(size) = sizes.fewer().get(&market(1)).copied() {
            tried.push(size);
            sizes.grow(market(1), size);
        }
        assert_eq!(tried, [50, 62, 77, 96]);
    }

    #[test]
    fn a_size_of_one_grows_as_well() {
        let mut sizes = Sizes::new(4);
        sizes.shrink(market(1), 1);
        sizes.grow(market(1), 1);
        assert_eq!(sizes.fewer().get(&market(1)), Some(&2));
    }
}
