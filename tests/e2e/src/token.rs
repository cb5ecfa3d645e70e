//! An ERC-20 on the chain.

use alloy::primitives::{Address, TxKind, U256};
use alloy::sol_types::SolCall;
use chain::Connection;
use testkit::deploy_mock;

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
        Self { address: deploy_mock(connection, "Cent.sol/Cent", &[]).await }
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
