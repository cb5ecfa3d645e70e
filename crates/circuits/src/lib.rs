//! A rollup's transfers as provable circuits: what requesters of the demo's market buy proofs of.
//!
//! # The statement
//!
//! *There is a batch of n signed transfers that leads from the old state root to the new one.* The two roots are the public
//! inputs, in that order. A state is a Merkle tree of depth 8 (256 accounts) with Poseidon nodes; a registered leaf is
//! `Poseidon(key.x, key.y, balance + 2^64 * nonce + 2^96 * rollup)`, an unregistered one is 0. For every transfer, in order:
//!
//! 1. the sender's account is in the tree under the current root, and its key signed (sender, receiver, amount, the
//!    account's nonce, the rollup's id, a domain tag): Schnorr over Baby Jubjub, cofactored, Poseidon challenge;
//! 2. the amount is at most the balance; the sender's leaf is replaced by one with less balance and the nonce plus one;
//! 3. the receiver's account is in *that* tree; its leaf is replaced by one with more balance. Balances and amounts are
//!    64-bit, nonces 32-bit, without wrap-around. Sender and receiver may be one account: only the nonce changes then.
//!
//! | circuit | transfers | constraints | units | published bytes (demo) |
//! |---|---|---|---|---|
//! | `transfers-1` | 1 | 13,391 | 14 | about 620 |
//! | `transfers-2` | 2 | 26,717 | 27 | about 1,040 |
//! | `transfers-4` | 4 | 53,369 | 53 | about 1,680 |
//!
//! A transfer costs 13,326 constraints, of which 8 x 4 tree hashes are 7,800 and the signature about 4,000; 65 more belong to
//! the batch. One unit is 1,024 constraints, rounded up.
//!
//! # Development keys
//!
//! The keys of [`keys`] are **insecure**: their secret randomness follows from the circuit, so anybody can forge proofs. What
//! is gained is that every machine has the same keys and verifiers. Real money needs keys from a ceremony.
//!
//! # Map
//!
//! | module | what is in it |
//! |---|---|
//! | [`rollup`] | accounts, transfers, native execution: [`rollup::State`], [`rollup::Demo`] |
//! | `task` | [`Task`]: a batch with its witness data, and the bytes published with a bid |
//! | `registry` | [`CircuitKind`], [`CircuitId`]: which circuits exist and how large they are |
//! | [`keys`] | insecure development keys and their cache: [`keys::KeyStore`] |
//! | `proof` | [`prove`], [`verify`], [`Proof`], [`VerifyingKey`] and their EVM words |
//! | `circuit` | the statement as constraints |
//! | `poseidon`, `schnorr`, `tree` | hash, signature and Merkle tree that both sides are built from |
//! | `quiet` | keeps arkworks out of the logs |
//! | `word` | [`Word`], the 32-byte form of field elements |
//!
//! # From a bid to a proof
//!
//! ```no_run
//! use circuits::{CircuitId, CircuitKind, Task, keys::KeyStore, prove};
//!
//! # fn answer(id: CircuitId, public_inputs: &[circuits::Word], data: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let kind = CircuitKind::from_id(id)?;
//! let task = Task::decode(data)?;
//! task.matches(kind, public_inputs)?;
//! let key = KeyStore::open(KeyStore::DEFAULT_DIR)?.load(kind, &mut |event| println!("{event:?}"))?;
//! let words = prove(&key, &task, &mut rand::rngs::OsRng)?.to_words();
//! # Ok(())
//! # }
//! ```

mod circuit;
pub mod keys;
mod poseidon;
mod proof;
mod quiet;
mod registry;
pub mod rollup;
mod schnorr;
mod task;
mod tree;
mod word;

pub use proof::{PROOF_WORDS, Proof, ProveError, VerifyingKey, prove, verify};
pub use registry::{CONSTRAINTS_PER_UNIT, CircuitId, CircuitKind, PUBLIC_INPUTS, UnknownCircuit};
pub use task::{Task, TaskError};
pub use word::Word;
