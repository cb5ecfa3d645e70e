//! Proving keys of the circuits, made once and then read from disk.

use crate::failure::{Code, OrFail, Outcome};
use crate::output::Output;
use chain::deploy::CircuitKey;
use circuits::CircuitKind;
use circuits::keys::{DevProvingKey, KeyEvent, KeyStore};
use market_types::TaskSize;
use std::path::{Path, PathBuf};

/// The development keys of every circuit, made and stored if they are not there. Shows a bar while it works.
pub(crate) async fn load_keys(dir: &Path, output: Output) -> Outcome<Vec<DevProvingKey>> {
    let store_dir: PathBuf = dir.to_owned();
    let bar = output.bar(CircuitKind::ALL.len() as u64, "proving keys");
    let shown = bar.clone();
    let load = move || -> Outcome<Vec<DevProvingKey>> {
        let store = KeyStore::open(&store_dir).or_fail(Code::Failed)?;
        let mut keys = Vec::new();
        for kind in CircuitKind::ALL {
            let mut progress = |event: KeyEvent| match event {
                KeyEvent::Waiting(kind) => shown.set_message(format!("waiting for {kind}'s keys")),
                KeyEvent::Generating(kind, _) => shown.set_message(format!("making keys for {kind}, once")),
                KeyEvent::Cached(kind) | KeyEvent::Generated(kind) => {
                    shown.set_message(format!("keys for {kind}"));
                }
            };
            keys.push(store.load(kind, &mut progress).or_fail(Code::Failed)?);
            shown.inc(1);
        }
        Ok(keys)
    };
    let keys = tokio::task::spawn_blocking(load).await.or_fail(Code::Failed)?;
    bar.finish_and_clear();
    keys
}

/// Size in units and verifying key of each circuit, as the verifier's constructor takes them.
pub(crate) fn circuit_keys(keys: &[DevProvingKey]) -> Outcome<Vec<CircuitKey>> {
    let circuit = |key: &DevProvingKey| {
        let units = TaskSize::new(key.kind().units()).or_fail(Code::Failed)?;
        Ok(CircuitKey { units, words: key.verifying_key().to_words() })
    };
    keys.iter().map(circuit).collect()
}
