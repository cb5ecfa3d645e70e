//! The deployment script of Foundry's users deploys what `proophi deploy` does.

use alloy::primitives::{Address, U256, hex};
use bindings::{Groth16Verifier, MarketLens};
use chain::Client;
use chain::deploy::create_market;
use std::path::Path;
use std::process::Command;
use testkit::{Anvil, AnvilOptions, circuits, default_params};

/// Runs the script with the key of account 0, and returns what it says.
fn deploy(anvil: &Anvil) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("script/tools/forge"))
        .current_dir(&root)
        .args(["script", "script/Deploy.s.sol", "--broadcast", "--rpc-url", anvil.url()])
        .args(["--private-key", &hex::encode(anvil.account(0).to_bytes())])
        .output()
        .expect("forge runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("forge writes text")
}

#[tokio::test]
async fn the_script_deploys_a_market_a_lens_and_a_verifier_that_fit_together() {
    let anvil = Anvil::start(&AnvilOptions::default()).await;
    let said = deploy(&anvil);
    let address = |name: &str| -> Address {
        let mut lines = said.lines().filter_map(|line| line.trim().strip_prefix(name));
        lines.find_map(|rest| rest.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {said}"))
    };
    let (market, lens, verifier) =
        (address("ProverMarket"), address("MarketLens"), address("Groth16Verifier"));

    let client = Client::at(anvil.connection_of(1).await, market).await.expect("the market's contract");
    let params = default_params(verifier, anvil.head().await.timestamp);
    create_market(&client, &params).await.expect("a market with the verifier");
    let lens = MarketLens::new(lens, client.provider());
    assert_eq!(lens.market().call().await.expect("the lens answers"), market);

    let verifier = Groth16Verifier::new(verifier, client.provider());
    let (count, expected) = (verifier.circuitCount().call().await.expect("a number"), circuits());
    assert_eq!(count, U256::from(expected.len()));
    for (index, circuit) in (0..expected.len()).map(U256::from).zip(expected) {
        assert_eq!(verifier.circuitAt(index).call().await.expect("a circuit"), circuit.id.get());
        let key = verifier.verifyingKey(index).call().await.expect("a key");
        assert_eq!(key.to_vec(), circuit.key.words.concat());
    }
}
