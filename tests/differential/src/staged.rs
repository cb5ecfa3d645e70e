//! Makes a round come about in the contract by calls alone, and settles it.

use crate::evm::{Done, Evm, Refused};
use alloy::{
    primitives::{Address, B256, Bytes, U256, address},
    sol_types::{SolEvent, SolValue},
};
use bindings::ProverMarket::{self, NewBid, RoundSettled};
use chain::commitments::{self, BidWord};
use clearing::{Certificate, CoreOutcome, UserPivot};
use market_types::{Bid, CircuitId, Round};

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

/// Whether a market can hold this round: the limits that the contract adds to those of the mechanism.
#[must_use]
pub fn fits(round: &Round) -> bool {
    let largest = largest(round);
    let margin = largest - 1;
    round.number().get() >= 1
        && u32::try_from(round.number().get()).is_ok()
        && largest <= MAX_TASK_SIZE
        && round.cap().get() >= u64::from(largest)
        && round.asks().iter().all(|seated| {
            let capacity = seated.ask.capacity.get();
            seated.seat.get() < MAX_SEATS
                && seated.ask.cost.get() != u64::MAX
                && capacity >= largest
                && capacity.checked_add(margin).is_some()
        })
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
    /// The round.
    pub round: Round,
    /// The round's bids as settlement wants them.
    pub words: Vec<BidWord>,
}

