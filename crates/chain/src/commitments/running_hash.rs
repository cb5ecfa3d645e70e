//! All bids of a round in one number.

use super::{BidWord, hash_words, low64, mask};
use crate::MarketId;
use alloy::primitives::{Address, U256};
use market_types::RoundNumber;
use std::fmt;

/// All bids of a round so far: `running hash (200) | digest (32) | number of bids (24)`. The digest tells something about the
/// round before last and says nothing about the bids: two chains are equal whatever theirs.
#[derive(Clone, Copy)]
pub struct BidChain(U256);

impl BidChain {
    /// The chain before its first bid, without a digest.
    #[must_use]
    pub fn seed(chain_id: u64, contract: Address, market: MarketId, round: RoundNumber) -> Self {
        let hash = hash_words(&[
            U256::from(chain_id).into(),
            contract.into_word(),
            market.get(),
            U256::from(round.get()).into(),
        ]);
        Self(U256::from_be_bytes(hash.0) & !mask(56))
    }

    /// The chain of a whole round from its entries. The contract stores zero for a round without bids, and so is this.
    #[must_use]
    pub fn of(
        chain_id: u64,
        contract: Address,
        market: MarketId,
        round: RoundNumber,
        words: &[BidWord],
    ) -> Self {
        if words.is_empty() {
            return Self(U256::ZERO);
        }
        let mut chain = Self::seed(chain_id, contract, market, round);
        for word in words {
            chain.absorb(*word);
        }
        chain
    }

    /// Appends an entry. A chain holds less than 2^24 bids: the contract takes no more.
    pub fn absorb(&mut self, word: BidWord) {
        let hash = hash_words(&[(self.0 & !mask(56)).into(), word.get()]);
        let count = (self.0 & mask(56)).wrapping_add(U256::from(word.count().get())) & mask(56);
        self.0 = (U256::from_be_bytes(hash.0) & !mask(56)) | count;
    }

    /// A chain as the contract stores it.
    #[must_use]
    pub const fn stored(value: U256) -> Self {
        Self(value)
    }

    /// The chain as the contract stores it, or takes it.
    #[must_use]
    pub const fn value(self) -> U256 {
        self.0
    }

    /// Number of bids.
    #[must_use]
    pub fn count(self) -> u64 {
        low64(self.0 & mask(24))
    }

    fn bids(self) -> U256 {
        self.0 & !mask(32).wrapping_shl(24)
    }
}

impl PartialEq for BidChain {
    fn eq(&self, other: &Self) -> bool {
        self.bids() == other.bids()
    }
}

impl Eq for BidChain {}

impl fmt::Debug for BidChain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BidChain({:#066x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ticket;
    use super::*;
    use alloy::primitives::{B256, b256, keccak256};
    use market_types::{LotSize, TaskSize, UnitFee};

    const WHO: Address = Address::repeat_byte(0xaa);

    fn word(fee: u64, count: u16) -> BidWord {
        let ticket = Ticket::new(WHO, B256::ZERO);
        BidWord::new(UnitFee::new(fee).unwrap(), TaskSize::MIN, LotSize::new(count).unwrap(), ticket)
    }

    #[test]
    fn the_seed_binds_chain_contract_market_and_round() {
        let market =
            MarketId::from(b256!("0x1111111111111111111111111111111100000000000000003c00000000000004"));
        let other = MarketId::from(B256::repeat_byte(2));
        let seed = |chain, contract, market, round| {
            BidChain::seed(chain, contract, market, RoundNumber::new(round)).value()
        };
        let all = [
            seed(1, WHO, market, 0),
            seed(2, WHO, market, 0),
            seed(1, Address::ZERO, market, 0),
            seed(1, WHO, other, 0),
            seed(1, WHO, market, 1),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
        assert!(all.iter().all(|value| *value & mask(56) == U256::ZERO));
    }

    #[test]
    fn a_round_without_bids_has_no_chain() {
        let chain = BidChain::of(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(0), &[]);
        assert_eq!(chain.value(), U256::ZERO);
    }

    #[test]
    fn the_chain_counts_bids_and_depends_on_the_order() {
        let of =
            |words: &[BidWord]| BidChain::of(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(0), words);
        let (a, b) = (word(5, 1), word(6, 300));
        assert_eq!(of(&[a, b]).count(), 301);
        assert_ne!(of(&[a, b]), of(&[b, a]));
    }

    #[test]
    fn the_digest_is_neither_hashed_nor_compared() {
        let plain = BidChain::seed(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(0));
        let digest = U256::from(u32::MAX) << 24;
        let (mut a, mut b) = (plain, BidChain::stored(plain.value() | digest));
        assert_eq!(a, b);
        for _ in 0..3 {
            a.absorb(word(5, 2));
            b.absorb(word(5, 2));
            assert_eq!((a, a.count(), b.value()), (b, b.count(), a.value() | digest));
        }
        let hash = keccak256([B256::from(plain.value()), word(5, 2).get()].concat());
        let mut one = plain;
        one.absorb(word(5, 2));
        assert_eq!(one.value(), (U256::from_be_bytes(hash.0) & !mask(56)) | U256::from(2));
    }
}
