//! A market in which anything may be called at any time, and its history as its events tell it.

use crate::evm::{Evm, Refused};
use alloy::primitives::{Address, B256, Bytes, U256, address, hex};
use alloy::sol_types::{SolCall, SolEventInterface};
use bindings::ProverMarket::{self, Delivery, ProverMarketEvents as Event, Task};
use chain::commitments::BidChain;
use chain::events::{LoggedEvent, Origin};
use chain::history::Assignment;
use chain::round::ask_book;
use chain::settlement::{PageLimits, SettlementCall, Settling};
use chain::{Currency, Market, MarketHistory, MarketParams, Outcome, Terms};
use clearing::{Certificate, Signal, clear_with_certificate, verify_with_signal};
use market_types::{CapacityCap, Mechanism, ReservePrice, RoundNumber, SeatedAsk, TaskSize};
use rand::Rng;

const GENESIS: u64 = 1_000;
const ANYBODY: Address = address!("0x00000000000000000000000000000000000a4b0d");

/// A contract that accepts every proof: it returns 1.
const YES: [u8; 16] = hex!("6760015f5260205ff35f5260086018f3");

/// One market on a chain of its own.
pub struct World {
    evm: Evm,
    address: Address,
    /// The market.
    pub market: Market,
    /// What its events tell.
    pub history: MarketHistory,
    now: u64,
    logs: u64,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    /// What the round said about its terms.
    pub signal: Signal,
    /// Whether anything was traded.
    pub trade: bool,
    /// What rounding left for the sink (ticks).
    pub dust: u128,
    /// In how many pages it was settled.
    pub pages: usize,
}

/// A market whose terms move and whose tasks end soon: rounds of 100 s, up to `largest` units a task.
#[must_use]
pub fn params(mechanism: Mechanism, sealed: bool, largest: u32, verifier: Address) -> MarketParams {
    let cap = |units| CapacityCap::new(units).expect("a cap");
    MarketParams {
        currency: Currency::Native,
        tick: 1,
        mechanism,
        capacity_cap: cap(60),
        cap_min: cap(40),
        cap_max: cap(150),
        reserve_price: ReservePrice::new(5),
        reserve_min: ReservePrice::new(0),
        reserve_max: ReservePrice::new(30),
        genesis: GENESIS,
        bidding_period: 100,
        reveal_period: if sealed { 40 } else { 0 },
        settlement_period: 40,
        proving_period: 60,
        takeover_period: 30,
        max_takeovers: 2,
        max_seats: 10,
        capacity_delay: 2,
        min_seat_capacity: 2 * largest - 1,
        seat_fee: 5,
        verifier,
        verifier_gas: 100_000,
        bounty_bps: 3_000,
        compensation_bps: 4_000,
        penalty_bps: 1_000,
        bond_bps: if sealed { 1_000 } else { 0 },
        sink: Address::repeat_byte(0x51),
        collateral_per_unit: 7,
        settlement_fee: 3,
        max_task_size: TaskSize::new(largest).expect("a size"),
    }
}

impl World {
    /// A market of [`params`] that has just opened.
    ///
    /// # Panics
    /// If it cannot be created.
    #[must_use]
    pub fn new(mechanism: Mechanism, sealed: bool, largest: u32) -> Self {
        let mut evm = Evm::new(GENESIS);
        let verifier = evm.deploy(Bytes::from_static(&YES));
        Self::of(evm, params(mechanism, sealed, largest, verifier))
    }

    /// A market of these parameters that has just opened, on a chain where what they name is there.
    ///
    /// # Panics
    /// If it cannot be created.
    #[must_use]
    pub fn of(mut evm: Evm, params: MarketParams) -> Self {
        evm.set_time(params.genesis);
        let now = params.genesis;
        let address = evm.deploy_market().market;
        assert_eq!(params.validate(), Ok(()));
        let market = Market { id: params.market_id(), params };
        let call = ProverMarket::createMarketCall { params: market.params.to_abi() };
        let (id, _) = evm.send(ANYBODY, address, U256::ZERO, &call);
        assert_eq!(id, market.id.get());
        let history = MarketHistory::new(market.clone());
        Self { evm, address, market, history, now, logs: 0 }
    }

