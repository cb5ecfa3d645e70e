//! Keys for development.
//!
//! **These keys are insecure.** Groth16 needs a setup whose randomness nobody knows. Here it is derived from the circuit,
//! so anybody can recompute it and forge proofs of false statements. In return every machine gets the same keys, and a
//! verifier deployed today accepts the proofs of tomorrow's run. A market for real money needs keys from a
//! multi-party ceremony; nothing else in this crate would change.
//!
//! * `setup`: the fingerprint of a circuit and [`DevProvingKey`] made from it.
//! * `store`: [`KeyStore`], the cache on disk.

mod setup;
mod store;

pub use setup::{DevProvingKey, Fingerprint, SetupError};
pub use store::{KeyEvent, KeyStore, KeyStoreError};
