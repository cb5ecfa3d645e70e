//! Files, settings, and what people send: damaged, they are refused or understood, and never end a program.
#![allow(clippy::unwrap_used, reason = "a panic is the failure")]

use alloy::primitives::{Address, B256, U256};
use alloy::signers::local::PrivateKeySigner;
use chain::signed::BidToSign;
use chain::{BidWord, MarketId, Statement, Ticket, statement_tree};
use circuits::Task;
use circuits::rollup::Demo;
use clap::Parser;
use hostile::{damaged, edits};
use intake_api::Submission;
use market_types::{CircuitId, LotSize, RoundFile, RoundNumber, TaskSize, UnitFee};
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Gives `read` damaged versions of `good` again and again. It says whether it has understood them; at least a part must be refused, so
/// that the damage is known to arrive.
fn require_answers(cases: u32, good: &[u8], read: impl Fn(&[u8]) -> bool) {
    assert!(read(good), "good bytes are understood");
    let refused = Cell::new(0_u32);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&edits(), |edits| {
        refused.set(refused.get() + u32::from(!read(&damaged(good, &edits))));
        Ok(())
    });
    outcome.unwrap();
    assert!(refused.get() > cases / 10, "only {} of {cases} were refused", refused.get());
}

/// Writes bytes to a private file and gives it to `read`.
fn in_file(directory: &Path, bytes: &[u8], read: impl FnOnce(&Path) -> bool) -> bool {
    let file = directory.join("file");
    std::fs::write(&file, bytes).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    read(&file)
}

fn example(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates").join(name)).unwrap()
}

#[test]
fn settings_of_a_relayer() {
    let directory = tempfile::tempdir().unwrap();
    require_answers(3_000, &example("relayer/examples/relayer.toml"), |bytes| {
        in_file(directory.path(), bytes, |file| {
            let cli = relayer::config::Cli::parse_from(["relayer", "--config", file.to_str().unwrap()]);
            relayer::config::Config::load(&cli).is_ok_and(|config| {
                let _ = (config.intake(), config.transactions(), config.ops());
                config.relay().is_ok()
            })
        })
    });
}

#[test]
fn settings_of_a_prover_node() {
    let directory = tempfile::tempdir().unwrap();
    require_answers(3_000, &example("prover-node/examples/prover-node.toml"), |bytes| {
        in_file(directory.path(), bytes, |file| {
            let cli =
                prover_node::config::Cli::parse_from(["prover-node", "--config", file.to_str().unwrap()]);
            prover_node::config::Config::load(&cli).is_ok_and(|config| {
                let _ = (config.threads(), config.policy(), config.transactions());
                config.wish(None).is_ok()
            })
        })
    });
}

#[test]
fn key_files() {
    let directory = tempfile::tempdir().unwrap();
    let key = b"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n";
    let read = |file: &Path| service::load_key(Some(file)).is_ok();
    require_answers(3_000, key, |bytes| in_file(directory.path(), bytes, read));
}

#[tokio::test]
async fn signed_bids_that_relayers_are_sent() {
    let statement = Statement {
        circuit: CircuitId::of(1, 14),
        public_inputs: vec![U256::from(7), U256::MAX],
        data: vec![1; 30].into(),
    };
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap();
    let ticket = Ticket::new(key.address(), statement_tree(std::slice::from_ref(&statement)).root());
    let (fee, size, bids) =
        (UnitFee::new(u64::MAX).unwrap(), TaskSize::new(14).unwrap(), LotSize::new(1).unwrap());
    let bid = BidToSign {
        chain_id: 31_337,
        contract: Address::repeat_byte(0xcc),
        market: MarketId::from(B256::repeat_byte(0x11)),
        round: RoundNumber::new(7),
        entry: BidWord::new(fee, size, bids, ticket).told(),
    };
    let signed = bid.sign(&key).await.unwrap();
    let good = serde_json::to_vec(&Submission::new(&signed, key.address(), Some(&[statement]))).unwrap();
    require_answers(6_000, &good, |bytes| {
        let Ok(submission) = serde_json::from_slice::<Submission>(bytes) else { return false };
        let again = serde_json::to_vec(&submission).unwrap();
        assert_eq!(serde_json::from_slice::<Submission>(&again).unwrap(), submission);
        submission.bid().is_ok() && submission.signed().is_ok() && submission.published().is_ok()
    });
}

#[test]
fn files_of_rounds() {
    let good = br#"[{"round": 3, "capacity_cap": "133", "reserve_price": "4", "ask_seats": [1, 4],
        "bids": [["9", 25], ["18446744073709551615", 1]], "asks": [["9", "71"], ["0", "4294967295"]]}]"#;
    let read = |bytes: &[u8]| serde_json::from_slice::<RoundFile>(bytes).is_ok();
    require_answers(6_000, good, |bytes| {
        let Ok(file) = serde_json::from_slice::<RoundFile>(bytes) else { return false };
        assert!(read(&serde_json::to_vec(&file).unwrap()));
        true
    });
}

#[test]
fn tasks_that_requesters_publish() {
    let demo = Demo::new(1);
    let good = Task::new(demo.state(), &demo.batch(2, 2)).unwrap().encode();
    require_answers(3_000, &good, |bytes| {
        let Ok(task) = Task::decode(bytes) else { return false };
        assert_eq!(task.encode(), bytes);
        true
    });
}
