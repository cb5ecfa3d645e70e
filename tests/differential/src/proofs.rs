//! Groth16 proofs next to true ones, and the contract that checks them.

use crate::evm::{Evm, Refused};
use alloy::primitives::{Address, Bytes, U256, uint};
use alloy::sol_types::SolConstructor;
use bindings::Groth16Verifier::{self, constructorCall, verifyBatchCall, verifyCall};
use bindings::IGroth16Verifier::Circuit;
use rand::{Rng, seq::IndexedRandom};
use serde_json::Value;

const ONE_EACH: &str = include_str!("../../vectors/groth16.json");
const MANY: &str = include_str!("../../vectors/groth16-batch.json");

/// Modulus of the points' coordinates.
const P: U256 = uint!(0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47_U256);
/// Modulus of the public inputs: the order of the groups.
const R: U256 = uint!(0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001_U256);

/// A statement of a circuit with a proof, true or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The circuit.
    pub circuit: u64,
    /// The statement.
    pub inputs: Vec<U256>,
    /// A, B and C, a coordinate a word, if it is whole.
    pub proof: Vec<U256>,
    /// Bytes that were cut off or added behind.
    pub length: isize,
}

/// The verifier with the demo's circuits.
pub struct Verifier {
    evm: Evm,
    address: Address,
    /// True statements with proofs, of every circuit.
    pub all: Vec<Proved>,
    /// Many of the first circuit.
    pub many: Vec<Proved>,
}

impl Default for Verifier {
    fn default() -> Self {
        let circuits: Vec<Value> = serde_json::from_str(ONE_EACH).expect("the vectors");
        let many: Value = serde_json::from_str(MANY).expect("the vectors");
        let made = circuits.iter().map(|circuit| Circuit {
            units: u32::try_from(circuit["units"].as_u64().expect("units")).expect("32 bits"),
            verifyingKey: bytes(&words(&circuit["vk"])),
        });
        let arguments = constructorCall { circuits: made.collect() }.abi_encode();
        let mut evm = Evm::new(1);
        let code = [Groth16Verifier::BYTECODE.as_ref(), &arguments].concat();
        let address = evm.deploy(code.into());
        let all = circuits.iter().flat_map(proved).collect();
        Self { evm, address, all, many: proved(&many) }
    }
}

impl Verifier {
    /// Whether the contract accepts a proof by itself.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn accepts(&mut self, proved: &Proved) -> Result<bool, Refused> {
        let (circuit, inputs) = (proved.circuit, proved.inputs.clone());
        let call = verifyCall { circuit, publicInputs: inputs, proof: proved.bytes() };
        self.evm.call(Address::ZERO, self.address, &call)
    }

    /// Which of some whole proofs of the first one's circuit it accepts together.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn accepts_together(&mut self, proofs: &[Proved]) -> Vec<bool> {
        let call = verifyBatchCall {
            circuit: proofs[0].circuit,
            publicInputs: proofs.iter().flat_map(|proved| proved.inputs.clone()).collect(),
            proofs: proofs.iter().flat_map(Proved::bytes).collect(),
        };
        let answer = self.evm.call(Address::ZERO, self.address, &call).expect("an answer");
        (0..proofs.len()).map(|bit| answer.valid.bit(bit)).collect()
    }
}

impl Proved {
    fn bytes(&self) -> Bytes {
        let mut all = bytes(&self.proof).to_vec();
        all.resize(all.len().checked_add_signed(self.length).expect("a length"), 0);
        all.into()
    }

    /// The same statement with (-A, -B, C) for (A, B, C): another proof of it, that anyone can make.
    #[must_use]
    pub fn malleated(&self) -> Self {
        let mut other = self.clone();
        for place in [1, 4, 5] {
            other.proof[place] = negated(other.proof[place]);
        }
        other
    }

    /// Something else in place of a true proof, of the same length if `whole`; `others` are of the same circuit or of others.
    ///
    /// # Panics
    /// Without others.
    pub fn corrupted(&self, others: &[Self], whole: bool, rng: &mut impl Rng) -> Self {
        loop {
            let mut other = self.clone();
            let strange = others.choose(rng).expect("others");
            match rng.random_range(0..if whole { 9 } else { 12 }) {
                0 => other.proof[rng.random_range(0..8)] ^= U256::from(1) << rng.random_range(0..256),
                1 => other.proof[rng.random_range(0..8)] = coordinate(rng),
                2 => {
                    // Not the canonical form of the same coordinate.
                    let place = rng.random_range(0..8);
                    other.proof[place] += P * U256::from(rng.random_range(1..4));
                }
                3 => other.proof.swap(rng.random_range(0..8), rng.random_range(0..8)),
                4 => {
                    // A point of another proof, or infinity.
                    let point = [0..2, 2..6, 6..8].choose(rng).expect("three").clone();
                    let infinity = rng.random_bool(0.3);
                    for place in point {
                        other.proof[place] = if infinity { U256::ZERO } else { strange.proof[place] };
                    }
                }
                5 => {
                    // One point negated, or C with it: only A and B together make a proof again.
                    let places: &[usize] = [&[1][..], &[4, 5], &[7], &[1, 7], &[4, 5, 7], &[1, 4, 5, 7]]
                        .choose(rng)
                        .expect("some");
                    for place in places {
                        other.proof[*place] = negated(other.proof[*place]);
                    }
                }
                6 => {
                    let place = rng.random_range(0..other.inputs.len());
                    other.inputs[place] = match rng.random_range(0..5) {
                        // The same value to whoever reduces it.
                        0 => other.inputs[place] + R,
                        1 => other.inputs[place].wrapping_add(U256::from(1)),
                        2 => U256::ZERO,
                        3 => coordinate(rng),
                        _ => other.inputs[place] ^ (U256::from(1) << rng.random_range(0..256)),
                    };
                }
                7 => other.inputs.clone_from(&strange.inputs),
                8 => other.inputs.reverse(),
                9 => other.length = *[-256, -32, -1, 1, 32, 256].choose(rng).expect("some"),
                10 => match rng.random_bool(0.5) {
                    true => other.inputs.push(U256::ZERO),
                    false => other.inputs.truncate(1),
                },
                _ => other.circuit ^= 1 << rng.random_range(0..40),
            }
            if &other != self {
                return other;
            }
        }
    }
}

fn negated(coordinate: U256) -> U256 {
    (P - coordinate) % P
}

fn coordinate(rng: &mut impl Rng) -> U256 {
    let random = U256::from_limbs(rng.random());
    *[U256::ZERO, U256::from(1), U256::from(2), P - U256::from(1), P, U256::MAX, random % P, random]
        .choose(rng)
        .expect("some")
}

fn proved(circuit: &Value) -> Vec<Proved> {
    let circuit_id = circuit["id"].as_u64().expect("an id");
    let proofs = circuit["proofs"].as_array().expect("proofs");
    let read = |proof: &Value| Proved {
        circuit: circuit_id,
        inputs: words(&proof["public_inputs"]),
        proof: words(&proof["proof"]),
        length: 0,
    };
    proofs.iter().map(read).collect()
}

fn words(list: &Value) -> Vec<U256> {
    let word = |word: &Value| word.as_str().and_then(|word| word.parse().ok()).expect("a word");
    list.as_array().expect("a list").iter().map(word).collect()
}

fn bytes(words: &[U256]) -> Bytes {
    words.iter().flat_map(U256::to_be_bytes::<32>).collect::<Vec<u8>>().into()
}
