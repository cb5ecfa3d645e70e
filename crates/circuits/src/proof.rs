//! Proving and verifying, and the words in which a contract takes proofs and verifying keys.
//!
//! Points are encoded as the precompiles of EIP-196 and EIP-197 take them: big-endian coordinates, the second coefficient of
//! an Fq2 element before the first, the point at infinity as zeros.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_groth16::{Groth16, VerifyingKey as ArkVerifyingKey};
use ark_snark::SNARK;
use rand::{CryptoRng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use thiserror::Error;

use crate::quiet::quietly;
use crate::{
    keys::DevProvingKey,
    registry::{CircuitKind, PUBLIC_INPUTS},
    task::Task,
    word::{Word, from_word, scalars, to_word},
};

/// Words of a proof.
pub const PROOF_WORDS: usize = 8;

/// A Groth16 proof over BN254.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof(ark_groth16::Proof<Bn254>);

impl Proof {
    /// `[A.x, A.y, B.x.c1, B.x.c0, B.y.c1, B.y.c0, C.x, C.y]`.
    #[must_use]
    pub fn to_words(&self) -> [Word; PROOF_WORDS] {
        let [ax, ay] = g1_words(&self.0.a);
        let [bx1, bx0, by1, by0] = g2_words(&self.0.b);
        let [cx, cy] = g1_words(&self.0.c);
        [ax, ay, bx1, bx0, by1, by0, cx, cy]
    }

    /// Reads a proof; `None` if a coordinate is out of range or a point is not in its group.
    #[must_use]
    pub fn from_words(words: &[Word; PROOF_WORDS]) -> Option<Self> {
        let [ax, ay, bx1, bx0, by1, by0, cx, cy] = words;
        let a = g1_point(ax, ay)?;
        let b = g2_point([bx1, bx0, by1, by0])?;
        let c = g1_point(cx, cy)?;
        Some(Self(ark_groth16::Proof { a, b, c }))
    }

    /// Another proof of the same statement, unlinkable to this one. Anybody can do this to any Groth16 proof, so a proof's
    /// bytes never identify it.
    #[must_use]
    pub fn rerandomised(&self, key: &VerifyingKey, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(Groth16::<Bn254>::rerandomize_proof(&key.key, &self.0, &mut fork(rng)))
    }
}

/// What is needed to verify the proofs of one circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingKey {
    kind: CircuitKind,
    key: ArkVerifyingKey<Bn254>,
}

impl VerifyingKey {
    pub(crate) fn new(kind: CircuitKind, key: ArkVerifyingKey<Bn254>) -> Self {
        Self { kind, key }
    }

    /// The circuit whose proofs this verifies.
    #[must_use]
    pub fn kind(&self) -> CircuitKind {
        self.kind
    }

    /// `alpha` (2 words), `beta` (4), `gamma` (4), `delta` (4), then 2 words for each of the public inputs + 1 points.
    #[must_use]
    pub fn to_words(&self) -> Vec<Word> {
        let key = &self.key;
        let mut words = g1_words(&key.alpha_g1).to_vec();
        for point in [&key.beta_g2, &key.gamma_g2, &key.delta_g2] {
            words.extend_from_slice(&g2_words(point));
        }
        for point in &key.gamma_abc_g1 {
            words.extend_from_slice(&g1_words(point));
        }
        words
    }
}

/// Proves a task. The call runs to its end; a caller that wants to stop does so between tasks. It uses the threads of
/// the current rayon pool.
///
/// # Errors
/// [`ProveError::WrongKey`] if the key is another circuit's; [`ProveError::Synthesis`] if the constraint system fails, which a
/// [`Task`] from this crate's constructors does not cause.
pub fn prove(
    key: &DevProvingKey,
    task: &Task,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Proof, ProveError> {
    if key.kind() != task.kind() {
        return Err(ProveError::WrongKey { key: key.kind(), task: task.kind() });
    }
    prove_in_this_crate(key, task, &mut fork(rng))
}

/// Not generic, so that the work is compiled here and with this crate's optimisation level, whoever calls.
fn prove_in_this_crate(key: &DevProvingKey, task: &Task, rng: &mut ChaCha20Rng) -> Result<Proof, ProveError> {
    Ok(Proof(quietly(|| Groth16::<Bn254>::prove(key.inner(), task.circuit(), rng))?))
}

fn fork(rng: &mut (impl RngCore + CryptoRng)) -> ChaCha20Rng {
    let mut seed = [0u8; 32];
    rng.fill_bytes(&mut seed);
    ChaCha20Rng::from_seed(seed)
}

/// Whether `proof` proves the statement `public_inputs`. An input that is not a field element verifies nothing.
#[must_use]
pub fn verify(key: &VerifyingKey, public_inputs: &[Word; PUBLIC_INPUTS], proof: &Proof) -> bool {
    scalars(public_inputs).is_some_and(|inputs: [Fr; PUBLIC_INPUTS]| {
        Groth16::<Bn254>::verify(&key.key, &inputs, &proof.0).unwrap_or(false)
    })
}

/// Why a proof was not made.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The key belongs to another circuit.
    #[error("the key is for {key}, the task needs {task}: load the key of the task's circuit")]
    WrongKey {
        /// The circuit of the key.
        key: CircuitKind,
        /// The circuit of the task.
        task: CircuitKind,
    },
    /// The constraint system could not be built.
    #[error("the circuit could not be synthesised: {0}")]
    Synthesis(#[from] ark_relations::gr1cs::SynthesisError),
}

fn g1_words(point: &G1Affine) -> [Word; 2] {
    let (x, y) = point.xy().unwrap_or_default();
    [to_word(&x), to_word(&y)]
}

fn g2_words(point: &G2Affine) -> [Word; 4] {
    let (x, y) = point.xy().unwrap_or_default();
    [to_word(&x.c1), to_word(&x.c0), to_word(&y.c1), to_word(&y.c0)]
}

fn g1_point(x: &Word, y: &Word) -> Option<G1Affine> {
    let (x, y): (Fq, Fq) = (from_word(x)?, from_word(y)?);
    let zeros = x == Fq::default() && y == Fq::default();
    let point = if zeros { G1Affine::zero() } else { G1Affine::new_unchecked(x, y) };
    point.is_on_curve().then_some(point)
}

fn g2_point([x1, x0, y1, y0]: [&Word; 4]) -> Option<G2Affine> {
    let x = Fq2::new(from_word(x0)?, from_word(x1)?);
    let y = Fq2::new(from_word(y0)?, from_word(y1)?);
    let zeros = x == Fq2::default() && y == Fq2::default();
    let point = if zeros { G2Affine::zero() } else { G2Affine::new_unchecked(x, y) };
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}
