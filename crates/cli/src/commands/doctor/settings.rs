//! The settings of any of the programs, as far as checks need them.

use super::Role;
use super::findings::Findings;
use crate::settings::{FILES, KEYS, SettingFlags, Settings};
use alloy::primitives::Address;
use serde::Deserialize;
use service::{DEFAULT_RPC_URL, Sources, load_config};
use std::path::{Path, PathBuf};

/// Most blocks that programs ask for in one request for logs, unless told otherwise.
const DEFAULT_SPAN: u64 = 5_000;

/// What programs are told. Keys that no check needs are for the program itself to look at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Found {
    #[serde(deserialize_with = "service::deserialize_urls")]
    rpc_url: String,
    pub(super) chain_id: Option<u64>,
    pub(super) contract: Option<Address>,
    pub(super) market: Option<String>,
    pub(super) markets: Vec<String>,
    pub(super) from_block: Option<u64>,
    pub(super) key_file: Option<PathBuf>,
    key_store: Option<PathBuf>,
    pub(super) openings: Option<PathBuf>,
    pub(super) prover: Option<Address>,
    pub(super) capacity: Option<u32>,
    max_span: Option<u64>,
    /// Where transactions are written down.
    pub(super) journal: Option<String>,
    /// Where a relayer keeps signed bids.
    pub(super) database: Option<String>,
    pub(super) listen: Option<String>,
}

impl Found {
    /// The endpoints of the chain.
    pub(super) fn urls(&self) -> Vec<&str> {
        let urls = if self.rpc_url.is_empty() { DEFAULT_RPC_URL } else { &self.rpc_url };
        urls.split(',').map(str::trim).filter(|url| !url.is_empty()).collect()
    }

    /// Most blocks in one request for logs.
    pub(super) fn span(&self) -> u64 {
        self.max_span.unwrap_or(DEFAULT_SPAN).max(1)
    }

    /// Where proving keys are.
    pub(super) fn key_store(&self) -> PathBuf {
        self.key_store.clone().unwrap_or_else(|| circuits::keys::KeyStore::DEFAULT_DIR.into())
    }
}

/// The file that a program reads: the one named, else that of its own variable, else the usual ones.
fn file_of(role: Option<Role>, flags: &SettingFlags) -> Option<PathBuf> {
    let variable = role.and_then(|role| std::env::var_os(format!("{}CONFIG", role.prefix())));
    let usual = || FILES.iter().map(PathBuf::from).find(|file| file.is_file());
    flags.config.clone().or_else(|| variable.map(PathBuf::from)).or_else(usual)
}

/// Reads the settings.
pub(super) fn check(role: Option<Role>, flags: &SettingFlags, findings: &mut Findings) -> Option<Found> {
    const CHECK: &str = "settings";
    let file = file_of(role, flags);
    // The commands' own file is read as they do, so that a key that they refuse shows.
    if let Err(failure) = role.map_or_else(|| Settings::load(flags).map(|_| ()), |_| Ok(())) {
        findings.fail(CHECK, failure.to_string(), "mend the file, the variable or the flag that it names");
        return None;
    }
    let prefix = role.map_or("PROOPHI_CLI_", Role::prefix);
    let sources = Sources { file: file.as_deref(), shared_keys: &KEYS, prefix };
    match load_config::<Found>(&sources, flags) {
        Ok(found) => {
            permissions(file.as_deref(), &found, findings);
            Some(found)
        }
        Err(error) => {
            findings.fail(CHECK, error.to_string(), "mend the file, the variable or the flag that it names");
            None
        }
    }
}

fn permissions(file: Option<&Path>, found: &Found, findings: &mut Findings) {
    const CHECK: &str = "settings";
    let Some(file) = file else {
        return findings.ok(CHECK, "from flags and variables, no file");
    };
    let (mode, shown) = (super::host::mode_of(file).unwrap_or_default(), file.display());
    if mode & 0o022 != 0 {
        findings.fail(
            CHECK,
            format!("{shown} can be changed by others (mode {mode:o})"),
            format!("whoever changes it decides which contract the key pays; run: chmod go-w {shown}"),
        );
    } else if mode & 0o044 != 0 && found.urls().iter().any(|url| has_secret(url)) {
        findings.warn(
            CHECK,
            format!(
                "{shown} can be read by others (mode {mode:o}), and an endpoint in it seems to hold a key"
            ),
            format!("run: chmod 600 {shown}"),
        );
    } else {
        findings.ok(CHECK, shown.to_string());
    }
}

/// Whether an endpoint's address has a part that may be a key to it: a user, a path or a query.
fn has_secret(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        !url.username().is_empty() || url.query().is_some() || url.path().trim_matches('/').len() > 8
    })
}

/// An endpoint's address without what may be a key to it.
pub(super) fn without_secret(url: &str) -> String {
    let Ok(parsed) = reqwest::Url::parse(url) else { return "the address".to_owned() };
    let host = parsed.host_str().unwrap_or_default();
    match parsed.port() {
        Some(port) => format!("{}://{host}:{port}", parsed.scheme()),
        None => format!("{}://{host}", parsed.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_to_endpoints_are_noticed_and_never_shown() {
        let url = "https://user:pass@rpc.example.org:8443/v3/0123456789abcdef?key=1";
        assert!(has_secret(url) && !has_secret("http://127.0.0.1:8545"));
        assert_eq!(without_secret(url), "https://rpc.example.org:8443");
        assert_eq!(without_secret("http://127.0.0.1:8545"), "http://127.0.0.1:8545");
    }

    #[test]
    fn the_file_of_another_program_is_read_with_keys_that_no_check_needs() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("relayer.toml");
        std::fs::write(&file, include_str!("../../../../relayer/examples/relayer.toml")).unwrap();
        let mut flags = SettingFlags::default();
        flags.config = Some(file);
        let mut findings = Findings::of(Some(Role::Relayer));
        let found = check(Some(Role::Relayer), &flags, &mut findings).unwrap();
        assert_eq!((found.markets.len(), found.chain_id), (1, Some(31_337)));
        assert_eq!((found.urls(), found.span()), (vec![DEFAULT_RPC_URL], DEFAULT_SPAN));
        // The commands themselves know fewer keys.
        let mut findings = Findings::of(None);
        assert!(check(None, &flags, &mut findings).is_none() && findings.failed() == 1);
    }
}