impl Staged {
    /// Deploys a market whose parameters fit the round, seats its provers, submits its bids, and lets it close.
    ///
    /// # Panics
    /// If a step is refused: see [`fits`].
    #[must_use]
    pub fn new(round: Round) -> Self {
        let mut evm = Evm::new(GENESIS);
        let market = evm.deploy(ProverMarket::BYTECODE.clone());
        let params = params(&round, market);
        let (id, _) = evm.send(CREATOR, market, U256::ZERO, &ProverMarket::createMarketCall { params });
        let mut staged = Self { evm, market, id, round, words: Vec::new() };
        staged.seat_provers();
        staged.set_time(staged.opens_at());
        staged.submit_bids();
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

    /// Whether the contract would accept this certificate with these bids. Changes nothing.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn check(&mut self, certificate: OnChain, words: &[BidWord]) -> Result<(), Refused> {
        let call = self.settle_call(certificate, words);
        self.evm.call(RELAYER, self.market, &call).map(|_| ())
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

    /// What everybody might do between close and settlement: other asks, new provers, bids for the next round, leaving.
    ///
    /// # Panics
    /// If a step is refused.
    pub fn meddle(&mut self) {
        let n = self.evm_seats();
        for seat in 0..n {
            let prover = prover(seat);
            let change = ProverMarket::askCall { id: self.id, seat: U256::from(seat), cost: u64::from(seat) };
            self.evm.send(prover, self.market, U256::ZERO, &change);
            if seat % 2 == 0 {
                let leave = ProverMarket::leaveCall { id: self.id, seat: U256::from(seat) };
                self.evm.send(prover, self.market, U256::ZERO, &leave);
            }
        }
        if n < MAX_SEATS {
            let capacity = 2 * largest(&self.round) - 1;
            self.register(n, capacity, 0);
        }
        let bids = [Bid { fee: market_types::UnitFee::MAX, size: market_types::TaskSize::MIN }];
        self.submit_group(9_999, &bids);
    }

    fn evm_seats(&mut self) -> u32 {
        let call = ProverMarket::seatCountCall { id: self.id };
        let count: U256 = self.evm.call(RELAYER, self.market, &call).expect("a view");
        u32::try_from(count).expect("at most 128")
    }

    fn settle_call(&self, certificate: OnChain, words: &[BidWord]) -> ProverMarket::settleCall {
        ProverMarket::settleCall {
            id: self.id,
            round: U256::from(self.round.number().get()),
            certificate,
            words: words.iter().map(|word| (*word).into()).collect(),
        }
    }

    /// Fills the seats up to the last ask; those without an ask in the round are taken and left again.
    fn seat_provers(&mut self) {
        let asks = self.round.asks().to_vec();
        let margin = largest(&self.round) - 1;
        let seats = asks.last().map_or(0, |last| last.seat.get() + 1);
        for seat in 0..seats {
            match asks.iter().find(|seated| seated.seat.get() == seat) {
                Some(seated) => {
                    self.register(seat, seated.ask.capacity.get() + margin, seated.ask.cost.get());
                }
                None => {
                    self.register(seat, 2 * margin + 1, 0);
                    let leave = ProverMarket::leaveCall { id: self.id, seat: U256::from(seat) };
                    self.evm.send(prover(seat), self.market, U256::ZERO, &leave);
                }
            }
        }
    }

    fn register(&mut self, seat: u32, capacity: u32, cost: u64) {
        let call = ProverMarket::registerCall { id: self.id, capacity, cost };
        let (got, _) = self.evm.send(prover(seat), self.market, U256::ZERO, &call);
        assert_eq!(got, U256::from(seat), "seats are filled in order");
    }

    /// Submits the bids in order, as many in one call as one requester's lane can lock.
    fn submit_bids(&mut self) {
        let bids = self.round.bids().to_vec();
        let cost =
            |bid: &Bid| u128::from(bid.fee.get()) * u128::from(bid.size.get()) + u128::from(SETTLEMENT_FEE);
        let mut group: Vec<Bid> = Vec::new();
        let mut number = 0;
        for bid in bids {
            let locked: u128 = group.iter().map(cost).sum();
            if !group.is_empty() && (locked + cost(&bid) > MOST_PER_REQUESTER || group.len() == 100) {
                let words = self.submit_group(number, &group);
                self.words.extend(words);
                group.clear();
                number += 1;
            }
            group.push(bid);
        }
        if !group.is_empty() {
            let words = self.submit_group(number, &group);
            self.words.extend(words);
        }
    }

    fn submit_group(&mut self, number: u64, bids: &[Bid]) -> Vec<BidWord> {
        let requester = Address::left_padding_from(&(0x5e90_0000_0000 + number).to_be_bytes());
        let locked = bids
            .iter()
            .map(|bid| U256::from(bid.fee.get()) * U256::from(bid.size.get()) + U256::from(SETTLEMENT_FEE))
            .fold(U256::ZERO, |sum, cost| sum + cost);
        self.evm.fund(requester, locked);
        let circuit = |bid: &Bid| CircuitId::of(7, bid.size.get());
        if let [bid] = bids {
            let call = ProverMarket::submitBidCall {
                id: self.id,
                fee: bid.fee.get(),
                circuit: circuit(bid).get(),
                publicInputs: Vec::new(),
                data: Bytes::new(),
            };
            self.evm.send(requester, self.market, locked, &call);
        } else {
            let bids = bids
                .iter()
                .map(|bid| NewBid {
                    fee: bid.fee.get(),
                    circuit: circuit(bid).get(),
                    publicInputs: Vec::new(),
                    data: Bytes::new(),
                })
                .collect();
            let call = ProverMarket::submitBidsCall { id: self.id, bids };
            self.evm.send(requester, self.market, locked, &call);
        }
        bids.iter()
            .map(|bid| {
                let ticket = commitments::ticket(requester, circuit(bid), &[], &[]);
                BidWord::new(bid.fee, bid.size, ticket)
            })
            .collect()
    }
}

/// The crate's certificate as the contract takes it.
///
/// # Panics
/// If the seat is above those of a market.
#[must_use]
pub fn on_chain(certificate: &Certificate) -> OnChain {
    OnChain {
        pivotSeat: certificate.pivot_ask.map_or(u8::MAX, |seat| u8::try_from(seat.get()).expect("below 128")),
        pivotFee: certificate.user_pivot.fee.get(),
        pivotIndex: certificate.user_pivot.index,
        units: certificate.units.get(),
    }
}

/// The root over an outcome's assignment, made level by level: a second way to what the contract builds leaf by leaf.
#[must_use]
pub fn assignment_root(words: &[BidWord], outcome: &CoreOutcome) -> B256 {
    let hash = |bytes: &[u8]| alloy::primitives::keccak256(bytes);
    let mut level: Vec<B256> = outcome
        .assignment
        .iter()
        .filter_map(|(bid, seat)| {
            let word = words.get(usize::try_from(bid.get()).ok()?)?;
            Some(hash(&(B256::from(*word), U256::from(bid.get()), U256::from(seat.get())).abi_encode()))
        })
        .collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => hash(&if a < b { [*a, *b] } else { [*b, *a] }.concat()),
                odd => odd.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}

/// Whether this is the pivot of a round in which no prover wins.
#[must_use]
pub fn nobody_wins(certificate: &Certificate) -> bool {
    certificate.user_pivot == UserPivot::NOBODY_WINS
}

fn prover(seat: u32) -> Address {
    Address::left_padding_from(&(0xb000_0000_u32 + seat).to_be_bytes())
}

fn params(round: &Round, any_contract: Address) -> ProverMarket::MarketParams {
    ProverMarket::MarketParams {
        currency: Address::ZERO,
        tick: alloy::primitives::aliases::U96::from(1),
        capacityCap: round.cap().get(),
        reservePrice: round.reserve().get(),
        settlementPeriod: alloy::primitives::aliases::U24::from(PERIOD),
        provingPeriod: 1_000,
        takeoverPeriod: 100,
        maxTakeovers: 2,
        maxSeats: 128,
        mechanism: 0,
        verifier: any_contract,
        verifierGas: 1_000_000,
        bountyBps: 0,
        compensationBps: 0,
        penaltyBps: 0,
        sink: CREATOR,
        collateralPerUnit: 0,
        genesis: alloy::primitives::aliases::U40::from(GENESIS),
        biddingPeriod: alloy::primitives::aliases::U24::from(PERIOD),
        settlementFee: u32::try_from(SETTLEMENT_FEE).unwrap_or(u32::MAX),
        maxTaskSize: largest(round),
    }
}
