//! From a circuit to its fingerprint and its insecure development keys.

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, ProvingKey};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, OptimizationGoal, SynthesisError,
    SynthesisMode,
};
use ark_snark::CircuitSpecificSetupSNARK;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::quiet::quietly;
use crate::{
    circuit::RollupCircuit,
    proof::VerifyingKey,
    registry::CircuitKind,
    rollup::Demo,
    task::{Task, TaskError},
    word::to_word,
};

const SEED_TAG: &[u8] = b"proophi insecure development setup 1";
const FINGERPRINT_TAG: &[u8] = b"proophi circuit 1";

/// SHA-256 over a circuit's constraint matrices: equal exactly for circuits that one key pair serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint that this version of the crate stands for, without the seconds that [`Fingerprint::of`] takes. A test
    /// and every setup compare the two.
    #[must_use]
    pub const fn registered(kind: CircuitKind) -> Self {
        Self(match kind {
            CircuitKind::Transfers1 => [
                0x44, 0x00, 0x16, 0xe8, 0xac, 0x50, 0xd1, 0xd2, 0x20, 0x27, 0x59, 0x5a, 0xff, 0x75, 0xd9,
                0x0f, 0xd6, 0x85, 0x84, 0xeb, 0x73, 0x45, 0xde, 0x88, 0xc5, 0x11, 0x68, 0x5f, 0x11, 0xe8,
                0x48, 0xfd,
            ],
            CircuitKind::Transfers2 => [
                0x77, 0x89, 0xce, 0x56, 0x06, 0xd6, 0xee, 0x45, 0x5e, 0xd7, 0x36, 0x52, 0xb2, 0xe7, 0x7f,
                0x9b, 0xa9, 0xe0, 0xdb, 0xc0, 0x1e, 0x04, 0x5e, 0x14, 0x8c, 0x73, 0x6e, 0x37, 0x8c, 0xbd,
                0x26, 0x6c,
            ],
            CircuitKind::Transfers4 => [
                0x0e, 0x75, 0xea, 0x63, 0x52, 0xe2, 0x2d, 0x6b, 0x86, 0xeb, 0xeb, 0x1c, 0xb0, 0x7d, 0x8f,
                0x74, 0xb5, 0x26, 0xc4, 0x43, 0xfb, 0x05, 0x81, 0x3f, 0xef, 0x24, 0x03, 0x4d, 0x63, 0xcb,
                0x6a, 0x06,
            ],
        })
    }

    /// The fingerprint of a circuit as this build synthesises it.
    ///
    /// # Errors
    /// If the circuit cannot be synthesised or has another size than the registry says.
    pub fn of(kind: CircuitKind) -> Result<Self, SetupError> {
        quietly(|| Self::synthesised(kind))
    }

    fn synthesised(kind: CircuitKind) -> Result<Self, SetupError> {
        let cs = ConstraintSystem::new_ref();
        cs.set_optimization_goal(OptimizationGoal::Constraints);
        cs.set_mode(SynthesisMode::Setup);
        blank(kind)?.generate_constraints(cs.clone())?;
        cs.finalize();
        let found = cs.num_constraints() as u64;
        if found != kind.constraints() {
            return Err(SetupError::Size { kind, registered: kind.constraints(), found });
        }
        Self::of_system(kind, &cs)
    }

    fn of_system(kind: CircuitKind, cs: &ConstraintSystemRef<Fr>) -> Result<Self, SetupError> {
        let mut hasher = Sha256::new();
        let mut number = |value: usize| hasher.update((value as u64).to_be_bytes());
        number(cs.num_instance_variables());
        number(cs.num_witness_variables());
        hasher.update(FINGERPRINT_TAG);
        hasher.update(kind.name());
        for (label, matrices) in cs.to_matrices()? {
            hasher.update(label);
            for row in matrices.iter().flatten() {
                hasher.update((row.len() as u64).to_be_bytes());
                for (coefficient, column) in row {
                    hasher.update(to_word(coefficient));
                    hasher.update((*column as u64).to_be_bytes());
                }
            }
        }
        Ok(Self(hasher.finalize().into()))
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A proving key from the **insecure** development setup, with its verifying key.
#[derive(Clone, Debug)]
pub struct DevProvingKey {
    kind: CircuitKind,
    key: ProvingKey<Bn254>,
}

impl DevProvingKey {
    /// Runs the development setup. Equal fingerprints give equal keys.
    ///
    /// # Errors
    /// If the circuit cannot be synthesised, or is not the registered one.
    pub fn generate(kind: CircuitKind) -> Result<Self, SetupError> {
        let fingerprint = Fingerprint::of(kind)?;
        if fingerprint != Fingerprint::registered(kind) {
            return Err(SetupError::Changed { kind, found: fingerprint });
        }
        let seed = Sha256::new().chain_update(SEED_TAG).chain_update(fingerprint.as_bytes()).finalize();
        let mut rng = ChaCha20Rng::from_seed(seed.into());
        let circuit = blank(kind)?;
        let (key, _) = quietly(|| Groth16::<Bn254>::setup(circuit, &mut rng))?;
        Ok(Self { kind, key })
    }

    pub(crate) fn from_parts(kind: CircuitKind, key: ProvingKey<Bn254>) -> Self {
        Self { kind, key }
    }

    /// The circuit this key proves.
    #[must_use]
    pub fn kind(&self) -> CircuitKind {
        self.kind
    }

    /// The verifying half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::new(self.kind, self.key.vk.clone())
    }

    pub(crate) fn inner(&self) -> &ProvingKey<Bn254> {
        &self.key
    }
}

/// The circuit with the values of an arbitrary valid batch: a setup looks at the shape only.
fn blank(kind: CircuitKind) -> Result<RollupCircuit, TaskError> {
    let demo = Demo::new(0);
    Ok(Task::new(demo.state(), &demo.batch(kind.batch_size(), 0))?.circuit())
}

/// Why keys could not be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The constraint system could not be built.
    #[error("the circuit could not be synthesised: {0}")]
    Synthesis(#[from] SynthesisError),
    /// The batch that gives the circuit its shape could not be executed.
    #[error("the circuit has no shape: {0}")]
    Shape(#[from] TaskError),
    /// The circuit was changed and its registered fingerprint was not.
    #[error("{kind} now has the fingerprint {found}: register it, and export the vectors again")]
    Changed {
        /// The circuit.
        kind: CircuitKind,
        /// Its fingerprint as synthesised.
        found: Fingerprint,
    },
    /// The registry is out of date.
    #[error("{kind} has {found} constraints but is registered with {registered}: correct the registry")]
    Size {
        /// The circuit.
        kind: CircuitKind,
        /// Constraints according to the registry.
        registered: u64,
        /// Constraints synthesised.
        found: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_fingerprints_are_those_of_the_circuits() {
        for kind in CircuitKind::ALL {
            let found = Fingerprint::of(kind).unwrap();
            assert_eq!(found, Fingerprint::registered(kind), "{kind} is {found}");
        }
    }
}
