//! What the key's account holds for gas, asked now and then.

use super::metric;
use crate::{NO_BALANCE, trouble};
use alloy::primitives::U256;
use chain::Client;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is asked.
const EVERY: Duration = Duration::from_secs(30);

/// Tells the balance of the client's sender for as long as the process lives. Spawn it.
pub async fn watch_wallet(client: Client) {
    let Some(account) = client.sender() else { return };
    loop {
        match client.balance_of(account).await {
            Ok(balance) => metric::WALLET.set([("account", account.to_string())], wei_value(balance)),
            Err(error) => trouble!(warn, NO_BALANCE, %error, "cannot read the wallet's balance"),
        }
        sleep(EVERY).await;
    }
}

/// An amount as metrics have it: exact up to 53 bits.
#[must_use]
pub fn wei_value(amount: U256) -> f64 {
    amount.into()
}
