//! A market with people in it, and nodes that serve it.

use std::{path::Path, time::Duration};

use alloy::primitives::{Address, U256};
use bindings::ProverMarket::submitOneBidCall;
use chain::{
    BidWord, Client, FollowOptions, Follower, Market, MarketHistory, MarketParams, Markets, Retention,
    RoundRecord,
    events::first_place,
    history::TaskEnd,
    lot::entry_cost,
    settlement::{PageLimits, Settling},
};
use circuits::{CircuitKind, Task, keys::KeyStore, rollup::Demo};
use market_types::{BidIndex, Capacity, RoundNumber, UnitCost};
use prover_node::{
    config::{Config, ExpireSetting},
    node::{self, Node, NodeError},
    plan::{Margin, Wish},
};
use testkit::{AnvilOptions, Bid, Testbed};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The circuit of the market: the smallest one, so that a proof takes about a second.
pub(crate) const KIND: CircuitKind = CircuitKind::Transfers1;
/// What the cheapest node asks. Every price of the market is above it.
pub(crate) const CHEAP: u64 = 3;
/// What whoever sets the price asks, and so what deliveries pay.
pub(crate) const PRICE: u64 = 5;
/// The least capacity that takes part, and room for it to lose a task.
pub(crate) const CAPACITY: u32 = 200;

/// Longest time that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Accounts of the chain.
pub(crate) const NODE: usize = 1;
pub(crate) const RIVAL: usize = 2;
pub(crate) const REQUESTER: usize = 3;
pub(crate) const MALLORY: usize = 4;

pub(crate) struct World {
    pub(crate) bed: Testbed,
    pub(crate) market: Market,
}

pub(crate) fn key_store() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

impl World {
    /// A market of one circuit on a chain with a block every second. The reserve price buys any quantity, so that the
    /// cheaper of two provers always wins and the other one's cost is the price.
    pub(crate) async fn new() -> Self {
        Self::with(|params| params).await
    }

    /// The same with other parameters.
    pub(crate) async fn with(tune: impl FnOnce(MarketParams) -> MarketParams) -> Self {
        Self::on(Self::bed().await, tune).await
    }

    /// A chain with a block every second and a verifier of the circuit.
    pub(crate) async fn bed() -> Testbed {
        let key = KeyStore::open(key_store()).unwrap().load(KIND, &mut |_| {}).unwrap();
        let units = market_types::TaskSize::new(KIND.units()).unwrap();
        let words = key.verifying_key().to_words();
        let circuit = chain::deploy::CircuitKey { units, words };
        let options = AnvilOptions { block_time: Some(1), ..AnvilOptions::default() };
        Testbed::start_for(&options, &[circuit]).await
    }

    /// The market on this chain, with other parameters.
    pub(crate) async fn on(bed: Testbed, tune: impl FnOnce(MarketParams) -> MarketParams) -> Self {
        let params = tune(testkit::with_reserve(bed.params().await, PRICE + 1));
        let market = bed.market_with(&params).await;
        Self { bed, market }
    }

