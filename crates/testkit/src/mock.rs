//! Contracts that only tests have.

use alloy::primitives::{Address, Bytes, TxKind, U256};
use chain::Connection;
use std::path::Path;

/// Deploys a contract of `tests/contracts/mocks` as forge has compiled it.
///
/// `artifact`: file and contract, such as `Cent.sol/Cent`. `arguments`: those of its constructor, as the ABI encodes them.
pub async fn deploy_mock(connection: &Connection, artifact: &str, arguments: &[u8]) -> Address {
    let mut code = creation_code(artifact).to_vec();
    code.extend_from_slice(arguments);
    let receipt = connection.transact(TxKind::Create, code.into(), U256::ZERO, None).await;
    receipt.expect("the contract is deployed").contract_address.expect("a contract")
}

/// What creates a contract of `tests/contracts/mocks`, without the arguments of its constructor; see [`deploy_mock`].
#[must_use]
pub fn creation_code(artifact: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../out/{artifact}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make contracts`", path.display()));
    let artifact: serde_json::Value = serde_json::from_str(&text).expect("an artifact of forge");
    artifact["bytecode"]["object"].as_str().expect("bytecode").parse().expect("hexadecimal digits")
}
