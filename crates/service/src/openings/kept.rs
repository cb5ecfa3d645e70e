//! What is kept of a market, and a prover's asks among it.

use super::{
    Opening, OpeningKey, OpeningStore, OpeningsError, Secret, Venue, are_staked, file::is_opening, is_over,
};
use alloy::eips::BlockId;
use alloy::primitives::Address;
use chain::{CallError, Client, Market};
use market_types::{AskIndex, RoundNumber};

/// What is kept of a market.
#[derive(Debug, Default)]
pub struct Kept {
    /// The openings, by round, account and commitment.
    pub openings: Vec<Opening>,
    /// What is wrong with other files, or with the directory.
    pub faults: Vec<OpeningsError>,
}

/// A prover's ask that is kept.
#[derive(Debug, Clone)]
pub struct KeptAsk {
    /// What opens it.
    pub opening: Opening,
    /// Whether its commitment is on the chain and not opened.
    pub staked: bool,
}

impl KeptAsk {
    /// Whether it is an ask of this seat.
    #[must_use]
    pub fn is_of(&self, seat: AskIndex) -> bool {
        matches!(self.opening.secret(), Secret::Ask(ask) if ask.seat == seat)
    }
}

/// The asks of one prover that are kept of a market, at one block.
#[derive(Debug, Default)]
pub struct Asks {
    prover: Address,
    kept: Vec<KeptAsk>,
    /// What is wrong with other files, or with the directory.
    pub faults: Vec<OpeningsError>,
}

impl Asks {
    /// What is known of the asks of `prover`.
    #[must_use]
    pub const fn new(prover: Address, kept: Vec<KeptAsk>, faults: Vec<OpeningsError>) -> Self {
        Self { prover, kept, faults }
    }

    /// The asks of `prover` that `store` holds, and whether they are staked at the end of `block`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn of(
        store: &OpeningStore,
        client: &Client,
        market: &Market,
        prover: Address,
        block: BlockId,
    ) -> Result<Self, CallError> {
        let Kept { mut openings, faults } = store.of_market(&Venue::of(client, market));
        openings
            .retain(|opening| matches!(opening.secret(), Secret::Ask(_)) && opening.key().account == prover);
        let keys: Vec<OpeningKey> = openings.iter().map(|opening| *opening.key()).collect();
        let staked = are_staked(client, &keys, block).await?;
        let kept = openings.into_iter().zip(staked).map(|(opening, staked)| KeptAsk { opening, staked });
        Ok(Self::new(prover, kept.collect(), faults))
    }

    /// Forgets the asks that are of no use any more at `now`; see [`is_over`]. One that cannot be removed is among the faults.
    pub fn forget_over(&mut self, store: &OpeningStore, market: &Market, now: u64) {
        let over = |ask: &KeptAsk| is_over(market, ask.opening.key().round, ask.staked, now);
        for ask in self.kept.extract_if(.., |ask| over(ask)) {
            self.faults.extend(store.forget(ask.opening.key()).err());
        }
    }

    /// Every ask that is kept, by round.
    pub fn iter(&self) -> impl Iterator<Item = &KeptAsk> {
        self.kept.iter()
    }

    /// The ask of a seat in `round`. With more than one, by the hands of the operator, the one that is on the chain.
    #[must_use]
    pub fn find(&self, seat: AskIndex, round: RoundNumber) -> Option<&KeptAsk> {
        let of_round = || self.kept.iter().filter(|ask| ask.opening.key().round == round && ask.is_of(seat));
        of_round().find(|ask| ask.staked).or_else(|| of_round().next())
    }

    /// What keeps from knowing whether there is another ask in `round`. Do not commit to one then: of two commitments of a seat
    /// only one can be opened, and the other loses its bond.
    #[must_use]
    pub fn hidden_in(&self, round: RoundNumber) -> Option<&OpeningsError> {
        let start = format!("{round}-{}-", self.prover);
        self.faults.iter().find(|fault| {
            let path = fault.path().filter(|path| is_opening(path));
            // Without a file it is the whole directory.
            path.is_none_or(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use chain::AskOpening;
    use market_types::UnitCost;
    use std::path::PathBuf;

    const PROVER: Address = Address::repeat_byte(4);

    fn ask(round: u64, seat: u32, cost: u64, staked: bool) -> KeptAsk {
        let venue = Venue { chain_id: 1, contract: Address::ZERO, market: B256::ZERO };
        let (seat, cost) = (AskIndex::new(seat), UnitCost::new(cost));
        let ask = AskOpening { prover: PROVER, seat, cost, salt: B256::ZERO };
        KeptAsk { opening: Opening::of_ask(venue, RoundNumber::new(round), ask), staked }
    }

    #[test]
    fn an_ask_is_found_by_seat_and_round_and_one_on_the_chain_comes_first() {
        let kept = vec![ask(1, 2, 5, false), ask(1, 2, 6, true), ask(1, 3, 7, false), ask(2, 2, 8, false)];
        let expected = kept.clone();
        let asks = Asks::new(PROVER, kept, Vec::new());
        let found = |round, seat| {
            asks.find(AskIndex::new(seat), RoundNumber::new(round)).map(|ask| ask.opening.clone())
        };
        assert_eq!(found(1, 2), Some(expected[1].opening.clone()));
        assert_eq!(found(1, 3), Some(expected[2].opening.clone()));
        assert_eq!(found(2, 2), Some(expected[3].opening.clone()));
        assert_eq!((found(2, 3), found(3, 2)), (None, None));
    }

    #[test]
    fn a_fault_hides_an_ask_of_its_round_and_account_alone_and_that_of_the_directory_any() {
        let hidden = |name: &str, round| {
            let asks = Asks::new(PROVER, Vec::new(), vec![OpeningsError::NotAnOpening(PathBuf::from(name))]);
            asks.hidden_in(RoundNumber::new(round)).is_some()
        };
        let own = format!("some/market/7-{PROVER}-0xab.json");
        let other = format!("some/market/7-{}-0xab.json", Address::repeat_byte(5));
        assert!(hidden(&own, 7) && !hidden(&own, 77) && !hidden(&own, 8));
        assert!(!hidden(&other, 7) && !hidden("some/market/damaged.json", 7));
        assert!(hidden("some/market", 7));
        assert!(Asks::new(PROVER, Vec::new(), Vec::new()).hidden_in(RoundNumber::new(7)).is_none());
    }
}
