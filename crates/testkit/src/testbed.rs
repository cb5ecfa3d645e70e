//! The contracts on a chain of their own, and what people do there.

use crate::{Anvil, AnvilOptions, circuits};
use alloy::primitives::aliases::U96;
use alloy::primitives::{Address, B256, Bytes, U256};
use bindings::ProverMarket;
use chain::deploy::{CircuitKey, Deployment, create_market, deploy};
use chain::events::{first, first_place};
use chain::sealed::reveal_bids_call;
use chain::{AskOpening, BidOpening, Client, Currency, Lot, Market, MarketParams, Offer, Statement};
use market_types::{
    AskIndex, CapacityCap, CircuitId, Mechanism, ReservePrice, RoundNumber, TaskSize, UnitCost, UnitFee,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// A chain with the contracts on it.
#[derive(Debug)]
pub struct Testbed {
    /// The chain.
    pub anvil: Anvil,
    /// Where the contracts are.
    pub deployment: Deployment,
}

/// A bid to post.
#[derive(Debug, Clone)]
pub struct Bid {
    /// Unit fee (ticks per unit).
    pub fee: u64,
    /// The circuit of its task.
    pub circuit: CircuitId,
    /// The statement.
    pub public_inputs: Vec<U256>,
    /// What is published for the prover.
    pub data: Bytes,
}

impl Bid {
    /// A bid for a statement about `circuit` that nobody needs to prove.
    #[must_use]
    pub fn of(fee: u64, circuit: CircuitId) -> Self {
        Self { fee, circuit, public_inputs: vec![U256::ZERO], data: Bytes::new() }
    }

    /// What it asks a proof of.
    #[must_use]
    pub fn statement(&self) -> Statement {
        let (circuit, public_inputs, data) = (self.circuit, self.public_inputs.clone(), self.data.clone());
        Statement { circuit, public_inputs, data }
    }

    /// The entry of this one bid, for proofs on behalf of `requester`.
    #[must_use]
    pub fn lot(&self, requester: Address) -> Lot {
        lot(requester, self.fee, vec![self.statement()])
    }
}

/// An entry of `requester` for these statements at `fee` (ticks per unit).
#[must_use]
pub fn lot(requester: Address, fee: u64, statements: Vec<Statement>) -> Lot {
    Lot::new(requester, UnitFee::new(fee).expect("a fee"), statements).expect("an entry")
}

/// A market of ether that opens at `genesis`, with rounds of a minute, for tasks of up to 64 units. One tick is a gwei.
#[must_use]
pub fn default_params(verifier: Address, genesis: u64) -> MarketParams {
    MarketParams {
        currency: Currency::Native,
        tick: 1_000_000_000,
        mechanism: Mechanism::Core,
        capacity_cap: cap(1_000_000),
        cap_min: cap(1_000_000),
        cap_max: cap(1_000_000),
        reserve_price: ReservePrice::new(0),
        reserve_min: ReservePrice::new(0),
        reserve_max: ReservePrice::new(0),
        genesis,
        bidding_period: 60,
        reveal_period: 0,
        settlement_period: 30,
        proving_period: 120,
        takeover_period: 60,
        max_takeovers: 2,
        max_seats: 10,
        capacity_delay: 1,
        min_seat_capacity: 127,
        seat_fee: 0,
        verifier,
        verifier_gas: 500_000,
        bounty_bps: 3_000,
        compensation_bps: 4_000,
        penalty_bps: 1_000,
        bond_bps: 0,
        sink: Address::repeat_byte(0x51),
        collateral_per_unit: 10,
        settlement_fee: 7,
        max_task_size: TaskSize::new(64).expect("a size"),
    }
}

/// `params` with sealed bids and asks: 20 s to open them, a tenth of a deposit is lost without.
#[must_use]
pub fn sealed(mut params: MarketParams) -> MarketParams {
    (params.reveal_period, params.bond_bps) = (20, 1_000);
    params
}

/// `params` under the mechanism `average-fee`.
#[must_use]
pub fn average_fee(mut params: MarketParams) -> MarketParams {
    params.mechanism = Mechanism::AverageFee;
    params
}

/// `params` with a capacity cap that moves between 200 and 10,000 units and begins at 1,000, and a reserve price that moves
/// between 1 and 1,000 ticks per unit and begins at 8.
#[must_use]
pub fn controlled(mut params: MarketParams) -> MarketParams {
    (params.cap_min, params.capacity_cap, params.cap_max) = (cap(200), cap(1_000), cap(10_000));
    params = with_reserve(params, 8);
    (params.reserve_min, params.reserve_max) = (ReservePrice::new(1), ReservePrice::new(1_000));
    params
}

/// `params` with a reserve price that stays (ticks per unit). Provers that ask less win even where few bid.
#[must_use]
pub fn with_reserve(mut params: MarketParams, reserve: u64) -> MarketParams {
    let reserve = ReservePrice::new(reserve);
    (params.reserve_min, params.reserve_price, params.reserve_max) = (reserve, reserve, reserve);
    params
}

fn cap(units: u64) -> CapacityCap {
    CapacityCap::new(units).expect("a cap")
}

impl Testbed {
    /// A chain that mines every transaction at once, with a verifier of the circuits in [`circuits`].
    pub async fn start() -> Self {
        Self::start_with(&AnvilOptions::default()).await
    }

    /// [`Testbed::start`] on another kind of chain.
    pub async fn start_with(options: &AnvilOptions) -> Self {
        let keys: Vec<CircuitKey> = circuits().into_iter().map(|circuit| circuit.key).collect();
        Self::start_for(options, &keys).await
    }

    /// A chain with a verifier of other circuits.
    pub async fn start_for(options: &AnvilOptions, circuits: &[CircuitKey]) -> Self {
        let anvil = Anvil::start(options).await;
        let deployer = anvil.connection_of(0).await;
        let deployment = deploy(&deployer, circuits).await.expect("the contracts are deployed");
        Self { anvil, deployment }
    }

    /// The market's contract for account `number` (0 to 19).
    pub async fn client(&self, number: usize) -> Client {
        let connection = self.anvil.connection_of(number).await;
        Client::at(connection, self.deployment.market).await.expect("the market's contract")
    }

    /// [`default_params`] of a market that opens now.
    pub async fn params(&self) -> MarketParams {
        default_params(self.deployment.verifier, self.anvil.head().await.timestamp)
    }

    /// A market with [`Testbed::params`].
    pub async fn market(&self) -> Market {
        let params = self.params().await;
        self.market_with(&params).await
    }

    /// A market with these parameters.
    pub async fn market_with(&self, params: &MarketParams) -> Market {
        create_market(&self.client(0).await, params).await.expect("the market is created")
    }

    /// The round that takes bids in the block at the head.
    pub async fn current_round(&self, market: &Market) -> RoundNumber {
        market.id.round_at(self.anvil.head().await.timestamp).expect("the market is open")
    }

    /// Mines a block at the opening of `round`, unless it has opened.
    pub async fn warp_to_open(&self, market: &Market, round: RoundNumber) {
        self.anvil.warp_to(market.id.open_of(round)).await;
    }

    /// Mines a block at which `round` can be settled, unless there is one: its close, and in a sealed market the end of the
    /// time in which commitments are opened.
    pub async fn warp_to_settlement(&self, market: &Market, round: RoundNumber) {
        self.anvil.warp_to(market.reveal_by(round)).await;
    }

    /// Mines a block at the close of `round`, unless it has closed.
    pub async fn warp_to_close(&self, market: &Market, round: RoundNumber) {
        self.anvil.warp_to(market.close_of(round)).await;
    }

    /// Adds `ticks` to the sender's balance in a market of ether.
    pub async fn deposit(&self, client: &Client, market: &Market, ticks: u64) {
        self.deposit_ticks(client, market, U256::from(ticks)).await;
    }

    async fn deposit_ticks(&self, client: &Client, market: &Market, ticks: U256) {
        let amount = market.ticks_to_wei(ticks);
        let account = client.sender().expect("a client with a key");
        let call = ProverMarket::depositCall { id: market.id.get(), account, amount };
        client.send(call, amount, None).await.expect("the deposit");
    }

    /// Takes a seat, paying collateral and seat fee in ether; it takes part after the market's delay, in
    /// [`default_params`] from the next round on. In a sealed market `cost` is left out: an ask is committed to.
    pub async fn register(&self, client: &Client, market: &Market, capacity: u32, cost: u64) -> AskIndex {
        let cost = if market.params.is_sealed() { Offer::NO_ASK } else { cost };
        let collateral = u64::from(capacity).saturating_mul(market.params.collateral_per_unit);
        let ticks = collateral.saturating_add(market.params.seat_fee);
        let call = ProverMarket::registerCall { id: market.id.get(), capacity, cost };
        let receipt = client.send(call, market.ticks_to_wei(U256::from(ticks)), None).await;
        let receipt = receipt.expect("the registration");
        let registered = first::<ProverMarket::SeatRegistered>(&receipt, client.contract());
        let registered = registered.expect("the event of a registration");
        AskIndex::new(u32::try_from(registered.seat).expect("a seat"))
    }

    /// Posts one bid and publishes its statement, paying for it in ether, and tells where it stands.
    pub async fn bid(&self, client: &Client, market: &Market, bid: &Bid) -> (RoundNumber, u32) {
        self.bids(client, market, std::slice::from_ref(bid)).await
    }

    /// Commits to a bid of the open round with twice its least deposit, paid in ether. The opening comes back, with its round.
    pub async fn commit_bid(&self, client: &Client, market: &Market, bid: &Bid) -> (RoundNumber, BidOpening) {
        let opening = BidOpening {
            requester: client.sender().expect("a client with a key"),
            fee: UnitFee::new(bid.fee).expect("a fee"),
            circuit: bid.circuit,
            public_inputs: bid.public_inputs.clone(),
            data: bid.data.clone(),
            salt: salt(),
        };
        let round = self.current_round(market).await;
        let deposit = opening.least_deposit(market).saturating_mul(2);
        let call = opening.commit_call(client, market, round, U96::saturating_from(deposit));
        let call = call.expect("a circuit with a size");
        let value = market.ticks_to_wei(U256::from(deposit));
        let receipt = client.send(call, value, None).await.expect("the commitment");
        let committed = first::<ProverMarket::Committed>(&receipt, client.contract()).expect("a commitment");
        assert_eq!(committed.round, U256::from(round.get()));
        (round, opening)
    }

    /// Commits a seat of the sender to a unit cost in the open round, paying the bond in ether.
    pub async fn commit_ask(
        &self,
        client: &Client,
        market: &Market,
        seat: AskIndex,
        cost: u64,
    ) -> (RoundNumber, AskOpening) {
        let prover = client.sender().expect("a client with a key");
        let opening = AskOpening { prover, seat, cost: UnitCost::new(cost), salt: salt() };
        let round = self.current_round(market).await;
        let state = client.market().seatOf(market.id.get(), U256::from(seat.get())).call().await;
        let state = state.expect("the seat");
        let units = u128::try_from(state.capacity).expect("a capacity");
        let bond = market.bond_of(units.saturating_mul(market.params.collateral_per_unit.into()));
        let call = opening.commit_call(client, market, round);
        client.send(call, market.ticks_to_wei(U256::from(bond)), None).await.expect("the commitment");
        (round, opening)
    }

    /// Opens bids and asks of the round that closed last, and publishes what the bids ask for.
    pub async fn reveal(&self, client: &Client, market: &Market, bids: &[BidOpening], asks: &[AskOpening]) {
        if !bids.is_empty() {
            let call = reveal_bids_call(market, bids).expect("circuits with a size");
            let receipt = client.send(call, U256::ZERO, None).await;
            let logs = receipt.expect("the bids are opened").inner.logs().len();
            // Each bid and its statement.
            assert_eq!(logs, 2 * bids.len(), "each opening is accepted, and no account has two bids");
        }
        for ask in asks {
            client.send(ask.reveal_call(market), U256::ZERO, None).await.expect("the ask is opened");
        }
    }

    /// Posts many bids in one call, each as an entry of its own, publishes their statements, pays for them in ether, and tells where
    /// the first one stands.
    pub async fn bids(&self, client: &Client, market: &Market, bids: &[Bid]) -> (RoundNumber, u32) {
        let requester = client.sender().expect("a client with a key");
        let lots: Vec<Lot> = bids.iter().map(|bid| bid.lot(requester)).collect();
        self.lots(client, market, &lots).await
    }

    /// Posts entries in one call with their statements, paying for them in ether, and tells where the first one stands.
    pub async fn lots(&self, client: &Client, market: &Market, lots: &[Lot]) -> (RoundNumber, u32) {
        let ticks = lots.iter().fold(0_u128, |sum, lot| sum.saturating_add(lot.cost(market)));
        self.deposit_ticks(client, market, U256::from(ticks)).await;
        let receipt = client.submit(market, lots).await.expect("the bids");
        let place = first_place(&receipt, client.contract()).expect("a bid in the receipt");
        (place.round, place.first_index.get())
    }
}

/// Another salt each time: here nobody tries to guess it.
fn salt() -> B256 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    U256::from(COUNT.fetch_add(1, Ordering::Relaxed)).into()
}
