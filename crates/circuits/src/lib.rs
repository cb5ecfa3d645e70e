//! Rollup transfer circuits.
mod circuit;
pub mod keys;
mod poseidon;
mod proof;
mod registry;
pub mod rollup;
mod schnorr;
mod task;
mod tree;
mod word;

pub use proof::{PROOF_WORDS, Proof, ProveError, VerifyingKey, prove, verify};
pub use registry::{CONSTRAINTS_PER_UNIT, CircuitKind, PUBLIC_INPUTS, UnknownCircuit, all_circuits};
pub use task::{Task, TaskError};
pub use word::Word;
