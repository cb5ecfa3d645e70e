//! Makes a round come about in the contract by calls alone, and settles it.

use crate::evm::{Done, Evm, Refused};
use crate::pages::Marks;
use alloy::{
    primitives::{Address, B256, U256, address},
    sol_types::{SolEvent, SolEventInterface},
};
use bindings::ProverMarket::{
    self, Checkpoint, Page, PageSettled, ProverMarketEvents as Event, RoundSettled,
};
use chain::commitments::{BidChain, BidWord, Ticket};
use chain::events::{LoggedEvent, Origin};
use chain::round::certificate_to_abi;
use chain::{Currency, Market, MarketHistory, MarketParams, Offer};
use clearing::Certificate;
use market_types::{Ask, AskIndex, Bid, Capacity, LotSize, Mechanism, Round, SeatedAsk, TaskSize};

const GENESIS: u64 = 1_000;
const PERIOD: u64 = 100;
const SETTLEMENT_FEE: u64 = 3;
const MAX_TASK_SIZE: u32 = 1 << 30;
const MAX_SEATS: u32 = 128;
/// Most that one requester locks here, so that its lane of 96 bits holds it.
const MOST_PER_REQUESTER: u128 = 1 << 95;

const RELAYER: Address = address!("0x00000000000000000000000000000000000ae1a7");
const CREATOR: Address = address!("0x00000000000000000000000000000000000c4ea7");

/// The contract's form of a certificate.
pub type OnChain = ProverMarket::Certificate;

/// The round with what each seat offers held at the capacity cap, as in a market; `None` if none could hold it even so.
#[must_use]
pub fn held_by_a_market(round: &Round) -> Option<Round> {
    let largest = largest(round);
    let gaps = round
        .asks()
        .last()
        .is_some_and(|last| usize::try_from(last.seat.get()).is_ok_and(|seat| seat >= round.asks().len()));
    // Seats that are left again are empty from round 2 on.
    let first_round = if gaps { 2 } else { 1 };
    let fits = (first_round..=u64::from(u32::MAX >> 1)).contains(&round.number().get())
        && largest <= MAX_TASK_SIZE
        && round.cap().get() >= u64::from(largest)
        && round.asks().iter().all(|seated| {
            seated.seat.get() < MAX_SEATS
                && seated.ask.cost.get() != Offer::NO_ASK
                && seated.ask.capacity.get() >= largest
                && seated.ask.capacity.get().checked_add(largest - 1).is_some()
        });
    let most = u32::try_from(round.cap().get()).unwrap_or(u32::MAX);
    let held = |seated: &SeatedAsk| {
        let capacity = Capacity::new(seated.ask.capacity.get().min(most)).expect("at least 1");
        SeatedAsk { seat: seated.seat, ask: Ask { capacity, ..seated.ask } }
    };
    let asks = round.asks().iter().map(held).collect();
    fits.then(|| Round::new(round.number(), round.cap(), round.reserve(), round.bids().to_vec(), asks))?.ok()
}

fn largest(round: &Round) -> u32 {
    round.bids().iter().map(|bid| bid.size.get()).max().unwrap_or(1)
}

/// A closed round in a contract of its own, ready to be settled.
pub struct Staged {
    evm: Evm,
    market: Address,
    /// The market's id.
    pub id: B256,
    /// How the market clears.
    pub mechanism: Mechanism,
    /// The round.
    pub round: Round,
    /// The round's entries as settlement wants them.
    pub words: Vec<BidWord>,
    /// What the market's events tell of the round's bids.
    pub history: MarketHistory,
}

impl Staged {
    /// Deploys a market whose parameters fit the round, seats its provers, submits its bids as entries of these numbers of bids, and lets
    /// it close.
    ///
    /// # Panics
    /// If a step is refused: see [`held_by_a_market`].
    #[must_use]
    pub fn new(mechanism: Mechanism, round: Round, lots: &[u16]) -> Self {
        let mut evm = Evm::new(GENESIS);
        let market = evm.deploy_market().market;
        let params = params(mechanism, &round, market);
        let call = ProverMarket::createMarketCall { params: params.to_abi() };
        let (id, _) = evm.send(CREATOR, market, U256::ZERO, &call);
        let history = MarketHistory::new(Market { id: id.into(), params });
        let mut staged = Self { evm, market, id, mechanism, round, words: Vec::new(), history };
        staged.seat_provers();
        staged.set_time(staged.opens_at());
        staged.submit_bids(lots);
        staged.set_time(staged.closes_at());
        staged
    }

