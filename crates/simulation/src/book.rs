//! What is said in a round: the bids and asks, and who is behind each.

use crate::market::{Population, Scenario};
use market_types::{
    Ask, Bid, Capacity, CapacityCap, ReservePrice, Round, RoundNumber, TaskSize, UnitCost, UnitFee,
};

/// Who is behind a bid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bidder {
    /// A requester, by its number in the population.
    Requester(usize),
    /// A prover that wants no proof: a wash bid. It pays if the bid wins, and the proof costs it nothing if it is
    /// assigned to itself. A number that no prover has stands for somebody outside.
    Wash(usize),
}

/// The bids and asks of a round in order of submission. One participant may stand behind several.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Every bid.
    pub bids: Vec<Bid>,
    /// Who is behind each bid.
    pub bidders: Vec<Bidder>,
    /// Every ask.
    pub asks: Vec<Ask>,
    /// The prover behind each ask, by its number in the population.
    pub askers: Vec<usize>,
}

/// A bid of `fee` ticks per unit for a task of `size` units; each at least 1, whatever is asked for.
#[must_use]
pub fn bid(fee: u64, size: u32) -> Bid {
    Bid { fee: UnitFee::new(fee).unwrap_or(UnitFee::MIN), size: TaskSize::new(size).unwrap_or(TaskSize::MIN) }
}

/// An ask of `cost` ticks per unit for `capacity` units, at least 1.
#[must_use]
pub fn ask(cost: u64, capacity: u32) -> Ask {
    Ask { cost: UnitCost::new(cost), capacity: Capacity::new(capacity).unwrap_or(Capacity::MIN) }
}

impl Book {
    /// Everybody says the truth.
    #[must_use]
    pub fn honest(population: &Population) -> Self {
        Self {
            bids: population.requesters.iter().map(|one| bid(one.value, one.size)).collect(),
            bidders: (0..population.requesters.len()).map(Bidder::Requester).collect(),
            asks: population.provers.iter().map(|one| ask(one.cost, one.capacity)).collect(),
            askers: (0..population.provers.len()).collect(),
        }
    }

    /// Adds a bid behind all others.
    pub fn submit_bid(&mut self, bidder: Bidder, bid: Bid) {
        self.bids.push(bid);
        self.bidders.push(bidder);
    }

    /// Adds an ask behind all others: another seat.
    pub fn submit_ask(&mut self, prover: usize, ask: Ask) {
        self.asks.push(ask);
        self.askers.push(prover);
    }

    /// Takes every bid of a requester out.
    pub fn without_requester(&mut self, requester: usize) {
        self.keep_bids(|bidder| bidder != Bidder::Requester(requester));
    }

    /// Takes every seat of a prover out.
    pub fn without_prover(&mut self, prover: usize) {
        let askers = std::mem::take(&mut self.askers);
        let asks = std::mem::take(&mut self.asks);
        for (asker, ask) in askers.into_iter().zip(asks).filter(|(asker, _)| *asker != prover) {
            self.submit_ask(asker, ask);
        }
    }

    fn keep_bids(&mut self, keep: impl Fn(Bidder) -> bool) {
        let bidders = std::mem::take(&mut self.bidders);
        let bids = std::mem::take(&mut self.bids);
        for (bidder, bid) in bidders.into_iter().zip(bids).filter(|(bidder, _)| keep(*bidder)) {
            self.submit_bid(bidder, bid);
        }
    }

    /// The closed round, or an empty one if there are more bids than a round can number.
    #[must_use]
    pub fn round(&self, scenario: &Scenario, number: u64) -> Round {
        let number = RoundNumber::new(number);
        let cap = CapacityCap::new(scenario.cap).unwrap_or(CapacityCap::MIN);
        let reserve = ReservePrice::new(scenario.reserve);
        Round::from_positions(number, cap, reserve, self.bids.clone(), self.asks.clone())
            .expect("the laboratory draws fewer bids and asks than a round can number")
    }
}
