//! A plain model of one market: the rules of `docs/mechanism.md`, of the interfaces and of the decision records, as simply as they can
//! be said. It keeps whole lists where the contract keeps a slot, looks at everything where the contract looks at what it needs, and
//! credits a result the moment it is known.
//!
//! | module | what is in it |
//! |---|---|
//! | [`rules`] | parameters, deadlines, shares |
//! | [`refusal`] | why a call is refused, named like the contract's errors |
//! | [`money`] | balances, deposits and withdrawals, and what all claims come to |
//! | [`round`] | entries, outcome and tasks of a round |
//! | [`bids`] | entries in the open, sent by their requesters or signed by them |
//! | [`sealed`] | commitments, and what opens or ends them |
//! | [`seats`] | provers' seats, and the ask book of a round |
//! | [`settlement`] | what a round comes to, at once or page by page |
//! | [`tasks`] | delivery, takeover, expiry |

pub(crate) mod bids;
pub(crate) mod money;
pub(crate) mod refusal;
pub(crate) mod round;
pub(crate) mod rules;
pub(crate) mod sealed;
pub(crate) mod seats;
pub(crate) mod settlement;
pub(crate) mod tasks;

use alloy::primitives::{Address, B256};
use chain::MarketParams;
use clearing::Terms;
use refusal::Refusal;
use round::{Round, State};
use rules::Rules;
use sealed::Stake;
use seats::Seat;
use std::collections::{BTreeMap, BTreeSet};

/// An entry's results that wait to be released: requester, round, and index of the first bid.
pub(crate) type Parcel = (Address, u64, u32);

/// One market.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) rules: Rules,
    pub(crate) now: u64,
    /// In ticks, as every amount here.
    pub(crate) balances: BTreeMap<Address, u128>,
    /// What waits for the sink.
    pub(crate) surplus: u128,
    /// All that came in and did not go out.
    pub(crate) holdings: u128,
    pub(crate) rounds: BTreeMap<u64, Round>,
    pub(crate) parcels: BTreeSet<Parcel>,
    pub(crate) stakes: BTreeMap<(Address, u64, B256), Stake>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) operators: BTreeMap<Address, Address>,
    /// Cap and reserve price by the first round that they count for.
    pub(crate) terms: BTreeMap<u64, Terms>,
    /// What settlements under way have left, by round and settler.
    pub(crate) pages: BTreeMap<(u64, Address), settlement::Left>,
}

impl Model {
    pub(crate) fn new(params: MarketParams) -> Self {
        let first = Terms { cap: params.capacity_cap, reserve: params.reserve_price };
        Self {
            now: params.genesis,
            rules: Rules(params),
            balances: BTreeMap::new(),
            surplus: 0,
            holdings: 0,
            rounds: BTreeMap::new(),
            parcels: BTreeSet::new(),
            stakes: BTreeMap::new(),
            seats: Vec::new(),
            operators: BTreeMap::new(),
            terms: BTreeMap::from([(0, first)]),
            pages: BTreeMap::new(),
        }
    }

    /// A call: all of it, or nothing if it is refused.
    pub(crate) fn call<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let before = self.clone();
        f(self).inspect_err(|_| *self = before)
    }

    /// Moves the clock on. Rounds close, which fixes their ask book, and become void.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let before = self.current();
        self.now += seconds;
        for round in before..self.current() {
            self.close(round);
        }
        for round in self.rounds.keys().copied().collect::<Vec<_>>() {
            let is_void = self.rounds[&round].state == State::Open && self.now >= self.rules.settle_by(round);
            if is_void {
                self.resolve(round, State::Void);
            }
        }
    }

    /// The round that takes bids.
    pub(crate) fn current(&self) -> u64 {
        self.rules.round_at(self.now)
    }

    /// Whether nothing about the round's result can change any more: settled, void, or over without a bid.
    pub(crate) fn is_resolved(&self, round: u64) -> bool {
        match self.rounds.get(&round) {
            Some(known) if !known.entries.is_empty() => known.state != State::Open,
            _ => self.now >= self.rules.reveal_by(round),
        }
    }

    /// Whether the round that closed last has no result yet.
    pub(crate) fn waits_for_result(&self) -> bool {
        self.current().checked_sub(1).is_some_and(|last| !self.is_resolved(last))
    }

    pub(crate) fn terms_at(&self, round: u64) -> Terms {
        *self.terms.range(..=round).next_back().expect("terms from round 0 on").1
    }

    /// Decides a round, and credits the results of bids that nobody has to ask for.
    fn resolve(&mut self, round: u64, state: State) {
        let known = self.rounds.get_mut(&round).expect("a round with bids");
        known.state = state;
        let fee = self.rules.0.settlement_fee;
        let results: Vec<(Address, u128)> = known
            .entries
            .iter()
            .filter(|placed| placed.parcel.is_none())
            .map(|placed| (placed.payer, known.result_of(placed, fee)))
            .collect();
        for (payer, amount) in results {
            self.credit(payer, amount);
        }
    }
}