    /// First second at which the round takes bids.
    #[must_use]
    pub fn opens_at(&self) -> u64 {
        GENESIS + self.round.number().get() * PERIOD
    }

    /// First second at which the round can be settled.
    #[must_use]
    pub fn closes_at(&self) -> u64 {
        self.opens_at() + PERIOD
    }

    /// Sets the chain's clock (seconds).
    pub fn set_time(&mut self, time: u64) {
        self.evm.set_time(time);
    }

    /// What the contract answers about itself.
    ///
    /// # Panics
    /// If it refuses.
    pub fn view<C: alloy::sol_types::SolCall>(&mut self, call: &C) -> C::Return {
        self.evm.call(RELAYER, self.market, call).expect("a view")
    }

    /// Settles the round.
    ///
    /// # Panics
    /// If the contract refuses.
    pub fn settle(&mut self, certificate: OnChain) -> RoundSettled {
        let call = self.settle_call(certificate, &self.words.clone());
        let (_, Done { logs, .. }) = self.evm.send(RELAYER, self.market, U256::ZERO, &call);
        logs.iter().find_map(|log| RoundSettled::decode_log(log).ok()).expect("a settlement is logged").data
    }

    /// Settles the page of the entries from number `begin` to `end`, after the page that `before` tells of.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn settle_page(
        &mut self,
        settler: Address,
        certificate: &OnChain,
        (begin, end): (usize, usize),
        before: Option<&PageSettled>,
    ) -> Result<Done, Refused> {
        let page = self.page(certificate, (begin, end), before);
        self.try_page(settler, certificate, page)
    }

    /// Sends a page as it is.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn try_page(&mut self, settler: Address, certificate: &OnChain, page: Page) -> Result<Done, Refused> {
        let (id, round, certificate) = (self.id, U256::from(self.round.number().get()), certificate.clone());
        let call = ProverMarket::settlePageCall { id, round, certificate, page };
        self.evm.try_send(settler, self.market, U256::ZERO, &call).map(|(_, done)| done)
    }

    /// The page of the entries from number `begin` to `end`, after the page that `before` tells of.
    #[must_use]
    pub fn page(
        &self,
        certificate: &OnChain,
        (begin, end): (usize, usize),
        before: Option<&PageSettled>,
    ) -> Page {
        let (chain, offset) = Marks::new(self.seed(), &self.words, certificate).at(begin);
        Page {
            settler: before.map_or(Address::ZERO, |page| page.settler),
            shares: before.map_or_else(Vec::new, |page| page.shares.clone()),
            progress: before.map(|page| page.progress.clone()).unwrap_or_default(),
            start: Checkpoint { chain: chain.value(), offset: U256::from(offset) },
            words: self.words[begin..end].iter().map(|word| (*word).into()).collect(),
        }
    }

    /// Settles the round in pages that begin at these entries, each by another settler; tells the gas of each.
    ///
    /// # Panics
    /// If the contract refuses.
    pub fn settle_in_pages(&mut self, certificate: &OnChain, cuts: &[usize]) -> (RoundSettled, Vec<u64>) {
        let (mut end, mut before, mut gas) = (self.words.len(), None, Vec::new());
        for (number, begin) in (0..).zip(cuts) {
            let done = self.settle_page(settler(number), certificate, (*begin, end), before.as_ref());
            let done = done.expect("the page is accepted");
            gas.push(done.gas);
            if let Some(settled) = done.logs.iter().find_map(|log| RoundSettled::decode_log(log).ok()) {
                assert_eq!(gas.len(), cuts.len(), "settled too early");
                return (settled.data, gas);
            }
            before = done.logs.iter().find_map(|log| PageSettled::decode_log(log).ok()).map(|log| log.data);
            end = *begin;
        }
        panic!("not settled by {cuts:?}")
    }

    /// What everybody might do between close and settlement: other asks, new provers, bids for the next round, leaving;
    /// and, if `growing`, more capacity.
    ///
    /// # Panics
    /// If a step is refused.
    pub fn meddle(&mut self, growing: bool) {
        let n = self.evm_seats();
        for seat in 0..n {
            // A seat that was left again.
            let Some(offered) = self.round.ask(AskIndex::new(seat)) else { continue };
            let change = ProverMarket::askCall { id: self.id, seat: U256::from(seat), cost: u64::from(seat) };
            self.evm.send(prover(seat), self.market, U256::ZERO, &change);
            let (task, most) = (largest(&self.round), self.round.cap().get());
            // One task more than it has now, where that is still within the cap.
            let more = offered.capacity.get().checked_add(2 * task - 1).filter(|_| growing);
            match more.filter(|units| u64::from(*units) < most.saturating_add(task.into())) {
                Some(capacity) => self.change_capacity(seat, capacity),
                None if seat % 2 == 0 => self.change_capacity(seat, 0),
                None => {}
            }
        }
        if n < MAX_SEATS {
            let capacity = 2 * largest(&self.round) - 1;
            let call = ProverMarket::registerCall { id: self.id, capacity, cost: 0 };
            self.evm.send(prover(n), self.market, U256::ZERO, &call);
        }
        let bids = [Bid { fee: market_types::UnitFee::MAX, size: market_types::TaskSize::MIN }];
        self.submit_group(9_999, &bids.map(|bid| (bid, 1)));
    }

    fn evm_seats(&mut self) -> u32 {
        let count = self.view(&ProverMarket::seatCountCall { id: self.id });
        u32::try_from(count).expect("at most 128")
    }

    fn change_capacity(&mut self, seat: u32, capacity: u32) {
        let call = ProverMarket::changeCapacityCall { id: self.id, seat: U256::from(seat), capacity };
        self.evm.send(prover(seat), self.market, U256::ZERO, &call);
    }

    fn settle_call(&self, certificate: OnChain, words: &[BidWord]) -> ProverMarket::settleCall {
        ProverMarket::settleCall {
            id: self.id,
            round: U256::from(self.round.number().get()),
            certificate,
            words: words.iter().map(|word| (*word).into()).collect(),
        }
    }

    /// Fills the seats up to the last ask; those without an ask in the round are taken in round 0 and left again in round 1.
    fn seat_provers(&mut self) {
        let asks = self.round.asks().to_vec();
        let margin = largest(&self.round) - 1;
        let seats = asks.last().map_or(0, |last| last.seat.get() + 1);
        let ask_of = |seat: u32| asks.iter().find(|seated| seated.seat.get() == seat);
        for seat in 0..seats {
            match ask_of(seat) {
                Some(seated) => {
                    self.register(seat, seated.ask.capacity.get() + margin, seated.ask.cost.get());
                }
                None => self.register(seat, 2 * margin + 1, 0),
            }
        }
        if let Some(first) = (0..seats).find(|seat| ask_of(*seat).is_none()) {
            self.set_time(GENESIS + PERIOD);
            for seat in (first..seats).filter(|seat| ask_of(*seat).is_none()) {
                self.change_capacity(seat, 0);
            }
        }
    }

    fn register(&mut self, seat: u32, capacity: u32, cost: u64) {
        let call = ProverMarket::registerCall { id: self.id, capacity, cost };
        let (got, _) = self.evm.send(prover(seat), self.market, U256::ZERO, &call);
        assert_eq!(got, U256::from(seat), "seats are filled in order");
    }

    /// Submits the entries in order, as many in one call as one requester's lane can lock.
    fn submit_bids(&mut self, lots: &[u16]) {
        let bids = self.round.bids().to_vec();
        let mut rest = bids.as_slice();
        let mut group: Vec<(Bid, u16)> = Vec::new();
        let mut number = 0;
        for count in lots {
            let (of_lot, others) = rest.split_at(usize::from(*count));
            rest = others;
            let entry = (of_lot[0], *count);
            let locked: u128 = group.iter().map(cost).sum();
            if !group.is_empty() && (locked + cost(&entry) > MOST_PER_REQUESTER || group.len() == 100) {
                let words = self.submit_group(number, &group);
                self.words.extend(words);
                group.clear();
                number += 1;
            }
            group.push(entry);
        }
        if !group.is_empty() {
            let words = self.submit_group(number, &group);
            self.words.extend(words);
        }
    }

    fn submit_group(&mut self, number: u64, entries: &[(Bid, u16)]) -> Vec<BidWord> {
        let requester = Address::left_padding_from(&(0x5e90_0000_0000 + number).to_be_bytes());
        let locked = U256::from(entries.iter().map(cost).sum::<u128>());
        self.evm.fund(requester, locked);
        let ticket = Ticket::new(requester, B256::ZERO);
        let word = |(bid, count): &(Bid, u16)| {
            BidWord::new(bid.fee, bid.size, LotSize::new(*count).expect("a lot"), ticket)
        };
        let words: Vec<BidWord> = entries.iter().map(word).collect();
        if let [word] = words[..] {
            let call = ProverMarket::submitOneBidCall { id: self.id, entry: word.into() };
            let (_, done) = self.evm.send(requester, self.market, locked, &call);
            self.follow(&done);
        } else {
            let entries = words.iter().map(|word| (*word).into()).collect();
            let call = ProverMarket::submitBidsCall { id: self.id, entries };
            let (_, done) = self.evm.send(requester, self.market, locked, &call);
            self.follow(&done);
        }
        words
    }

    fn follow(&mut self, done: &Done) {
        for log in &done.logs {
            let event = Event::decode_log(log).expect("an event of the market").data;
            let origin = Origin { block: 1, time: GENESIS, log_index: 0, tx_hash: B256::ZERO };
            let logged = LoggedEvent { market: self.id.into(), origin, event };
            self.history.apply(&logged).expect("events follow from each other");
        }
    }

    /// What the round's running hash begins with.
    #[must_use]
    pub fn seed(&self) -> BidChain {
        BidChain::seed(1, self.market, self.id.into(), self.round.number())
    }
}

