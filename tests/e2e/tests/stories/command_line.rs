//! The life of a round with nothing but `proophi` commands, besides the two programs that never sleep.

use alloy::primitives::U256;
use alloy::providers::Provider;
use chain::{Connection, ConnectionOptions, MarketId};
use circuits::CircuitKind::Transfers1;
use e2e::{Program, Proophi, Refusal, Running, eventually, key_store, rollup_bid};
use market_types::RoundNumber;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// A development chain in a directory where commands find it.
struct Devnet {
    proophi: Proophi,
    chain: Connection,
    running: Running,
    is: Value,
}

impl Devnet {
    /// A market in ticks of a gwei with a reserve price of 5, for rollup batches of every size.
    async fn start() -> Self {
        let proophi = Proophi::new();
        let terms = "--tick 1gwei --reserve 5gwei --max-task-size 53 --collateral 10 --settlement-fee 7ticks \
                     --bidding 600 --settlement 600 --proving 3000 --takeover 1000";
        let mut arguments = vec!["devnet", "--port", "0", "--accounts", "8"];
        arguments.extend(terms.split_whitespace());
        let (running, is) = proophi.start(&arguments);
        let options = ConnectionOptions::new(is["rpc_url"].as_str().expect("a URL"));
        let chain = Connection::connect(&options).await.expect("the chain of the devnet");
        Self { proophi, chain, running, is }
    }

    /// Runs a command with the key of account `number`.
    fn run(&self, number: usize, command: &str) -> Value {
        self.proophi.run(&self.arguments(number, command))
    }

    /// Runs a command with the key of account `number` that must be refused.
    fn refused(&self, number: usize, command: &str) -> Refusal {
        self.proophi.refused(&self.arguments(number, command))
    }

    fn arguments<'a>(&'a self, number: usize, command: &'a str) -> Vec<&'a str> {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.extend(["--key-file", self.key_file(number)]);
        arguments
    }

    fn key_file(&self, number: usize) -> &str {
        self.is["accounts"][number]["key_file"].as_str().expect("a key file")
    }

    fn market(&self) -> MarketId {
        self.is["market"].as_str().and_then(|id| id.parse().ok()).expect("a market's id")
    }

    /// Moves the chain's time on to the close of round `number`.
    async fn close(&self, number: u64) {
        let at = self.market().close_of(RoundNumber::new(number));
        if self.chain.now().await.expect("the time") < at {
            self.ask("evm_setNextBlockTimestamp", json!([at])).await;
            self.ask("anvil_mine", json!(["0x1"])).await;
        }
    }

    async fn ask(&self, method: &'static str, parameters: Value) {
        let _: Value = self.chain.provider().raw_request(method.into(), parameters).await.expect("an answer");
    }

    /// Starts one of the programs that never sleep, with the key of account `number`.
    fn program(&self, name: &str, binary: &str, number: usize, more: &[String]) -> Program {
        let text = |key: &str| self.is[key].as_str().expect("a text").to_owned();
        let mut arguments = vec![
            format!("--rpc-url={}", text("rpc_url")),
            format!("--contract={}", text("contract")),
            format!("--market={}", text("market")),
            format!("--key-file={}", self.key_file(number)),
        ];
        arguments.extend_from_slice(more);
        Program::start(name, binary, &arguments, self.proophi.dir())
    }

    /// Wallets and accounts of everybody, as the chain and the contract tell them.
    async fn money(&self) -> Vec<(u64, Value)> {
        let mut money = Vec::new();
        for number in 0..3 {
            let address = self.is["accounts"][number]["address"].as_str().expect("an address");
            let nonce =
                self.chain.provider().get_transaction_count(address.parse().expect("an address")).await;
            money.push((nonce.expect("a nonce"), self.run(number, "account show")));
        }
        money
    }
}

fn ticks(value: &Value) -> u64 {
    value["ticks"]
        .as_str()
        .and_then(|ticks| ticks.parse().ok())
        .unwrap_or_else(|| panic!("{value} is no amount"))
}

