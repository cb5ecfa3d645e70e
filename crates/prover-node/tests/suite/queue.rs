//! Proving on other machines, by a real NATS server.

use std::{
    future::pending,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use chain::history::TaskEnd;
use circuits::Task;
use prover_node::plan::Margin;
use prover_node::work::{KeyRing, OnChainCircuit, Queue, Remote};
use testkit::ChildProcess;
use tokio::{
    runtime::Handle,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use crate::world::{CAPACITY, CHEAP, KIND, NODE, PRICE, REQUESTER, RIVAL, World, key_store};

/// A server with JetStream, and its URL; `None`, with a word on stderr, if this machine has none and cannot get it.
async fn nats(directory: &Path) -> Option<(ChildProcess, String)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../script/tools/nats-server");
    let mut command = Command::new(tool);
    command
        .args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string(), "--store_dir"])
        .arg(directory);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = ChildProcess::spawn(&mut command).unwrap();
    let url = format!("nats://127.0.0.1:{port}");
    for _ in 0..600 {
        if Queue::connect(&url, "probe").await.is_ok() {
            return Some((server, url));
        }
        if server.try_wait().unwrap().is_some_and(|status| status.code() == Some(127)) {
            eprintln!(
                "\n!!! SKIPPED: nothing was tested with NATS. Install nats-server and put it on PATH.\n"
            );
            return None;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the NATS server does not answer");
}

fn keys() -> Arc<KeyRing> {
    let circuit = OnChainCircuit { id: KIND.id(), verifying_key: None };
    Arc::new(KeyRing::load(key_store(), &[circuit]).unwrap())
}

fn task(seed: u64) -> Task {
    Task::decode(&World::bid(seed).data).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_without_a_private_key_prove_for_the_node() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_server, url)) = nats(directory.path()).await else { return };
    let world = World::new().await;
    let rival = world.client(RIVAL).await;
    world.bed.register(&rival, &world.market, CAPACITY, PRICE).await;
    let mut config = world.config(CHEAP);
    config.queue = Some(url.clone());
    // Nobody is there yet to measure.
    config.margin = Margin::OFF;
    let node = world.run(NODE, &config, config.wish(None).unwrap()).await;
    let round = world.open_with_seats(2).await;
    let requester = world.client(REQUESTER).await;
    let (_, index) = world.bed.bid(&requester, &world.market, &World::bid(1)).await;
    world.settle(round).await;
    // Nobody works yet; the task waits.
    let mut worker = Command::new(env!("CARGO_BIN_EXE_prover-node"));
    worker.args(["work", "--rpc-url", &config.rpc_url, "--contract", &config.contract.to_string()]);
    worker.args(["--market", &config.market.to_string(), "--queue", &url, "--key-store"]).arg(key_store());
    worker.env_remove("PROOPHI_PRIVATE_KEY").stdout(Stdio::null()).stderr(Stdio::null());
    let mut worker = ChildProcess::spawn(&mut worker).unwrap();
    assert!(matches!(world.end_of(round, index).await, TaskEnd::Delivered { .. }));
    assert!(Command::new("kill").args(["-TERM", &worker.id().to_string()]).status().unwrap().success());
    assert!(worker.wait().unwrap().success());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_a_worker_that_died_goes_to_another_and_is_proved_once() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_server, url)) = nats(directory.path()).await else { return };
    let queue = Queue::connect(&url, "market").await.unwrap();
    let (asking, patience) = (queue.clone(), Duration::from_secs(100));
    let asked = tokio::spawn(async move { asking.prove(&task(1), patience, |_| true).await });
    // The first worker ends in the middle.
    let first = timeout(Duration::from_millis(300), queue.work(keys(), 1, pending())).await;
    assert!(first.is_err() && !asked.is_finished());
    let (working, worker) = (queue.clone(), keys());
    let second = tokio::spawn(async move { working.work(worker, 1, pending()).await });
    let proof = asked.await.unwrap().unwrap();

    // Asked again, by a node that was restarted, it answers though nobody works.
    second.abort();
    let again = queue.prove(&task(1), Duration::from_secs(5), |_| true).await.unwrap();
    assert_eq!(again.to_words(), proof.to_words());
    let silent = queue.prove(&task(2), Duration::from_millis(200), |_| true).await.unwrap_err();
    assert!(silent.to_string().contains("prover-node work"), "{silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_proof_of_the_task_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_server, url)) = nats(directory.path()).await else { return };
    let queue = Queue::connect(&url, "market").await.unwrap();
    let (keys, working) = (keys(), queue.clone());
    let worker = Arc::clone(&keys);
    tokio::spawn(async move { working.work(worker, 1, pending()).await });
    let other = queue.prove(&task(1), Duration::from_secs(60), |_| true).await.unwrap();

    // Somebody who can write to the queue answers before any worker does.
    let asked = task(2);
    let id = alloy::hex::encode(alloy::primitives::keccak256(asked.encode()));
    let mallory = async_nats::connect(&url).await.unwrap();
    for answer in [other.to_words().concat(), vec![1; 256], b"no".to_vec()] {
        mallory.publish(format!("proophi.market.proof.{id}"), answer.into()).await.unwrap();
    }
    mallory.flush().await.unwrap();
    let remote = Remote { queue, runtime: Handle::current(), patience: Duration::from_secs(60) };
    let checked = spawn_blocking(move || {
        let proof = remote.prove(&keys, &asked).unwrap();
        (keys.is_proof(&asked, &proof), keys.is_proof(&asked, &other))
    });
    assert_eq!(checked.await.unwrap(), (true, false));
}