/// What an entry locks and pays (ticks).
fn cost((bid, count): &(Bid, u16)) -> u128 {
    let task = u128::from(bid.fee.get()) * u128::from(bid.size.get());
    (task + u128::from(SETTLEMENT_FEE)) * u128::from(*count)
}

/// Who settles a page.
#[must_use]
pub fn settler(number: u32) -> Address {
    Address::left_padding_from(&(0x5e77_0000_u32 + number).to_be_bytes())
}

/// The crate's certificate as the contract takes it.
#[must_use]
pub fn on_chain(certificate: &Certificate) -> OnChain {
    certificate_to_abi(certificate)
}

fn prover(seat: u32) -> Address {
    Address::left_padding_from(&(0xb000_0000_u32 + seat).to_be_bytes())
}

fn params(mechanism: Mechanism, round: &Round, any_contract: Address) -> MarketParams {
    let task = TaskSize::new(largest(round)).expect("a size");
    let params = MarketParams {
        currency: Currency::Native,
        tick: 1,
        mechanism,
        capacity_cap: round.cap(),
        cap_min: round.cap(),
        cap_max: round.cap(),
        reserve_price: round.reserve(),
        reserve_min: round.reserve(),
        reserve_max: round.reserve(),
        genesis: GENESIS,
        bidding_period: PERIOD,
        reveal_period: 0,
        settlement_period: PERIOD,
        proving_period: 1_000,
        takeover_period: 100,
        max_takeovers: 2,
        max_seats: 128,
        capacity_delay: 1,
        min_seat_capacity: 2 * task.get() - 1,
        seat_fee: 0,
        verifier: any_contract,
        verifier_gas: 1_000_000,
        bounty_bps: 0,
        compensation_bps: 0,
        penalty_bps: 0,
        bond_bps: 0,
        sink: CREATOR,
        collateral_per_unit: 0,
        settlement_fee: SETTLEMENT_FEE,
        max_task_size: task,
    };
    assert_eq!(params.validate(), Ok(()));
    params
}
