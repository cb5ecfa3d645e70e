//! Settings of programs that send transactions for long, the same for all of them.

use crate::{Database, StoreError};
use alloy::primitives::U256;
use chain::TransactionOptions;
use chain::transactions::{FeeLimits, Journal, MemoryJournal, Patience};
use clap::Args;
use serde::Serialize;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The journal that ends with the process.
const MEMORY: &str = "memory";

const WEI_PER_GWEI: u128 = 1_000_000_000;

/// Flags. What is not given is not serialized, so that the layer below counts.
#[derive(Debug, Default, Clone, Args, Serialize)]
pub struct TransactionFlags {
    /// Most that a unit of gas may cost (gwei); a fifth is kept back to cancel with [default: 500]
    #[arg(long, global = true, value_name = "GWEI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fee_gwei: Option<u64>,
    /// Most that the gas of one transaction may cost (gwei) [default: no limit]
    #[arg(long, global = true, value_name = "GWEI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_gwei: Option<u64>,
    /// Offer more for a transaction that is not mined after so many seconds; a few blocks of the chain [default: 45]
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raise_after: Option<NonZeroU32>,
    /// Hand signed transactions to this endpoint only, and read from --rpc-url [default: to --rpc-url]
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_rpc_url: Option<String>,
    /// Where transactions are written down before they are sent: a SQLite file, postgres://USER@HOST/DATABASE, or "memory", which forgets
    /// them at the end [default: the name of the key file with .transactions.db]
    #[arg(long, global = true, value_name = "FILE|URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    /// Forget what the journal says and begin with what the chain says, also if the journal is damaged: a file that cannot be read is kept
    /// beside the new one, with .damaged at its end
    #[arg(long, global = true)]
    #[serde(skip)]
    pub rebuild: bool,
}

/// The settings of one run.
#[derive(Clone, Default)]
pub struct TransactionSettings {
    /// Most that a unit of gas may cost (gwei).
    pub max_fee_gwei: Option<u64>,
    /// Most that the gas of one transaction may cost (gwei).
    pub max_cost_gwei: Option<u64>,
    /// When more is offered for a transaction (seconds).
    pub raise_after: Option<NonZeroU32>,
    /// Where signed transactions go.
    pub private_rpc_url: Option<String>,
    /// Where they are written down before.
    pub journal: Option<String>,
    /// Whether to forget what is written there.
    pub rebuild: bool,
}

impl TransactionSettings {
    /// The limits of what transactions pay.
    #[must_use]
    pub fn fees(&self) -> FeeLimits {
        let wei = |gwei: u64| u128::from(gwei).saturating_mul(WEI_PER_GWEI);
        let max_fee_per_gas = self.max_fee_gwei.map_or(FeeLimits::default().max_fee_per_gas, wei);
        FeeLimits { max_fee_per_gas, max_cost: self.max_cost_gwei.map(|gwei| U256::from(wei(gwei))) }
    }

    /// How long transactions are waited for.
    #[must_use]
    pub fn patience(&self) -> Patience {
        let default = Patience::default();
        let seconds = |seconds: NonZeroU32| Duration::from_secs(seconds.get().into());
        Patience { bump_after: self.raise_after.map_or(default.bump_after, seconds), ..default }
    }

    /// How to send transactions with the key in `key_file`, or that of the environment. Opens the journal.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be used.
    pub async fn options(&self, key_file: Option<&Path>) -> Result<TransactionOptions, StoreError> {
        let rebuild = self.rebuild;
        let open = async |place: &str| {
            let opened =
                if rebuild { Database::open_or_replace(place).await } else { Database::open(place).await };
            opened.map(Arc::new)
        };
        let journal: Arc<dyn Journal> = match self.journal.as_deref() {
            Some(MEMORY) => Arc::new(MemoryJournal::default()),
            Some(place) => open(place).await?,
            None => open(&default_file(key_file).to_string_lossy()).await?,
        };
        let (private_url, watch) = (self.private_rpc_url.clone(), TransactionOptions::WATCH);
        Ok(TransactionOptions { fees: self.fees(), private_url, journal, watch, rebuild })
    }
}

/// Beside the key, as nonces count for each; for a key of the environment in the directory that this is started in.
fn default_file(key_file: Option<&Path>) -> PathBuf {
    let mut name = key_file.map_or_else(|| OsString::from("proophi"), |file| file.as_os_str().to_owned());
    name.push(".transactions.db");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_lies_beside_the_key() {
        assert_eq!(default_file(Some(Path::new("/keys/a.key"))), Path::new("/keys/a.key.transactions.db"));
        assert_eq!(default_file(None), Path::new("proophi.transactions.db"));
    }

    #[test]
    fn more_is_offered_after_what_was_set() {
        let raise_after = NonZeroU32::new(6);
        let settings = TransactionSettings { raise_after, ..Default::default() };
        assert_eq!(settings.patience().bump_after, Duration::from_secs(6));
        let default = TransactionSettings::default().patience().bump_after;
        assert_eq!(default, Patience::default().bump_after);
    }

    #[test]
    fn limits_are_gwei_and_there_is_one_without_settings() {
        assert_eq!(TransactionSettings::default().fees(), FeeLimits::default());
        let settings = TransactionSettings {
            max_fee_gwei: Some(30),
            max_cost_gwei: Some(u64::MAX),
            ..Default::default()
        };
        let cost = U256::from(u64::MAX) * U256::from(WEI_PER_GWEI);
        assert_eq!(settings.fees(), FeeLimits { max_fee_per_gas: 30_000_000_000, max_cost: Some(cost) });
    }
}
