//! An ERC-20 on the chain.

use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::sol_types::SolCall;
use chain::Connection;
use std::path::Path;

alloy::sol! {
    function mint(address to, uint256 amount);
}

/// What everybody gets (the token's smallest unit).
const MINTED: u64 = 1_000_000_000_000;

/// A token of six decimals that behaves as tokens should.
#[derive(Debug)]
pub struct Token {
    address: Address,
}

impl Token {
    /// Deploys the token, compiled by forge from `tests/contracts/mocks/Cent.sol`.
    pub async fn deploy(connection: &Connection) -> Self {
        let receipt = connection.transact(TxKind::Create, bytecode(), U256::ZERO, None).await;
        let address = receipt.expect("the token is deployed").contract_address.expect("a token");
        Self { address }
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Gives `to` a fortune.
    pub async fn mint(&self, connection: &Connection, to: Address) {
        let call = mintCall { to, amount: U256::from(MINTED) }.abi_encode().into();
        connection.transact(TxKind::Call(self.address), call, U256::ZERO, None).await.expect("tokens");
    }
}

fn bytecode() -> Bytes {
    let artifact = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../out/Cent.sol/Cent.json");
    let text = std::fs::read_to_string(&artifact)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make contracts`", artifact.display()));
    let artifact: serde_json::Value = serde_json::from_str(&text).expect("an artifact of forge");
    let bytecode = artifact["bytecode"]["object"].as_str().expect("bytecode");
    bytecode.parse().expect("bytecode in hexadecimal digits")
}
