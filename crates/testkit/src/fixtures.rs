//! Circuits, statements and proofs that were made once, in `tests/vectors/groth16.json`.

use alloy::primitives::{B256, Bytes, U256};
use chain::deploy::CircuitKey;
use market_types::{CircuitId, TaskSize};
use serde::Deserialize;
use std::path::Path;

/// A statement with a proof that the verifier accepts.
#[derive(Debug, Clone)]
pub struct ProvedStatement {
    /// The statement.
    pub public_inputs: Vec<U256>,
    /// The proof as the verifier takes it.
    pub proof: Bytes,
}

/// A real circuit.
#[derive(Debug, Clone)]
pub struct Circuit {
    /// Its id in a verifier that has the circuits of [`circuits`] in this order.
    pub id: CircuitId,
    /// Its verifying key, to deploy the verifier with.
    pub key: CircuitKey,
    /// Statements with their proofs, at least one.
    pub statements: Vec<ProvedStatement>,
}

/// The circuits of the vectors, by index.
#[must_use]
pub fn circuits() -> Vec<Circuit> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/groth16.json");
    let text = std::fs::read_to_string(&file).expect("tests/vectors/groth16.json");
    let circuits: Vec<RawCircuit> = serde_json::from_str(&text).expect("vectors in the known form");
    assert!(!circuits.is_empty(), "no circuit in the vectors");
    circuits.into_iter().map(RawCircuit::into_circuit).collect()
}

#[derive(Deserialize)]
struct RawCircuit {
    id: u64,
    units: u32,
    vk: Vec<B256>,
    proofs: Vec<RawProof>,
}

#[derive(Deserialize)]
struct RawProof {
    public_inputs: Vec<U256>,
    proof: Vec<B256>,
}

impl RawCircuit {
    fn into_circuit(self) -> Circuit {
        assert!(!self.proofs.is_empty(), "a circuit without a proof in the vectors");
        let units = TaskSize::new(self.units).expect("a size");
        Circuit {
            id: CircuitId::new(self.id),
            key: CircuitKey { units, words: self.vk.iter().map(|word| word.0).collect() },
            statements: self
                .proofs
                .into_iter()
                .map(|raw| ProvedStatement {
                    public_inputs: raw.public_inputs,
                    proof: raw.proof.concat().into(),
                })
                .collect(),
        }
    }
}