    /// Settings of a node that asks `cost`.
    pub(crate) fn config(&self, cost: u64) -> Config {
        Config {
            rpc_url: self.bed.anvil.url().to_owned(),
            chain_id: Some(31_337),
            contract: self.bed.deployment.market,
            market: self.market.id.get(),
            from_block: self.bed.deployment.block,
            key_file: None,
            kms_key: None,
            queue: None,
            prover: None,
            key_store: key_store().to_owned(),
            openings: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("openings")),
            capacity: Some(Capacity::new(CAPACITY).unwrap()),
            cost: Some(UnitCost::new(cost)),
            workers: std::num::NonZeroUsize::MIN,
            // Tests share a machine with others, on which a proof takes a while.
            margin: Margin::try_from(100).unwrap(),
            failures: std::num::NonZeroU32::new(3).unwrap(),
            threads: None,
            takeovers: true,
            expire: ExpireSetting::Own,
            max_fee_gwei: None,
            max_cost_gwei: None,
            raise_after: None,
            private_rpc_url: None,
            journal: Some("memory".to_owned()),
            rebuild: false,
            poll_ms: 400,
            json: false,
            ops_listen: None,
            ready_within: None,
            stop_within: None,
        }
    }

    /// A node of account `number` that asks `cost`.
    pub(crate) async fn serve(&self, number: usize, cost: u64) -> Running {
        let config = self.config(cost);
        let wish = config.wish(None).unwrap();
        self.run(number, &config, wish).await
    }

    pub(crate) async fn run(&self, number: usize, config: &Config, wish: Wish) -> Running {
        Running::of(self.node(number, config, wish).await)
    }

    /// A node of account `number` that is ready to run.
    pub(crate) async fn node(&self, number: usize, config: &Config, wish: Wish) -> Node {
        let key = self.bed.anvil.account(number).clone();
        node::start(config, key, wish, service::ops::Health::new(u64::MAX)).await.unwrap()
    }

    /// A rival that asks `rival` and has no program, and a node that asks `own`. Returns the node and the first round that both
    /// take part in, which is open.
    pub(crate) async fn against_rival(&self, rival: u64, own: u64) -> (Running, RoundNumber) {
        let client = self.client(RIVAL).await;
        self.bed.register(&client, &self.market, CAPACITY, rival).await;
        let node = self.serve(NODE, own).await;
        (node, self.open_with_seats(2).await)
    }

    /// A batch on a state of its own, as a requester posts it.
    pub(crate) fn bid(seed: u64) -> Bid {
        let demo = Demo::new(seed);
        let task = Task::new(demo.state(), &demo.batch(KIND.batch_size(), seed)).unwrap();
        let public_inputs = task.public_inputs().map(U256::from_be_bytes).to_vec();
        Bid { fee: 10, circuit: KIND.id(), public_inputs, data: task.encode().into() }
    }

    /// Posts an entry and says nothing of its statements; tells the index of its first bid.
    pub(crate) async fn submit_silently(&self, client: &Client, word: BidWord) -> u32 {
        let cost = u64::try_from(entry_cost(&self.market, word)).unwrap();
        self.bed.deposit(client, &self.market, cost).await;
        let call = submitOneBidCall { id: self.market.id.get(), entry: word.get() };
        let receipt = client.send(call, U256::ZERO, None).await.unwrap();
        first_place(&receipt, client.contract()).unwrap().first_index.get()
    }

    /// Waits until `count` seats are taken, and then for the round that all of them take part in.
    pub(crate) async fn open_with_seats(&self, count: usize) -> RoundNumber {
        let seats = self.until("the seats", async |history| {
            (history.seats().count() == count).then(|| {
                let first =
                    |seat: &chain::history::SeatRecord| seat.steps.first().map(|step| step.from_round);
                history.seats().filter_map(first).max().unwrap()
            })
        });
        let round = seats.await;
        self.bed.warp_to_open(&self.market, round).await;
        round
    }

    /// Closes the round, and settles it once that is possible.
    pub(crate) async fn settle(&self, round: RoundNumber) {
        self.bed.warp_to_settlement(&self.market, round).await;
        let client = self.bed.client(0).await;
        let history = self.history().await;
        let record = history.round(round).unwrap();
        let closed = history.closed_round(round).unwrap();
        let certificate = clearing::certificate(self.market.params.mechanism, &closed);
        let settling = Settling::new(&self.market, client.seed(&self.market, round), record, &certificate);
        client.settle(settling.next(None, &PageLimits::TRANSACTION).unwrap()).await.unwrap();
    }

    pub(crate) async fn history(&self) -> MarketHistory {
        let client = self.bed.client(0).await;
        let follow = FollowOptions::new(Markets::Only(vec![self.market.id]), self.bed.deployment.block)
            .keeping(Retention::Everything);
        let follower = loop {
            // A block may come while it reads.
            match Follower::start(client.clone(), follow.clone()).await {
                Err(chain::FollowError::Moving) => {}
                follower => break follower.unwrap(),
            }
        };
        follower.market(self.market.id).unwrap().clone()
    }

    /// What `look` finds in the market's history, once it finds something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn(&MarketHistory) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = look(&self.history().await).await {
                    return found;
                }
                sleep(Duration::from_millis(300)).await;
            }
        };
        timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("{what}: not seen in time"))
    }

    /// How the task of a bid ends.
    pub(crate) async fn end_of(&self, round: RoundNumber, index: u32) -> TaskEnd {
        let index = BidIndex::new(index).unwrap();
        let end = |record: &RoundRecord| record.task(index).and_then(|task| task.end);
        self.until("the end of a task", async |history| history.round(round).and_then(end)).await
    }

    /// The seat of account `number`.
    pub(crate) async fn seat_of(&self, number: usize) -> market_types::AskIndex {
        let prover = self.bed.anvil.account(number).address();
        let history = self.history().await;
        history.seats().find(|seat| seat.prover == prover).expect("a seat").seat
    }

    pub(crate) async fn available(&self, account: Address) -> U256 {
        let client = self.bed.client(0).await;
        client.market().availableOf(self.market.id.get(), account).call().await.unwrap()
    }

    pub(crate) async fn status(&self, round: RoundNumber, index: u32) -> u8 {
        let client = self.bed.client(0).await;
        let (round, index) = (U256::from(round.get()), U256::from(index));
        client.market().taskStatus(self.market.id.get(), round, index).call().await.unwrap()
    }

    /// The chain's account `number` as a client of the contract.
    pub(crate) async fn client(&self, number: usize) -> Client {
        self.bed.client(number).await
    }
}

/// Ticks that a task of the market's circuit is worth at `price` ticks per unit.
pub(crate) fn ticks(price: u64) -> U256 {
    U256::from(price * u64::from(KIND.units()))
}

/// `TaskStatus` as the contract numbers it.
pub(crate) mod status {
    pub(crate) const ASSIGNED: u8 = 0;
    pub(crate) const DELIVERED: u8 = 3;
    pub(crate) const EXPIRED: u8 = 4;
}

/// A node at work.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), NodeError>>,
}

impl Running {
    pub(crate) fn of(node: Node) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(node.run(async {
            let _ = stopped.await;
        }));
        Self { stop, task }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        timeout(PATIENCE, self.task).await.expect("stops in time").unwrap().unwrap();
    }

    /// Ends it between two steps, whatever it is at, as a crash would.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(self) {
        timeout(PATIENCE, self.task).await.expect("ends in time").unwrap().unwrap();
    }
}
