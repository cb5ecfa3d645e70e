//! One market on a chain of its own, the programs that serve it, and what people do there.

use crate::{Person, Program, Token, eventually, key_store};
use alloy::primitives::{U256, hex};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolCall;
use bindings::ProverMarket::{depositCall, registerCall};
use chain::events::first_place;
use chain::history::TaskEnd;
use chain::{
    Client, Currency, FollowError, FollowOptions, Follower, Lot, Market, MarketHistory, MarketParams,
    Markets, Offer, Retention, RoundRecord, SendError,
};
use circuits::CircuitKind;
use market_types::{AskIndex, BidIndex, RoundNumber, TaskSize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::{AnvilOptions, Bid, Testbed};
use tokio::time::sleep;

/// How long a story waits for one thing: only a program that does not do it takes so long.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(60);

/// One market on a chain of its own, and the programs that serve it.
#[derive(Debug)]
pub struct Scene {
    /// The chain and the contracts.
    pub bed: Testbed,
    /// The market.
    pub market: Market,
    follower: Follower,
    programs: BTreeMap<&'static str, Program>,
    dir: TempDir,
}

impl Scene {
    /// A market for tasks of up to 14 units, the size of the smallest rollup batch, in which a seat needs 27 units and
    /// offers 13 fewer than it has. Otherwise as [`Scene::of_all_sizes`].
    pub async fn of_small_tasks(tune: impl FnOnce(&mut MarketParams)) -> Self {
        Self::of_all_sizes(|params| {
            small_tasks(params);
            tune(params);
        })
        .await
    }

    /// A market for batches of every size, in which a seat needs 105 units and offers 52 fewer than it has. Its periods are
    /// so long that no deadline passes before the story moves time on.
    pub async fn of_all_sizes(tune: impl FnOnce(&mut MarketParams)) -> Self {
        let bed = start().await;
        Self::with(bed, Currency::Native, tune).await
    }

    /// [`Scene::of_small_tasks`] in a market that pays in a token of which everybody holds some.
    pub async fn paid_in_token(tick: u128) -> Self {
        let bed = start().await;
        let deployer = bed.anvil.connection_of(0).await;
        let token = Token::deploy(&deployer).await;
        for account in 1..=13 {
            token.mint(&deployer, bed.anvil.account(account).address()).await;
        }
        Self::with(bed, Currency::Token(token.address()), |params| {
            small_tasks(params);
            params.tick = tick;
        })
        .await
    }

    async fn with(bed: Testbed, currency: Currency, tune: impl FnOnce(&mut MarketParams)) -> Self {
        let mut params = bed.params().await;
        params.max_task_size = TaskSize::new(CircuitKind::Transfers4.units()).expect("a size");
        params.min_seat_capacity = 2 * CircuitKind::Transfers4.units() - 1;
        (params.bidding_period, params.settlement_period) = (600, 600);
        (params.proving_period, params.takeover_period) = (3_000, 1_000);
        params.currency = currency;
        tune(&mut params);
        let market = bed.market_with(&params).await;
        let options = FollowOptions::new(Markets::Only(vec![market.id]), bed.deployment.block)
            .keeping(Retention::Everything);
        let follower = Follower::start(bed.client(0).await, options).await.expect("the market's history");
        let dir = tempfile::tempdir().expect("a directory for the story");
        Self { bed, market, follower, programs: BTreeMap::new(), dir }
    }

    /// The directory of the programs.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    // ------------------------------------------------------------------------------------------------ programs

    /// Starts a relayer with the key of `person`.
    pub fn relayer(&mut self, person: Person) {
        let mut arguments = self.common(person);
        arguments.push(format!("--market={}", self.market.id));
        // Rounds of stories pay much less than their gas costs.
        arguments.push("--settle-at-a-loss".to_owned());
        self.start(person.name, "relayer", &arguments);
    }

    /// Starts a relayer with the key of `person` that takes signed bids and posts them at once; tells where.
    pub fn intake(&mut self, person: Person) -> String {
        let mut arguments = self.common(person);
        arguments.extend(["--listen=127.0.0.1:0", "--post-after=0"].map(str::to_owned));
        self.start(person.name, "relayer", &arguments);
        let mut address = None;
        eventually("the address of the intake", PATIENCE, || {
            let said = self.program(person).said();
            let line = said.lines().find(|line| line.contains("taking signed bids"));
            address = line.and_then(|line| Some(line.split_once("address=")?.1.trim().to_owned()));
            address.is_some()
        });
        format!("http://{}", address.expect("an address"))
    }

    /// Starts a prover node with the key of `person`, and waits until it has its seat.
    pub async fn prover(&mut self, person: Person, capacity: u32, cost: u64) -> AskIndex {
        self.prover_node(person, capacity, cost);
        let address = self.bed.anvil.account(person.account).address();
        self.wait(&format!("the seat of {}", person.name), |history| {
            history.seats().find(|seat| seat.prover == address).map(|seat| seat.seat)
        })
        .await
    }

    /// Starts a prover node with the key of `person`.
    pub fn prover_node(&mut self, person: Person, capacity: u32, cost: u64) {
        let mut arguments = self.prover_arguments(person);
        arguments.extend([format!("--capacity={capacity}"), format!("--cost={cost}")]);
        self.start(person.name, "prover-node", &arguments);
    }

    /// Runs `prover-node leave` for `person`, whose node must have been stopped.
    pub fn leaving_prover_node(&mut self, person: Person) {
        let mut arguments = self.prover_arguments(person);
        arguments.push("leave".to_owned());
        self.start(person.name, "prover-node", &arguments);
    }

    fn prover_arguments(&self, person: Person) -> Vec<String> {
        let mut arguments = self.arguments(person);
        arguments.push(format!("--key-store={}", key_store().display()));
        // Several nodes share the machine with the other tests.
        arguments.push("--threads=1".to_owned());
        arguments
    }

    fn common(&self, person: Person) -> Vec<String> {
        vec![
            format!("--rpc-url={}", self.bed.anvil.url()),
            format!("--contract={}", self.bed.deployment.market),
            format!("--key-file={}", self.key_file(person).display()),
        ]
    }

    fn start(&mut self, name: &'static str, binary: &str, arguments: &[String]) {
        let program = Program::start(name, binary, arguments, self.dir.path());
        let before = self.programs.insert(name, program);
        assert!(before.is_none(), "{name} runs already");
    }

    /// A file with the key of `person` that only its owner can read.
    #[must_use]
    pub fn key_file(&self, person: Person) -> PathBuf {
        let file = self.dir.path().join(format!("{}.key", person.name));
        let mut options = OpenOptions::new();
        let mut writer =
            options.write(true).create(true).truncate(true).mode(0o600).open(&file).expect("a key file");
        let key = hex::encode(self.bed.anvil.account(person.account).to_bytes());
        writer.write_all(key.as_bytes()).expect("a key in its file");
        file
    }

    /// Starts `proophi reveal --watch` with the key of `person`, for everybody's openings.
    pub fn watch(&mut self, person: Person) {
        let mut arguments = vec!["reveal".to_owned(), "--watch".to_owned()];
        arguments.extend(self.arguments(person));
        self.start(person.name, "proophi", &arguments);
    }

    /// What commands and programs need to act for `person` in this market.
    #[must_use]
    pub fn arguments(&self, person: Person) -> Vec<String> {
        let mut arguments = self.common(person);
        arguments.push(format!("--market={}", self.market.id));
        arguments.push(format!("--openings={}", self.openings().dir().display()));
        arguments
    }

    /// The program of `person`, which must be running.
    pub fn program(&mut self, person: Person) -> &mut Program {
        self.programs.get_mut(person.name).unwrap_or_else(|| panic!("{} does not run", person.name))
    }

    /// Takes the program of `person` out of the story's hands; it still runs.
    pub fn take_program(&mut self, person: Person) -> Program {
        self.programs.remove(person.name).unwrap_or_else(|| panic!("{} does not run", person.name))
    }

    /// Ends the program of `person` as a power cut would.
    pub fn kill(&mut self, person: Person) {
        self.take_program(person).kill();
    }

    /// Stops every program that still runs, cleanly.
    pub fn stop_programs(&mut self) {
        for (_, program) in std::mem::take(&mut self.programs) {
            program.stop();
        }
    }

    // -------------------------------------------------------------------------------------------------- people

    /// The market's contract as `person` calls it.
    pub async fn client(&self, person: Person) -> Client {
        self.bed.client(person.account).await
    }

    /// Sends a call as `person`, which must succeed.
    pub async fn call<C: SolCall>(&self, person: Person, call: C) -> TransactionReceipt {
        let sent = self.try_call(person, call).await;
        sent.unwrap_or_else(|error| panic!("{} of {}: {error}", C::SIGNATURE, person.name))
    }

    /// Sends a call as `person`.
    ///
    /// # Errors
    /// [`SendError`], with the contract's refusal if that is what it is.
    pub async fn try_call<C: SolCall>(
        &self,
        person: Person,
        call: C,
    ) -> Result<TransactionReceipt, SendError> {
        self.client(person).await.send(call, U256::ZERO, None).await
    }

    /// Adds `ticks` to the balance of `person`.
    pub async fn deposit(&self, person: Person, ticks: u64) {
        let client = self.client(person).await;
        let account = client.sender().expect("a key");
        let amount = self.market.ticks_to_wei(U256::from(ticks));
        let value = client.prepare_deposit(self.market.params.currency, amount).await.expect("the allowance");
        let call = depositCall { id: self.market.id.get(), account, amount };
        client.send(call, value, None).await.expect("the deposit");
    }

    /// Posts a bid of `person` with its statement. It deposits what the bid locks and pays, and is told where it stands.
    pub async fn bid(&self, person: Person, bid: &Bid) -> (u64, u32) {
        self.deposit(person, self.price_of(bid)).await;
        self.bid_from_balance(person, bid).await
    }

    /// Posts a bid of `person` with its statement for what its balance holds, and tells where it stands.
    pub async fn bid_from_balance(&self, person: Person, bid: &Bid) -> (u64, u32) {
        let lot = bid.lot(self.address(person));
        self.submit(person, &[lot]).await
    }

    /// Posts many bids of `person` in one call, each as an entry of its own, after depositing what they lock and pay.
    pub async fn bids(&self, person: Person, bids: &[Bid]) -> (u64, u32) {
        let requester = self.address(person);
        self.lots(person, &bids.iter().map(|bid| bid.lot(requester)).collect::<Vec<_>>()).await
    }

    /// Posts entries of `person` in one call with their statements, after depositing what they lock and pay.
    pub async fn lots(&self, person: Person, lots: &[Lot]) -> (u64, u32) {
        let ticks = lots.iter().map(|lot| lot.cost(&self.market)).sum::<u128>();
        self.deposit(person, u64::try_from(ticks).expect("an amount of a story")).await;
        self.submit(person, lots).await
    }

    /// Round and index of the first bid of what was submitted.
    async fn submit(&self, person: Person, lots: &[Lot]) -> (u64, u32) {
        let sent = self.client(person).await.submit(&self.market, lots).await;
        let receipt = sent.unwrap_or_else(|error| panic!("bids of {}: {error}", person.name));
        let place = first_place(&receipt, self.bed.deployment.market).expect("a bid in the receipt");
        (place.round.get(), place.first_index.get())
    }

    /// What a bid locks and pays (ticks).
    #[must_use]
    pub fn price_of(&self, bid: &Bid) -> u64 {
        bid.fee * u64::from(bid.circuit.units()) + self.market.params.settlement_fee
    }

    /// Takes a seat for `person` without running a node for it. In a sealed market the cost is left out.
    pub async fn seat(&self, person: Person, capacity: u32, cost: u64) {
        let params = &self.market.params;
        let cost = if params.is_sealed() { Offer::NO_ASK } else { cost };
        self.deposit(person, u64::from(capacity) * params.collateral_per_unit + params.seat_fee).await;
        self.call(person, registerCall { id: self.market.id.get(), capacity, cost }).await;
    }

    /// What `person` could withdraw now (ticks).
    pub async fn available(&self, person: Person) -> u64 {
        let client = self.client(person).await;
        let account = client.sender().expect("a key");
        let ticks = client.market().availableOf(self.market.id.get(), account).call().await;
        ticks.expect("a balance").try_into().expect("a balance of a story")
    }

    // ---------------------------------------------------------------------------------------------------- time

    /// Moves time on to the opening of round `number`.
    pub async fn open(&mut self, number: u64) {
        let at = self.market.id.open_of(RoundNumber::new(number));
        self.warp(at).await;
    }

    /// Moves time on to the close of round `number`.
    pub async fn close(&mut self, number: u64) {
        let at = self.market.close_of(RoundNumber::new(number));
        self.warp(at).await;
    }

    /// Moves time on to `at` (seconds since the epoch).
    pub async fn warp(&mut self, at: u64) {
        self.bed.anvil.warp_to(at).await;
    }

    /// Moves time on to the first second at which round `number` can be settled.
    pub async fn settleable(&mut self, number: u64) {
        let at = self.market.reveal_by(RoundNumber::new(number));
        self.warp(at).await;
    }

    /// Time of the newest block (seconds since the epoch).
    pub async fn now(&self) -> u64 {
        self.bed.anvil.head().await.timestamp
    }

    /// The market as it stands now.
    pub async fn history(&mut self) -> &MarketHistory {
        match self.follower.poll().await {
            Ok(_) | Err(FollowError::Moving) => {}
            Err(error) => panic!("the story cannot see the chain: {error}"),
        }
        self.follower.market(self.market.id).expect("the market is followed")
    }

    /// Waits until the market's history shows something, while every program runs.
    pub async fn wait<T>(&mut self, what: &str, mut seen: impl FnMut(&MarketHistory) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = seen(self.history().await) {
                return found;
            }
            self.programs.values_mut().for_each(Program::require_running);
            assert!(began.elapsed() < PATIENCE, "{what}: still waiting after {PATIENCE:?}");
            sleep(POLL).await;
        }
    }

    /// Waits until round `number` is settled.
    pub async fn settled(&mut self, number: u64) -> RoundRecord {
        let number = RoundNumber::new(number);
        self.wait(&format!("the settlement of round {number}"), |history| {
            history.round(number).filter(|round| round.settlement.is_some()).cloned()
        })
        .await
    }

    /// Waits until every task of round `number` has ended.
    pub async fn ended(&mut self, number: u64) -> RoundRecord {
        let number = RoundNumber::new(number);
        self.wait(&format!("the end of every task of round {number}"), |history| {
            let round = history.round(number)?;
            let tasks = round.assignments()?;
            tasks.iter().all(|task| end(round, task.index).is_some()).then(|| round.clone())
        })
        .await
    }

    /// Waits until the task of bid `index` in round `number` has ended, and tells how.
    pub async fn end_of(&mut self, number: u64, index: u32) -> TaskEnd {
        let (number, index) = (RoundNumber::new(number), BidIndex::new(index).expect("an index"));
        self.wait(&format!("the end of task {index} of round {number}"), |history| {
            end(history.round(number)?, index)
        })
        .await
    }
}

fn small_tasks(params: &mut MarketParams) {
    let units = CircuitKind::Transfers1.units();
    params.max_task_size = TaskSize::new(units).expect("a size");
    params.min_seat_capacity = 2 * units - 1;
}

async fn start() -> Testbed {
    // A block for every transaction, and one a second besides: time passes even when nobody sends anything.
    let options = AnvilOptions {
        block_time: Some(1),
        tx_gas_limit: true,
        arguments: vec!["--mixed-mining".to_owned()],
    };
    Testbed::start_with(&options).await
}

fn end(round: &RoundRecord, index: BidIndex) -> Option<TaskEnd> {
    round.task(index).and_then(|task| task.end)
}