/// Seats 0 (cost 2) and 1 (cost 4) offer 53 units each, and the reserve buys any quantity: seat 0 wins and is paid 4. Bids of 10
/// and 8 for 14 units fit, the one of 7 for 27 does not and is what users pay.
#[tokio::test]
async fn a_round_is_lived_through_with_commands_alone() {
    let net = Devnet::start().await;
    let (ada, boole, rita, ralph, rosa) = (1, 2, 3, 4, 5);
    markets_are_created_listed_and_named_by_a_prefix(&net);

    assert_eq!(net.run(ada, "prover register --capacity 105 --cost 2")["seat"], 0);
    let registered = net.run(boole, "prover register --capacity 105 --cost 9");
    assert_eq!((&registered["seat"], ticks(&registered["collateral"])), (&json!(1), 1_050));
    assert_eq!(net.run(boole, "prover ask --cost 4gwei")["from_round"], 1);
    net.close(0).await;
    bids_in_three_ways(&net, rita, ralph, rosa);

    let relayer = net.program(
        "relayer",
        "relayer",
        6,
        &["--release-bundles=false".to_owned(), "--settle-at-a-loss".to_owned()],
    );
    let keys = format!("--key-store={}", key_store().display());
    let offer = ["--capacity=105", "--cost=2", "--threads=1"].map(str::to_owned);
    let node = net.program("ada", "prover-node", ada, &[&offer[..], &[keys]].concat());
    net.close(1).await;
    let states = |round: &Value| -> Vec<String> {
        let bids = round["bids"].as_array().expect("bids").iter();
        bids.map(|bid| bid["state"].as_str().expect("a state").to_owned()).collect()
    };
    let mut round = Value::Null;
    eventually("the proofs of round 1", PATIENCE, || {
        round = net.run(0, "round show 1");
        states(&round).iter().filter(|state| *state == "delivered").count() == 2
    });
    assert_eq!(states(&round), ["delivered", "delivered", "lost", "lost", "lost"]);
    assert_eq!(round["phase"], "proving");
    let [user_price, prover_price, units] =
        ["user_price", "prover_price", "units"].map(|key| number(&round[key]));
    assert_eq!((user_price, prover_price, units), (7, 4, 28));
    relayer.stop();
    node.stop();
    a_round_of_the_chain_is_cleared_once_more_offline(&net);

    everybody_withdraws(&net, rita, ralph, rosa);
    provers_leave(&net, ada, boole).await;
    let contract = net.is["contract"].as_str().expect("an address").parse().expect("an address");
    let left = net.chain.balance_of(contract).await.expect("a balance");
    assert_eq!(
        left,
        U256::from((7 - 4) * 28) * U256::from(1_000_000_000),
        "the sink's share and nothing else"
    );
    net.running.stop();
}

