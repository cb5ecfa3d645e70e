//! The program as an operator meets it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use alloy::primitives::hex;
use chain::history::TaskEnd;
use prover_node::config::Config;
use testkit::{ChildProcess, Proxy};

use crate::world::{CAPACITY, CHEAP, NODE, PRICE, REQUESTER, RIVAL, World};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prover-node"));
    command.env_remove("PROOPHI_PRIVATE_KEY").env_remove("RUST_LOG");
    command
}

#[test]
fn help_teaches_with_an_example() {
    let output = program().arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in ["Example:", "--capacity", "--key-file", "PROOPHI_PRIVATE_KEY", "leave"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}

#[test]
fn a_missing_setting_is_named_and_no_key_is_taken_from_the_command_line() {
    let output = program().args(["--capacity", "200", "--cost", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("contract"), "{text}");
    let output = program().args(["--private-key", "0x01"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// The program before an endpoint, with the address of its health and the rest of its log.
fn before(url: &str, world: &Config) -> (ChildProcess, String, impl Iterator<Item = String> + Send + use<>) {
    let mut child = ChildProcess::spawn(
        program()
            .args(["--rpc-url", url, "--contract", &world.contract.to_string()])
            .args(["--market", &world.market.to_string(), "--capacity", "200", "--cost", "3", "--json"])
            .args(["--ops-listen", "127.0.0.1:0", "--ready-within", "1000000", "--journal", "memory"])
            .env("PROOPHI_KEY_STORE", &world.key_store)
            .env("PROOPHI_PRIVATE_KEY", "11".repeat(32))
            .stdout(Stdio::null())
            .stderr(Stdio::piped()),
    )
    .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find(|line| line.contains("metrics and health")).expect("it says where it listens");
    let (_, address) = address.split_once("\"address\":\"").unwrap();
    (child, address.split('"').next().unwrap().to_owned(), lines)
}

/// Status and body of what the program answers.
fn ask(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn terminate(child: &ChildProcess) {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_does_not_answer_at_the_start_is_waited_for() {
    let world = World::new().await;
    let proxy = Proxy::to(world.bed.anvil.url());
    proxy.close();
    let (mut child, health, mut log) = before(proxy.url(), &world.config(3));
    let told = log.find(|line| line.contains("S-103")).expect("it says that it waits");
    assert!(told.contains("--rpc-url"), "{told}");
    let answer = ask(&health, "/health/ready");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("has not been read yet"), "{answer}");
    assert!(ask(&health, "/health/live").starts_with("HTTP/1.1 200"));

    // It goes on by itself.
    proxy.open();
    let reader = std::thread::spawn(move || log.collect::<Vec<_>>());
    let began = Instant::now();
    while !ask(&health, "/health/ready").starts_with("HTTP/1.1 200") {
        assert!(began.elapsed() < Duration::from_secs(60), "it is not ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert!(reader.join().unwrap().iter().any(|line| line.contains("\"connected\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_while_it_waits_for_an_endpoint_it_stops() {
    let world = World::new().await;
    let (mut child, _, mut log) = before("http://127.0.0.1:1", &world.config(3));
    log.find(|line| line.contains("S-103")).expect("it says that it waits");
    let asked = Instant::now();
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5), "it does not wait for the pause to end");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_or_market_is_not_waited_for() {
    let world = World::new().await;
    let config = world.config(3);
    for (market, chain) in [("34".repeat(32), "31337"), (hex::encode(config.market), "5")] {
        let output = program()
            .args(["--rpc-url", &config.rpc_url, "--contract", &config.contract.to_string()])
            .args(["--market", &format!("0x{market}"), "--chain-id", chain])
            .args(["--capacity", "200", "--cost", "3", "--journal", "memory"])
            .env("PROOPHI_PRIVATE_KEY", "11".repeat(32))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_takes_a_seat_logs_json_and_stops_cleanly_on_sigterm() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("prover.key");
    let key = hex::encode(world.bed.anvil.account(NODE).to_bytes());
    std::fs::write(&key_file, &key).unwrap();
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = world.config(3);
    let mut child = ChildProcess::spawn(
        program()
            .args(["--rpc-url", &config.rpc_url, "--contract", &config.contract.to_string()])
            .args(["--market", &config.market.to_string(), "--capacity", "200", "--cost", "3", "--json"])
            .arg("--key-file")
            .arg(&key_file)
            .env("PROOPHI_KEY_STORE", &config.key_store)
            .env("RUST_LOG", "trace")
            .stdout(Stdio::null())
            .stderr(Stdio::piped()),
    )
    .unwrap();
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&arguments).contains(&key), "the key is in the command line");
    let log = BufReader::new(child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || log.lines().map_while(Result::ok).collect::<Vec<_>>());
    world.until("a seat", async |history| history.seats().next().map(|_| ())).await;
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
    let lines = reader.join().unwrap();
    assert!(lines.iter().all(|line| line.starts_with('{')), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("stopping")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains(&key)), "the key is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_while_it_proves_it_delivers_first_and_metrics_tell_of_it() {
    let world = World::new().await;
    let rival = world.client(RIVAL).await;
    world.bed.register(&rival, &world.market, CAPACITY, PRICE).await;
    let config = world.config(CHEAP);
    let mut child = ChildProcess::spawn(
        program()
            .args(["--rpc-url", &config.rpc_url, "--contract", &config.contract.to_string()])
            .args(["--market", &config.market.to_string(), "--capacity", "200", "--cost", "3", "--json"])
            .args(["--ops-listen", "127.0.0.1:0", "--stop-within", "100", "--journal", "memory"])
            .env("PROOPHI_KEY_STORE", &config.key_store)
            .env("PROOPHI_PRIVATE_KEY", hex::encode(world.bed.anvil.account(NODE).to_bytes()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped()),
    )
    .unwrap();
    let pid = child.id().to_string();
    let log = BufReader::new(child.stderr.take().unwrap());
    // Asked as soon as it has begun to prove.
    let reader = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for line in log.lines().map_while(Result::ok) {
            if line.contains("\"message\":\"proving\"") {
                assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            }
            lines.push(line);
        }
        lines
    });
    let round = world.open_with_seats(2).await;
    let requester = world.client(REQUESTER).await;
    let (_, index) = world.bed.bid(&requester, &world.market, &World::bid(1)).await;
    world.settle(round).await;
    assert!(matches!(world.end_of(round, index).await, TaskEnd::Delivered { .. }));
    assert!(child.wait().unwrap().success());
    let lines = reader.join().unwrap();
    let at = |text: &str| lines.iter().position(|line| line.contains(text));
    assert!(at("\"stopping\"") < at("\"proved\"") && at("\"proved\"").is_some(), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("P-102")), "{lines:#?}");
}
