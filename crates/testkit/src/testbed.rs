//! The contracts on a chain of their own, and what people do there.

use crate::{Anvil, AnvilOptions, circuits};
use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
use bindings::ProverMarket;
use chain::deploy::{CircuitKey, Deployment, create_market, deploy};
use chain::events::{BidHead, first};
use chain::{Client, Currency, Market, MarketParams};
use market_types::{AskIndex, CapacityCap, CircuitId, ReservePrice, RoundNumber, TaskSize};

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

    /// The bid as the contract takes it.
    #[must_use]
    pub fn to_abi(&self) -> ProverMarket::NewBid {
        ProverMarket::NewBid {
            fee: self.fee,
            circuit: self.circuit.get(),
            publicInputs: self.public_inputs.clone(),
            data: self.data.clone(),
        }
    }
}

/// A market of ether that opens at `genesis`, with rounds of a minute, for tasks of up to 64 units. One tick is a gwei.
#[must_use]
pub fn default_params(verifier: Address, genesis: u64) -> MarketParams {
    MarketParams {
        currency: Currency::Native,
        tick: 1_000_000_000,
        capacity_cap: CapacityCap::new(1_000_000).expect("a cap"),
        reserve_price: ReservePrice::new(0),
        genesis,
        bidding_period: 60,
        settlement_period: 30,
        proving_period: 120,
        takeover_period: 60,
        max_takeovers: 2,
        max_seats: 10,
        verifier,
        verifier_gas: 500_000,
        bounty_bps: 3_000,
        compensation_bps: 4_000,
        penalty_bps: 1_000,
        sink: Address::repeat_byte(0x51),
        collateral_per_unit: 10,
        settlement_fee: 7,
        max_task_size: TaskSize::new(64).expect("a size"),
    }
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

    /// Mines a block at the opening of `round`, unless it has opened.
    pub async fn warp_to_open(&self, market: &Market, round: RoundNumber) {
        self.anvil.warp_to(market.id.open_of(round)).await;
    }

    /// Mines a block at the close of `round`, unless it has closed.
    pub async fn warp_to_close(&self, market: &Market, round: RoundNumber) {
        self.anvil.warp_to(market.close_of(round)).await;
    }

    /// Adds `ticks` to the sender's balance in a market of ether.
    pub async fn deposit(&self, client: &Client, market: &Market, ticks: u64) {
        let amount = market.ticks_to_wei(U256::from(ticks));
        let account = client.sender().expect("a client with a key");
        let call = ProverMarket::depositCall { id: market.id.get(), account, amount };
        client.send(call, amount, None).await.expect("the deposit");
    }

    /// Takes a seat, paying its collateral in ether; it takes part from the next round on.
    pub async fn register(&self, client: &Client, market: &Market, capacity: u32, cost: u64) -> AskIndex {
        let ticks = u64::from(capacity).saturating_mul(market.params.collateral_per_unit);
        let call = ProverMarket::registerCall { id: market.id.get(), capacity, cost };
        let receipt = client.send(call, market.ticks_to_wei(U256::from(ticks)), None).await;
        let receipt = receipt.expect("the registration");
        let registered = first::<ProverMarket::SeatRegistered>(&receipt, client.contract());
        let registered = registered.expect("the event of a registration");
        AskIndex::new(u32::try_from(registered.seat).expect("a seat"))
    }

    /// Posts one bid, paying for it in ether, and tells where it stands.
    pub async fn bid(&self, client: &Client, market: &Market, bid: &Bid) -> (RoundNumber, u32) {
        let abi = bid.to_abi();
        let call = ProverMarket::submitBidCall {
            id: market.id.get(),
            fee: abi.fee,
            circuit: abi.circuit,
            publicInputs: abi.publicInputs,
            data: abi.data,
        };
        let receipt = client.send(call, locked(market, std::slice::from_ref(bid)), None).await;
        place(&receipt.expect("the bid"), client.contract())
    }

    /// Posts many bids in one call, paying for them in ether, and tells where the first one stands.
    pub async fn bids(&self, client: &Client, market: &Market, bids: &[Bid]) -> (RoundNumber, u32) {
        let all = bids.iter().map(Bid::to_abi).collect();
        let call = ProverMarket::submitBidsCall { id: market.id.get(), bids: all };
        let receipt = client.send(call, locked(market, bids), None).await;
        place(&receipt.expect("the bids"), client.contract())
    }
}

/// What these bids lock and pay, in wei.
fn locked(market: &Market, bids: &[Bid]) -> U256 {
    let ticks = bids.iter().fold(U256::ZERO, |sum, bid| {
        let task = U256::from(bid.fee).saturating_mul(U256::from(bid.circuit.units()));
        sum.saturating_add(task).saturating_add(U256::from(market.params.settlement_fee))
    });
    market.ticks_to_wei(ticks)
}

/// Round and index of the first bid of a transaction.
fn place(receipt: &TransactionReceipt, contract: Address) -> (RoundNumber, u32) {
    let submitted = first::<ProverMarket::BidSubmitted>(receipt, contract).expect("a bid in the receipt");
    let head = BidHead::try_from(submitted.head).expect("a bid");
    (head.round, head.index.get())
}