fn markets_are_created_listed_and_named_by_a_prefix(net: &Devnet) {
    let own = net.is["market"].as_str().expect("an id");
    assert_eq!(net.run(0, "market show")["id"], own);
    let other = net.run(1, "market create --tick 5gwei --bidding 60 --settlement 30 --reserve 1");
    let other = other["id"].as_str().expect("an id").to_owned();
    let listed = net.run(0, "market list");
    let ids: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|market| market["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, [own, &other]);
    let shown = net.run(0, &format!("market show --market {}", &other[..12]));
    assert_eq!((&shown["id"], &shown["tick_wei"]), (&json!(other), &json!("5000000000")));
    assert_eq!(shown["bidding_seconds"], 60);
}

fn bids_in_three_ways(net: &Devnet, rita: usize, ralph: usize, rosa: usize) {
    // From a balance.
    let deposited = net.run(rita, "deposit 0.000001eth");
    assert_eq!((ticks(&deposited["amount"]), ticks(&deposited["available"])), (1_000, 1_000));
    let bid = net.run(rita, "bid --fee 10 --generate 1 --seed 1");
    assert_eq!(bid["submitted"][0]["first_index"], 0);
    assert_eq!((ticks(&bid["cost"]), ticks(&bid["available"])), (147, 853));

    // Many from a file, for money that comes with them.
    let file = net.proophi.dir().join("bids.json");
    let bids = json!([
        { "fee": "8", "transfers": 1, "seed": 2 },
        { "fee": "7gwei", "transfers": 2, "seed": 3 },
        { "fee": "6000000000wei", "transfers": 1, "seed": 4 },
    ]);
    fs::write(&file, bids.to_string()).expect("a file of bids");
    let quote = net.run(ralph, "bid --file bids.json --dry-run");
    assert_eq!((ticks(&quote["cost"]), ticks(&quote["available"])), (8 * 14 + 7 * 27 + 6 * 14 + 3 * 7, 0));
    let bid = net.run(ralph, "bid --file bids.json --top-up");
    assert_eq!(bid["submitted"][0]["entries"].as_array().map(Vec::len), Some(3), "no two are alike");
    assert_eq!((&bid["submitted"][0]["first_index"], &bid["submitted"][0]["bids"]), (&json!(1), &json!(3)));
    assert_eq!((ticks(&bid["cost"]), ticks(&bid["available"])), (8 * 14 + 7 * 27 + 6 * 14 + 3 * 7, 0));

    // A statement of one's own.
    let statement = rollup_bid(5, Transfers1, 5);
    fs::write(net.proophi.dir().join("task.bin"), &statement.data).expect("a file of data");
    let [old, new] = &statement.public_inputs[..] else { panic!("two public inputs") };
    let command =
        format!("bid --fee 5 --circuit transfers-1 --public-inputs {old:#x},{new} --data task.bin --top-up");
    assert_eq!(net.run(rosa, &command)["submitted"][0]["first_index"], 4);

    let round = net.run(0, "round show");
    assert_eq!((&round["round"], &round["phase"]), (&json!(1), &json!("bidding")));
    assert_eq!(round["bids"].as_array().map(Vec::len), Some(5));
    let account = net.run(rita, "account show");
    assert_eq!(ticks(&account["available"]), 853);
    assert_eq!(ticks(&account["open_bids"][0]["locked"]), 140);
}

fn a_round_of_the_chain_is_cleared_once_more_offline(net: &Devnet) {
    let file = net.run(0, "round show 1 --as-file").to_string();
    let cleared = net.proophi.run_with_input(&["clear", "-"], &file);
    let core = &cleared[0]["core"];
    assert!(cleared[0]["average_fee"].is_object(), "both mechanisms, to compare");
    assert_eq!(core["winning_bids"], json!([0, 1]));
    assert_eq!(core["winning_asks"], json!([0]));
    assert_eq!(
        [number(&core["user_price"]), number(&core["prover_price"]), number(&core["units"])],
        [7, 4, 28]
    );
}

/// A number in JSON, which may be a text.
fn number(value: &Value) -> u64 {
    let of_text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or_else(of_text).unwrap_or_else(|| panic!("{value} is no number"))
}

fn everybody_withdraws(net: &Devnet, rita: usize, ralph: usize, rosa: usize) {
    let part = net.run(rita, "withdraw 100ticks --to 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1");
    assert_eq!(ticks(&part["amount"]), 100);
    assert_eq!(ticks(&net.run(rita, "withdraw all")["amount"]), 1_000 - 100 - 7 * 14 - 7);
    // A winner gets the tick per unit back that it bid above the price, the losers everything.
    let back = 14 + 7 * 27 + 6 * 14;
    let account = net.run(ralph, "account show");
    assert_eq!(ticks(&account["bundles"][0]["worth"]), back);
    let withdrawn = net.run(ralph, "withdraw all");
    assert_eq!(withdrawn["released_bundles"], 1);
    assert_eq!(ticks(&withdrawn["amount"]), back);
    assert_eq!(ticks(&net.run(rosa, "withdraw all")["amount"]), 5 * 14);
    assert_eq!(ticks(&net.run(6, "withdraw all")["amount"]), 5 * 7, "the relayer's reward");
}

async fn provers_leave(net: &Devnet, ada: usize, boole: usize) {
    let too_early = net.refused(boole, "prover release");
    assert!(too_early.message.contains("leave"), "{too_early:?}");
    for prover in [ada, boole] {
        assert_eq!(net.run(prover, "prover leave")["from_round"], 3);
    }
    net.close(2).await;
    for (prover, earned) in [(ada, 4 * 28), (boole, 0)] {
        assert_eq!(ticks(&net.run(prover, "prover release")["collateral"]), 1_050);
        assert_eq!(ticks(&net.run(prover, "withdraw all")["amount"]), 1_050 + earned);
    }
}

/// What is refused, with the exit code and a word that says why.
const REFUSED: [(&str, i32, &str); 33] = [
    ("bid --fee 4 --generate 1 --top-up", 3, "reserve price"),
    ("bid --fee 0 --generate 1 --top-up", 3, "at least 1"),
    ("bid --fee 10 --generate 1", 3, "proophi deposit"),
    ("bid --fee 10 --generate 3 --top-up", 3, "1, 2 and 4"),
    ("bid --fee 5500000000wei --generate 1 --top-up", 3, "multiple"),
    ("bid --fee 10 --circuit sudoku --public-inputs 1,2 --data task.bin --top-up", 3, "sudoku"),
    (
        "bid --fee 10 --circuit 0x90000000e --public-inputs 1,2 --data task.bin --top-up",
        3,
        "knows no circuit",
    ),
    ("bid --fee 10 --circuit 0x90000ffff --public-inputs 1,2 --data task.bin --top-up", 3, "units"),
    (
        "bid --fee 10 --circuit 0x0000000e --public-inputs 1 --data task.bin --top-up",
        3,
        "takes 2 public inputs",
    ),
    ("bid --fee 10 --circuit transfers-1 --public-inputs 1,2 --data task.bin --top-up", 3, "could prove"),
    ("bid --fee 10 --circuit transfers-1 --public-inputs 1,2 --data nowhere.bin --top-up", 3, "nowhere.bin"),
    ("bid --file broken.json --top-up", 3, "no list of bids"),
    ("bid --file one_bad.json --top-up", 3, "bid 1"),
    ("bid --fee ten --generate 1", 2, "ten"),
    ("bid --fee 10 --generate 1 --count 0 --top-up", 2, "count"),
    ("publish", 2, "--file"),
    ("publish --generate 1 --seed 9", 3, "no bid of a round"),
    ("deposit 1wei", 3, "multiple"),
    ("deposit 1000000eth", 3, "needed"),
    ("deposit", 2, "AMOUNT"),
    ("withdraw 1eth", 3, "can be withdrawn"),
    ("prover register --capacity 104 --cost 3", 3, "105"),
    ("prover ask --cost 3", 3, "has no seat"),
    ("market create --bidding 10 --settlement 11 --reserve 1", 3, "settlementPeriod"),
    ("market create --bidding 10 --reveal 4 --bond-bps 0", 3, "bondBps: 0"),
    ("prover commit --cost 3", 3, "prover ask"),
    ("bid --fee 10 --generate 1 --deposit 500ticks --top-up", 3, "sealed markets"),
    ("forfeit", 3, "nothing to forfeit"),
    ("account show --market 0xffffffff", 3, "no market's id starts"),
    ("account show --chain-id 1", 4, "chain"),
    ("account show --contract 0x00000000000000000000000000000000000000aa", 4, "no contract"),
    ("account show --rpc-url http://127.0.0.1:1", 4, "node"),
    ("account show --config unknown_key.toml", 3, "marked"),
];

#[tokio::test]
async fn what_cannot_work_is_refused_in_words_and_nothing_is_lost() {
    let net = Devnet::start().await;
    let file = |name: &str, content: &str| fs::write(net.proophi.dir().join(name), content).expect("a file");
    file("task.bin", "nothing of use");
    file("broken.json", r#"[{"fee": "10", "transfers": 1"#);
    let seeds = r#"[{"fee": "9", "transfers": 1, "seed": 0}, {"fee": "4", "transfers": 1, "seed": 1}]"#;
    file("one_bad.json", seeds);
    file("unknown_key.toml", "marked = '0x12'");

    let before = net.money().await;
    for (command, exit_code, word) in REFUSED {
        let refusal = net.refused(1, command);
        assert_eq!(refusal.exit_code, exit_code, "{command}: {refusal:?}");
        assert!(refusal.message.contains(word), "{command}: {refusal:?}");
    }
    let open_to_others = net.proophi.dir().join("open.key");
    fs::copy(net.proophi.dir().join(net.key_file(1)), &open_to_others).expect("a copy of a key");
    fs::set_permissions(&open_to_others, fs::Permissions::from_mode(0o644)).expect("permissions");
    let refusal = net.proophi.refused(&["withdraw", "all", "--key-file", "open.key"]);
    assert_eq!((refusal.exit_code, refusal.code.as_str()), (3, "input"));
    assert!(refusal.message.contains("chmod 600"), "{refusal:?}");
    assert_eq!(net.money().await, before);
    net.running.stop();
}
