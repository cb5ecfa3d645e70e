//! A market on a chain of its own, with the programs that serve it and somebody who bids.

use crate::blocks::Blocks;
use crate::gate::Gate;
use crate::program::{Process, Program};
use alloy::primitives::{Address, U256, hex};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolCall;
use chain::events::decode;
use chain::lot::submit_call;
use chain::round::{SeatState, seats};
use chain::{
    Client, Connection, ConnectionOptions, FollowOptions, Follower, Market, MarketHistory, Markets, Retention,
};
use circuits::CircuitKind::Transfers1;
use circuits::Task;
use circuits::keys::KeyStore;
use circuits::rollup::Demo;
use market_types::{RoundNumber, TaskSize};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use testkit::{AnvilOptions, Bid, Testbed};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Accounts of the chain.
pub(crate) const RELAYER: usize = 1;
pub(crate) const PROVER: usize = 2;
pub(crate) const RIVAL: usize = 3;
pub(crate) const REQUESTER: usize = 4;
pub(crate) const SECOND: usize = 5;

/// What the one prover asks that has a program, what the other asks and so what is paid, and what bids offer that win and lose.
const COST: u64 = 3;
pub(crate) const PRICE: u64 = 5;
const RESERVE: u64 = PRICE + 1;
pub(crate) const FEE: u64 = 10;
const CAPACITY: u32 = 1_000;

/// Pays for the gas of a settlement, but not in a spike (gwei).
pub(crate) const SETTLEMENT_FEE: u64 = 10_000_000;
/// Most that programs may pay (gwei per gas): less than gas costs in a spike.
pub(crate) const MAX_FEE_GWEI: u64 = 60;

const GWEI: u64 = 1_000_000_000;

/// The chain's clock stands before that of the host by so much when it begins (seconds).
const BEHIND: u64 = 12 * 3_600;

/// A chain with everybody on it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) bed: Testbed,
    pub(crate) market: Market,
    pub(crate) blocks: Blocks,
    pub(crate) client: Client,
    pub(crate) relayer: Serving,
    pub(crate) prover: Serving,
    pub(crate) endpoints: usize,
    pub(crate) observer: Observer,
    bid: Bid,
    pub(crate) dir: TempDir,
}

/// A program, its endpoints and its journal.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) program: Program,
    pub(crate) gate: Gate,
    pub(crate) journal: PathBuf,
    pub(crate) sender: Address,
}

