//! What operators see of a running relayer: metrics, health, two steps to a stop, and no key anywhere.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::hex;
use alloy::providers::Provider;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use support::{Stage, until};
use testkit::ChildProcess;

/// The account of the relayer.
const ACCOUNT: usize = 7;

/// A relayer as a process, with everything that it has logged.
struct Process {
    child: ChildProcess,
    ops: String,
    log: JoinHandle<String>,
    secret: String,
    _dir: tempfile::TempDir,
}

impl Process {
    fn start(stage: &Stage, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (key_file, secret) =
            (dir.path().join("key"), hex::encode(stage.bed.anvil.account(ACCOUNT).to_bytes()));
        fs::write(&key_file, &secret).unwrap();
        fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
        let contract = stage.bed.deployment.market.to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_relayer"));
        command
            .args(["--rpc-url", stage.bed.anvil.url(), "--contract", &contract, "--json", "--poll-ms", "50"])
            .args(["--ops-listen", "127.0.0.1:0", "--settle-at-a-loss", "--turn-seconds", "0"])
            .arg("--key-file")
            .arg(key_file)
            .args(arguments)
            .env_remove("PROOPHI_PRIVATE_KEY")
            .env("RUST_LOG", "trace")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = ChildProcess::spawn(&mut command).unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut before = String::new();
        let ops = lines.by_ref().find_map(|line| {
            before += &line;
            let line: Value = serde_json::from_str(&line).ok()?;
            (line["message"] == "metrics and health").then(|| line["address"].as_str().map(str::to_owned))?
        });
        let ops = ops.expect("it says where it listens");
        // It stops when nobody reads what it says.
        let log = std::thread::spawn(move || lines.fold(before, |all, line| all + &line + "\n"));
        Self { child, ops, log, secret, _dir: dir }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.ops)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn is_ready(&self) -> bool {
        self.get("/health/ready").await.0 == 200
    }

    fn signal(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end; what it logged, in which the key is nowhere.
    fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let log = self.log.join().unwrap();
        assert!(!log.contains(&self.secret), "the key is in the log");
        (status, log)
    }
}

/// What a metric says; the sum over its labels if they are left out.
fn value(metrics: &str, name: &str) -> f64 {
    let lines = metrics.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']) || name.ends_with('}'))
    });
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Whether a settlement waits to be mined.
async fn is_sent(stage: &Stage) -> bool {
    let account = stage.bed.anvil.account(ACCOUNT).address();
    let provider = stage.bed.anvil.connection().provider();
    let (mined, sent) = tokio::join!(
        provider.get_transaction_count(account),
        provider.get_transaction_count(account).pending()
    );
    sent.unwrap() > mined.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_a_settlement_and_health_of_a_node_that_is_gone() {
    let stage = Stage::new().await;
    let process = Process::start(&stage, &["--ready-within", "100000"]);
    until("ready", async || process.is_ready().await).await;
    assert_eq!(process.get("/health/live").await.0, 200);
    let market = stage.market.id;
    let metrics = process.get("/metrics").await.1;
    assert_eq!(
        value(&metrics, &format!("proophi_rounds{{market=\"{market}\",state=\"open\"}}")),
        1.0,
        "{metrics}"
    );

    stage.close().await;
    let settled = format!("proophi_settlements_total{{market=\"{market}\",result=\"settled\"}}");
    until("counted", async || value(&process.get("/metrics").await.1, &settled) > 0.0).await;
    let metrics = process.get("/metrics").await.1;
    // Twelve bids pay 7 ticks each.
    assert_eq!(value(&metrics, "proophi_fees_earned_ticks_total"), 84.0, "{metrics}");
    for name in
        ["proophi_gas_used_total", "proophi_gas_spent_wei_total", "proophi_head_block", "proophi_ready"]
    {
        assert!(value(&metrics, name) > 0.0, "{name}: {metrics}");
    }
    until("the wallet", async || value(&process.get("/metrics").await.1, "proophi_wallet_wei") > 0.0).await;
    assert!(metrics.contains("# HELP proophi_settlements_total") && !metrics.contains(&process.secret));

    drop(stage);
    until("not ready", async || !process.is_ready().await).await;
    let (status, body) = process.get("/health/ready").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["ready"]), (503, &json!(false)), "{body}");
    assert!(body["reasons"][0].as_str().unwrap().contains("cannot be read"), "{body}");
    assert!(value(&process.get("/metrics").await.1, "proophi_troubles_total{code=\"R-102\"}") > 0.0);

    let arguments = fs::read(format!("/proc/{}/cmdline", process.child.id())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&arguments).contains(&process.secret));
    process.signal();
    let (status, log) = process.ended();
    assert!(status.success() && log.contains("\"code\":\"R-102\""), "a trouble has its code");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_signal_lets_a_settlement_be_mined() {
    let stage = Stage::new().await;
    let mut process = Process::start(&stage, &["--ready-within", "100000"]);
    until("ready", async || process.is_ready().await).await;
    stage.bed.anvil.request("evm_setAutomine", json!([false])).await;
    stage.close().await;
    until("sent", async || is_sent(&stage).await).await;
    process.signal();
    until("stopping", async || process.get("/health/ready").await.1.contains("stopping")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(process.is_running(), "it waits for what is under way");
    stage.bed.anvil.mine(1).await;
    let (status, log) = process.ended();
    assert!(status.success());
    assert!(log.contains("settled the round") && !log.contains("R-104"));
    assert!(stage.is_settled(&stage.market).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_at_once_and_so_does_the_end_of_the_time() {
    let stage = Stage::new().await;
    stage.bed.anvil.request("evm_setAutomine", json!([false])).await;
    let process = Process::start(&stage, &["--stop-within", "600"]);
    stage.close().await;
    until("sent", async || is_sent(&stage).await).await;
    process.signal();
    until("stopping", async || process.get("/health/ready").await.1.contains("stopping")).await;
    let asked = Instant::now();
    process.signal();
    let (status, log) = process.ended();
    assert!(status.success() && log.contains("R-104"));
    assert!(asked.elapsed() < Duration::from_secs(5));

    let process = Process::start(&stage, &["--stop-within", "1"]);
    until("following", async || process.get("/health/ready").await.1.contains("number")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    process.signal();
    assert!(process.ended().0.success());
    assert!(asked.elapsed() < Duration::from_secs(10));
}
