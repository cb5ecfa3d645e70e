//! The proving keys of the circuits that the market's verifier knows.

use std::{collections::BTreeMap, path::Path};

use circuits::{
    CircuitId, CircuitKind, VerifyingKey, Word,
    keys::{DevProvingKey, KeyEvent, KeyStore, KeyStoreError},
};
use service::{OTHER_KEY, UNKNOWN_CIRCUIT, trouble};
use thiserror::Error;

/// A circuit as the market's verifier has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnChainCircuit {
    /// Its number.
    pub id: CircuitId,
    /// The words of its verifying key, if the verifier publishes them.
    pub verifying_key: Option<Vec<Word>>,
}

/// Keys whose proofs the market's verifier accepts.
#[derive(Debug)]
pub struct KeyRing(BTreeMap<CircuitKind, ProvingPair>);

#[derive(Debug)]
pub(super) struct ProvingPair {
    pub(super) proving: DevProvingKey,
    pub(super) verifying: VerifyingKey,
}

impl KeyRing {
    /// Loads, or makes, the keys of all `circuits` that this build can prove. Blocks, for seconds where a key has to be made.
    /// Circuits that cannot be proved here are logged and left out.
    ///
    /// # Errors
    /// If the key directory cannot be used, or no circuit remains.
    pub fn load(directory: &Path, circuits: &[OnChainCircuit]) -> Result<Self, KeyRingError> {
        let store = KeyStore::open(directory)?;
        let mut ring = BTreeMap::new();
        for circuit in circuits {
            let kind = match CircuitKind::from_id(circuit.id) {
                Ok(kind) => kind,
                Err(error) => {
                    trouble!(warn, UNKNOWN_CIRCUIT, %error, "tasks of this circuit will be left to others");
                    continue;
                }
            };
            let proving = store.load(kind, &mut |event| report(&event))?;
            let verifying = proving.verifying_key();
            if circuit.verifying_key.as_ref().is_some_and(|words| *words != verifying.to_words()) {
                trouble!(
                    warn,
                    OTHER_KEY,
                    circuit = %kind,
                    key = %store.path(kind).display(),
                    "the market's verifier has another verifying key: proofs made with this key would be refused"
                );
                continue;
            }
            ring.insert(kind, ProvingPair { proving, verifying });
        }
        if ring.is_empty() {
            return Err(KeyRingError::NothingToProve { circuits: circuits.len() });
        }
        Ok(Self(ring))
    }

    /// The circuits whose tasks can be proved.
    pub fn kinds(&self) -> impl Iterator<Item = CircuitKind> {
        self.0.keys().copied()
    }

    pub(super) fn pair(&self, kind: CircuitKind) -> Option<&ProvingPair> {
        self.0.get(&kind)
    }
}

fn report(event: &KeyEvent) {
    match event {
        KeyEvent::Waiting(kind) => {
            tracing::info!(circuit = %kind, "waiting for another process to make keys");
        }
        KeyEvent::Cached(kind) => tracing::info!(circuit = %kind, "insecure development key loaded"),
        KeyEvent::Generating(kind, reason) => {
            tracing::info!(circuit = %kind, reason, "making an insecure development key, which takes a while");
        }
        KeyEvent::Generated(kind) => tracing::info!(circuit = %kind, "insecure development key made"),
    }
}

/// Why there are no keys to work with.
#[derive(Debug, Error)]
pub enum KeyRingError {
    /// The key directory failed.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    /// None of the verifier's circuits can be proved by this build.
    #[error(
        "none of the {circuits} circuits of the market's verifier can be proved here; run the version that the verifier was \
         deployed with, or join another market"
    )]
    NothingToProve {
        /// Number of circuits of the verifier.
        circuits: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_chain(kind: CircuitKind, verifying_key: Option<Vec<Word>>) -> OnChainCircuit {
        OnChainCircuit { id: kind.id(), verifying_key }
    }

    #[test]
    fn only_circuits_with_the_verifiers_own_key_are_used() {
        let directory = tempfile::tempdir().unwrap();
        let kind = CircuitKind::Transfers1;
        let words = KeyRing::load(directory.path(), &[on_chain(kind, None)])
            .unwrap()
            .pair(kind)
            .unwrap()
            .verifying
            .to_words();
        let stranger = OnChainCircuit { id: CircuitId::new(kind.id().get() + 1), verifying_key: None };

        let same = on_chain(kind, Some(words.clone()));
        let ring = KeyRing::load(directory.path(), &[stranger.clone(), same]).unwrap();
        assert_eq!(ring.0.keys().copied().collect::<Vec<_>>(), [kind]);

        let mut altered = words;
        altered[0][31] ^= 1;
        let refused = KeyRing::load(directory.path(), &[stranger, on_chain(kind, Some(altered))]);
        assert!(matches!(refused, Err(KeyRingError::NothingToProve { circuits: 2 })));
    }
}