/// A follower in this process behind endpoints that fail as well.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) gate: Gate,
    pub(crate) follower: Arc<Mutex<Follower>>,
    task: JoinHandle<()>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl World {
    /// Everybody at work, with so many endpoints for each program.
    pub(crate) async fn new(endpoints: usize) -> Self {
        let bed = testbed().await;
        let mut params = testkit::with_reserve(bed.params().await, RESERVE);
        (params.bidding_period, params.settlement_period) = (900, 600);
        (params.proving_period, params.takeover_period) = (3_000, 600);
        params.settlement_fee = SETTLEMENT_FEE;
        params.max_task_size = TaskSize::new(Transfers1.units()).expect("a size");
        params.min_seat_capacity = 2 * Transfers1.units() - 1;
        let market = bed.market_with(&params).await;
        bed.register(&bed.client(PROVER).await, &market, CAPACITY, COST).await;
        bed.register(&bed.client(RIVAL).await, &market, CAPACITY, PRICE).await;
        bed.deposit(&bed.client(REQUESTER).await, &market, 1_000 * 1_000_000_000).await;
        let client = bed.client(0).await;
        let blocks = Blocks::new(&bed.anvil).await;
        let dir = tempfile::tempdir().expect("a directory");
        let observer = observer(&bed, &market, &blocks).await;
        let (bid, bed) = (bid(), bed);
        let relayer = Serving::new(&bed, &market, &blocks, endpoints, dir.path(), ("relayer", RELAYER));
        let prover = Serving::new(&bed, &market, &blocks, endpoints, dir.path(), ("prover", PROVER));
        let mut world = Self { bed, market, blocks, client, relayer, prover, endpoints, observer, bid, dir };
        world.relayer.program.start(None);
        world.prover.program.start(None);
        world.mine_until_ready().await;
        world
    }

    /// Mines blocks until both programs are ready, and some that can be replaced.
    async fn mine_until_ready(&mut self) {
        for step in 0..600 {
            if step < 70 || step % 8 == 0 {
                self.blocks.mine(&self.bed.anvil, 0).await;
            }
            self.relayer.program.look();
            self.prover.program.look();
            if step >= 70 && self.relayer.program.ready.is_some() && self.prover.program.ready.is_some() {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        let said = [&self.relayer, &self.prover].map(|serving| serving.program.said());
        panic!("the programs do not begin:\n{}\n{}", said[0], said[1]);
    }

    /// Mines a block at `time`, or a second after the last one.
    pub(crate) async fn mine(&mut self, time: u64) {
        self.blocks.mine(&self.bed.anvil, time).await;
    }

    /// Posts the bid that wins and so many that do not, in one transaction.
    pub(crate) async fn post(&self, losers: u64) {
        let from = self.address(REQUESTER);
        let fees = std::iter::once(FEE).chain((0..losers).map(|_| RESERVE - 1));
        let lots: Vec<_> = fees.map(|fee| Bid { fee, ..self.bid.clone() }.lot(from)).collect();
        let data = hex::encode_prefixed(submit_call(&self.market, &lots).abi_encode());
        let (gas, most, tip) = (U256::from(2_000_000), U256::from(1_000 * GWEI), U256::from(GWEI));
        let to = self.bed.deployment.market;
        let call = json!([{ "from": from, "to": to, "data": data, "gas": gas, "maxFeePerGas": most, "maxPriorityFeePerGas": tip }]);
        self.bed.anvil.request("eth_sendTransaction", call).await;
    }

    pub(crate) fn address(&self, account: usize) -> Address {
        self.bed.anvil.account(account).address()
    }

    /// Whether the round is settled.
    pub(crate) async fn is_settled(&self, round: RoundNumber) -> bool {
        let call = self.client.market().outcomeOf(self.market.id.get(), U256::from(round.get())).call().await;
        call.expect("the outcome of the round") != U256::ZERO
    }

    /// `TaskStatus` of the round's first bid.
    pub(crate) async fn task(&self, round: RoundNumber) -> u8 {
        let (id, round) = (self.market.id.get(), U256::from(round.get()));
        self.client.market().taskStatus(id, round, U256::ZERO).call().await.expect("the state of the task")
    }

    pub(crate) async fn available(&self, account: Address) -> U256 {
        let call = self.client.market().availableOf(self.market.id.get(), account).call().await;
        call.expect("a balance")
    }

    pub(crate) async fn seats(&self) -> Vec<SeatState> {
        seats(&self.client, &self.market).await.expect("the seats")
    }

    /// The market's history from its logs alone, read anew from the chain itself.
    pub(crate) async fn replay(&self) -> MarketHistory {
        let filter = Filter::new().address(self.bed.deployment.market).from_block(self.bed.deployment.block);
        let logs = self.bed.anvil.connection().provider().get_logs(&filter).await.expect("the logs");
        let mut history = MarketHistory::new(self.market.clone());
        for logged in logs.iter().map(|log| decode(log).expect("an event of the market")) {
            if logged.market == self.market.id {
                history.apply(&logged).expect("events that follow from each other");
            }
        }
        history
    }

    /// How far the clock of the host is from that of the chain (seconds).
    pub(crate) fn clock_off(&self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        now.abs_diff(self.blocks.time)
    }

    /// Another program that does the same, with endpoints that do not fail and a journal of its own.
    pub(crate) fn company(&self, name: &'static str, account: usize) -> Serving {
        Serving::new(&self.bed, &self.market, &self.blocks, 1, self.dir.path(), (name, account))
    }
}

impl Serving {
    fn new(
        bed: &Testbed,
        market: &Market,
        blocks: &Blocks,
        endpoints: usize,
        dir: &Path,
        (name, account): (&'static str, usize),
    ) -> Self {
        let (process, sender) = (Process::default(), bed.anvil.account(account).address());
        let gate = Gate::new(bed.anvil.url(), endpoints, &blocks.lock, &process, sender);
        let (journal, key_file) = (dir.join(format!("{name}.db")), dir.join(format!("{name}.key")));
        let key = hex::encode(bed.anvil.account(account).to_bytes());
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&key_file);
        file.expect("a key file").write_all(key.as_bytes()).expect("a key in its file");
        let mut arguments = vec![
            format!("--rpc-url={}", gate.urls()),
            format!("--contract={}", bed.deployment.market),
            format!("--market={}", market.id),
            format!("--from-block={}", bed.deployment.block),
            format!("--key-file={}", key_file.display()),
            format!("--journal={}", journal.display()),
            format!("--max-fee-gwei={MAX_FEE_GWEI}"),
        ];
        arguments.extend(["--poll-ms=50", "--raise-after=1", "--ready-within=1000000000"].map(str::to_owned));
        let binary = if matches!(account, RELAYER | SECOND) { "relayer" } else { "prover-node" };
        if binary == "relayer" {
            // One at least leaves turns to others.
            arguments.push(format!("--turn-seconds={}", if account == RELAYER { 0 } else { 12 }));
        } else {
            arguments.extend([
                format!("--key-store={}", key_store().display()),
                format!("--openings={}", dir.join("openings").display()),
                format!("--capacity={CAPACITY}"),
                format!("--cost={COST}"),
                "--threads=1".to_owned(),
            ]);
        }
        Self { program: Program::new(name, binary, &process, arguments, dir), gate, journal, sender }
    }
}

/// A chain with the contracts, whose clock is behind.
async fn testbed() -> Testbed {
    let key = KeyStore::open(key_store()).and_then(|store| store.load(Transfers1, &mut |_| {}));
    let words = key.expect("the keys of the circuit").verifying_key().to_words();
    let units = TaskSize::new(Transfers1.units()).expect("a size");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let arguments = vec!["--timestamp".to_owned(), (now - BEHIND).to_string()];
    let options = AnvilOptions { arguments, tx_gas_limit: true, ..AnvilOptions::default() };
    Testbed::start_for(&options, &[chain::deploy::CircuitKey { units, words }]).await
}

async fn observer(bed: &Testbed, market: &Market, blocks: &Blocks) -> Observer {
    let gate = Gate::new(bed.anvil.url(), 1, &blocks.lock, &Process::default(), Address::ZERO);
    let connection =
        Connection::connect(&ConnectionOptions::new(gate.urls())).await.expect("the chain answers");
    let client = Client::at(connection, bed.deployment.market).await.expect("the market's contract");
    let options = FollowOptions::new(Markets::Only(vec![market.id]), bed.deployment.block)
        .keeping(Retention::Everything);
    let follower = Follower::start(client, options).await.expect("the chain can be read");
    let follower = Arc::new(Mutex::new(follower));
    let following = Arc::clone(&follower);
    let task = tokio::spawn(async move {
        loop {
            // What goes wrong is what it is tried against.
            let _ = following.lock().await.poll().await;
            sleep(Duration::from_millis(200)).await;
        }
    });
    Observer { gate, follower, task }
}

/// The batch that every bid asks a proof of.
fn bid() -> Bid {
    let demo = Demo::new(0);
    let task = Task::new(demo.state(), &demo.batch(Transfers1.batch_size(), 0)).expect("a batch");
    let public_inputs = task.public_inputs().map(U256::from_be_bytes).to_vec();
    Bid { fee: FEE, circuit: Transfers1.id(), public_inputs, data: task.encode().into() }
}

/// The keys that end-to-end tests and the demo make, too.
fn key_store() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.proophi/keys")
}