    /// The contract's address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The chain.
    pub const fn evm(&mut self) -> &mut Evm {
        &mut self.evm
    }

    /// The chain's clock (seconds).
    #[must_use]
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Moves the clock on.
    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        self.evm.set_time(self.now);
    }

    /// The round that takes bids.
    ///
    /// # Panics
    /// Never: the market is open.
    #[must_use]
    pub fn current(&self) -> RoundNumber {
        self.market.id.round_at(self.now).expect("the market is open")
    }

    /// The round that closed last, if any did and its result is open.
    #[must_use]
    pub fn unresolved(&self) -> Option<RoundNumber> {
        let last = RoundNumber::new(self.current().get().checked_sub(1)?);
        (!self.history.is_resolved(last, self.now)).then_some(last)
    }

    /// What the commitments of a round are bound to.
    #[must_use]
    pub fn seed(&self, round: RoundNumber) -> BidChain {
        BidChain::seed(1, self.address, self.market.id, round)
    }

    /// A call with `value` ticks, whose events go into the history.
    ///
    /// # Errors
    /// The contract's refusal.
    ///
    /// # Panics
    /// If its events do not follow those before.
    pub fn send<C: SolCall>(&mut self, from: Address, value: u64, call: &C) -> Result<C::Return, Refused> {
        self.evm.fund(from, U256::from(value));
        let (returned, done) = self.evm.try_send(from, self.address, U256::from(value), call)?;
        let tx_hash = B256::from(U256::from(self.logs));
        // A token tells of its transfers, too.
        for log in done.logs.into_iter().filter(|log| log.address == self.address) {
            let event = Event::decode_log(&log).expect("an event of the market").data;
            let origin = Origin { block: 1, time: self.now, log_index: self.logs, tx_hash };
            self.logs += 1;
            let logged = LoggedEvent { market: self.market.id, origin, event };
            self.history.apply(&logged).expect("events follow from each other");
        }
        Ok(returned)
    }

    /// What the contract answers about itself.
    ///
    /// # Panics
    /// If it refuses.
    pub fn view<C: SolCall>(&mut self, call: &C) -> C::Return {
        self.evm.call(ANYBODY, self.address, call).expect("a view")
    }

    /// The contract's ask book of a round.
    ///
    /// # Panics
    /// If it holds what no ask has.
    pub fn asks(&mut self, round: RoundNumber) -> Vec<SeatedAsk> {
        let number = U256::from(round.get());
        let book = self.view(&ProverMarket::asksOfCall { id: self.market.id.get(), round: number });
        ask_book(&book.costs, &book.capacities).expect("asks")
    }

    /// The contract's terms of a round, as cap and reserve price.
    pub fn terms(&mut self, round: RoundNumber) -> (U256, U256) {
        let number = U256::from(round.get());
        let terms = self.view(&ProverMarket::termsOfCall { id: self.market.id.get(), round: number });
        (terms.capacityCap, terms.reservePrice)
    }

    /// What waits for the sink (ticks).
    ///
    /// # Panics
    /// Never: no sum here passes 128 bits.
    pub fn surplus(&mut self) -> u128 {
        let surplus = self.view(&ProverMarket::surplusOfCall { id: self.market.id.get() });
        u128::try_from(surplus).expect("little money")
    }

    /// Settles the round that closed last from what its events tell, at once or in pages, and compares what the contract makes of it.
    ///
    /// # Panics
    /// If the contract refuses, or says anything else than the crates.
    pub fn settle(&mut self, round: RoundNumber, rng: &mut impl Rng) -> Settled {
        let mechanism = self.market.params.mechanism;
        let closed = self.history.closed_round(round).expect("a round with a bid");
        let (outcome, certificate) = clear_with_certificate(mechanism, &closed);
        let (proved, signal) = verify_with_signal(mechanism, &closed, &certificate).expect("it is right");
        assert_eq!(proved, outcome);
        let before = self.surplus();
        let pages = self.settle_in_pages(round, &certificate, rng);
        let dust = self.surplus() - before;

        let record = self.history.round(round).expect("it has a bid");
        let decided = record.settlement.as_ref().expect("it is settled").outcome;
        let assigned: Vec<_> = assignments(&self.history, round).collect();
        assert_eq!(assigned, outcome.assignment().collect::<Vec<_>>());
        assert_eq!(decided.prices(), outcome.prices);
        let paid: u128 = record
            .assignments()
            .unwrap_or_default()
            .iter()
            .map(|assignment| decided.pay_down(assignment.size).get())
            .sum();
        let expected = if mechanism == Mechanism::AverageFee { decided.revenue.get() - paid } else { 0 };
        assert_eq!(dust, expected, "dust");
        let number = U256::from(round.get());
        let slot = self.view(&ProverMarket::outcomeOfCall { id: self.market.id.get(), round: number });
        assert_eq!(Outcome::from_slot(slot), Ok(Some(decided)));
        Settled { signal, trade: outcome.is_trade(), dust, pages }
    }

    /// Every page by somebody else, who goes on from what is furthest; tells how many there were.
    fn settle_in_pages(
        &mut self,
        round: RoundNumber,
        certificate: &Certificate,
        rng: &mut impl Rng,
    ) -> usize {
        let seed = self.seed(round);
        let mut pages = 0;
        loop {
            let record = self.history.shared_round(round).expect("it has a bid");
            if record.settlement.is_some() {
                return pages;
            }
            let settling = Settling::new(&self.market, seed, &record, certificate);
            let after = settling.furthest(&record.pages);
            let chosen = rng.random_range(0..2 * record.entries().len());
            let page = settling.page(chosen, after).map(SettlementCall::Page);
            let call = page.or_else(|| settling.next(after, &PageLimits::TRANSACTION)).expect("a call");
            let settler = Address::with_last_byte(rng.random_range(0xa0..0xb0));
            match call {
                SettlementCall::Whole(call) => self.send(settler, 0, &call).map(|_| ()),
                SettlementCall::Page(call) => self.send(settler, 0, &call).map(|_| ()),
            }
            .expect("the page is accepted");
            pages += 1;
        }
    }

    /// Every task that has not ended and whose statement was published, with its path.
    #[must_use]
    pub fn open_tasks(&self) -> Vec<(Task, Vec<B256>)> {
        let open = |round: &chain::RoundRecord, assignment: &Assignment| {
            round.task(assignment.index).is_none_or(|task| task.end.is_none())
        };
        self.history
            .rounds()
            .flat_map(|round| {
                let open = round.winning_tasks().filter(move |assignment| open(round, assignment));
                open.filter_map(|assignment| Some((round.named_task(&assignment)?, round.path(&assignment))))
            })
            .collect()
    }

    /// The terms that follow from a settled round by the crate's rule.
    ///
    /// # Panics
    /// Never: the parameters have been validated.
    #[must_use]
    pub fn next_terms(&self, latest: Terms, of_round: Terms, signal: Signal) -> Terms {
        self.market.params.controllers().expect("bounds").next(latest, of_round, signal)
    }

    /// Delivers a task; the verifier accepts anything.
    ///
    /// # Errors
    /// The contract's refusal.
    ///
    /// # Panics
    /// If it is none of [`World::open_tasks`].
    pub fn deliver(&mut self, task: &Task) -> Result<(), Refused> {
        let delivery = self.delivery(task);
        let call = ProverMarket::deliverCall { id: self.market.id.get(), delivery };
        self.send(ANYBODY, 0, &call).map(|_| ())
    }

    fn delivery(&self, task: &Task) -> Delivery {
        let index = market_types::BidIndex::new(task.index).expect("an index");
        let round = self.history.round(RoundNumber::new(task.round.into())).expect("a round");
        let assignment = round.assignment(index).expect("an assignment");
        round.delivery(&assignment, Bytes::new()).expect("what was published")
    }
}

fn assignments(
    history: &MarketHistory,
    round: RoundNumber,
) -> impl Iterator<Item = (market_types::BidIndex, market_types::AskIndex)> {
    let tasks = history.round(round).into_iter().flat_map(chain::RoundRecord::winning_tasks);
    tasks.map(|assignment| (assignment.index, assignment.seat))
}
