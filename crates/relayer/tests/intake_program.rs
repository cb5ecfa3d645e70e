//! The intake as operators run it: killed between its word and its deed, it keeps its word.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::hex;
use intake_api::Status;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use support::intake::{Desk, Scene};
use testkit::ChildProcess;

/// A relayer as a process of its own, which waits for the close.
struct Process {
    child: ChildProcess,
    desk: Desk,
}

impl Process {
    fn start(scene: &Scene) -> Self {
        let key_file = scene.dir().join("relayer.key");
        std::fs::write(&key_file, hex::encode(scene.bed.anvil.account(7).to_bytes())).unwrap();
        std::fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
        let contract = scene.bed.deployment.market.to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_relayer"));
        command
            .args(["--rpc-url", scene.bed.anvil.url(), "--contract", &contract, "--json", "--poll-ms", "50"])
            .args(["--listen", "127.0.0.1:0"])
            .arg("--key-file")
            .arg(key_file)
            .arg("--database")
            .arg(scene.database())
            .env_remove("PROOPHI_PRIVATE_KEY")
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = ChildProcess::spawn(&mut command).unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            (line["message"] == "taking signed bids").then(|| line["address"].as_str().map(str::to_owned))?
        });
        let address = address.expect("the relayer says where it listens");
        // It stops when nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, desk: Desk::at(&format!("http://{address}")) }
    }

    /// As a power cut would.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success() && self.child.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relayer_that_is_killed_after_its_answer_posts_the_bid_when_it_is_back() {
    let scene = Scene::new().await;
    let first = Process::start(&scene);
    let bid = scene.signed(&scene.requester(1).await, 10).await;
    let id = first.desk.accepted(&bid).await;
    first.kill();

    let second = Process::start(&scene);
    assert_eq!(second.desk.bid(id).await.status, Status::Queued);
    assert_eq!(second.desk.hand_in(&bid).await.status(), 200, "the requester may have lost the answer");
    scene.warp_to_posting(&scene.patient(100)).await;
    let receipt = second.desk.becomes(id, Status::Included).await.receipt.unwrap();
    second.kill();

    // Killed again, it does not post the bid again.
    let third = Process::start(&scene);
    assert_eq!(third.desk.bid(id).await.receipt, Some(receipt));
    third.stop();
    let history = scene.history().await;
    assert_eq!(history.round(support::intake::ROUND).unwrap().bid_count(), 1);
}
